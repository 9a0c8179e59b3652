/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ops_separable.c - a residual layer of depthwise-separable convolution along the first axis, as
 * one operation: y = x + silu(conv(x)) W + b, with a filter of its own for each channel.
 *
 * Works in blocks of tokens, [L, n, C] of [L, N, C], that stay in the cache: a tap is then
 * arithmetic between two runs of rows. Nothing is kept for the way back but x: the rest is computed
 * again. */
#include "tensor/activation.h"
#include "tensor/gemm.h"
#include "tensor/ops.h"
#include "tensor/rows.h"
#include "tensor/sums.h"
#include "tensor/taps.h"
#include "tensor/transpose.h"
#include <string.h>

enum { in_x, in_filter, in_filter_bias, in_W, in_b };

int ssk_shape_conv_separable(struct ssk_call *call, int *ndim, int *shape) {
  const struct ssk_taps *taps = call->attr;
  const ssk_tensor *x = call->in[in_x], *filter = call->in[in_filter], *W = call->in[in_W];
  const int C = ssk_width(x);
  if (x->ndim != 3)
    return ssk_misfit(call, "inputs must be of shape [L, N, C], not %s", SSK_SHOW(x));
  if (filter->ndim != 2 || filter->shape[1] != C)
    return ssk_misfit(call, "inputs of shape %s do not fit filters of shape %s", SSK_SHOW(x),
                      SSK_SHOW(filter));
  if (W->ndim != 2 || W->shape[0] != C || W->shape[1] != C)
    return ssk_misfit(call, "inputs of shape %s do not fit weights of shape %s", SSK_SHOW(x),
                      SSK_SHOW(W));
  for (int i = 0; i < 2; i++) {
    const ssk_tensor *bias = call->in[i ? in_b : in_filter_bias];
    if (bias->ndim != 1 || bias->shape[0] != C)
      return ssk_misfit(call, "a bias of shape %s for %d channels", SSK_SHOW(bias), C);
  }
  if (taps->dilation < 1)
    return ssk_misfit(call, "dilation %d: it must be at least 1", taps->dilation);
  if (!taps->causal && filter->shape[0] % 2 == 0)
    return ssk_misfit(call, "a centred filter must have an odd length, not %d", filter->shape[0]);
  return ssk_shape_same(call, ndim, shape);
}

double ssk_flops_conv_separable(const struct ssk_call *call, bool back) {
  const ssk_tensor *x = call->in[in_x], *filter = call->in[in_filter];
  double steps = 0;
  for (int i = 0; i < filter->shape[0]; i++)
    steps += (double)ssk_tap_reach(call->attr, x->shape[0], filter->shape[0], i).n;
  const double taps = 2 * steps * x->shape[1] * ssk_width(x);
  const double product = 2.0 * (double)x->count * ssk_width(x);
  return back ? taps * (ssk_gradients(x) + ssk_gradients(filter)) +
                    product * (1 + ssk_gradients(call->in[in_W]))
              : taps + product;
}

/* What a call needs beside its tensors: x [L, N, C], filter [taps, C], and blocks of at most n of
 * N.
 */
struct separable {
  size_t L, N, C, n;
  int taps, centre; /* the tap that sees its own step */
};

static struct separable begin(const struct ssk_call *call) {
  enum { BLOCK = 8192 }; /* numbers whose work stays in the first caches */
  const ssk_tensor *x = call->in[in_x];
  const struct ssk_taps *how = call->attr;
  struct separable s = {.L = (size_t)x->shape[0],
                        .N = (size_t)x->shape[1],
                        .C = (size_t)x->shape[2],
                        .taps = call->in[in_filter]->shape[0]};
  s.centre = how->causal ? s.taps - 1 : (s.taps - 1) / 2;
  s.n = BLOCK / (s.L * s.C) < 1 ? 1 : BLOCK / (s.L * s.C);
  if (s.n > s.N)
    s.n = s.N;
  return s;
}

/* The block [L, n, C] from entry `first` of N on: where it is, if it is all, or a copy. */
static const ssk_real *block_of(const struct separable *s, size_t first, size_t n,
                                const ssk_real *x, ssk_real *copy) {
  if (n == s->N)
    return x;
  for (size_t l = 0; l < s->L; l++)
    memcpy(copy + l * n * s->C, x + (l * s->N + first) * s->C, n * s->C * sizeof *copy);
  return copy;
}

/* And back, set or added. */
static void store(const struct separable *s, size_t first, size_t n, const ssk_real *block,
                  bool add, ssk_real *x) {
  const size_t run = n * s->C;
  for (size_t l = 0; l < s->L; l++)
    if (add)
      ssk_add_scaled(run, 1, block + l * run, x + (l * s->N + first) * s->C);
    else
      memcpy(x + (l * s->N + first) * s->C, block + l * run, run * sizeof *x);
}

/* The runs of rows of a block that tap i connects. */
static struct ssk_reach run_of(const struct ssk_call *call, const struct separable *s, size_t n,
                               int i) {
  struct ssk_reach run = ssk_tap_reach(call->attr, (int)s->L, s->taps, i);
  return (struct ssk_reach){.out = run.out * n, .in = run.in * n, .n = run.n * n};
}

/* h = silu(conv(x)), and its slopes where they are wanted. */
static void convolve(const struct ssk_call *call, const struct separable *s, size_t n,
                     const ssk_real *x, ssk_real *h, ssk_real *slope) {
  const size_t C = s->C;
  const ssk_real *filter = call->in[in_filter]->data;
  ssk_rows_multiply(s->L * n, C, filter + (size_t)s->centre * C, x, call->in[in_filter_bias]->data,
                    true, h);
  for (int i = 0; i < s->taps; i++) {
    const struct ssk_reach run = run_of(call, s, n, i);
    ssk_real *to = h + run.out * C;
    if (i != s->centre)
      ssk_rows_multiply(run.n, C, filter + (size_t)i * C, x + run.in * C, to, false, to);
  }
  ssk_act_forward(SSK_SILU, s->L * n * C, h, h, slope);
}

static struct ssk_matrix matrix(const ssk_real *data, size_t C, enum ssk_transpose as) {
  return (struct ssk_matrix){data, (int)C, as};
}

void ssk_forward_conv_separable(struct ssk_call *call) {
  const struct separable s = begin(call);
  const size_t part = s.L * s.n * s.C, mark = ssk_arena_mark(&call->tape->arena);
  const bool whole = s.n == s.N;
  ssk_real *h = ssk_scratch_reals(call, (whole ? 1 : 3) * part);
  if (!h)
    return;
  for (size_t first = 0, n; first < s.N; first += n) {
    n = s.N - first < s.n ? s.N - first : s.n;
    const int rows = (int)(s.L * n), C = (int)s.C;
    const ssk_real *x = block_of(&s, first, n, call->in[in_x]->data, h + part);
    ssk_real *y = whole ? call->out->data : h + 2 * part;
    convolve(call, &s, n, x, h, NULL);
    ssk_rows_add((size_t)rows, s.C, call->in[in_b]->data, x, y);
    ssk_gemm(rows, C, C, 1, matrix(h, s.C, SSK_AS_IS), matrix(call->in[in_W]->data, s.C, SSK_AS_IS),
             1, y, C);
    if (!whole)
      store(&s, first, n, y, false, call->out->data);
  }
  ssk_arena_rewind(&call->tape->arena, mark);
}

/* From dh: the filters' gradients, and dx = dy + what comes through the taps. */
static void convolve_back(const struct ssk_call *call, const struct separable *s, size_t n,
                          const ssk_real *x, const ssk_real *dh, const ssk_real *dy,
                          ssk_real *dfilter, ssk_real *dx) {
  const size_t C = s->C;
  const ssk_real *filter = call->in[in_filter]->data;
  if (dx)
    ssk_rows_multiply(s->L * n, C, filter + (size_t)s->centre * C, dh, dy, false, dx);
  for (int i = 0; i < s->taps; i++) {
    const struct ssk_reach run = run_of(call, s, n, i);
    if (dfilter)
      ssk_rows_sum_products(run.n, C, x + run.in * C, dh + run.out * C, dfilter + (size_t)i * C);
    if (dx && i != s->centre)
      ssk_rows_multiply(run.n, C, filter + (size_t)i * C, dh + run.out * C, dx + run.in * C, false,
                        dx + run.in * C);
  }
}

void ssk_backward_conv_separable(struct ssk_call *call) {
  const ssk_tensor *in = call->in[in_x];
  const struct separable s = begin(call);
  const size_t part = s.L * s.n * s.C;
  const int C = (int)s.C;
  ssk_real *grad[5];
  for (int i = in_filter; i <= in_b; i++)
    grad[i] = ssk_wants(call->in[i]) ? ssk_grad_to_add(call, i) : NULL;
  ssk_real *h = ssk_scratch_reals(call, 6 * part + s.C * s.C);
  if (!h)
    return;
  ssk_real *slope = h + part, *dh = slope + part, *dx = dh + part, *copy = dx + part;
  ssk_real *turned = copy + 2 * part;
  const bool in_place = s.n == s.N && ssk_wants(in) && ssk_call_fresh(call, in_x);
  ssk_transpose(s.C, s.C, call->in[in_W]->data, s.C, false, turned, s.C);
  for (size_t first = 0, n; first < s.N; first += n) {
    n = s.N - first < s.n ? s.N - first : s.n;
    const size_t rows = s.L * n;
    const ssk_real *x = block_of(&s, first, n, in->data, copy);
    const ssk_real *dy = block_of(&s, first, n, call->out->grad, copy + part);
    ssk_real *to = in_place ? in->grad : dx;
    convolve(call, &s, n, x, h, slope);
    if (grad[in_W])
      ssk_gemm(C, C, (int)rows, 1, matrix(h, s.C, SSK_TRANSPOSED), matrix(dy, s.C, SSK_AS_IS), 1,
               grad[in_W], C);
    if (grad[in_b])
      ssk_rows_sum(rows, s.C, dy, grad[in_b]);
    ssk_gemm((int)rows, C, C, 1, matrix(dy, s.C, SSK_AS_IS), matrix(turned, s.C, SSK_AS_IS), 0, dh,
             C);
    ssk_act_backward(SSK_SILU, rows * s.C, h, slope, dh, dh);
    if (grad[in_filter_bias])
      ssk_rows_sum(rows, s.C, dh, grad[in_filter_bias]);
    convolve_back(call, &s, n, x, dh, dy, grad[in_filter], ssk_wants(in) ? to : NULL);
    if (ssk_wants(in) && !in_place)
      store(&s, first, n, dx, !ssk_call_fresh(call, in_x), in->grad);
  }
}

ssk_tensor *ssk_conv_separable(ssk_tape *tape, ssk_tensor *x, ssk_tensor *filter,
                               ssk_tensor *filter_bias, ssk_tensor *W, ssk_tensor *b, int dilation,
                               bool causal) {
  const struct ssk_taps taps = {.dilation = dilation, .causal = causal};
  return ssk_apply_op(tape, SSK_OP_conv_separable, SSK_INPUTS(x, filter, filter_bias, W, b), &taps,
                      sizeof taps);
}
