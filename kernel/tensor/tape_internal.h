/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tape_internal.h - the inside of a tape, for the files of kernel/tensor only. */
#ifndef SSK_TENSOR_TAPE_INTERNAL_H
#define SSK_TENSOR_TAPE_INTERNAL_H

#include "core/arena.h"
#include "tensor/profile.h"
#include "tensor/shape_text.h"
#include <sskit/tape.h>

/* A recorded operation. `inputs` is call.in, or a longer list in the arena. */
struct ssk_node {
  struct ssk_node *previous;
  size_t at; /* mark of the arena when it was made */
  const char *scope;
  int n_inputs;
  ssk_tensor *const *inputs;
  struct ssk_call call;
};

/* Gradients of tensors that the way back has passed: memory for those that follow. */
enum { SSK_SPARE_GRADIENTS = 64 };
struct ssk_spare {
  size_t count;
  ssk_real *grad;
};

struct ssk_tape {
  struct ssk_arena arena;
  ssk_err *err;
  int code; /* the sticky error */
  bool record;
  bool went_back; /* ssk_backward ran over what is recorded */
  struct ssk_node *last;
  size_t length;
  int n_spare;
  struct ssk_spare spare[SSK_SPARE_GRADIENTS];
  const char *scope;           /* see profile.h */
  struct ssk_profile *profile; /* or NULL */
  ssk_tensor empty;            /* what failed operations return */
  ssk_real nothing[SSK_MAX_DIMS];
};

/* A tensor with uninitialised data; the empty tensor, and a sticky error, when that is impossible.
 */
ssk_tensor *ssk_tensor_new(ssk_tape *tape, int ndim, const int *shape);
/* A view of `x` that begins at entry `from`; x->base's data and gradient are shared. */
ssk_tensor *ssk_view(ssk_tape *tape, ssk_tensor *x, size_t from, int ndim, const int *shape);
static inline bool ssk_is_empty(const ssk_tensor *x) {
  return x && x->count == 0;
}

/* ssk_apply for any number of inputs; beyond SSK_MAX_INPUTS, `inputs` lies in the arena. */
ssk_tensor *ssk_apply_list(ssk_tape *tape, const struct ssk_op *op, int n,
                           ssk_tensor *const *inputs, const void *attr, size_t attr_size);

#endif
