/* SPDX-License-Identifier: GPL-3.0-or-later */
/* segments_backward.c - back through a pass in segments, each computed again with recording. */
#include "model/segments.h"
#include <string.h>

/* Gradients of what one segment begins with and of what it ends with, which change places. */
struct handed {
  ssk_real *before, *last;
  size_t bytes;
};

static bool handed_begin(struct handed *h, ssk_tape *tape, size_t n) {
  h->bytes = n * sizeof *h->before;
  h->before = ssk_tape_scratch(tape, h->bytes);
  h->last = ssk_tape_scratch(tape, h->bytes);
  return h->before && h->last;
}
static void handed_on(struct handed *h) {
  ssk_real *before = h->before;
  h->before = h->last;
  h->last = before;
}

/* Results of a segment with their gradients. */
struct seeded {
  int n;
  ssk_tensor *results[SSK_WALK_PARTS + 4];
  const ssk_real *seeds[SSK_WALK_PARTS + 4];
};
static void seed(struct seeded *s, ssk_tensor *result, const ssk_real *gradient) {
  s->results[s->n] = result;
  s->seeds[s->n++] = gradient;
}

/* Of segment k, computed again; latents and particles: the gradients of those that it leaves. */
static void seed_segment(const struct ssk_walk *walk, int k, const struct ssk_segment *segment,
                         const struct handed *latents, const struct handed *particles,
                         struct seeded *s) {
  const struct ssk_ctx *ctx = &walk->pass->ctx;
  struct ssk_posterior q = ssk_segment_encode(walk->pass, segment);
  struct ssk_bound bound = ssk_segment_bound(walk->pass, segment, &q);
  struct ssk_particles after;
  if (walk->particles)
    bound.log_likelihood =
        ssk_segment_particles(walk->pass, segment, ssk_objective_resampling(ctx), &after);
  if (ssk_tape_code(ctx->tape))
    return;
  ssk_tensor **parts[SSK_WALK_PARTS];
  ssk_walk_parts(&bound, parts);
  for (int i = 0; i < SSK_WALK_PARTS; i++)
    if (*parts[i])
      seed(s, *parts[i], walk->d_parts + i * ctx->P);
  if (bound.steps)
    seed(s, bound.steps, walk->d_steps + ssk_walk_first_rate(walk, k));
  if (k == walk->n - 1)
    return;
  seed(s, ssk_rows(ctx->tape, q.carried, segment->n, ctx->dims->j), latents->last);
  if (walk->particles) {
    seed(s, after.latents, particles->last);
    seed(s, after.log_weight, particles->last + after.latents->count);
  }
}

/* From the last segment to the first: the gradient of h takes the place of h. */
static void segments_back(struct ssk_walk *walk) {
  const struct ssk_ctx *ctx = &walk->pass->ctx;
  ssk_tape *tape = ctx->tape;
  const size_t slab = (size_t)ctx->B * (size_t)ctx->dims->H, unit = sizeof(ssk_real);
  ssk_real *d_h = ssk_tape_scratch(tape, (size_t)walk->length * slab * unit);
  struct handed latents, particles;
  if (!d_h || !handed_begin(&latents, tape, ssk_walk_latents(walk)) ||
      !handed_begin(&particles, tape, walk->particles ? ssk_walk_particles(walk) : 0)) {
    ssk_tape_fail(tape, SSK_ENOMEM, "no memory for the gradient of a segment");
    return;
  }
  const size_t mark = ssk_tape_mark(tape);
  for (int k = walk->n; k-- > 0 && !ssk_tape_code(tape);) {
    memset(d_h, 0, (size_t)walk->length * slab * unit);
    memset(latents.before, 0, latents.bytes);
    memset(particles.before, 0, particles.bytes);
    struct ssk_segment segment =
        ssk_walk_segment(walk, k, d_h, k ? latents.before : NULL, k ? particles.before : NULL);
    struct seeded s = {0};
    seed_segment(walk, k, &segment, &latents, &particles, &s);
    if (ssk_tape_code(tape))
      return;
    ssk_backward_from(tape, s.n, s.results, s.seeds);
    memcpy(walk->h + slab * (size_t)segment.from, d_h, slab * (size_t)segment.n * unit);
    ssk_tape_rewind(tape, mark);
    handed_on(&latents);
    handed_on(&particles);
  }
}

/* From the part that was read last to the first. */
static void summary_back(struct ssk_walk *walk, int s) {
  const struct ssk_ctx *ctx = &walk->pass->ctx;
  ssk_tape *tape = ctx->tape;
  const int parts = ssk_walk_summary_parts(walk, s);
  const size_t width = (size_t)ctx->model->reading[s].width, B = (size_t)ctx->B;
  const size_t state = B * (size_t)walk->reading[s].state_width * sizeof(ssk_real);
  const size_t steps = (size_t)ssk_walk_summary_steps(walk, s, 0); /* the longest */
  ssk_real *d_state = ssk_tape_scratch(tape, state), *d_next = ssk_tape_scratch(tape, state);
  ssk_real *d_part = ssk_tape_scratch(tape, steps * B * width * sizeof *d_part);
  if (!d_state || !d_next || !d_part) {
    ssk_tape_fail(tape, SSK_ENOMEM, "no memory for the gradient of the summary");
    return;
  }
  const size_t mark = ssk_tape_mark(tape);
  for (int i = parts; i-- > 0 && !ssk_tape_code(tape);) {
    const int k = ssk_walk_summary_part(walk, s, i);
    memset(d_state, 0, state);
    ssk_tensor *results[2] = {NULL, NULL};
    results[0] = ssk_walk_summary(walk, s, k, i > 0 ? d_state : NULL, &results[1]);
    if (ssk_tape_code(tape))
      return;
    for (int r = 0; r < ssk_walk_summary_steps(walk, s, k); r++)
      for (int b = 0; b < ctx->B; b++)
        memcpy(d_part + ((size_t)r * B + (size_t)b) * width, ssk_walk_summary_at(walk, s, k, r, b),
               width * sizeof *d_part);
    const ssk_real *seeds[] = {d_part, d_next};
    ssk_backward_from(tape, i < parts - 1 ? 2 : 1, results, seeds);
    ssk_tape_rewind(tape, mark);
    ssk_real *handed_on = d_state;
    d_state = d_next;
    d_next = handed_on;
  }
}

void ssk_walk_backward(struct ssk_walk *walk) {
  ssk_tape *tape = walk->pass->ctx.tape;
  ssk_tape_rewind(tape, walk->mark);
  segments_back(walk);
  for (int s = 0; s < walk->pass->ctx.model->n_readings && !ssk_tape_code(tape); s++) {
    ssk_tape_rewind(tape, walk->mark);
    summary_back(walk, s);
  }
}
