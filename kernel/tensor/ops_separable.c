/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ops_separable.c - a residual layer of depthwise-separable convolution along the first axis, as
 * one operation: y = x + silu(conv(x)) W + b, with a filter of its own for each channel.
 *
 * Works in blocks of tokens, a channel a row (channels.h): a tap is then arithmetic between two
 * runs of one row. Nothing is kept for the way back but x: the rest is computed again. */
#include "tensor/activation.h"
#include "tensor/channels.h"
#include "tensor/ops.h"
#include "tensor/sums.h"
#include "tensor/taps.h"
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

/* Where tap i connects two runs of a row of the block. */
static struct ssk_reach run_of(const struct ssk_call *call, const struct ssk_axis *axis,
                               const struct ssk_block *block, int i) {
  struct ssk_reach run = ssk_tap_reach(call->attr, (int)axis->L, call->in[in_filter]->shape[0], i);
  run.out *= block->n;
  run.in *= block->n;
  run.n *= block->n;
  return run;
}

/* h = silu(conv(x)), and its slopes where they are wanted; [C, tokens]. */
static void convolve(const struct ssk_call *call, const struct ssk_axis *axis,
                     const struct ssk_block *block, const ssk_real *x, ssk_real *h,
                     ssk_real *slope) {
  const ssk_tensor *filter = call->in[in_filter];
  for (size_t c = 0; c < axis->C; c++) {
    const size_t at = c * block->stride;
    ssk_real *restrict row = h + at;
    for (size_t t = 0; t < block->tokens; t++)
      row[t] = call->in[in_filter_bias]->data[c];
    for (int i = 0; i < filter->shape[0]; i++) {
      const struct ssk_reach run = run_of(call, axis, block, i);
      ssk_add_scaled(run.n, filter->data[(size_t)i * axis->C + c], x + at + run.in, row + run.out);
    }
    ssk_act_forward(SSK_SILU, block->tokens, row, row, slope ? slope + at : NULL);
  }
}

void ssk_forward_conv_separable(struct ssk_call *call) {
  const struct ssk_axis axis = ssk_axis_of(call->in[in_x]);
  const size_t part = axis.C * ssk_block_stride(axis.n * axis.L);
  const size_t mark = ssk_arena_mark(&call->tape->arena);
  ssk_real *x = ssk_scratch_reals(call, 2 * part);
  if (!x)
    return;
  ssk_real *h = x + part;
  for (size_t i = 0; i < ssk_axis_blocks(&axis); i++) {
    const struct ssk_block block = ssk_block_at(&axis, i);
    ssk_block_load(&axis, &block, call->in[in_x]->data, x);
    convolve(call, &axis, &block, x, h, NULL);
    ssk_block_product(&block, axis.C, axis.C, call->in[in_W]->data, h, true, x);
    ssk_block_add_bias(&block, axis.C, call->in[in_b]->data, x);
    ssk_block_store(&axis, &block, x, false, call->out->data);
  }
  ssk_arena_rewind(&call->tape->arena, mark);
}

/* From dh: the filters' gradients, and dx += what comes through the taps. */
static void convolve_back(const struct ssk_call *call, const struct ssk_axis *axis,
                          const struct ssk_block *block, const ssk_real *x, const ssk_real *dh,
                          ssk_real *dfilter, ssk_real *dx) {
  const ssk_tensor *filter = call->in[in_filter];
  for (int i = 0; i < filter->shape[0]; i++) {
    const struct ssk_reach run = run_of(call, axis, block, i);
    const struct ssk_block part = {.tokens = run.n, .stride = block->stride};
    const size_t tap = (size_t)i * axis->C;
    if (dfilter)
      ssk_block_add_products(&part, axis->C, x + run.in, dh + run.out, dfilter + tap);
    for (size_t c = 0; c < axis->C; c++) {
      const size_t at = c * block->stride;
      ssk_add_scaled(run.n, filter->data[tap + c], dh + at + run.out, dx + at + run.in);
    }
  }
}

void ssk_backward_conv_separable(struct ssk_call *call) {
  const ssk_tensor *in = call->in[in_x];
  const struct ssk_axis axis = ssk_axis_of(in);
  const size_t C = axis.C, part = C * ssk_block_stride(axis.n * axis.L);
  ssk_real *grad[5];
  for (int i = in_filter; i <= in_b; i++)
    grad[i] = ssk_wants(call->in[i]) ? ssk_grad_to_add(call, i) : NULL;
  ssk_real *x = ssk_scratch_reals(call, 5 * part);
  if (!x)
    return;
  ssk_real *h = x + part, *slope = h + part, *dy = slope + part, *dh = dy + part;
  for (size_t b = 0; b < ssk_axis_blocks(&axis); b++) {
    const struct ssk_block block = ssk_block_at(&axis, b);
    ssk_block_load(&axis, &block, in->data, x);
    ssk_block_load(&axis, &block, call->out->grad, dy);
    convolve(call, &axis, &block, x, h, slope);
    if (grad[in_W])
      ssk_block_add_outer_rows(&axis, &block, C, h, call->out->grad, grad[in_W]);
    if (grad[in_b])
      ssk_block_add_sums(&block, C, dy, grad[in_b]);
    ssk_block_product_back(&block, C, C, call->in[in_W]->data, dy, false, dh);
    for (size_t c = 0; c < C; c++)
      for (size_t t = c * block.stride; t < c * block.stride + block.tokens; t++)
        dh[t] *= slope[t];
    if (grad[in_filter_bias])
      ssk_block_add_sums(&block, C, dh, grad[in_filter_bias]);
    convolve_back(call, &axis, &block, x, dh, grad[in_filter], dy); /* dy becomes dx */
    if (ssk_wants(in))
      ssk_block_store(&axis, &block, dy, !ssk_call_fresh(call, in_x), in->grad);
  }
}

ssk_tensor *ssk_conv_separable(ssk_tape *tape, ssk_tensor *x, ssk_tensor *filter,
                               ssk_tensor *filter_bias, ssk_tensor *W, ssk_tensor *b, int dilation,
                               bool causal) {
  const struct ssk_taps taps = {.dilation = dilation, .causal = causal};
  return ssk_apply_op(tape, SSK_OP_conv_separable, SSK_INPUTS(x, filter, filter_bias, W, b), &taps,
                      sizeof taps);
}
