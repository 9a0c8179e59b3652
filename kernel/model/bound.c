/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bound.c - the evidence bound of a shard, in its three parts:
 *
 *   -ELBO = E_q[-log p(x | z)]                                   distortion
 *         + E_q[log q(z_{1:j}) - log p(z_{1:j})]                 rate, initial
 *         + sum_{t>j} E_q[KL(q(z_t | .) || p(z_t | z_{t-j:t-1}))] rate, transition
 *
 * All steps of all paths are rows of one batch: nothing here recurs. */
#include "model/model.h"

/* n rows of j neighbouring steps of z [., P, d], the first of them starting at step `first`, side
 * by side: [n*P, j*d]. */
static ssk_tensor *slots(const struct ssk_ctx *ctx, ssk_tensor *z, int first, int n) {
  int j = ctx->dims->j, d = ctx->dims->d;
  ssk_tensor *slot[SSK_MAX_ORDER];
  for (int i = 0; i < j; i++)
    slot[i] = ssk_rows(ctx->tape, z, first + i, n);
  ssk_tensor *past = j == 1 ? slot[0] : ssk_concat(ctx->tape, j, slot, -1);
  return ssk_reshape(ctx->tape, past, SSK_SHAPE(n * ctx->P, j * d));
}

/* Steps [from, T) of a [T, P, w] slab (repeated over paths) as rows [n*P, w]; NULL stays NULL. */
static ssk_tensor *as_rows(const struct ssk_ctx *ctx, ssk_tensor *slab, int from) {
  if (!slab)
    return NULL;
  int n = ctx->T - from, width = slab->shape[2];
  ssk_tensor *part = ssk_rows(ctx->tape, slab, from, n);
  if (slab->shape[1] != ctx->P)
    part = ssk_repeat(ctx->tape, part, 1, ctx->S);
  return ssk_reshape(ctx->tape, part, SSK_SHAPE(n * ctx->P, width));
}

/* [n*P] values of steps [from, T), summed over the steps that exist: [P]. */
static ssk_tensor *over_time(const struct ssk_ctx *ctx, ssk_tensor *rows, ssk_tensor *alive,
                             int from) {
  ssk_tape *tape = ctx->tape;
  int n = ctx->T - from;
  ssk_tensor *slab = ssk_reshape(tape, rows, SSK_SHAPE(n, ctx->P));
  if (alive) {
    ssk_tensor *weight = ssk_rows(tape, alive, from, n);
    slab = ssk_mul(tape, slab, ctx->S > 1 ? ssk_repeat(tape, weight, 1, ctx->S) : weight);
  }
  return ssk_sum(tape, slab, 0);
}

/* ---- the parts ------------------------------------------------------------------------------- */

static ssk_tensor *distortion(const struct ssk_ctx *ctx, const struct ssk_observed *obs,
                              const struct ssk_posterior *q) {
  const struct ssk_instance *i = ctx->model->experiment->model.emission;
  const struct ssk_emission_ops *ops = i->component->ops;
  struct ssk_ctx inner = ssk_ctx_enter(ctx, i->path);
  int j = ctx->dims->j, T = ctx->T, P = ctx->P;
  ssk_tensor *z = q->z, *pad = NULL;
  if (j > 1) { /* steps before the first are zero, and said to be padding */
    ssk_tensor *parts[] = {ssk_full(ctx->tape, SSK_SHAPE(j - 1, P, ctx->dims->d), 0), q->z};
    z = ssk_concat(ctx->tape, 2, parts, 0);
    pad = ssk_full(ctx->tape, SSK_SHAPE(T * P, j), 0);
    for (int t = 0; pad->count && t < T && t < j - 1; t++)
      for (int p = 0; p < P; p++)
        for (int k = 0; k < j - 1 - t; k++)
          pad->data[(t * P + p) * j + k] = 1;
  }
  struct ssk_rows in = {.size = sizeof in, .n = T * P, .past = slots(ctx, z, 0, T), .pad = pad};
  in.u = as_rows(ctx, obs->u, 0);
  in.time = as_rows(ctx, obs->time, 0);
  ssk_tensor *log_prob =
      ops->log_prob(i->self, &inner, &in, as_rows(ctx, obs->x, 0), as_rows(ctx, obs->mask, 0));
  ssk_tensor *out = ssk_affine(ctx->tape, over_time(ctx, log_prob, NULL, 0), -1, 0);
  ssk_ctx_leave(ctx);
  return out;
}

static ssk_tensor *initial_rate(const struct ssk_ctx *ctx, const struct ssk_posterior *q) {
  const struct ssk_instance *i = ctx->model->experiment->model.initial;
  const struct ssk_initial_ops *ops = i->component->ops;
  struct ssk_ctx inner = ssk_ctx_enter(ctx, i->path);
  int j = ctx->dims->j;
  struct ssk_first first = {.size = sizeof first,
                            .z = ssk_rows(ctx->tape, q->z, 0, j),
                            .mean = ssk_rows(ctx->tape, q->mean, 0, j),
                            .logvar = ssk_rows(ctx->tape, q->logvar, 0, j)};
  first.log_q = ssk_sum(ctx->tape, ssk_rows(ctx->tape, q->log_q, 0, j), 0);
  ssk_tensor *rate = ops->rate(i->self, &inner, &first);
  ssk_ctx_leave(ctx);
  return rate;
}

static ssk_tensor *transition_rate(const struct ssk_ctx *ctx, const struct ssk_observed *obs,
                                   const struct ssk_posterior *q) {
  ssk_tape *tape = ctx->tape;
  int j = ctx->dims->j, n = ctx->T - j;
  if (n <= 0)
    return ssk_full(tape, SSK_SHAPE(ctx->P), 0);
  struct ssk_rows rows = {.size = sizeof rows,
                          .n = n * ctx->P,
                          .past = slots(ctx, q->z, 0, n),
                          .u = as_rows(ctx, obs->u, j),
                          .time = as_rows(ctx, obs->time, j),
                          .z = as_rows(ctx, q->z, j),
                          .mean = as_rows(ctx, q->mean, j),
                          .logvar = as_rows(ctx, q->logvar, j)};
  rows.log_q = ssk_reshape(tape, ssk_rows(tape, q->log_q, j, n), SSK_SHAPE(rows.n));
  ssk_tensor *rate = ssk_transition_rate(ctx->model->experiment->model.transition, ctx, &rows);
  return over_time(ctx, rate, obs->alive, j);
}

struct ssk_bound ssk_model_bound(const struct ssk_pass *pass, const struct ssk_observed *obs,
                                 const struct ssk_posterior *q) {
  const struct ssk_ctx *ctx = &pass->ctx;
  struct ssk_bound bound = {.size = sizeof bound};
  if (ctx->T < ctx->dims->j) {
    bound.distortion = bound.initial = bound.transition =
        ssk_tape_fail(ctx->tape, SSK_EDATA, "a series of %d steps is shorter than the order %d",
                      ctx->T, ctx->dims->j);
    return bound;
  }
  bound.distortion = distortion(ctx, obs, q);
  bound.initial = initial_rate(ctx, q);
  bound.transition = transition_rate(ctx, obs, q);
  return bound;
}
