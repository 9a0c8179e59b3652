/* SPDX-License-Identifier: GPL-3.0-or-later */
/* leaves.c - tensors that come from no operation: constants, random constants, and views. */
#include "tensor/rng_fill.h"
#include "tensor/tape_internal.h"
#include <string.h>

ssk_tensor *ssk_empty(ssk_tape *tape, int ndim, const int *shape) {
  return ssk_tensor_new(tape, ndim, shape);
}

ssk_tensor *ssk_const(ssk_tape *tape, int ndim, const int *shape, const ssk_real *data) {
  ssk_tensor *x = ssk_tensor_new(tape, ndim, shape);
  if (!ssk_is_empty(x))
    memcpy(x->data, data, x->count * sizeof *data);
  return x;
}

ssk_tensor *ssk_full(ssk_tape *tape, int ndim, const int *shape, ssk_real value) {
  ssk_tensor *x = ssk_tensor_new(tape, ndim, shape);
  for (size_t i = 0; i < x->count; i++)
    x->data[i] = value;
  return x;
}

/* Round the drawing of random numbers: a row of its own in a profile. */
static ssk_tensor *drawn(ssk_tape *tape, int ndim, const int *shape) {
  if (tape->profile)
    ssk_profile_other(tape->profile, tape->scope, SSK_FORWARD);
  return ssk_tensor_new(tape, ndim, shape);
}
static void end_drawing(ssk_tape *tape, const char *name, const ssk_tensor *x) {
  if (tape->profile)
    ssk_profile_work(tape->profile, tape->scope, name, SSK_FORWARD,
                     (double)(x->count * sizeof *x->data));
}

ssk_tensor *ssk_normal(ssk_tape *tape, int ndim, const int *shape, ssk_rng *rng) {
  ssk_tensor *x = drawn(tape, ndim, shape);
  ssk_rng_fill_normal(rng, x->count, x->data);
  end_drawing(tape, "normal", x);
  return x;
}

ssk_tensor *ssk_uniform(ssk_tape *tape, int ndim, const int *shape, ssk_rng *rng) {
  ssk_tensor *x = drawn(tape, ndim, shape);
  ssk_rng_fill_uniform(rng, x->count, x->data);
  end_drawing(tape, "uniform", x);
  return x;
}

ssk_tensor *ssk_stop(ssk_tape *tape, ssk_tensor *x) {
  if (ssk_is_empty(x))
    return x;
  ssk_tensor *view = ssk_view(tape, x, 0, x->ndim, x->shape);
  view->needs_grad = false;
  return view;
}

ssk_tensor *ssk_reshape(ssk_tape *tape, ssk_tensor *x, int ndim, const int *shape) {
  if (ssk_is_empty(x))
    return x;
  ssk_tensor *view = ssk_view(tape, x, 0, ndim, shape);
  if (!ssk_is_empty(view) && view->count != x->count)
    return ssk_tape_fail(tape, SSK_EUSAGE, "cannot reshape %s to %s: the counts differ",
                         SSK_SHOW(x), SSK_SHOW(view));
  return view;
}

ssk_tensor *ssk_rows(ssk_tape *tape, ssk_tensor *x, int from, int n) {
  if (ssk_is_empty(x))
    return x;
  if (x->ndim < 1 || from < 0 || n < 1 || from > x->shape[0] - n)
    return ssk_tape_fail(tape, SSK_EUSAGE, "no rows [%d, %d) in a tensor of shape %s", from,
                         from + n, SSK_SHOW(x));
  int shape[SSK_MAX_DIMS] = {n, x->shape[1], x->shape[2], x->shape[3]};
  return ssk_view(tape, x, (size_t)from * (x->count / (size_t)x->shape[0]), x->ndim, shape);
}
