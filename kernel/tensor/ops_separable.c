/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ops_separable.c - a residual layer of depthwise-separable convolution along the first axis, as
 * one operation: y = x + silu(conv(x)) W + b, with a filter of its own for each channel.
 *
 * Works in blocks of tokens, [L, n, C] of [L, N, C], that stay in the cache, and within one step
 * after step: what a tap sees is then a run of rows. Nothing is kept for the way back but x: the
 * rest is computed again. */
#include "tensor/activation.h"
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

/* What a call needs beside its tensors: x [L, N, C], filter [taps, C]. */
struct separable {
  size_t L, N, C;
  size_t n;     /* of N in a block, at most */
  size_t steps; /* that are worked on at once: 1, where a block's steps do not follow each other */
  size_t taps, centre; /* the tap that sees its own step */
  size_t dilation;
};

static size_t least(size_t a, size_t b) {
  return a < b ? a : b;
}

static struct separable begin(const struct ssk_call *call) {
  enum {
    BLOCK = 1 << 15, /* numbers of a block: so that its gradients stay in the second cache */
    PIECE = 1 << 12, /* numbers worked on at once: so that they stay in the first */
    FEWEST = 16,     /* rows that a product should have */
    MOST = 1 << 11   /* rows of a block that are summed at once */
  };
  const ssk_tensor *x = call->in[in_x];
  const struct ssk_taps *how = call->attr;
  struct separable s = {.L = (size_t)x->shape[0],
                        .N = (size_t)x->shape[1],
                        .C = (size_t)x->shape[2],
                        .steps = 1,
                        .taps = (size_t)call->in[in_filter]->shape[0],
                        .dilation = (size_t)how->dilation};
  s.centre = how->causal ? s.taps - 1 : (s.taps - 1) / 2;
  s.n = BLOCK / (s.L * s.C) < FEWEST ? FEWEST : BLOCK / (s.L * s.C);
  s.n = least(s.n, least(s.N, MOST));
  if (s.n == s.N)
    s.steps = PIECE / (s.N * s.C) < 1 ? 1 : PIECE / (s.N * s.C);
  s.steps = least(s.steps, s.L);
  return s;
}

/* Taps [from, from + taps) connect a step with others, the first of them with step `other`: those
 * that it sees or, on the way back, those that see it, in the opposite order. */
struct reached {
  size_t from, taps, other;
};

static struct reached reached_at(const struct separable *s, size_t l, bool back) {
  const size_t before = l / s->dilation, after = (s->L - 1 - l) / s->dilation;
  const size_t lower = back ? after : before, higher = back ? before : after;
  const size_t below = s->centre < lower ? s->centre : lower;
  const size_t above = s->taps - 1 - s->centre < higher ? s->taps - 1 - s->centre : higher;
  return (struct reached){.from = s->centre - below,
                          .taps = below + 1 + above,
                          .other = back ? l + below * s->dilation : l - below * s->dilation};
}

/* y [steps, n, C] = base + the taps' share of x, whose steps begin `stride` apart, at the steps
 * from l on. */
static void filter_steps(const struct separable *s, const ssk_real *filter, bool back, size_t l,
                         size_t steps, size_t n, const ssk_real *x, size_t stride,
                         const ssk_real *base, bool shared, ssk_real *y) {
  const ptrdiff_t apart = (ptrdiff_t)(s->dilation * stride);
  for (size_t run = 1; steps; steps -= run, l += run, run = 1) {
    const struct reached at = reached_at(s, l, back);
    for (; run < steps; run++) {
      const struct reached next = reached_at(s, l + run, back);
      if (next.from != at.from || next.taps != at.taps)
        break;
    }
    ssk_rows_filter(run * n, s->C,
                    (struct ssk_filter){at.taps, filter + at.from * s->C, back ? -apart : apart},
                    x + at.other * stride, base, shared, y);
    base += shared ? 0 : run * n * s->C;
    y += run * n * s->C;
  }
}

/* h = silu(conv(x)) at the steps from l on, and its slopes where they are wanted. */
static void convolve(const struct ssk_call *call, const struct separable *s, size_t l, size_t steps,
                     size_t first, size_t n, ssk_real *h, ssk_real *slope) {
  filter_steps(s, call->in[in_filter]->data, false, l, steps, n,
               call->in[in_x]->data + first * s->C, s->N * s->C, call->in[in_filter_bias]->data,
               true, h);
  ssk_act_forward(SSK_SILU, steps * n * s->C, h, h, slope);
}

/* For each block of n entries from `first` on, and for each piece of it: `steps` steps from l on.
 */
#define FOR_BLOCKS(s, first, n)                                                                    \
  for (size_t first = 0, n = (s).n; first < (s).N; first += n, n = least((s).N - first, (s).n))
#define FOR_PIECES(s, l, steps)                                                                    \
  for (size_t l = 0, steps = (s).steps; l < (s).L; l += steps, steps = least((s).L - l, (s).steps))

void ssk_forward_conv_separable(struct ssk_call *call) {
  const struct separable s = begin(call);
  const size_t mark = ssk_arena_mark(&call->tape->arena);
  ssk_real *h = ssk_scratch_reals(call, s.steps * s.n * s.C);
  if (!h)
    return;
  FOR_BLOCKS(s, first, n)
  FOR_PIECES(s, l, steps) {
    const size_t rows = steps * n, at = (l * s.N + first) * s.C;
    const struct ssk_layer layer = {
        .W = call->in[in_W]->data, .row = call->in[in_b]->data, .base = call->in[in_x]->data + at};
    convolve(call, &s, l, steps, first, n, h, NULL);
    ssk_rows_layer(rows, s.C, s.C, layer, h, call->out->data + at);
  }
  ssk_arena_rewind(&call->tape->arena, mark);
}

/* The filters' gradients, from dh [L, n, C]. */
static void add_filter_products(const struct ssk_call *call, const struct separable *s,
                                size_t first, size_t n, const ssk_real *dh, ssk_real *dfilter) {
  for (size_t i = 0; i < s->taps; i++) {
    const struct ssk_reach reach = ssk_tap_reach(call->attr, (int)s->L, (int)s->taps, (int)i);
    for (size_t l = 0, steps; l < reach.n; l += steps) {
      steps = least(reach.n - l, s->steps);
      ssk_rows_sum_products(steps * n, s->C,
                            call->in[in_x]->data + ((reach.in + l) * s->N + first) * s->C,
                            dh + (reach.out + l) * n * s->C, dfilter + i * s->C);
    }
  }
}

/* dx = dy + what comes through the taps, set or added. */
static void add_input_gradient(const struct ssk_call *call, const struct separable *s, size_t first,
                               size_t n, const ssk_real *dh, ssk_real *scratch) {
  const bool fresh = ssk_call_fresh(call, in_x);
  FOR_PIECES(*s, l, steps) {
    const size_t at = (l * s->N + first) * s->C;
    ssk_real *dx = call->in[in_x]->grad + at;
    filter_steps(s, call->in[in_filter]->data, true, l, steps, n, dh, n * s->C,
                 call->out->grad + at, false, fresh ? dx : scratch);
    if (!fresh)
      ssk_add_scaled(steps * n * s->C, 1, scratch, dx);
  }
}

void ssk_backward_conv_separable(struct ssk_call *call) {
  const struct separable s = begin(call);
  const size_t piece = s.steps * s.n * s.C;
  ssk_real *grad[5];
  for (int i = in_filter; i <= in_b; i++)
    grad[i] = ssk_wants(call->in[i]) ? ssk_grad_to_add(call, i) : NULL;
  ssk_real *h = ssk_scratch_reals(call, 2 * piece + s.C * s.C + s.L * s.n * s.C);
  if (!h)
    return;
  ssk_real *slope = h + piece, *turned = slope + piece, *dh = turned + s.C * s.C;
  ssk_transpose(s.C, s.C, call->in[in_W]->data, s.C, false, turned, s.C);
  FOR_BLOCKS(s, first, n) {
    FOR_PIECES(s, l, steps) {
      const size_t rows = steps * n;
      const ssk_real *dy = call->out->grad + (l * s.N + first) * s.C;
      ssk_real *to = dh + l * n * s.C;
      convolve(call, &s, l, steps, first, n, h, slope);
      if (grad[in_W])
        ssk_rows_add_outer(rows, s.C, s.C, h, dy, grad[in_W]);
      if (grad[in_b])
        ssk_rows_sum(rows, s.C, dy, grad[in_b]);
      ssk_rows_layer(rows, s.C, s.C, (struct ssk_layer){.W = turned}, dy, to);
      ssk_act_backward(SSK_SILU, rows * s.C, h, slope, to, to);
      if (grad[in_filter_bias])
        ssk_rows_sum(rows, s.C, to, grad[in_filter_bias]);
    }
    if (grad[in_filter])
      add_filter_products(call, &s, first, n, dh, grad[in_filter]);
    if (ssk_wants(call->in[in_x]))
      add_input_gradient(call, &s, first, n, dh, h);
  }
}

ssk_tensor *ssk_conv_separable(ssk_tape *tape, ssk_tensor *x, ssk_tensor *filter,
                               ssk_tensor *filter_bias, ssk_tensor *W, ssk_tensor *b, int dilation,
                               bool causal) {
  const struct ssk_taps taps = {.dilation = dilation, .causal = causal};
  return ssk_apply_op(tape, SSK_OP_conv_separable, SSK_INPUTS(x, filter, filter_bias, W, b), &taps,
                      sizeof taps);
}
