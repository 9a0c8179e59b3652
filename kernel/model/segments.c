/* SPDX-License-Identifier: GPL-3.0-or-later */
/* segments.c - forward through a pass in segments; segments_backward.c is the way back. */
#include "model/segments.h"
#include <math.h>
#include <string.h>

enum { FORWARD_ROWS = 4096 };

static int clamp_length(const struct ssk_ctx *ctx, int64_t wish) {
  if (wish < ctx->dims->j)
    wish = ctx->dims->j;
  return wish < ctx->T ? (int)wish : ctx->T;
}

int ssk_segment_length(const struct ssk_pass *pass, int64_t wish) {
  return clamp_length(&pass->ctx, wish < 0 ? (int64_t)ceil(sqrt(pass->ctx.T)) : wish);
}

int ssk_segment_length_forward(const struct ssk_pass *pass) {
  return clamp_length(&pass->ctx, (FORWARD_ROWS + pass->ctx.P - 1) / pass->ctx.P);
}

/* ---- pieces ---------------------------------------------------------------------------------- */

/* Steps of piece k of T in pieces of `length`. */
static int steps_in(int T, int length, int k) {
  return T - k * length < length ? T - k * length : length;
}

struct ssk_segment ssk_walk_segment(const struct ssk_walk *walk, int k, ssk_real *d_h,
                                    ssk_real *d_before) {
  const struct ssk_ctx *ctx = &walk->pass->ctx;
  int B = ctx->B, P = ctx->P, H = ctx->dims->H, j = ctx->dims->j, d = ctx->dims->d;
  int from = k * walk->length, n = steps_in(ctx->T, walk->length, k);
  ssk_real *h = walk->h + (size_t)from * (size_t)(B * H);
  ssk_real *before = walk->latents + (size_t)k * (size_t)(j * P * d);
  return (struct ssk_segment){.from = from,
                              .n = n,
                              .obs = ssk_observed_part(ctx->tape, walk->obs, from, n),
                              .h = ssk_leaf(ctx->tape, SSK_SHAPE(n, B, H), h, d_h),
                              .before = ssk_leaf(ctx->tape, SSK_SHAPE(j, P, d), before, d_before)};
}

int ssk_walk_summary_parts(const struct ssk_walk *walk) {
  return walk->state_width ? walk->n : 1;
}

ssk_tensor *ssk_walk_summary(const struct ssk_walk *walk, int k, ssk_real *d_state,
                             ssk_tensor **next) {
  const struct ssk_ctx *ctx = &walk->pass->ctx;
  int B = ctx->B, W = walk->state_width, length = W ? walk->length : ctx->T;
  int n = steps_in(ctx->T, length, k);
  struct ssk_observed obs = ssk_observed_part(ctx->tape, walk->obs, k * length, n);
  ssk_tensor *state = NULL;
  if (W)
    state =
        ssk_leaf(ctx->tape, SSK_SHAPE(B, W), walk->states + (size_t)k * (size_t)(B * W), d_state);
  ssk_tensor *h = ssk_model_summary(walk->pass, &obs, state, next);
  if (!ssk_tape_code(ctx->tape) && (h->count != (size_t)n * (size_t)(B * ctx->dims->H) ||
                                    (W && (!*next || (*next)->count != (size_t)(B * W)))))
    ssk_tape_fail(ctx->tape, SSK_EPLUGIN, "summary '%s' returned another shape than it declared",
                  ctx->model->experiment->model.summary->component->name);
  return h;
}

/* ---- forward --------------------------------------------------------------------------------- */

static void run_summary(const struct ssk_walk *walk) {
  const struct ssk_ctx *ctx = &walk->pass->ctx;
  const size_t slab = (size_t)ctx->B * (size_t)ctx->dims->H;
  const size_t state = (size_t)ctx->B * (size_t)walk->state_width;
  for (int k = ssk_walk_summary_parts(walk); k-- > 0 && !ssk_tape_code(ctx->tape);) {
    size_t mark = ssk_tape_mark(ctx->tape);
    ssk_tensor *next = NULL, *h = ssk_walk_summary(walk, k, NULL, &next);
    if (!ssk_tape_code(ctx->tape)) {
      memcpy(walk->h + slab * (size_t)(k * walk->length), h->data, h->count * sizeof *h->data);
      if (k > 0)
        memcpy(walk->states + state * (size_t)(k - 1), next->data, state * sizeof *next->data);
    }
    ssk_tape_rewind(ctx->tape, mark);
  }
}

void ssk_walk_begin(struct ssk_walk *walk, struct ssk_pass *pass, const struct ssk_observed *obs,
                    int length) {
  const struct ssk_ctx *ctx = &pass->ctx;
  const struct ssk_instance *i = ctx->model->experiment->model.summary;
  const struct ssk_summary_ops *ops = i->component->ops;
  *walk = (struct ssk_walk){.pass = pass,
                            .obs = obs,
                            .length = length,
                            .n = (ctx->T + length - 1) / length,
                            .state_width = ops->run_part ? ops->state_width(i->self) : 0};
  const size_t n = (size_t)walk->n, P = (size_t)ctx->P, B = (size_t)ctx->B;
  const size_t latents = (size_t)(ctx->dims->j * ctx->dims->d) * P;
  const size_t states = n * B * (size_t)walk->state_width, unit = sizeof(ssk_real);
  walk->h = ssk_tape_scratch(ctx->tape, (size_t)ctx->T * B * (size_t)ctx->dims->H * unit);
  walk->states = ssk_tape_scratch(ctx->tape, states * unit);
  walk->latents = ssk_tape_scratch(ctx->tape, (n + 1) * latents * unit);
  walk->parts = ssk_tape_scratch(ctx->tape, 3 * P * unit);
  walk->d_parts = ssk_tape_scratch(ctx->tape, 3 * P * unit);
  walk->mark = ssk_tape_mark(ctx->tape);
  if (!walk->h || !walk->states || !walk->latents || !walk->parts || !walk->d_parts) {
    ssk_tape_fail(ctx->tape, SSK_ENOMEM, "no memory for %d segments of %d steps", walk->n, length);
    return;
  }
  memset(walk->latents, 0, latents * unit);
  memset(walk->states, 0, states * unit);
  run_summary(walk);
}

/* Segment k, and what it leaves to the next one. */
static void run_segment(const struct ssk_walk *walk, int k, ssk_walk_visit *visit, void *state) {
  const struct ssk_ctx *ctx = &walk->pass->ctx;
  const int j = ctx->dims->j;
  size_t mark = ssk_tape_mark(ctx->tape), latents = (size_t)(j * ctx->P * ctx->dims->d);
  struct ssk_segment segment = ssk_walk_segment(walk, k, NULL, NULL);
  struct ssk_posterior q = ssk_segment_encode(walk->pass, &segment);
  if (visit && !ssk_tape_code(ctx->tape))
    visit(walk->pass, &segment, &q, state);
  if (!ssk_tape_code(ctx->tape)) {
    const ssk_tensor *last = ssk_rows(ctx->tape, q.history, segment.n, j);
    memcpy(walk->latents + (size_t)(k + 1) * latents, last->data, latents * sizeof *last->data);
  }
  ssk_tape_rewind(ctx->tape, mark);
}

void ssk_walk_encode(struct ssk_walk *walk, ssk_walk_visit *visit, void *state) {
  for (int k = 0; k < walk->n && !ssk_tape_code(walk->pass->ctx.tape); k++)
    run_segment(walk, k, visit, state);
}

ssk_real *ssk_walk_last(const struct ssk_walk *walk) {
  const struct ssk_ctx *ctx = &walk->pass->ctx;
  return walk->latents + (size_t)walk->n * (size_t)(ctx->dims->j * ctx->P * ctx->dims->d);
}

/* Adds a segment's share of the bound to sums [3, P]. */
static void add_bound(const struct ssk_pass *pass, const struct ssk_segment *segment,
                      const struct ssk_posterior *q, void *state) {
  double *sums = state;
  const int P = pass->ctx.P;
  struct ssk_bound bound = ssk_segment_bound(pass, segment, q);
  if (ssk_tape_code(pass->ctx.tape))
    return;
  const ssk_tensor *parts[3] = {bound.distortion, bound.initial, bound.transition};
  for (int i = 0; i < 3; i++)
    for (int p = 0; p < P; p++)
      sums[i * P + p] += (double)parts[i]->data[p];
}

struct ssk_bound ssk_walk_bound(struct ssk_walk *walk, ssk_real *gradient) {
  const struct ssk_ctx *ctx = &walk->pass->ctx;
  ssk_tape *tape = ctx->tape;
  const int P = ctx->P;
  double *sums = ssk_tape_scratch(tape, 3 * (size_t)P * sizeof *sums);
  if (!sums)
    ssk_tape_fail(tape, SSK_ENOMEM, "no memory for the bound");
  for (int i = 0; sums && i < 3 * P; i++)
    sums[i] = 0;
  ssk_walk_encode(walk, add_bound, sums);
  if (gradient)
    ssk_pass_record(walk->pass, gradient);
  struct ssk_bound bound = {.size = sizeof bound};
  ssk_tensor **parts[3] = {&bound.distortion, &bound.initial, &bound.transition};
  for (int i = 0; i < 3; i++) {
    ssk_real *part = walk->parts + i * P, *d_part = walk->d_parts + i * P;
    for (int p = 0; p < P && !ssk_tape_code(tape); p++) {
      part[p] = (ssk_real)sums[i * P + p];
      d_part[p] = 0;
    }
    *parts[i] = ssk_tape_code(tape) ? ssk_tape_fail(tape, SSK_EFAIL, "no bound")
                                    : ssk_leaf(tape, SSK_SHAPE(P), part, gradient ? d_part : NULL);
  }
  return bound;
}
