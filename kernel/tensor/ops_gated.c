/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ops_gated.c - a dense layer with WaveNet's gate (van den Oord et al. 2016) and side information
 * that several rows share, as one operation: sigmoid(a) tanh(b) of [a, b] = x W + b + side.
 *
 * Works in blocks of tokens, a channel a row (channels.h), so that all activations of a block stay
 * in the cache; nothing is kept for the way back, they are computed again. */
#include "tensor/channels.h"
#include "tensor/ops.h"
#include "tensor/vmath.h"

enum { in_x, in_W, in_b, in_side };

int ssk_shape_gated(struct ssk_call *call, int *ndim, int *shape) {
  const int from = *(const int *)call->attr;
  const ssk_tensor *x = call->in[in_x], *W = call->in[in_W], *b = call->in[in_b];
  const ssk_tensor *side = call->in[in_side];
  if (x->ndim < 1 || W->ndim != 2 || ssk_width(x) != W->shape[0] || W->shape[1] % 2)
    return ssk_misfit(call, "inputs of shape %s do not fit weights of shape %s, for two halves",
                      SSK_SHOW(x), SSK_SHOW(W));
  if (b->ndim != 1 || b->shape[0] != W->shape[1])
    return ssk_misfit(call, "a bias of shape %s does not fit weights of shape %s", SSK_SHOW(b),
                      SSK_SHOW(W));
  if (side && (from < 0 || from > ssk_width(side) - W->shape[1] || !ssk_height(side) ||
               ssk_height(x) % ssk_height(side)))
    return ssk_misfit(call, "%d columns of %s from %d on cannot be added to %d rows", W->shape[1],
                      SSK_SHOW(side), from, ssk_height(x));
  ssk_shape_same(call, ndim, shape);
  shape[*ndim - 1] = W->shape[1] / 2;
  return SSK_OK;
}

double ssk_flops_gated(const struct ssk_call *call, bool back) {
  const ssk_tensor *x = call->in[in_x], *W = call->in[in_W];
  const double product = 2.0 * (double)x->count * W->shape[1];
  return product * (back ? ssk_gradients(x) + ssk_gradients(W) : 1);
}

/* Rows of a width, to be cut into blocks. */
static struct ssk_axis rows_of(const ssk_tensor *x) {
  const size_t rows = (size_t)ssk_height(x);
  const size_t n = rows < SSK_BLOCK_TOKENS ? rows : SSK_BLOCK_TOKENS;
  return (struct ssk_axis){.A = 1, .L = 1, .N = rows, .C = (size_t)ssk_width(x), .n = n};
}

/* Neighbouring tokens of a block with one row of `side`: `count` from token t on. */
static size_t same_side(size_t group, const struct ssk_block *block, size_t t) {
  const size_t end = ((block->first + t) / group + 1) * group - block->first;
  return (end < block->tokens ? end : block->tokens) - t;
}

/* The two halves of [2C, tokens], through their activations. */
static void activations(const struct ssk_call *call, const struct ssk_block *block, size_t I,
                        size_t C, const ssk_real *x, ssk_real *u) {
  const ssk_tensor *side = call->in[in_side];
  ssk_block_product(block, I, 2 * C, call->in[in_W]->data, x, false, u);
  ssk_block_add_bias(block, 2 * C, call->in[in_b]->data, u);
  if (side) {
    const size_t group = (size_t)(ssk_height(call->in[in_x]) / ssk_height(side));
    const size_t width = (size_t)ssk_width(side);
    for (size_t t = 0, n; t < block->tokens; t += n) {
      const ssk_real *row =
          side->data + (block->first + t) / group * width + *(const int *)call->attr;
      n = same_side(group, block, t);
      for (size_t c = 0; c < 2 * C; c++) {
        ssk_real *restrict to = u + c * block->stride + t;
        for (size_t i = 0; i < n; i++)
          to[i] += row[c];
      }
    }
  }
  for (size_t c = 0; c < 2 * C; c++) {
    ssk_real *row = u + c * block->stride;
    (c < C ? ssk_vsigmoid : ssk_vtanh)(block->tokens, row, row);
  }
}

void ssk_forward_gated(struct ssk_call *call) {
  const struct ssk_axis in = rows_of(call->in[in_x]), out = rows_of(call->out);
  const size_t stride = ssk_block_stride(in.n), mark = ssk_arena_mark(&call->tape->arena);
  ssk_real *x = ssk_scratch_reals(call, (in.C + 2 * out.C) * stride);
  if (!x)
    return;
  ssk_real *u = x + in.C * stride;
  for (size_t i = 0; i < ssk_axis_blocks(&in); i++) {
    const struct ssk_block block = ssk_block_at(&in, i);
    ssk_block_load(&in, &block, call->in[in_x]->data, x);
    activations(call, &block, in.C, out.C, x, u);
    for (size_t c = 0; c < out.C; c++) {
      ssk_real *restrict s = u + c * block.stride;
      const ssk_real *restrict t = s + out.C * block.stride;
      for (size_t k = 0; k < block.tokens; k++)
        s[k] *= t[k];
    }
    ssk_block_store(&out, &block, u, false, call->out->data);
  }
  ssk_arena_rewind(&call->tape->arena, mark);
}

/* The gradients of the two halves, in place of their activations. */
static void halves_back(const struct ssk_block *block, size_t C, const ssk_real *dy, ssk_real *u) {
  for (size_t c = 0; c < C; c++) {
    const ssk_real *restrict d = dy + c * block->stride;
    ssk_real *restrict a = u + c * block->stride, *restrict b = a + C * block->stride;
    for (size_t k = 0; k < block->tokens; k++) {
      const ssk_real s = a[k], t = b[k];
      a[k] = d[k] * t * (s * (1 - s));
      b[k] = d[k] * s * (1 - t * t);
    }
  }
}

static void add_to_side(const struct ssk_call *call, const struct ssk_block *block, size_t columns,
                        const ssk_real *du, ssk_real *dside) {
  const size_t group = (size_t)(ssk_height(call->in[in_x]) / ssk_height(call->in[in_side]));
  const size_t width = (size_t)ssk_width(call->in[in_side]);
  for (size_t t = 0, n; t < block->tokens; t += n) {
    n = same_side(group, block, t);
    const struct ssk_block part = {.tokens = n, .stride = block->stride};
    ssk_block_add_sums(&part, columns, du + t,
                       dside + (block->first + t) / group * width + *(const int *)call->attr);
  }
}

void ssk_backward_gated(struct ssk_call *call) {
  const ssk_tensor *x_in = call->in[in_x];
  const struct ssk_axis in = rows_of(x_in), out = rows_of(call->out);
  const size_t stride = ssk_block_stride(in.n), I = in.C, C = out.C;
  ssk_real *grad[4];
  for (int i = in_W; i <= in_side; i++)
    grad[i] = ssk_wants(call->in[i]) ? ssk_grad_to_add(call, i) : NULL;
  ssk_real *x = ssk_scratch_reals(call, (2 * I + 3 * C) * stride);
  if (!x)
    return;
  ssk_real *dx = x + I * stride, *u = dx + I * stride, *dy = u + 2 * C * stride;
  for (size_t i = 0; i < ssk_axis_blocks(&in); i++) {
    const struct ssk_block block = ssk_block_at(&in, i);
    ssk_block_load(&in, &block, x_in->data, x);
    ssk_block_load(&out, &block, call->out->grad, dy);
    activations(call, &block, I, C, x, u);
    halves_back(&block, C, dy, u);
    if (grad[in_W])
      ssk_block_add_outer(&block, I, 2 * C, x, u, grad[in_W]);
    if (grad[in_b])
      ssk_block_add_sums(&block, 2 * C, u, grad[in_b]);
    if (grad[in_side])
      add_to_side(call, &block, 2 * C, u, grad[in_side]);
    if (ssk_wants(x_in)) {
      ssk_block_product_back(&block, I, 2 * C, call->in[in_W]->data, u, false, dx);
      ssk_block_store(&in, &block, dx, !ssk_call_fresh(call, in_x), x_in->grad);
    }
  }
}

ssk_tensor *ssk_gated(ssk_tape *tape, ssk_tensor *x, ssk_tensor *W, ssk_tensor *b, ssk_tensor *side,
                      int from) {
  return ssk_apply_op(tape, SSK_OP_gated, SSK_INPUTS(x, W, b, side), &from, sizeof from);
}
