/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ops_gated.c - a dense layer with WaveNet's gate (van den Oord et al. 2016) and side information
 * that several rows share, as one operation: sigmoid(a) tanh(b) of [a, b] = x W + b + side.
 *
 * Works in blocks of rows, so that all activations of a block stay in the cache; nothing is kept
 * for the way back, they are computed again. Both halves go through one tanh. */
#include "tensor/gemm.h"
#include "tensor/ops.h"
#include "tensor/rows.h"
#include "tensor/sums.h"
#include "tensor/transpose.h"
#include "tensor/vmath.h"
#include <string.h>

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

/* What a call needs beside its tensors. */
struct gated {
  size_t rows, I, C, group; /* rows that share one of `side` */
  ssk_real *W;   /* [I, 2C] with the columns of a halved: sigmoid(a) = (1 + tanh(a/2))/2 */
  ssk_real *row; /* [2C] */
  ssk_real *u;   /* [BLOCK, 2C] */
};
enum { BLOCK = 256 }; /* tokens whose work stays in the first caches */

static bool begin(struct ssk_call *call, struct gated *g) {
  const ssk_tensor *x = call->in[in_x], *W = call->in[in_W], *side = call->in[in_side];
  g->rows = (size_t)ssk_height(x);
  g->I = (size_t)W->shape[0];
  g->C = (size_t)W->shape[1] / 2;
  g->group = side ? g->rows / (size_t)ssk_height(side) : g->rows;
  g->W = ssk_scratch_reals(call, 2 * g->C * (g->I + 1 + BLOCK));
  if (!g->W)
    return false;
  g->row = g->W + 2 * g->C * g->I;
  g->u = g->row + 2 * g->C;
  for (size_t i = 0; i < g->I; i++)
    for (size_t c = 0; c < 2 * g->C; c++)
      g->W[i * 2 * g->C + c] = W->data[i * 2 * g->C + c] * (c < g->C ? (ssk_real)0.5 : 1);
  return true;
}

/* Rows from `first` on, of `n`, that share a row of `side`. */
static size_t run_of(const struct gated *g, size_t first, size_t n) {
  const size_t left = g->group - first % g->group;
  return left < n ? left : n;
}

/* Where in `side` begins what is added to a row. */
static size_t side_at(const struct ssk_call *call, const struct gated *g, size_t row) {
  return row / g->group * (size_t)ssk_width(call->in[in_side]) + (size_t)(*(const int *)call->attr);
}

/* u = tanh [a/2, b] of n rows. */
static void activate(const struct ssk_call *call, const struct gated *g, size_t first, size_t n) {
  const size_t width = 2 * g->C;
  const ssk_real *b = call->in[in_b]->data;
  for (size_t r = 0, run; r < n; r += run) {
    run = run_of(g, first + r, n - r);
    const ssk_real *side =
        call->in[in_side] ? call->in[in_side]->data + side_at(call, g, first + r) : NULL;
    for (size_t c = 0; c < width; c++)
      g->row[c] = (side ? b[c] + side[c] : b[c]) * (c < g->C ? (ssk_real)0.5 : 1);
    ssk_rows_add(run, width, g->row, NULL, g->u + r * width);
  }
  ssk_gemm((int)n, (int)width, (int)g->I, 1,
           (struct ssk_matrix){call->in[in_x]->data + first * g->I, (int)g->I, SSK_AS_IS},
           (struct ssk_matrix){g->W, (int)width, SSK_AS_IS}, 1, g->u, (int)width);
  ssk_vtanh(n * width, g->u, g->u);
}

void ssk_forward_gated(struct ssk_call *call) {
  const size_t mark = ssk_arena_mark(&call->tape->arena);
  struct gated g;
  if (!begin(call, &g))
    return;
  for (size_t r = 0; r < g.rows; r += BLOCK) {
    const size_t n = g.rows - r < BLOCK ? g.rows - r : BLOCK;
    activate(call, &g, r, n);
    ssk_rows_gate(n, g.C, g.u, call->out->data + r * g.C);
  }
  ssk_arena_rewind(&call->tape->arena, mark);
}

/* The sums of the gradients over rows: of each run to `side`, of all to b; either may be NULL. */
static void add_sums(const struct ssk_call *call, const struct gated *g, size_t first, size_t n,
                     ssk_real *db, ssk_real *dside) {
  const size_t width = 2 * g->C;
  for (size_t r = 0, run; r < n && (db || dside); r += run) {
    run = run_of(g, first + r, n - r);
    memset(g->row, 0, width * sizeof *g->row);
    ssk_rows_sum(run, width, g->u + r * width, g->row);
    if (dside)
      ssk_add_scaled(width, 1, g->row, dside + side_at(call, g, first + r));
    if (db)
      ssk_add_scaled(width, 1, g->row, db);
  }
}

void ssk_backward_gated(struct ssk_call *call) {
  const ssk_tensor *x = call->in[in_x];
  ssk_real *grad[4], *turned = NULL;
  struct gated g;
  for (int i = in_W; i <= in_side; i++)
    grad[i] = ssk_wants(call->in[i]) ? ssk_grad_to_add(call, i) : NULL;
  if (!begin(call, &g))
    return;
  const size_t width = 2 * g.C;
  if (ssk_wants(x)) {
    if (!(turned = ssk_scratch_reals(call, width * g.I)))
      return;
    ssk_transpose(g.I, width, call->in[in_W]->data, width, false, turned, g.I);
  }
  for (size_t r = 0; r < g.rows; r += BLOCK) {
    const size_t n = g.rows - r < BLOCK ? g.rows - r : BLOCK;
    const struct ssk_matrix du = {g.u, (int)width, SSK_AS_IS};
    activate(call, &g, r, n);
    ssk_rows_gate_back(n, g.C, call->out->grad + r * g.C, g.u);
    add_sums(call, &g, r, n, grad[in_b], grad[in_side]);
    if (grad[in_W])
      ssk_gemm((int)g.I, (int)width, (int)n, 1,
               (struct ssk_matrix){x->data + r * g.I, (int)g.I, SSK_TRANSPOSED}, du, 1, grad[in_W],
               (int)width);
    if (turned)
      ssk_gemm((int)n, (int)g.I, (int)width, 1, du,
               (struct ssk_matrix){turned, (int)g.I, SSK_AS_IS}, !ssk_call_fresh(call, in_x),
               x->grad + r * g.I, (int)g.I);
  }
}

ssk_tensor *ssk_gated(ssk_tape *tape, ssk_tensor *x, ssk_tensor *W, ssk_tensor *b, ssk_tensor *side,
                      int from) {
  return ssk_apply_op(tape, SSK_OP_gated, SSK_INPUTS(x, W, b, side), &from, sizeof from);
}
