/* SPDX-License-Identifier: GPL-3.0-or-later */
/* particles.c - a particle filter on the tape, whose proposals are the encoder's steps.
 *
 *     w_t = p(x_t | z_t) p(z_t | z_{t-j:t-1}) / q(z_t | z_{t-j:t-1}, h_t),   z_t ~ q
 *     log Z = sum_t log sum_i W_{t-1}^i w_t^i,   W_t^i = W_{t-1}^i w_t^i / sum
 *
 * where the normalised weights W become 1/S whenever the particles are drawn again. A step is a
 * segment of one step, so encoder and weights are those of every pass. Sources: see model.h. */
#include "model/model.h"
#include <math.h>

struct ssk_particles ssk_particles_begin(const struct ssk_ctx *ctx) {
  return (struct ssk_particles){.latents = ssk_model_before(ctx),
                                .log_weight =
                                    ssk_full(ctx->tape, SSK_SHAPE(ctx->P), (ssk_real)-log(ctx->S))};
}

/* ---- drawing again --------------------------------------------------------------------------- */

/* 1 / sum W^2 of S log weights. */
static double effective_number(int S, const ssk_real *log_weight) {
  double squares = 0;
  for (int i = 0; i < S; i++)
    squares += exp(2 * (double)log_weight[i]);
  return 1 / squares;
}

/* Systematic resampling (Carpenter, Clifford and Fearnhead 1999) by one uniform u: particle i is
 * chosen once for each of the points (k + u)/S in its share of [0, 1). */
static void choose_ancestors(int S, const ssk_real *log_weight, double u, int first,
                             int *ancestor) {
  double below = 0, total = 0;
  for (int i = 0; i < S; i++)
    total += exp((double)log_weight[i]);
  int i = 0;
  for (int k = 0; k < S; k++) {
    while (i < S - 1 && (below + exp((double)log_weight[i])) * S <= (k + u) * total)
      below += exp((double)log_weight[i++]);
    ancestor[k] = first + i;
  }
}

/* Which particles go on at a step, and which series (fresh [P], 1) begin again with equal weights.
 * False: none does. */
static bool resample(const struct ssk_ctx *ctx, const ssk_tensor *log_weight, int step,
                     double below, int *ancestor, ssk_real *fresh) {
  const int S = ctx->S;
  bool any = false;
  ssk_rng rng = ssk_rng_open(ctx->seed, "model.particles", "ancestors", ctx->step, ctx->shard);
  ssk_rng_skip_uniforms(&rng, (uint64_t)step * (uint64_t)ctx->B);
  for (int b = 0; b < ctx->B; b++) {
    const ssk_real *of_series = log_weight->data + b * S;
    const double u = ssk_rng_uniform(&rng); /* drawn in any case: by place, not by what happened */
    const bool again = effective_number(S, of_series) < below * S;
    any = any || again;
    for (int i = 0; i < S; i++) {
      ancestor[b * S + i] = b * S + i;
      fresh[b * S + i] = again;
    }
    if (again)
      choose_ancestors(S, of_series, u, b * S, ancestor + b * S);
  }
  return any;
}

/* What these particles carry, [j, P, d + W]. */
static ssk_tensor *descend(const struct ssk_ctx *ctx, ssk_tensor *latents, const int *ancestor) {
  const int j = ctx->dims->j;
  ssk_tensor *slot[SSK_MAX_ORDER];
  for (int i = 0; i < j; i++) {
    ssk_tensor *of_step = ssk_rows(ctx->tape, latents, i, 1);
    of_step = ssk_reshape(ctx->tape, of_step, SSK_SHAPE(ctx->P, ctx->dims->d + ctx->dims->W));
    slot[i] = ssk_gather(ctx->tape, of_step, ctx->P, ancestor);
  }
  return ssk_stack(ctx->tape, j, slot);
}

static void draw_again(const struct ssk_ctx *ctx, int step, double below, struct ssk_particles *p) {
  ssk_tape *tape = ctx->tape;
  int *ancestor = ssk_tape_scratch(tape, (size_t)ctx->P * sizeof *ancestor);
  ssk_tensor *fresh = ssk_empty(tape, SSK_SHAPE(ctx->P));
  if (!ancestor || ssk_tape_code(tape)) {
    ssk_tape_fail(tape, SSK_ENOMEM, "no memory for %d particles", ctx->P);
    return;
  }
  if (!resample(ctx, p->log_weight, step, below, ancestor, fresh->data))
    return;
  p->latents = descend(ctx, p->latents, ancestor);
  ssk_tensor *old = ssk_mul(tape, p->log_weight, ssk_affine(tape, fresh, -1, 1));
  p->log_weight = ssk_add(tape, old, ssk_affine(tape, fresh, (ssk_real)-log(ctx->S), 0));
}

/* ---- a step ---------------------------------------------------------------------------------- */

/* The particles move n steps from `from` on; returns the log of their mean weight, [B]. */
static ssk_tensor *move(const struct ssk_pass *pass, const struct ssk_segment *segment, int from,
                        int n, struct ssk_particles *p) {
  const struct ssk_ctx *ctx = &pass->ctx;
  ssk_tape *tape = ctx->tape;
  const int B = ctx->B, S = ctx->S, first = from - segment->from;
  const struct ssk_segment step = {.from = from,
                                   .n = n,
                                   .obs = ssk_observed_part(tape, &segment->obs, first, n),
                                   .h = ssk_rows(tape, segment->h, first, n),
                                   .before = p->latents};
  const struct ssk_posterior q = ssk_segment_encode(pass, &step);
  ssk_tensor *weight = ssk_segment_log_weight(pass, &step, &q);
  if (ssk_tape_code(tape))
    return weight;
  p->latents = ssk_rows(tape, q.carried, n, ctx->dims->j);
  weight = ssk_reshape(tape, ssk_add(tape, p->log_weight, weight), SSK_SHAPE(B, S));
  ssk_tensor *mean = ssk_logsumexp(tape, weight);
  weight = ssk_sub(tape, weight, ssk_reshape(tape, mean, SSK_SHAPE(B, 1)));
  p->log_weight = ssk_reshape(tape, weight, SSK_SHAPE(B * S));
  return mean;
}

ssk_tensor *ssk_segment_particles(const struct ssk_pass *pass, const struct ssk_segment *segment,
                                  double below, struct ssk_particles *after) {
  const struct ssk_ctx *ctx = &pass->ctx;
  ssk_tape *tape = ctx->tape;
  ssk_tensor *sum = NULL;
  *after = segment->particles;
  for (int t = segment->from, n; t < segment->from + segment->n && !ssk_tape_code(tape); t += n) {
    n = t == 0 ? ctx->dims->j : 1; /* the first latents are one draw of the initial prior */
    if (t > 0)
      draw_again(ctx, t, below, after);
    ssk_tensor *share = move(pass, segment, t, n, after);
    sum = sum ? ssk_add(tape, sum, share) : share;
  }
  if (ssk_tape_code(tape))
    return ssk_tape_fail(tape, SSK_EFAIL, "the particles could not be moved");
  return ssk_repeat(tape, sum, 0, ctx->S);
}
