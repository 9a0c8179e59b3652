/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ops.h - the table of built-in operations, and what their files share. */
#ifndef SSK_TENSOR_OPS_H
#define SSK_TENSOR_OPS_H

#include "tensor/tape_internal.h"

enum ssk_op_id {
#define SSK_OP(name, least, most, rule, way_back) SSK_OP_##name,
#include "tensor/ops.def"
  SSK_OP_COUNT
};

struct ssk_op_row {
  struct ssk_op op;
  int least, most; /* inputs */
};
extern const struct ssk_op_row ssk_op_table[SSK_OP_COUNT];

#define SSK_OP(name, least, most, rule, way_back)                                                  \
  int ssk_shape_##rule(struct ssk_call *call, int *ndim, int *shape);                              \
  void ssk_forward_##name(struct ssk_call *call);                                                  \
  void ssk_backward_##name(struct ssk_call *call);
#define SSK_PRODUCT(name, least, most, rule, way_back)                                             \
  SSK_OP(name, least, most, rule, way_back)                                                        \
  double ssk_flops_##name(const struct ssk_call *call, bool back);
#include "tensor/ops.def"

/* Apply a row of the table. Missing inputs are a sticky error. */
ssk_tensor *ssk_apply_op(ssk_tape *tape, enum ssk_op_id id, int n, ssk_tensor *const *inputs,
                         const void *attr, size_t attr_size);
#define SSK_INPUTS(...)                                                                            \
  (int)(sizeof((ssk_tensor *[]){__VA_ARGS__}) / sizeof(ssk_tensor *)), (ssk_tensor *const[]) {     \
    __VA_ARGS__                                                                                    \
  }

/* Scratch memory for n numbers: freed with the tape in forward, after the call in backward. NULL,
 * with a sticky error, without memory: return at once. */
ssk_real *ssk_scratch_reals(struct ssk_call *call, size_t n);

/* Describe a misfit; for shape rules: return ssk_misfit(call, ...). */
int ssk_misfit(struct ssk_call *call, const char *format, ...) SSK_PRINTF(2, 3);

bool ssk_same_shape(const ssk_tensor *a, const ssk_tensor *b);
/* Does this input want a gradient, as 0 or 1; for ssk_flops_<name>. */
static inline double ssk_gradients(const ssk_tensor *x) {
  return x && x->needs_grad;
}
/* Does this input want a gradient? NULL does not. */
static inline bool ssk_wants(const ssk_tensor *x) {
  return x && x->grad && x->needs_grad;
}

/* For backward of operations that set: the gradient of input i to add to, cleared if it is fresh.
 */
ssk_real *ssk_grad_to_add(struct ssk_call *call, int i);
/* Input i, of out's shape, gets scale times out's gradient, if it wants one. */
void ssk_hand_gradient(struct ssk_call *call, int i, ssk_real scale);

#endif
