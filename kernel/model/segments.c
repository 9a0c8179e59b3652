/* SPDX-License-Identifier: GPL-3.0-or-later */
/* segments.c - forward through a pass in segments; segments_backward.c is the way back. */
#include "model/segments.h"
#include <math.h>
#include <string.h>

enum { FORWARD_ROWS = 256 };

/* A prior of whole paths wants all of them. */
static int clamp_length(const struct ssk_ctx *ctx, int64_t wish) {
  if (ssk_model_paths(ctx->model))
    return ctx->T;
  if (wish < ctx->dims->j)
    wish = ctx->dims->j;
  return wish < ctx->T ? (int)wish : ctx->T;
}

int ssk_segment_length(const struct ssk_pass *pass, int64_t wish) {
  return clamp_length(&pass->ctx, wish < 0 ? (int64_t)ceil(sqrt(pass->ctx.T)) : wish);
}

int ssk_segment_length_forward(const struct ssk_pass *pass) {
  const int64_t few = (FORWARD_ROWS + pass->ctx.P - 1) / pass->ctx.P;
  const int root = ssk_segment_length(pass, -1);
  return few > root ? clamp_length(&pass->ctx, few) : root;
}

/* ---- pieces ---------------------------------------------------------------------------------- */

/* Steps of piece k of T in pieces of `length`. */
static int steps_in(int T, int length, int k) {
  return T - k * length < length ? T - k * length : length;
}

size_t ssk_walk_latents(const struct ssk_walk *walk) {
  const struct ssk_ctx *ctx = &walk->pass->ctx;
  return (size_t)(ctx->dims->j * ctx->P * (ctx->dims->d + ctx->dims->W));
}
size_t ssk_walk_particles(const struct ssk_walk *walk) {
  return ssk_walk_latents(walk) + (size_t)walk->pass->ctx.P;
}

/* [j, P, d + W] at `values`, with their gradient. */
static ssk_tensor *carried_at(const struct ssk_walk *walk, ssk_real *values, ssk_real *gradient) {
  const struct ssk_ctx *ctx = &walk->pass->ctx;
  const struct ssk_dims *dims = ctx->dims;
  return ssk_leaf(ctx->tape, SSK_SHAPE(dims->j, ctx->P, dims->d + dims->W), values, gradient);
}

static struct ssk_particles particles_at(const struct ssk_walk *walk, ssk_real *values,
                                         ssk_real *gradient) {
  const struct ssk_ctx *ctx = &walk->pass->ctx;
  const size_t latents = ssk_walk_latents(walk);
  return (struct ssk_particles){.latents = carried_at(walk, values, gradient),
                                .log_weight =
                                    ssk_leaf(ctx->tape, SSK_SHAPE(ctx->P), values + latents,
                                             gradient ? gradient + latents : NULL)};
}

struct ssk_segment ssk_walk_segment(const struct ssk_walk *walk, int k, ssk_real *d_h,
                                    ssk_real *d_before, ssk_real *d_particles) {
  const struct ssk_ctx *ctx = &walk->pass->ctx;
  int B = ctx->B, H = ctx->dims->H;
  int from = k * walk->length, n = steps_in(ctx->T, walk->length, k);
  ssk_real *h = walk->h + (size_t)from * (size_t)(B * H);
  ssk_real *before = walk->latents + (size_t)k * ssk_walk_latents(walk);
  struct ssk_segment segment = {.from = from,
                                .n = n,
                                .obs = ssk_observed_part(ctx->tape, walk->obs, from, n),
                                .h = ssk_leaf(ctx->tape, SSK_SHAPE(n, B, H), h, d_h),
                                .before =
                                    k ? carried_at(walk, before, d_before) : ssk_model_before(ctx)};
  if (walk->particles && !k)
    segment.particles = ssk_particles_begin(ctx);
  else if (walk->particles)
    segment.particles =
        particles_at(walk, walk->particles + (size_t)k * ssk_walk_particles(walk), d_particles);
  return segment;
}

static const struct ssk_reading *reading_of(const struct ssk_walk *walk, int s) {
  return &walk->pass->ctx.model->reading[s];
}

int ssk_walk_summary_parts(const struct ssk_walk *walk, int s) {
  return walk->reading[s].state_width ? walk->n : 1;
}

int ssk_walk_summary_part(const struct ssk_walk *walk, int s, int i) {
  return reading_of(walk, s)->reversed ? ssk_walk_summary_parts(walk, s) - 1 - i : i;
}

static int part_length(const struct ssk_walk *walk, int s) {
  return walk->reading[s].state_width ? walk->length : walk->pass->ctx.T;
}

int ssk_walk_summary_steps(const struct ssk_walk *walk, int s, int k) {
  return steps_in(walk->pass->ctx.T, part_length(walk, s), k);
}

/* Where part k begins, in the order in which it is read. */
static int part_start(const struct ssk_walk *walk, int s, int k) {
  const int first = k * part_length(walk, s);
  return reading_of(walk, s)->reversed
             ? walk->pass->ctx.T - first - ssk_walk_summary_steps(walk, s, k)
             : first;
}

ssk_real *ssk_walk_summary_at(const struct ssk_walk *walk, int s, int k, int r, int b) {
  const struct ssk_ctx *ctx = &walk->pass->ctx;
  int t = part_start(walk, s, k) + r;
  if (reading_of(walk, s)->reversed)
    t = ssk_reversed_step(walk->lengths ? walk->lengths[b] : ctx->T, t);
  return walk->h + ((size_t)t * (size_t)ctx->B + (size_t)b) * (size_t)ctx->dims->H +
         reading_of(walk, s)->from;
}

ssk_tensor *ssk_walk_summary(const struct ssk_walk *walk, int s, int k, ssk_real *d_state,
                             ssk_tensor **next) {
  const struct ssk_ctx *ctx = &walk->pass->ctx;
  const struct ssk_reading *reading = reading_of(walk, s);
  const int B = ctx->B, W = walk->reading[s].state_width;
  const int n = ssk_walk_summary_steps(walk, s, k), start = part_start(walk, s, k);
  const struct ssk_observed in_order =
      reading->reversed ? ssk_observed_reversed(ctx, walk->obs, walk->lengths, start, n)
                        : ssk_observed_part(ctx->tape, walk->obs, start, n);
  ssk_tensor *state = NULL;
  if (W)
    state = ssk_leaf(ctx->tape, SSK_SHAPE(B, W),
                     walk->reading[s].states + (size_t)k * (size_t)(B * W), d_state);
  ssk_tensor *h = ssk_model_summary(walk->pass, reading, &in_order, state, next);
  if (!ssk_tape_code(ctx->tape) && (h->count != (size_t)n * (size_t)(B * reading->width) ||
                                    (W && (!*next || (*next)->count != (size_t)(B * W)))))
    ssk_tape_fail(ctx->tape, SSK_EPLUGIN, "summary '%s' returned another shape than it declared",
                  reading->summary->component->name);
  return h;
}

/* ---- forward --------------------------------------------------------------------------------- */

static void run_summary(const struct ssk_walk *walk, int s) {
  const struct ssk_ctx *ctx = &walk->pass->ctx;
  const size_t width = (size_t)reading_of(walk, s)->width, B = (size_t)ctx->B;
  const size_t state = B * (size_t)walk->reading[s].state_width, unit = sizeof(ssk_real);
  const int parts = ssk_walk_summary_parts(walk, s);
  for (int i = 0; i < parts && !ssk_tape_code(ctx->tape); i++) {
    const int k = ssk_walk_summary_part(walk, s, i);
    size_t mark = ssk_tape_mark(ctx->tape);
    ssk_tensor *next = NULL, *h = ssk_walk_summary(walk, s, k, NULL, &next);
    if (!ssk_tape_code(ctx->tape)) {
      for (int r = 0; r < ssk_walk_summary_steps(walk, s, k); r++)
        for (int b = 0; b < ctx->B; b++)
          memcpy(ssk_walk_summary_at(walk, s, k, r, b),
                 h->data + ((size_t)r * B + (size_t)b) * width, width * unit);
      if (i + 1 < parts)
        memcpy(walk->reading[s].states + state * (size_t)ssk_walk_summary_part(walk, s, i + 1),
               next->data, state * unit);
    }
    ssk_tape_rewind(ctx->tape, mark);
  }
}

/* Room for the summary's states, zero before the first part; false without memory. */
static bool begin_summary(struct ssk_walk *walk, int s) {
  const struct ssk_ctx *ctx = &walk->pass->ctx;
  const struct ssk_instance *i = reading_of(walk, s)->summary;
  const struct ssk_summary_ops *ops = i->component->ops;
  struct ssk_walk_reading *reading = &walk->reading[s];
  reading->state_width = ops->run_part ? ops->state_width(i->self) : 0;
  const size_t bytes =
      (size_t)walk->n * (size_t)ctx->B * (size_t)reading->state_width * sizeof *reading->states;
  reading->states = ssk_tape_scratch(ctx->tape, bytes);
  if (reading->states)
    memset(reading->states, 0, bytes);
  return reading->states;
}

void ssk_walk_begin(struct ssk_walk *walk, struct ssk_pass *pass, const struct ssk_observed *obs,
                    int length) {
  const struct ssk_ctx *ctx = &pass->ctx;
  *walk = (struct ssk_walk){.pass = pass,
                            .obs = obs,
                            .length = length,
                            .n = (ctx->T + length - 1) / length,
                            .lengths = ssk_observed_lengths(ctx, obs)};
  const size_t n = (size_t)walk->n, P = (size_t)ctx->P, B = (size_t)ctx->B;
  const size_t latents = ssk_walk_latents(walk);
  const size_t unit = sizeof(ssk_real);
  walk->h = ssk_tape_scratch(ctx->tape, (size_t)ctx->T * B * (size_t)ctx->dims->H * unit);
  bool fits = true;
  for (int s = 0; s < ctx->model->n_readings; s++)
    fits = begin_summary(walk, s) && fits;
  walk->latents = ssk_tape_scratch(ctx->tape, (n + 1) * latents * unit);
  walk->parts = ssk_tape_scratch(ctx->tape, SSK_WALK_PARTS * P * unit);
  walk->d_parts = ssk_tape_scratch(ctx->tape, SSK_WALK_PARTS * P * unit);
  const bool by_steps = ssk_objective_needs(ctx) & SSK_NEEDS_STEPS;
  if (by_steps) {
    const size_t steps = (size_t)(ctx->T - ctx->dims->j) * P;
    walk->steps = ssk_tape_scratch(ctx->tape, steps * unit);
    walk->d_steps = ssk_tape_scratch(ctx->tape, steps * unit);
  }
  const bool by_particles = ssk_objective_needs(ctx) & SSK_NEEDS_PARTICLES;
  if (by_particles)
    walk->particles = ssk_tape_scratch(ctx->tape, (n + 1) * ssk_walk_particles(walk) * unit);
  walk->mark = ssk_tape_mark(ctx->tape);
  if (!walk->h || !fits || !walk->latents || !walk->parts || !walk->d_parts ||
      (by_steps && (!walk->steps || !walk->d_steps)) || (by_particles && !walk->particles)) {
    ssk_tape_fail(ctx->tape, SSK_ENOMEM, "no memory for %d segments of %d steps", walk->n, length);
    return;
  }
  for (int s = 0; s < ctx->model->n_readings; s++)
    run_summary(walk, s);
}

size_t ssk_walk_first_rate(const struct ssk_walk *walk, int k) {
  const struct ssk_ctx *ctx = &walk->pass->ctx;
  const int from = k * walk->length - ctx->dims->j;
  return from > 0 ? (size_t)from * (size_t)ctx->P : 0;
}

/* Segment k, and what it leaves to the next one. */
static void run_segment(const struct ssk_walk *walk, int k, ssk_walk_visit *visit, void *state) {
  const struct ssk_ctx *ctx = &walk->pass->ctx;
  const int j = ctx->dims->j;
  size_t mark = ssk_tape_mark(ctx->tape), latents = ssk_walk_latents(walk);
  struct ssk_segment segment = ssk_walk_segment(walk, k, NULL, NULL, NULL);
  struct ssk_posterior q = ssk_segment_encode(walk->pass, &segment);
  if (visit && !ssk_tape_code(ctx->tape))
    visit(walk->pass, &segment, &q, state);
  if (!ssk_tape_code(ctx->tape)) {
    const ssk_tensor *last = ssk_rows(ctx->tape, q.carried, segment.n, j);
    memcpy(walk->latents + (size_t)(k + 1) * latents, last->data, latents * sizeof *last->data);
  }
  ssk_tape_rewind(ctx->tape, mark);
}

void ssk_walk_encode(struct ssk_walk *walk, ssk_walk_visit *visit, void *state) {
  for (int k = 0; k < walk->n && !ssk_tape_code(walk->pass->ctx.tape); k++)
    run_segment(walk, k, visit, state);
}

ssk_real *ssk_walk_last(const struct ssk_walk *walk) {
  return walk->latents + (size_t)walk->n * ssk_walk_latents(walk);
}

/* What add_bound adds to. */
struct adding {
  const struct ssk_walk *walk;
  double *sums; /* [SSK_WALK_PARTS, P] */
};

/* The segment's share of the likelihood, [P]; the particles at its end go to their place. */
static ssk_tensor *move_particles(const struct ssk_walk *walk, const struct ssk_segment *segment) {
  const struct ssk_ctx *ctx = &walk->pass->ctx;
  struct ssk_particles after;
  ssk_tensor *share =
      ssk_segment_particles(walk->pass, segment, ssk_objective_resampling(ctx), &after);
  if (ssk_tape_code(ctx->tape))
    return share;
  ssk_real *to =
      walk->particles + (size_t)(segment->from / walk->length + 1) * ssk_walk_particles(walk);
  memcpy(to, after.latents->data, after.latents->count * sizeof *to);
  memcpy(to + after.latents->count, after.log_weight->data, after.log_weight->count * sizeof *to);
  return share;
}

/* Adds a segment's share of the bound to the sums, and puts its rates to their place. */
static void add_bound(const struct ssk_pass *pass, const struct ssk_segment *segment,
                      const struct ssk_posterior *q, void *state) {
  const struct adding *to = state;
  const struct ssk_walk *walk = to->walk;
  const int P = pass->ctx.P;
  struct ssk_bound bound = ssk_segment_bound(pass, segment, q);
  if (walk->particles)
    bound.log_likelihood = move_particles(walk, segment);
  if (ssk_tape_code(pass->ctx.tape))
    return;
  ssk_tensor **parts[SSK_WALK_PARTS];
  ssk_walk_parts(&bound, parts);
  for (int i = 0; i < SSK_WALK_PARTS; i++)
    for (int p = 0; *parts[i] && p < P; p++)
      to->sums[i * P + p] += (double)(*parts[i])->data[p];
  if (bound.steps)
    memcpy(walk->steps + ssk_walk_first_rate(walk, segment->from / walk->length), bound.steps->data,
           bound.steps->count * sizeof *bound.steps->data);
}

/* The sums and the rates of all segments as leaves, which collect their gradient where there is
 * one. */
static struct ssk_bound bound_of(const struct ssk_walk *walk, const double *sums, bool gradient) {
  const struct ssk_ctx *ctx = &walk->pass->ctx;
  const int P = ctx->P, steps = ctx->T - ctx->dims->j;
  const unsigned needs = ssk_objective_needs(ctx);
  const bool needed[SSK_WALK_PARTS] = {
      true, true, true, needs & SSK_NEEDS_REFERENCE, needs & SSK_NEEDS_WEIGHT, walk->particles};
  struct ssk_bound bound = {.size = sizeof bound};
  ssk_tensor **parts[SSK_WALK_PARTS];
  ssk_walk_parts(&bound, parts);
  for (int i = 0; i < SSK_WALK_PARTS; i++) {
    ssk_real *part = walk->parts + i * P, *d_part = walk->d_parts + i * P;
    for (int p = 0; p < P; p++) {
      part[p] = (ssk_real)sums[i * P + p];
      d_part[p] = 0;
    }
    if (needed[i])
      *parts[i] = ssk_leaf(ctx->tape, SSK_SHAPE(P), part, gradient ? d_part : NULL);
  }
  for (int i = 0; walk->steps && i < steps * P; i++)
    walk->d_steps[i] = 0;
  if (walk->steps)
    bound.steps =
        ssk_leaf(ctx->tape, SSK_SHAPE(steps, P), walk->steps, gradient ? walk->d_steps : NULL);
  ssk_bound_complete(walk->pass, walk->obs, &bound);
  return bound;
}

struct ssk_bound ssk_walk_bound(struct ssk_walk *walk, ssk_real *gradient) {
  const struct ssk_ctx *ctx = &walk->pass->ctx;
  ssk_tape *tape = ctx->tape;
  const int n = SSK_WALK_PARTS * ctx->P;
  double *sums = ssk_tape_scratch(tape, (size_t)n * sizeof *sums);
  if (!sums)
    ssk_tape_fail(tape, SSK_ENOMEM, "no memory for the bound");
  for (int i = 0; sums && i < n; i++)
    sums[i] = 0;
  ssk_walk_encode(walk, add_bound, &(struct adding){walk, sums});
  if (gradient)
    ssk_pass_record(walk->pass, gradient);
  if (!ssk_tape_code(tape))
    return bound_of(walk, sums, gradient != NULL);
  ssk_tensor *none = ssk_tape_fail(tape, SSK_EFAIL, "no bound");
  return (struct ssk_bound){
      .size = sizeof(struct ssk_bound),
      .distortion = none,
      .initial = none,
      .transition = none,
      .steps = none,
      .reference = none,
      .log_weight = none,
      .log_likelihood = none,
  };
}
