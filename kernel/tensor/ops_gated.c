/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ops_gated.c - the rest of a WaveNet block (van den Oord et al. 2016) behind its mixing, as one
 * operation: a dense layer with side information that several rows share, the gate, and what it
 * gives to the residual path and to the skips.
 *
 *     g = sigmoid(a) tanh(b),  [a, b] = y W + b + side
 *     x <- scale (x + g R + r),  skips <- skips + g S + s
 *
 * Works in blocks of rows, so that all activations of a block stay in the cache; nothing is kept
 * for the way back, they are computed again. Both halves go through one tanh. */
#include "tensor/ops.h"
#include "tensor/rows.h"
#include "tensor/sums.h"
#include "tensor/transpose.h"
#include "tensor/vmath.h"
#include <string.h>

enum { in_y, in_W, in_b, in_S, in_s, in_state, in_side, in_R, in_r, n_inputs };

struct gated_how {
  int from;       /* first column of `side` */
  ssk_real scale; /* of the residual path */
};

/* Weights [I, O] and a bias [O]. */
static bool is_layer(const ssk_tensor *W, const ssk_tensor *b, int I, int O) {
  return W->ndim == 2 && W->shape[0] == I && W->shape[1] == O && b && b->ndim == 1 &&
         b->shape[0] == O;
}

int ssk_shape_gated_residual(struct ssk_call *call, int *ndim, int *shape) {
  const struct gated_how *how = call->attr;
  ssk_tensor *const *in = call->in;
  const ssk_tensor *y = in[in_y], *W = in[in_W], *S = in[in_S], *R = in[in_R];
  const ssk_tensor *state = in[in_state], *side = in[in_side];
  const int width = ssk_width(W), O = ssk_width(S), rows = ssk_height(y);
  if (y->ndim < 1 || width % 2 || !is_layer(W, in[in_b], ssk_width(y), width))
    return ssk_misfit(call, "inputs of shape %s do not fit weights of shape %s, for two halves",
                      SSK_SHOW(y), SSK_SHOW(W));
  if (!is_layer(S, in[in_s], width / 2, O) || (R && !is_layer(R, in[in_r], width / 2, O)))
    return ssk_misfit(call, "weights of shape %s, and their bias, do not fit a gate of %d",
                      SSK_SHOW(S), width / 2);
  if (state->ndim != 3 || state->shape[0] > 2 || state->shape[1] != rows || state->shape[2] != O)
    return ssk_misfit(call, "a state of shape %s does not fit %d rows of %d", SSK_SHOW(state), rows,
                      O);
  if (side && (how->from < 0 || how->from > ssk_width(side) - width || !ssk_height(side) ||
               rows % ssk_height(side)))
    return ssk_misfit(call, "%d columns of %s from %d on cannot be added to %d rows", width,
                      SSK_SHOW(side), how->from, rows);
  *ndim = 3;
  shape[0] = R ? 2 : 1;
  shape[1] = rows;
  shape[2] = O;
  return SSK_OK;
}

double ssk_flops_gated_residual(const struct ssk_call *call, bool back) {
  const ssk_tensor *y = call->in[in_y], *W = call->in[in_W], *S = call->in[in_S];
  const double in = 2.0 * (double)y->count * W->shape[1];
  const double out = 2.0 * ssk_height(y) * (double)S->count * (call->in[in_R] ? 2 : 1);
  return back ? in * (ssk_gradients(y) + ssk_gradients(W)) + out * (1 + ssk_gradients(S))
              : in + out;
}

/* What a call needs beside its tensors. */
struct gated {
  size_t rows, I, C, O, group; /* rows that share one of `side` */
  ssk_real *W;                 /* [I, 2C], a's columns halved: sigmoid(a) = (1 + tanh(a/2))/2 */
  ssk_real *row;               /* [2C] */
  ssk_real *R, *r, *scale;     /* scaled: [C, O], [O]; and the factor, [O] */
  ssk_real *u, *g;             /* [BLOCK, 2C], [BLOCK, C] */
};
enum { BLOCK = 256 }; /* rows whose work stays in the first caches */

static bool begin(struct ssk_call *call, struct gated *g) {
  const struct gated_how *how = call->attr;
  const ssk_tensor *W = call->in[in_W], *side = call->in[in_side], *R = call->in[in_R];
  g->rows = (size_t)ssk_height(call->in[in_y]);
  g->I = (size_t)W->shape[0];
  g->C = (size_t)W->shape[1] / 2;
  g->O = (size_t)ssk_width(call->in[in_S]);
  g->group = side ? g->rows / (size_t)ssk_height(side) : g->rows;
  g->u = ssk_scratch_reals(call, 3 * BLOCK * g->C + 2 * g->C * (g->I + 1) + (g->C + 2) * g->O);
  if (!g->u)
    return false;
  g->g = g->u + 2 * BLOCK * g->C;
  g->W = g->g + BLOCK * g->C;
  g->row = g->W + 2 * g->C * g->I;
  g->R = g->row + 2 * g->C;
  g->r = g->R + g->C * g->O;
  g->scale = g->r + g->O;
  for (size_t i = 0; i < g->I; i++)
    for (size_t c = 0; c < 2 * g->C; c++)
      g->W[i * 2 * g->C + c] = W->data[i * 2 * g->C + c] * (c < g->C ? (ssk_real)0.5 : 1);
  for (size_t o = 0; o < g->O; o++)
    g->scale[o] = how->scale;
  if (R) {
    ssk_set_scaled(R->count, how->scale, R->data, g->R);
    ssk_set_scaled(g->O, how->scale, call->in[in_r]->data, g->r);
  }
  return true;
}

/* Rows from `first` on, of `n`, that share a row of `side`. */
static size_t run_of(const struct gated *g, size_t first, size_t n) {
  const size_t left = g->group - first % g->group;
  return left < n ? left : n;
}

/* Where in `side` begins what is added to a row. */
static size_t side_at(const struct ssk_call *call, const struct gated *g, size_t row) {
  return row / g->group * (size_t)ssk_width(call->in[in_side]) +
         (size_t)((const struct gated_how *)call->attr)->from;
}

/* u = tanh [a/2, b] and the gate of n rows. */
static void activate(const struct ssk_call *call, const struct gated *g, size_t first, size_t n) {
  const size_t width = 2 * g->C;
  const ssk_real *y = call->in[in_y]->data, *b = call->in[in_b]->data;
  for (size_t r = 0, run; r < n; r += run) {
    run = run_of(g, first + r, n - r);
    const ssk_real *side =
        call->in[in_side] ? call->in[in_side]->data + side_at(call, g, first + r) : NULL;
    for (size_t c = 0; c < width; c++)
      g->row[c] = (side ? b[c] + side[c] : b[c]) * (c < g->C ? (ssk_real)0.5 : 1);
    ssk_rows_layer(run, g->I, width, (struct ssk_layer){.W = g->W, .row = g->row},
                   y + (first + r) * g->I, g->u + r * width);
  }
  ssk_vtanh(n * width, g->u, g->u);
  ssk_rows_gate(n, g->C, g->u, g->g);
}

void ssk_forward_gated_residual(struct ssk_call *call) {
  const size_t mark = ssk_arena_mark(&call->tape->arena);
  const ssk_tensor *state = call->in[in_state], *S = call->in[in_S], *s = call->in[in_s];
  struct gated g;
  if (!begin(call, &g))
    return;
  const bool residual = call->in[in_R], skips = state->shape[0] == 2;
  const size_t half = g.rows * g.O;
  for (size_t r = 0; r < g.rows; r += BLOCK) {
    const size_t n = g.rows - r < BLOCK ? g.rows - r : BLOCK, at = r * g.O;
    const struct ssk_layer skip = {S->data, s->data, NULL, skips ? state->data + half + at : NULL};
    const struct ssk_layer rest = {g.R, g.r, g.scale, state->data + at};
    ssk_real *out = call->out->data + at;
    activate(call, &g, r, n);
    ssk_rows_layer(n, g.C, g.O, skip, g.g, out + (residual ? half : 0));
    if (residual)
      ssk_rows_layer(n, g.C, g.O, rest, g.g, out);
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

/* The way back of a layer g -> out behind the gate: its weights' gradients and, set or added, that
 * of g. */
struct behind {
  const ssk_real *turned; /* its weights, transposed: [O, C] */
  ssk_real *dW, *db;      /* or NULL */
};

static void behind_back(const struct gated *g, const struct behind *layer, size_t n,
                        const ssk_real *dout, bool add, ssk_real *dg) {
  if (layer->dW)
    ssk_rows_add_outer(n, g->C, g->O, g->g, dout, layer->dW);
  if (layer->db)
    ssk_rows_sum(n, g->O, dout, layer->db);
  ssk_rows_layer(n, g->O, g->C, (struct ssk_layer){.W = layer->turned, .base = add ? dg : NULL},
                 dout, dg);
}

/* The gradient of the state's half [rows, O] that begins at entry `from`: += or = that of the
 * output. */
static void state_back(const struct ssk_call *call, size_t from, size_t count,
                       const ssk_real *dout) {
  const ssk_tensor *state = call->in[in_state];
  if (!ssk_wants(state))
    return;
  if (ssk_call_fresh(call, in_state))
    memcpy(state->grad + from, dout, count * sizeof *dout);
  else
    ssk_add_scaled(count, 1, dout, state->grad + from);
}

/* The way back of the gate and the layer before it, of n rows from r on; dg is that of the gate. */
static void gate_back(struct ssk_call *call, const struct gated *g, size_t r, size_t n,
                      const ssk_real *dg, const ssk_real *turned, ssk_real *const *grad) {
  const ssk_tensor *y = call->in[in_y];
  ssk_rows_gate_back(n, g->C, dg, g->u);
  add_sums(call, g, r, n, grad[in_b], grad[in_side]);
  if (grad[in_W])
    ssk_rows_add_outer(n, g->I, 2 * g->C, y->data + r * g->I, g->u, grad[in_W]);
  if (ssk_wants(y)) {
    ssk_real *dy = y->grad + r * g->I;
    const ssk_real *base = ssk_call_fresh(call, in_y) ? NULL : dy;
    ssk_rows_layer(n, 2 * g->C, g->I, (struct ssk_layer){.W = turned, .base = base}, g->u, dy);
  }
}

void ssk_backward_gated_residual(struct ssk_call *call) {
  const ssk_tensor *state = call->in[in_state];
  const bool residual = call->in[in_R], skips = state->shape[0] == 2;
  ssk_real *grad[n_inputs] = {NULL};
  struct gated g;
  for (int i = in_W; i < n_inputs; i++)
    if (i != in_state && ssk_wants(call->in[i]))
      grad[i] = ssk_grad_to_add(call, i);
  if (!begin(call, &g))
    return;
  const size_t half = g.rows * g.O, back = 2 * g.C * g.I, out = g.C * g.O;
  ssk_real *turned = ssk_scratch_reals(call, back + 2 * out + BLOCK * (g.C + g.O));
  if (!turned)
    return;
  ssk_real *S = turned + back, *R = S + out, *dg = R + out, *dx = dg + BLOCK * g.C;
  ssk_transpose(g.I, 2 * g.C, call->in[in_W]->data, 2 * g.C, false, turned, g.I);
  ssk_transpose(g.C, g.O, call->in[in_S]->data, g.O, false, S, g.C);
  if (residual)
    ssk_transpose(g.C, g.O, call->in[in_R]->data, g.O, false, R, g.C);
  const struct behind skip = {S, grad[in_S], grad[in_s]}, rest = {R, grad[in_R], grad[in_r]};
  for (size_t r = 0; r < g.rows; r += BLOCK) {
    const size_t n = g.rows - r < BLOCK ? g.rows - r : BLOCK, at = r * g.O;
    const ssk_real *dskip = call->out->grad + (residual ? half : 0) + at;
    activate(call, &g, r, n);
    behind_back(&g, &skip, n, dskip, false, dg);
    if (skips)
      state_back(call, half + at, n * g.O, dskip);
    if (residual) {
      ssk_set_scaled(n * g.O, g.scale[0], call->out->grad + at, dx);
      behind_back(&g, &rest, n, dx, true, dg);
      state_back(call, at, n * g.O, dx);
    }
    gate_back(call, &g, r, n, dg, turned, grad);
  }
  if (!residual && ssk_wants(state) && ssk_call_fresh(call, in_state))
    memset(state->grad, 0, half * sizeof *state->grad); /* x goes nowhere from here */
}

ssk_tensor *ssk_gated_residual(ssk_tape *tape, const struct ssk_gated_layers *layers, ssk_tensor *y,
                               ssk_tensor *side, int from, ssk_tensor *state, ssk_real scale) {
  const struct gated_how how = {.from = from, .scale = scale};
  return ssk_apply_op(
      tape, SSK_OP_gated_residual,
      SSK_INPUTS(y, layers->W, layers->b, layers->S, layers->s, state, side, layers->R, layers->r),
      &how, sizeof how);
}
