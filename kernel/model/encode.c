/* SPDX-License-Identifier: GPL-3.0-or-later */
/* encode.c - from observations to latent paths: q(z | x) = prod_t q(z_t | z_{t-j:t-1}, h_t), the
 * structured posterior of Krishnan et al. 2017. The loop over t is the only sequential part. */
#include "model/model.h"
#include <string.h>

/* ---- observations --------------------------------------------------------------------------- */

ssk_tensor *ssk_model_time(const struct ssk_pass *pass, const int *from, int B, int n, int repeat) {
  ssk_tape *tape = pass->ctx.tape;
  int F = pass->ctx.dims->F;
  if (!F)
    return NULL;
  int *steps = ssk_tape_scratch(tape, (size_t)n * (size_t)B * sizeof *steps);
  if (!steps)
    return ssk_tape_fail(tape, SSK_ENOMEM, "no memory for time features");
  for (int i = 0; i < n * B; i++)
    steps[i] = from[i % B] + i / B;
  ssk_tensor *out = ssk_reshape(tape, ssk_time_features(tape, n * B, steps, F), SSK_SHAPE(n, B, F));
  return repeat > 1 ? ssk_repeat(tape, out, 1, repeat) : out;
}

static ssk_tensor *copy_rows(const struct ssk_ctx *ctx, const double *from, int64_t stride,
                             const struct ssk_window *windows, int width) {
  ssk_tensor *out = ssk_empty(ctx->tape, SSK_SHAPE(ctx->T, ctx->B, width));
  for (int t = 0; out->count && t < ctx->T; t++)
    for (int b = 0; b < ctx->B; b++) {
      const double *row =
          from + windows[b].series * stride * width + (windows[b].start + t) * width;
      for (int k = 0; k < width; k++)
        out->data[((size_t)t * (size_t)ctx->B + (size_t)b) * (size_t)width + (size_t)k] =
            (ssk_real)row[k];
    }
  return out;
}

/* How many steps of the window lie within its series. */
static int steps_alive(const struct ssk_split_data *split, const struct ssk_window *w, int T) {
  int left = split->length[w->series] - w->start;
  return left < T ? left : T;
}

static ssk_tensor *alive_mask(const struct ssk_ctx *ctx, const struct ssk_split_data *split,
                              const struct ssk_window *windows) {
  bool all = true;
  for (int b = 0; b < ctx->B; b++)
    all = all && steps_alive(split, &windows[b], ctx->T) == ctx->T;
  if (all)
    return NULL;
  ssk_tensor *alive = ssk_empty(ctx->tape, SSK_SHAPE(ctx->T, ctx->B));
  for (int b = 0; alive->count && b < ctx->B; b++) {
    int steps = steps_alive(split, &windows[b], ctx->T);
    for (int t = 0; t < ctx->T; t++)
      alive->data[t * ctx->B + b] = t < steps;
  }
  return alive;
}

struct ssk_observed ssk_observe(const struct ssk_pass *pass, const struct ssk_data *data,
                                enum ssk_split which, const struct ssk_window *windows) {
  const struct ssk_ctx *ctx = &pass->ctx;
  const struct ssk_split_data *split = &data->split[which];
  int T = ctx->T, B = ctx->B, D = data->shape.D, E = data->shape.E, L = data->shape.max_length;
  struct ssk_observed obs = {.size = sizeof obs};
  obs.x = ssk_empty(ctx->tape, SSK_SHAPE(T, B, D));
  obs.mask = ssk_empty(ctx->tape, SSK_SHAPE(T, B, D));
  if (!obs.x->count || !obs.mask->count)
    return obs;
  for (int t = 0; t < T; t++)
    for (int b = 0; b < B; b++) {
      const struct ssk_window *w = &windows[b];
      bool inside = w->start + t < L; /* a window may reach beyond a short series */
      int64_t row = (w->series * L + w->start + t) * D;
      for (int k = 0; k < D; k++) {
        size_t i = ((size_t)t * (size_t)B + (size_t)b) * (size_t)D + (size_t)k;
        bool seen = inside && split->mask[row + k] != 0;
        obs.mask->data[i] = seen;
        obs.x->data[i] =
            seen ? (ssk_real)((split->x[row + k] - data->centre[k]) / data->scale[k]) : 0;
      }
    }
  if (split->u)
    obs.u = copy_rows(ctx, split->u, L, windows, data->shape.V);
  if (split->s) {
    obs.s = ssk_empty(ctx->tape, SSK_SHAPE(B, E));
    for (int b = 0; obs.s->count && b < B; b++)
      for (int k = 0; k < E; k++)
        obs.s->data[b * E + k] = (ssk_real)split->s[windows[b].series * E + k];
  }
  if (ctx->dims->F) {
    int *from = ssk_tape_scratch(ctx->tape, (size_t)B * sizeof *from);
    for (int b = 0; from && b < B; b++)
      from[b] = windows[b].start;
    obs.time = from ? ssk_model_time(pass, from, B, T, 1) : NULL;
  }
  obs.alive = alive_mask(ctx, split, windows);
  return obs;
}

/* ---- the future summary ---------------------------------------------------------------------- */

/* h [T, B, H]: the summary sees time reversed, so that a causal network gives a function of the
 * future. */
static ssk_tensor *future_summary(const struct ssk_ctx *ctx, const struct ssk_observed *obs) {
  ssk_tape *tape = ctx->tape;
  ssk_tensor *inputs[5];
  int n = 0;
  inputs[n++] = obs->x; /* zero where missing: x * mask already */
  inputs[n++] = obs->mask;
  if (obs->u)
    inputs[n++] = obs->u;
  if (obs->time)
    inputs[n++] = obs->time;
  if (obs->s) {
    ssk_tensor *s = ssk_reshape(tape, obs->s, SSK_SHAPE(1, ctx->B, ctx->dims->E));
    inputs[n++] = ssk_repeat(tape, s, 0, ctx->T);
  }
  const struct ssk_instance *i = ctx->model->experiment->model.summary;
  const struct ssk_summary_ops *ops = i->component->ops;
  struct ssk_ctx inner = ssk_ctx_enter(ctx, i->path);
  ssk_tensor *reversed = ssk_flip(tape, ssk_concat(tape, n, inputs, -1));
  ssk_tensor *h = ssk_flip(tape, ops->run(i->self, &inner, reversed));
  ssk_ctx_leave(ctx);
  return h;
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* [P, j] flags of the slots before step 0; NULL when there are none. */
static ssk_tensor *pad_flags(const struct ssk_ctx *ctx, int newest) {
  int j = ctx->dims->j, padded = j - 1 - newest;
  if (padded <= 0)
    return NULL;
  ssk_tensor *pad = ssk_empty(ctx->tape, SSK_SHAPE(ctx->P, j));
  for (int p = 0; pad->count && p < ctx->P; p++)
    for (int i = 0; i < j; i++)
      pad->data[p * j + i] = i < padded;
  return pad;
}

struct ssk_rows ssk_model_rows(const struct ssk_pass *pass, ssk_tensor *const *latents,
                               int newest) {
  const struct ssk_ctx *ctx = &pass->ctx;
  int j = ctx->dims->j;
  ssk_tensor *slots[SSK_MAX_ORDER], *zero = NULL;
  for (int i = 0; i < j; i++) {
    int t = newest - (j - 1) + i;
    if (t < 0 && !zero)
      zero = ssk_full(ctx->tape, SSK_SHAPE(ctx->P, ctx->dims->d), 0);
    slots[i] = t < 0 ? zero : latents[t];
  }
  return (struct ssk_rows){.size = sizeof(struct ssk_rows),
                           .n = ctx->P,
                           .past = j == 1 ? slots[0] : ssk_concat(ctx->tape, j, slots, -1),
                           .pad = pad_flags(ctx, newest),
                           .index = (uint32_t)(newest + 1)};
}

/* ---- the posterior --------------------------------------------------------------------------- */

/* Rows of step t of a [T, P, w] slab as [P, w]; NULL stays NULL. */
static ssk_tensor *at_step(ssk_tape *tape, ssk_tensor *slab, int t) {
  if (!slab)
    return NULL;
  return ssk_reshape(tape, ssk_rows(tape, slab, t, 1), SSK_SHAPE(slab->shape[1], slab->shape[2]));
}

static ssk_tensor *for_paths(const struct ssk_ctx *ctx, ssk_tensor *slab) {
  return slab && ctx->S > 1 ? ssk_repeat(ctx->tape, slab, 1, ctx->S) : slab;
}

struct ssk_posterior ssk_model_encode(const struct ssk_pass *pass, const struct ssk_observed *obs) {
  const struct ssk_ctx *ctx = &pass->ctx;
  ssk_tape *tape = ctx->tape;
  const struct ssk_instance *i = ctx->model->experiment->model.encoder;
  const struct ssk_encoder_ops *ops = i->component->ops;
  int T = ctx->T, P = ctx->P, d = ctx->dims->d;

  ssk_tensor *h = future_summary(ctx, obs);
  struct ssk_ctx inner = ssk_ctx_enter(ctx, i->path);
  if (ops->prepare)
    h = ops->prepare(i->self, &inner, obs, h);
  h = for_paths(ctx, h);
  ssk_tensor *x = for_paths(ctx, obs->x), *mask = for_paths(ctx, obs->mask);
  ssk_tensor *u = for_paths(ctx, obs->u), *time = for_paths(ctx, obs->time);
  ssk_tensor *noise = ssk_ctx_normal(&inner, "paths", 0, SSK_SHAPE(T, P, d));

  size_t bytes = (size_t)T * sizeof(ssk_tensor *);
  ssk_tensor **z = ssk_tape_scratch(tape, bytes), **mean = ssk_tape_scratch(tape, bytes),
             **logvar = ssk_tape_scratch(tape, bytes);
  struct ssk_posterior q = {0};
  if (!z || !mean || !logvar || ssk_tape_code(tape))
    goto failed;
  for (int t = 0; t < T; t++) {
    struct ssk_encoder_step step = {.size = sizeof step,
                                    .t = t,
                                    .h = at_step(tape, h, t),
                                    .x = at_step(tape, x, t),
                                    .mask = at_step(tape, mask, t)};
    step.in = ssk_model_rows(pass, z, t - 1);
    step.in.u = at_step(tape, u, t);
    step.in.time = at_step(tape, time, t);
    struct ssk_gaussian moments = ops->posterior(i->self, &inner, &step);
    mean[t] = moments.mean;
    logvar[t] = moments.logvar;
    z[t] = ssk_reparam(tape, moments, at_step(tape, noise, t));
    if (ssk_tape_code(tape))
      goto failed;
  }
  q.z = ssk_stack(tape, T, z);
  q.mean = ssk_stack(tape, T, mean);
  q.logvar = ssk_stack(tape, T, logvar);
  q.log_q = ssk_gaussian_log_prob(tape, q.z, (struct ssk_gaussian){q.mean, q.logvar}, NULL);
  ssk_ctx_leave(ctx);
  return q;
failed:
  q.z = q.mean = q.logvar = q.log_q =
      ssk_tape_fail(tape, ssk_tape_code(tape) ? ssk_tape_code(tape) : SSK_ENOMEM,
                    "the posterior could not be computed");
  ssk_ctx_leave(ctx);
  return q;
}
