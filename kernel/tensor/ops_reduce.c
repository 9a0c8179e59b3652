/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ops_reduce.c - sums, log-sum-exp and softmax. */
#include "tensor/ops.h"
#include "tensor/sums.h"
#include "tensor/vmath.h"
#include <math.h>
#include <string.h>

/* ---- sum over one axis ---------------------------------------------------------------------- */

int ssk_shape_sum(struct ssk_call *call, int *ndim, int *shape) {
  const int axis = *(const int *)call->attr;
  const ssk_tensor *x = call->in[0];
  if (axis < 0 || axis >= x->ndim)
    return ssk_misfit(call, "no axis %d in a tensor of shape %s", axis, SSK_SHOW(x));
  *ndim = x->ndim - 1;
  for (int i = 0; i < *ndim; i++)
    shape[i] = x->shape[i < axis ? i : i + 1];
  return SSK_OK;
}

/* x as [outer, n, inner] around the axis */
static void around(const struct ssk_call *call, size_t *outer, size_t *n, size_t *inner) {
  const int axis = *(const int *)call->attr;
  const ssk_tensor *x = call->in[0];
  *n = (size_t)x->shape[axis];
  *inner = 1;
  for (int i = axis + 1; i < x->ndim; i++)
    *inner *= (size_t)x->shape[i];
  *outer = x->count / (*n * *inner);
}

void ssk_forward_sum(struct ssk_call *call) {
  size_t outer, n, inner;
  around(call, &outer, &n, &inner);
  const ssk_real *x = call->in[0]->data;
  ssk_real *y = call->out->data;
  memset(y, 0, call->out->count * sizeof *y);
  if (inner == 1)
    ssk_add_row_sums(outer, n, 1, x, y);
  else
    for (size_t o = 0; o < outer; o++)
      ssk_add_column_sums(n, inner, 1, x + o * n * inner, y + o * inner);
}
void ssk_backward_sum(struct ssk_call *call) {
  size_t outer, n, inner;
  around(call, &outer, &n, &inner);
  const ssk_real *restrict dy = call->out->grad;
  ssk_real *restrict dx = call->in[0]->grad;
  for (size_t o = 0; o < outer; o++) {
    if (inner == 1)
      for (size_t k = 0; k < n; k++)
        dx[o * n + k] += dy[o];
    else
      for (size_t k = 0; k < n; k++)
        ssk_add_scaled(inner, 1, dy + o * inner, dx + (o * n + k) * inner);
  }
}

/* ---- sum over everything, times a factor ---------------------------------------------------- */

void ssk_forward_sum_all(struct ssk_call *call) {
  const double factor = *(const double *)call->attr;
  const ssk_tensor *x = call->in[0];
  call->out->data[0] = (ssk_real)(factor * ssk_sum_array(x->count, x->data));
}
void ssk_backward_sum_all(struct ssk_call *call) {
  const double factor = *(const double *)call->attr;
  const ssk_real each = (ssk_real)(factor * (double)call->out->grad[0]);
  ssk_real *dx = call->in[0]->grad;
  for (size_t i = 0; i < call->in[0]->count; i++)
    dx[i] += each;
}

/* ---- log-sum-exp over the last axis: [.., C] -> [..]; softmax along it ----------------------- */

/* e = exp(x - max of the row); where all of a row is -inf, exp(x) = 0. */
static void exp_shifted(size_t rows, size_t columns, const ssk_real *restrict x,
                        ssk_real *restrict e, ssk_real *restrict shift) {
  for (size_t r = 0; r < rows; r++) {
    ssk_real most = x[r * columns];
    for (size_t c = 1; c < columns; c++)
      most = x[r * columns + c] > most ? x[r * columns + c] : most;
    most = most == -(ssk_real)INFINITY ? 0 : most;
    for (size_t c = 0; c < columns; c++)
      e[r * columns + c] = x[r * columns + c] - most;
    if (shift)
      shift[r] = most;
  }
  ssk_vexp(rows * columns, e, e);
}

/* saved: softmax of x */
void ssk_forward_logsumexp(struct ssk_call *call) {
  const ssk_tensor *x = call->in[0];
  const size_t rows = (size_t)ssk_height(x), columns = (size_t)ssk_width(x);
  ssk_real *y = call->out->data;
  ssk_real *e = call->saved = ssk_scratch_reals(call, x->count);
  if (!e)
    return;
  exp_shifted(rows, columns, x->data, e, y);
  for (size_t r = 0; r < rows; r++) {
    const double sum = ssk_sum_array(columns, e + r * columns);
    const ssk_real inverse = (ssk_real)(sum > 0 ? 1 / sum : 0);
    for (size_t c = 0; c < columns; c++)
      e[r * columns + c] *= inverse;
    y[r] += (ssk_real)log(sum);
  }
}
void ssk_backward_logsumexp(struct ssk_call *call) {
  const size_t rows = call->out->count, columns = (size_t)ssk_width(call->in[0]);
  const ssk_real *restrict p = call->saved, *restrict dy = call->out->grad;
  ssk_real *restrict dx = call->in[0]->grad;
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < columns; c++)
      dx[r * columns + c] += dy[r] * p[r * columns + c];
}

void ssk_forward_softmax(struct ssk_call *call) {
  const ssk_tensor *x = call->in[0];
  const size_t rows = (size_t)ssk_height(x), columns = (size_t)ssk_width(x);
  ssk_real *y = call->out->data;
  exp_shifted(rows, columns, x->data, y, NULL);
  for (size_t r = 0; r < rows; r++) {
    const ssk_real inverse = (ssk_real)(1 / ssk_sum_array(columns, y + r * columns));
    for (size_t c = 0; c < columns; c++)
      y[r * columns + c] *= inverse;
  }
}
/* dx = y (dy - sum of y dy) */
void ssk_backward_softmax(struct ssk_call *call) {
  const ssk_tensor *x = call->in[0];
  const size_t rows = (size_t)ssk_height(x), columns = (size_t)ssk_width(x);
  for (size_t r = 0; r < rows; r++) {
    const ssk_real *restrict y = call->out->data + r * columns;
    const ssk_real *restrict dy = call->out->grad + r * columns;
    ssk_real *restrict dx = x->grad + r * columns;
    double inner = 0;
    for (size_t c = 0; c < columns; c++)
      inner += (double)y[c] * (double)dy[c];
    for (size_t c = 0; c < columns; c++)
      dx[c] += y[c] * (dy[c] - (ssk_real)inner);
  }
}

/* ---- public --------------------------------------------------------------------------------- */

ssk_tensor *ssk_sum(ssk_tape *tape, ssk_tensor *x, int axis) {
  const int attr = axis < 0 && x ? axis + x->ndim : axis;
  return ssk_apply_op(tape, SSK_OP_sum, SSK_INPUTS(x), &attr, sizeof attr);
}
ssk_tensor *ssk_sum_all(ssk_tape *tape, ssk_tensor *x) {
  const double attr = 1;
  return ssk_apply_op(tape, SSK_OP_sum_all, SSK_INPUTS(x), &attr, sizeof attr);
}
ssk_tensor *ssk_mean_all(ssk_tape *tape, ssk_tensor *x) {
  const double attr = x && x->count ? 1 / (double)x->count : 1;
  return ssk_apply_op(tape, SSK_OP_sum_all, SSK_INPUTS(x), &attr, sizeof attr);
}
ssk_tensor *ssk_logsumexp(ssk_tape *tape, ssk_tensor *x) {
  return ssk_apply_op(tape, SSK_OP_logsumexp, SSK_INPUTS(x), NULL, 0);
}
ssk_tensor *ssk_softmax(ssk_tape *tape, ssk_tensor *x) {
  return ssk_apply_op(tape, SSK_OP_softmax, SSK_INPUTS(x), NULL, 0);
}
