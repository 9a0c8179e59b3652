/* SPDX-License-Identifier: GPL-3.0-or-later */
/* encode.c - from observations to latent paths: q(z | x) = prod_t q(z_t | z_{t-j:t-1}, h_t), the
 * structured posterior of Krishnan et al. 2017. The loop over t is the only sequential part. */
#include "model/model.h"

/* ---- the summaries --------------------------------------------------------------------------- */

/* What a summary reads, [n, B, in]. */
static ssk_tensor *summary_inputs(const struct ssk_ctx *ctx, const struct ssk_observed *obs) {
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
    inputs[n++] = ssk_repeat(tape, s, 0, obs->x->shape[0]);
  }
  return ssk_concat(tape, n, inputs, -1);
}

ssk_tensor *ssk_model_summary(const struct ssk_pass *pass, const struct ssk_reading *reading,
                              const struct ssk_observed *in_order, ssk_tensor *state,
                              ssk_tensor **next) {
  const struct ssk_ctx *ctx = &pass->ctx;
  const struct ssk_instance *i = reading->summary;
  const struct ssk_summary_ops *ops = i->component->ops;
  struct ssk_ctx inner = ssk_ctx_enter(ctx, i->path);
  ssk_tensor *x = summary_inputs(ctx, in_order);
  ssk_tensor *h =
      state ? ops->run_part(i->self, &inner, x, state, next) : ops->run(i->self, &inner, x);
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

/* The latent in what a step carried, [.., d]. */
static ssk_tensor *latent_of(const struct ssk_ctx *ctx, ssk_tensor *carried) {
  return ctx->dims->W ? ssk_cols(ctx->tape, carried, 0, ctx->dims->d) : carried;
}
/* The transition's state in it, [.., W]; NULL where it has none. */
static ssk_tensor *state_of(const struct ssk_ctx *ctx, ssk_tensor *carried) {
  const struct ssk_dims *dims = ctx->dims;
  return dims->W ? ssk_cols(ctx->tape, carried, dims->d, dims->W) : NULL;
}

ssk_tensor *ssk_model_before(const struct ssk_ctx *ctx) {
  const struct ssk_dims *dims = ctx->dims;
  ssk_tensor *latents = ssk_full(ctx->tape, SSK_SHAPE(dims->j, ctx->P, dims->d), 0);
  if (!dims->W)
    return latents;
  ssk_tensor *state = ssk_transition_start(ssk_ctx_transition(ctx), ctx, dims->j * ctx->P);
  state = ssk_reshape(ctx->tape, state, SSK_SHAPE(dims->j, ctx->P, dims->W));
  return ssk_concat(ctx->tape, 2, (ssk_tensor *[]){latents, state}, -1);
}

ssk_tensor *ssk_model_carry(const struct ssk_ctx *ctx, const struct ssk_rows *rows, ssk_tensor *z,
                            ssk_tensor *x, ssk_tensor *mask) {
  if (!ctx->dims->W)
    return z;
  struct ssk_rows known = *rows;
  known.z = z;
  known.x = x;
  known.mask = mask ? mask : ssk_full(ctx->tape, SSK_SHAPE(ctx->P, ctx->dims->D), 1);
  ssk_tensor *state = ssk_transition_advance(ssk_ctx_transition(ctx), ctx, &known);
  return ssk_concat(ctx->tape, 2, (ssk_tensor *[]){z, state}, -1);
}

ssk_tensor *ssk_model_carry_on(const struct ssk_ctx *ctx, const struct ssk_rows *rows,
                               ssk_tensor *z) {
  return ctx->dims->W ? ssk_concat(ctx->tape, 2, (ssk_tensor *[]){z, rows->state}, -1) : z;
}

struct ssk_rows ssk_model_rows(const struct ssk_pass *pass, ssk_tensor *const *newest, int step) {
  const struct ssk_ctx *ctx = &pass->ctx;
  int j = ctx->dims->j;
  ssk_tensor *latents[SSK_MAX_ORDER];
  for (int i = 0; i < j; i++)
    latents[i] = latent_of(ctx, newest[i - (j - 1)]);
  return (struct ssk_rows){.size = sizeof(struct ssk_rows),
                           .n = ctx->P,
                           .past = j == 1 ? *latents : ssk_concat(ctx->tape, j, latents, -1),
                           .state = state_of(ctx, *newest),
                           .pad = pad_flags(ctx, step),
                           .index = (uint32_t)(step + 1),
                           .step = step + 1};
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

/* The loop over the steps of a segment. carried [j + n]: the first j are given; mean and logvar
 * [n]. */
static void run_encoder(const struct ssk_pass *pass, const struct ssk_segment *segment,
                        ssk_tensor **carried, ssk_tensor **mean, ssk_tensor **logvar) {
  ssk_tape *tape = pass->ctx.tape;
  const struct ssk_instance *i = pass->ctx.model->experiment->model.encoder;
  const struct ssk_encoder_ops *ops = i->component->ops;
  const struct ssk_ctx ctx = ssk_ctx_enter(&pass->ctx, i->path);
  const struct ssk_observed *obs = &segment->obs;
  int P = ctx.P, d = ctx.dims->d, j = ctx.dims->j;

  ssk_tensor *h = segment->h;
  if (ops->prepare)
    h = ops->prepare(i->self, &ctx, obs, h);
  h = for_paths(&ctx, h);
  ssk_tensor *x = for_paths(&ctx, obs->x), *mask = for_paths(&ctx, obs->mask);
  ssk_tensor *u = for_paths(&ctx, obs->u), *time = for_paths(&ctx, obs->time);
  ssk_tensor *truth = for_paths(&ctx, obs->z);
  ssk_tensor *noise = ssk_ctx_normal_from(
      &ctx, "paths", 0, (uint64_t)segment->from * (uint64_t)(P * d), SSK_SHAPE(segment->n, P, d));
  for (int t = 0; t < segment->n && !ssk_tape_code(tape); t++) {
    struct ssk_encoder_step step = {.size = sizeof step,
                                    .t = segment->from + t,
                                    .h = at_step(tape, h, t),
                                    .x = at_step(tape, x, t),
                                    .mask = at_step(tape, mask, t),
                                    .z = at_step(tape, truth, t)};
    step.in = ssk_model_rows(pass, carried + j + t - 1, step.t - 1);
    step.in.u = at_step(tape, u, t);
    step.in.time = at_step(tape, time, t);
    struct ssk_gaussian moments = ops->posterior(i->self, &ctx, &step);
    moments.mean = ssk_promised(&ctx, i, "the mean", moments.mean, SSK_SHAPE(P, d));
    moments.logvar = ssk_promised(&ctx, i, "the log variance", moments.logvar, SSK_SHAPE(P, d));
    mean[t] = moments.mean;
    logvar[t] = moments.logvar;
    ssk_tensor *z = ssk_reparam(tape, moments, at_step(tape, noise, t));
    carried[j + t] = ssk_model_carry(&pass->ctx, &step.in, z, step.x, step.mask);
  }
  ssk_ctx_leave(&pass->ctx);
}

struct ssk_posterior ssk_segment_encode(const struct ssk_pass *pass,
                                        const struct ssk_segment *segment) {
  ssk_tape *tape = pass->ctx.tape;
  int j = pass->ctx.dims->j, n = segment->n;
  ssk_tensor **carried = ssk_tape_scratch(tape, (size_t)(j + n) * sizeof *carried),
             **mean = ssk_tape_scratch(tape, (size_t)n * sizeof *mean),
             **logvar = ssk_tape_scratch(tape, (size_t)n * sizeof *logvar);
  struct ssk_posterior q = {0};
  if (!carried || !mean || !logvar) {
    ssk_tape_fail(tape, SSK_ENOMEM, "no memory for the latents of %d steps", n);
  } else {
    for (int i = 0; i < j; i++)
      carried[i] = at_step(tape, segment->before, i);
    run_encoder(pass, segment, carried, mean, logvar);
  }
  if (ssk_tape_code(tape)) {
    q.carried = q.history = q.z = q.mean = q.logvar = q.log_q =
        ssk_tape_fail(tape, SSK_EFAIL, "the posterior could not be computed");
    return q;
  }
  q.carried = ssk_stack(tape, j + n, carried);
  q.history = latent_of(&pass->ctx, q.carried);
  q.state = state_of(&pass->ctx, q.carried);
  q.z = ssk_rows(tape, q.history, j, n);
  q.mean = ssk_stack(tape, n, mean);
  q.logvar = ssk_stack(tape, n, logvar);
  q.log_q = ssk_gaussian_log_prob(tape, q.z, (struct ssk_gaussian){q.mean, q.logvar}, NULL);
  return q;
}
