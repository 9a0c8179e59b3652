/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ops.c - the table of built-in operations, made from ops.def, and the shape rules that several of
 * them share. */
#include "tensor/ops.h"
#include "tensor/sums.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { WAY_BACK_adds, WAY_BACK_sets };

const struct ssk_op_row ssk_op_table[SSK_OP_COUNT] = {
#define ROW(name_, least_, most_, rule, way_back, flops_)                                          \
  {.op = {.size = sizeof(struct ssk_op),                                                           \
          .name = #name_,                                                                          \
          .shape = ssk_shape_##rule,                                                               \
          .forward = ssk_forward_##name_,                                                          \
          .backward = ssk_backward_##name_,                                                        \
          .sets = WAY_BACK_##way_back,                                                             \
          .flops = flops_},                                                                        \
   .least = least_,                                                                                \
   .most = most_},
#define SSK_OP(name, least, most, rule, way_back) ROW(name, least, most, rule, way_back, NULL)
#define SSK_PRODUCT(name, least, most, rule, way_back)                                             \
  ROW(name, least, most, rule, way_back, ssk_flops_##name)
#include "tensor/ops.def"
};

ssk_tensor *ssk_apply_op(ssk_tape *tape, enum ssk_op_id id, int n, ssk_tensor *const *inputs,
                         const void *attr, size_t attr_size) {
  const struct ssk_op_row *row = &ssk_op_table[id];
  const int required = row->most == 0 ? n : row->least;
  for (int i = 0; i < required; i++)
    if (!inputs[i])
      return ssk_tape_fail(tape, SSK_EUSAGE, "operation '%s': input %d is missing", row->op.name,
                           i + 1);
  return ssk_apply_list(tape, &row->op, n, inputs, attr, attr_size);
}

ssk_real *ssk_scratch_reals(struct ssk_call *call, size_t n) {
  ssk_real *memory = ssk_tape_scratch(call->tape, n * sizeof *memory);
  if (!memory)
    ssk_tape_fail(call->tape, SSK_ENOMEM, "operation '%s': no memory", call->op->name);
  return memory;
}

ssk_real *ssk_grad_to_add(struct ssk_call *call, int i) {
  ssk_tensor *x = call->in[i];
  if (ssk_call_fresh(call, i))
    memset(x->grad, 0, x->count * sizeof *x->grad);
  return x->grad;
}

void ssk_hand_gradient(struct ssk_call *call, int i, ssk_real scale) {
  const ssk_tensor *x = call->in[i];
  if (!ssk_wants(x))
    return;
  if (ssk_call_fresh(call, i))
    ssk_set_scaled(x->count, scale, call->out->grad, x->grad);
  else
    ssk_add_scaled(x->count, scale, call->out->grad, x->grad);
}

int ssk_misfit(struct ssk_call *call, const char *format, ...) {
  char message[400];
  va_list args;
  va_start(args, format);
  vsnprintf(message, sizeof message, format, args);
  va_end(args);
  ssk_tape_fail(call->tape, SSK_EUSAGE, "%s", message);
  return SSK_EUSAGE;
}

bool ssk_same_shape(const ssk_tensor *a, const ssk_tensor *b) {
  return a->ndim == b->ndim && memcmp(a->shape, b->shape, sizeof a->shape) == 0;
}

int ssk_shape_same(struct ssk_call *call, int *ndim, int *shape) {
  *ndim = call->in[0]->ndim;
  memcpy(shape, call->in[0]->shape, sizeof call->in[0]->shape);
  return SSK_OK;
}

/* All inputs of one shape. */
int ssk_shape_alike(struct ssk_call *call, int *ndim, int *shape) {
  for (int i = 1; i < call->n; i++)
    if (call->in[i] && !ssk_same_shape(call->in[0], call->in[i]))
      return ssk_misfit(call, "inputs 1 and %d must have one shape, not %s and %s", i + 1,
                        SSK_SHOW(call->in[0]), SSK_SHOW(call->in[i]));
  return ssk_shape_same(call, ndim, shape);
}

/* The last axis goes. */
int ssk_shape_rows(struct ssk_call *call, int *ndim, int *shape) {
  ssk_shape_same(call, ndim, shape);
  if (*ndim < 1)
    return ssk_misfit(call, "a scalar has no last axis");
  shape[--*ndim] = 1;
  return SSK_OK;
}

int ssk_shape_scalar(struct ssk_call *call, int *ndim, int *shape) {
  (void)call, (void)shape;
  *ndim = 0;
  return SSK_OK;
}

/* Inputs of one shape; summed over the last axis. */
int ssk_shape_density(struct ssk_call *call, int *ndim, int *shape) {
  int code = ssk_shape_alike(call, ndim, shape);
  return code ? code : ssk_shape_rows(call, ndim, shape);
}
