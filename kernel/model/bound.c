/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bound.c - the evidence bound of a shard, in its three parts, and the importance weight of a path:
 *
 *   -ELBO = E_q[-log p(x | z)]                                   distortion
 *         + E_q[log q(z_{1:j}) - log p(z_{1:j})]                 rate, initial
 *         + sum_{t>j} E_q[KL(q(z_t | .) || p(z_t | z_{t-j:t-1}))] rate, transition
 *
 * All steps of all paths are rows of one batch: nothing here recurs. Each part is a sum over time,
 * so a segment gives its share of it. */
#include "model/model.h"

/* n rows of j neighbouring steps of z [., P, d], the first of them starting at entry `first`, side
 * by side: [n*P, j*d]. */
static ssk_tensor *slots(const struct ssk_ctx *ctx, ssk_tensor *z, int first, int n) {
  int j = ctx->dims->j, d = ctx->dims->d;
  ssk_tensor *slot[SSK_MAX_ORDER];
  for (int i = 0; i < j; i++)
    slot[i] = ssk_rows(ctx->tape, z, first + i, n);
  ssk_tensor *past = j == 1 ? slot[0] : ssk_concat(ctx->tape, j, slot, -1);
  return ssk_reshape(ctx->tape, past, SSK_SHAPE(n * ctx->P, j * d));
}

/* Entries from `first` on of a [., P, w] slab (repeated over paths) as rows [n*P, w]; NULL stays
 * NULL. */
static ssk_tensor *as_rows(const struct ssk_ctx *ctx, ssk_tensor *slab, int first) {
  if (!slab)
    return NULL;
  int n = slab->shape[0] - first, width = slab->shape[2];
  ssk_tensor *part = ssk_rows(ctx->tape, slab, first, n);
  if (slab->shape[1] != ctx->P)
    part = ssk_repeat(ctx->tape, part, 1, ctx->S);
  return ssk_reshape(ctx->tape, part, SSK_SHAPE(n * ctx->P, width));
}

/* Entries from `first` on of alive [., B] as rows [n*P]; NULL stays NULL. */
static ssk_tensor *alive_rows(const struct ssk_ctx *ctx, ssk_tensor *alive, int first) {
  if (!alive)
    return NULL;
  int n = alive->shape[0] - first;
  ssk_tensor *part = ssk_rows(ctx->tape, alive, first, n);
  if (ctx->S > 1)
    part = ssk_repeat(ctx->tape, part, 1, ctx->S);
  return ssk_reshape(ctx->tape, part, SSK_SHAPE(n * ctx->P));
}

/* [n*P] values as [n, P]: zero where the step is not alive. */
static ssk_tensor *by_steps(const struct ssk_ctx *ctx, ssk_tensor *rows, ssk_tensor *alive) {
  int n = (int)(rows->count / (size_t)ctx->P);
  if (alive)
    rows = ssk_mul(ctx->tape, rows, alive);
  return ssk_reshape(ctx->tape, rows, SSK_SHAPE(n, ctx->P));
}

/* The same summed over the steps: [P]. */
static ssk_tensor *over_time(const struct ssk_ctx *ctx, ssk_tensor *rows, ssk_tensor *alive) {
  return ssk_sum(ctx->tape, by_steps(ctx, rows, alive), 0);
}

/* ---- the parts ------------------------------------------------------------------------------- */

/* [n*P, j] flags of the slots before step 0; NULL where the segment has none. */
static ssk_tensor *pad_flags(const struct ssk_ctx *ctx, const struct ssk_segment *segment) {
  int j = ctx->dims->j, P = ctx->P;
  if (segment->from >= j - 1)
    return NULL;
  ssk_tensor *pad = ssk_full(ctx->tape, SSK_SHAPE(segment->n * P, j), 0);
  for (int t = 0; pad->count && t < segment->n; t++)
    for (int p = 0; p < P; p++)
      for (int k = 0; k < j - 1 - (segment->from + t); k++)
        pad->data[(t * P + p) * j + k] = 1;
  return pad;
}

/* [n*P, W] the transition's states before n steps from `first` on; NULL where it has none. */
static ssk_tensor *states(const struct ssk_ctx *ctx, const struct ssk_posterior *q, int first,
                          int n) {
  if (!q->state)
    return NULL;
  ssk_tensor *before = ssk_rows(ctx->tape, q->state, ctx->dims->j - 1 + first, n);
  return ssk_reshape(ctx->tape, before, SSK_SHAPE(n * ctx->P, ctx->dims->W));
}

struct ssk_rows ssk_segment_emission(const struct ssk_ctx *ctx, const struct ssk_segment *segment,
                                     const struct ssk_posterior *q) {
  return (struct ssk_rows){.size = sizeof(struct ssk_rows),
                           .n = segment->n * ctx->P,
                           .past = slots(ctx, q->history, 1, segment->n),
                           .state = states(ctx, q, 0, segment->n),
                           .pad = pad_flags(ctx, segment),
                           .u = as_rows(ctx, segment->obs.u, 0),
                           .time = as_rows(ctx, segment->obs.time, 0),
                           .index = (uint32_t)segment->from,
                           .first = segment->from * ctx->P,
                           .total = ctx->T * ctx->P,
                           .step = segment->from,
                           .width = ctx->P};
}

static ssk_tensor *distortion(const struct ssk_ctx *ctx, const struct ssk_segment *segment,
                              const struct ssk_posterior *q) {
  const struct ssk_observed *obs = &segment->obs;
  struct ssk_rows in = ssk_segment_emission(ctx, segment, q);
  in.index = 0; /* one draw for all segments */
  ssk_tensor *log_prob =
      ssk_emission_log_prob(ctx, &in, as_rows(ctx, obs->x, 0), as_rows(ctx, obs->mask, 0));
  return ssk_affine(ctx->tape, over_time(ctx, log_prob, NULL), -1, 0);
}

static struct ssk_first first_latents(const struct ssk_ctx *ctx, const struct ssk_posterior *q) {
  int j = ctx->dims->j;
  struct ssk_first first = {.size = sizeof first,
                            .z = ssk_rows(ctx->tape, q->z, 0, j),
                            .mean = ssk_rows(ctx->tape, q->mean, 0, j),
                            .logvar = ssk_rows(ctx->tape, q->logvar, 0, j)};
  first.log_q = ssk_sum(ctx->tape, ssk_rows(ctx->tape, q->log_q, 0, j), 0);
  return first;
}

static ssk_tensor *initial_rate(const struct ssk_ctx *ctx, const struct ssk_segment *segment,
                                const struct ssk_posterior *q) {
  if (segment->from > 0)
    return ssk_full(ctx->tape, SSK_SHAPE(ctx->P), 0);
  const struct ssk_first first = first_latents(ctx, q);
  return ssk_initial_rate(ctx, &first);
}

/* How many steps of the segment are first latents, that have no transition. */
static int first_steps(const struct ssk_ctx *ctx, const struct ssk_segment *segment) {
  int j = ctx->dims->j;
  return segment->from < j ? j - segment->from : 0;
}

/* The segment's other steps as rows; n is 0 where there are none. */
static struct ssk_rows transitions(const struct ssk_ctx *ctx, const struct ssk_segment *segment,
                                   const struct ssk_posterior *q) {
  const struct ssk_observed *obs = &segment->obs;
  int j = ctx->dims->j, P = ctx->P, skipped = first_steps(ctx, segment), n = segment->n - skipped;
  if (n <= 0)
    return (struct ssk_rows){.size = sizeof(struct ssk_rows)};
  struct ssk_rows rows = {.size = sizeof rows,
                          .n = n * P,
                          .past = slots(ctx, q->history, skipped, n),
                          .state = states(ctx, q, skipped, n),
                          .u = as_rows(ctx, obs->u, skipped),
                          .time = as_rows(ctx, obs->time, skipped),
                          .z = as_rows(ctx, q->z, skipped),
                          .mean = as_rows(ctx, q->mean, skipped),
                          .logvar = as_rows(ctx, q->logvar, skipped),
                          .alive = alive_rows(ctx, obs->alive, skipped),
                          .first = (segment->from + skipped - j) * P,
                          .total = (ctx->T - j) * P,
                          .step = segment->from + skipped,
                          .width = P};
  rows.log_q = ssk_reshape(ctx->tape, ssk_rows(ctx->tape, q->log_q, skipped, n), SSK_SHAPE(rows.n));
  return rows;
}

/* [P]: of a prior of whole paths, in the place of a rate. */
static ssk_tensor *path_loss(const struct ssk_ctx *ctx, const struct ssk_segment *whole,
                             const struct ssk_posterior *q) {
  const struct ssk_path path = ssk_model_path(ctx, &whole->obs, q->z);
  return ssk_path_loss(ctx, &path);
}

/* [n, P] of the segment's steps that have a transition; NULL where there are none. */
static ssk_tensor *transition_rates(const struct ssk_ctx *ctx, const struct ssk_segment *segment,
                                    const struct ssk_posterior *q) {
  struct ssk_rows rows = transitions(ctx, segment, q);
  if (!rows.n)
    return NULL;
  ssk_tensor *rate = ssk_transition_rate(ctx->model->experiment->model.transition, ctx, &rows);
  return by_steps(ctx, rate, rows.alive);
}

/* ---- the importance weight ------------------------------------------------------------------- */

/* log p(z_t | z_{t-j:t-1}) - log q(z_t | .), summed over the steps after the first j. */
static ssk_tensor *transition_log_ratio(const struct ssk_ctx *ctx,
                                        const struct ssk_segment *segment,
                                        const struct ssk_posterior *q) {
  struct ssk_rows rows = transitions(ctx, segment, q);
  if (!rows.n)
    return ssk_full(ctx->tape, SSK_SHAPE(ctx->P), 0);
  ssk_tensor *log_q = rows.log_q;
  rows.mean = rows.logvar = rows.log_q = NULL;
  ssk_tensor *log_p = ssk_transition_log_prob(ctx->model->experiment->model.transition, ctx, &rows);
  return over_time(ctx, ssk_sub(ctx->tape, log_p, log_q), rows.alive);
}

static ssk_tensor *log_weight(const struct ssk_ctx *ctx, const struct ssk_segment *segment,
                              const struct ssk_posterior *q, ssk_tensor *distortion) {
  ssk_tape *tape = ctx->tape;
  if (ssk_model_paths(ctx->model))
    return ssk_tape_fail(tape, SSK_ERECIPE, "the transition '%s' has no density of paths",
                         ssk_ctx_transition(ctx)->component->name);
  ssk_tensor *latents = transition_log_ratio(ctx, segment, q);
  if (segment->from == 0) {
    const struct ssk_first first = first_latents(ctx, q);
    latents = ssk_add(tape, ssk_sub(tape, ssk_initial_log_prob(ctx, &first), first.log_q), latents);
  }
  return ssk_sub(tape, latents, distortion);
}

/* ---- the bound ------------------------------------------------------------------------------- */

/* sum over t of KL(q(z_t | .) || N(0, I)). */
static ssk_tensor *reference_rate(const struct ssk_ctx *ctx, const struct ssk_segment *segment,
                                  const struct ssk_posterior *q) {
  ssk_tensor *zeros = ssk_full(ctx->tape, q->mean->ndim, q->mean->shape, 0);
  const struct ssk_gaussian posterior = {q->mean, q->logvar}, standard = {zeros, zeros};
  ssk_tensor *rate = ssk_gaussian_kl(ctx->tape, posterior, standard);
  return over_time(ctx, ssk_reshape(ctx->tape, rate, SSK_SHAPE(segment->n * ctx->P)),
                   alive_rows(ctx, segment->obs.alive, 0));
}

unsigned ssk_objective_needs(const struct ssk_ctx *ctx) {
  const struct ssk_objective_ops *ops = ctx->model->experiment->objective->component->ops;
  return ctx->training ? ops->needs : 0;
}

double ssk_objective_resampling(const struct ssk_ctx *ctx) {
  const struct ssk_instance *objective = ctx->model->experiment->objective;
  const struct ssk_objective_ops *ops = objective->component->ops;
  return ops->resample_below(objective->self);
}

void ssk_bound_complete(const struct ssk_pass *pass, const struct ssk_observed *obs,
                        struct ssk_bound *bound) {
  const struct ssk_ctx *ctx = &pass->ctx;
  const int j = ctx->dims->j;
  bound->entries = obs->entries;
  bound->log_jacobian = ctx->model->copies ? 0 : obs->log_jacobian; /* there is no density of x */
  if (bound->steps && obs->alive)
    bound->alive =
        ssk_reshape(ctx->tape, alive_rows(ctx, obs->alive, j), SSK_SHAPE(ctx->T - j, ctx->P));
}

/* Neither bound nor weight is defined of fewer steps than the order. */
static bool too_short(const struct ssk_ctx *ctx, const struct ssk_segment *segment) {
  return segment->from == 0 && segment->n < ctx->dims->j;
}
static ssk_tensor *fail_too_short(const struct ssk_ctx *ctx) {
  return ssk_tape_fail(
      ctx->tape, SSK_EDATA,
      "a series of %d steps (or cut to them by evaluate.bound_length) is shorter than the order %d",
      ctx->T, ctx->dims->j);
}

struct ssk_bound ssk_segment_bound(const struct ssk_pass *pass, const struct ssk_segment *segment,
                                   const struct ssk_posterior *q) {
  const struct ssk_ctx *ctx = &pass->ctx;
  struct ssk_bound bound = {.size = sizeof bound};
  if (too_short(ctx, segment)) {
    bound.distortion = bound.initial = bound.transition = fail_too_short(ctx);
    return bound;
  }
  bound.distortion = distortion(ctx, segment, q);
  const bool whole = ssk_model_paths(ctx->model);
  ssk_tensor *rates = whole ? NULL : transition_rates(ctx, segment, q);
  ssk_tensor *zero = ssk_full(ctx->tape, SSK_SHAPE(ctx->P), 0);
  bound.initial = whole ? zero : initial_rate(ctx, segment, q);
  bound.transition = whole   ? path_loss(ctx, segment, q)
                     : rates ? ssk_sum(ctx->tape, rates, 0)
                             : zero;
  const unsigned needs = ssk_objective_needs(ctx);
  if (needs & SSK_NEEDS_STEPS)
    bound.steps = rates;
  if (needs & SSK_NEEDS_REFERENCE)
    bound.reference = reference_rate(ctx, segment, q);
  if (needs & SSK_NEEDS_WEIGHT)
    bound.log_weight = log_weight(ctx, segment, q, bound.distortion);
  return bound;
}

/* What a summary says of all steps, [T, B, its width]. */
static ssk_tensor *whole_reading(const struct ssk_pass *pass, const struct ssk_reading *reading,
                                 const struct ssk_observed *obs) {
  const struct ssk_ctx *ctx = &pass->ctx;
  if (!reading->reversed)
    return ssk_model_summary(pass, reading, obs, NULL, NULL);
  const int *lengths = ssk_observed_lengths(ctx, obs);
  const struct ssk_observed reversed = ssk_observed_reversed(ctx, obs, lengths, 0, ctx->T);
  ssk_tensor *h = ssk_model_summary(pass, reading, &reversed, NULL, NULL);
  return lengths ? ssk_flip_each(ctx->tape, h, lengths) : ssk_flip(ctx->tape, h);
}

/* The summaries of all steps side by side, [T, B, H]. */
static ssk_tensor *whole_summary(const struct ssk_pass *pass, const struct ssk_observed *obs) {
  const struct ssk_model *model = pass->ctx.model;
  ssk_tensor *h[SSK_MAX_READINGS];
  for (int s = 0; s < model->n_readings; s++)
    h[s] = whole_reading(pass, &model->reading[s], obs);
  return model->n_readings == 1 ? h[0] : ssk_concat(pass->ctx.tape, model->n_readings, h, -1);
}

struct ssk_segment ssk_model_whole(const struct ssk_pass *pass, const struct ssk_observed *obs) {
  const struct ssk_ctx *ctx = &pass->ctx;
  return (struct ssk_segment){.n = ctx->T,
                              .obs = *obs,
                              .h = whole_summary(pass, obs),
                              .before = ssk_model_before(ctx),
                              .particles = ssk_particles_begin(ctx)};
}

struct ssk_bound ssk_model_bound(const struct ssk_pass *pass, const struct ssk_observed *obs) {
  const struct ssk_segment whole = ssk_model_whole(pass, obs);
  const struct ssk_posterior q = ssk_segment_encode(pass, &whole);
  struct ssk_bound bound = ssk_segment_bound(pass, &whole, &q);
  struct ssk_particles after;
  if (ssk_objective_needs(&pass->ctx) & SSK_NEEDS_PARTICLES)
    bound.log_likelihood =
        ssk_segment_particles(pass, &whole, ssk_objective_resampling(&pass->ctx), &after);
  ssk_bound_complete(pass, obs, &bound);
  return bound;
}

ssk_tensor *ssk_segment_log_weight(const struct ssk_pass *pass, const struct ssk_segment *segment,
                                   const struct ssk_posterior *q) {
  const struct ssk_ctx *ctx = &pass->ctx;
  if (too_short(ctx, segment))
    return fail_too_short(ctx);
  return log_weight(ctx, segment, q, distortion(ctx, segment, q));
}

ssk_tensor *ssk_model_log_weight(const struct ssk_pass *pass, const struct ssk_observed *obs) {
  const struct ssk_segment whole = ssk_model_whole(pass, obs);
  const struct ssk_posterior q = ssk_segment_encode(pass, &whole);
  return ssk_segment_log_weight(pass, &whole, &q);
}
