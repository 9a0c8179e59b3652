/* SPDX-License-Identifier: GPL-3.0-or-later */
/* diffusion_state.h - the diffusion's struct, which its parts share, and the scale of its data. */
#ifndef DIFFUSION_STATE_H
#define DIFFUSION_STATE_H

#include "conditioning.h"
#include "diffusion_levels.h"
#include <string.h>

enum objective { OBJECTIVE_DISCRETE, OBJECTIVE_DSM, OBJECTIVE_ESM };
enum baseline { BASELINE_ZERO, BASELINE_PERSISTENCE };
enum sigma_data_mode { SIGMA_DATA_FIXED, SIGMA_DATA_GLOBAL, SIGMA_DATA_PER_T };

struct diffusion {
  int objective;
  int64_t levels;
  struct ssk_instance *schedule, *denoiser, *sampler;
  int variance, baseline;
  double encoder_gradient;
  int64_t draws, evaluation_draws;
  int proposal, draw_mode;
  double power, uniform_part;
  int sigma_data_mode;
  double sigma_data, sigma_data_decay;
  int64_t likelihood_probes;
  double likelihood_tolerance;
  /* not parameters: */
  double *sigma;      /* [levels] */
  double constant;    /* of the discrete bound, a dimension, in nats: what is neither error nor
                         divergence */
  ssk_weight tracked; /* statistic [scales, 2]: mean of (z - b)^2 over its start, and its weight */
  int scales;         /* how many: one, or one a step of the training windows... */
  int first_step;     /* ... from this one on, the first that has a transition */
};

/* What the latent is centred on: b [n, d], or NULL for zero. */
static inline ssk_tensor *centre(const struct diffusion *self, const struct ssk_ctx *ctx,
                                 const struct ssk_rows *rows) {
  return self->baseline == BASELINE_ZERO ? NULL : newest_latent(ctx, rows);
}

/* ---- sigma_data ------------------------------------------------------------------------------ */

/* What the start of the moving average counts, in steps times (1 - decay). */
#define START_WEIGHT 1e-3

static inline void sigma_data_build(struct diffusion *self, ssk_builder *b,
                                    const struct ssk_dims *dims) {
  self->scales = self->sigma_data_mode == SIGMA_DATA_PER_T ? dims->T - dims->j : 1;
  self->first_step = dims->j;
  if (self->sigma_data_mode != SIGMA_DATA_FIXED)
    self->tracked =
        ssk_statistic(b, "sigma_data", 2 * self->scales, START_WEIGHT, self->sigma_data_decay);
}

/* Which of the scales is that of a step: of steps that training does not see, the nearest. */
static inline int scale_of(const struct diffusion *self, int step) {
  int scale = step - self->first_step;
  return scale < 0 ? 0 : scale < self->scales ? scale : self->scales - 1;
}

/* A tracked statistic is a ratio, {square, rows}: so it does not matter how often a pass calls
 * `rate`, nor for how many rows, and the start fades with the first steps instead of over 1/(1 -
 * decay) of them. The square is in units of the parameter's. The root of n of them taken
 * together: */
static inline double sigma_data_among(const struct diffusion *self, const struct ssk_ctx *ctx,
                                      int first, int n) {
  if (self->sigma_data_mode == SIGMA_DATA_FIXED)
    return self->sigma_data;
  const ssk_real *tracked = ssk_peek(ctx, self->tracked) + 2 * first;
  double square = 0, rows = 0;
  for (int i = 0; i < n; i++) {
    square += (double)tracked[2 * i];
    rows += (double)tracked[2 * i + 1];
  }
  return self->sigma_data * sqrt(fmax(square / rows, 1e-8));
}

/* Of all steps, and of one. */
static inline double sigma_data_now(const struct diffusion *self, const struct ssk_ctx *ctx) {
  return sigma_data_among(self, ctx, 0, self->scales);
}
static inline double sigma_data_at(const struct diffusion *self, const struct ssk_ctx *ctx,
                                   int step) {
  return sigma_data_among(self, ctx, scale_of(self, step), 1);
}

/* Clean values z [n, d] of the rows, or Gaussians with these means and variances: their mean square
 * is what gives the network's input the size of one at all levels. Without memory it is not
 * tracked. */
static inline void sigma_data_track(const struct diffusion *self, const struct ssk_ctx *ctx,
                                    const struct ssk_rows *rows, const ssk_tensor *z,
                                    const ssk_tensor *variance) {
  if (self->sigma_data_mode == SIGMA_DATA_FIXED || !ctx->training || !z->count)
    return;
  size_t d = (size_t)ssk_width(z), entries = 2 * (size_t)self->scales;
  double *sum = ssk_tape_scratch(ctx->tape, entries * sizeof *sum); /* {square, rows} each */
  ssk_real *observed = ssk_tape_scratch(ctx->tape, entries * sizeof *observed);
  if (!sum || !observed)
    return;
  memset(sum, 0, entries * sizeof *sum);
  for (int r = 0; r < rows->n; r++) {
    if (rows->alive && rows->alive->data[r] == 0)
      continue;
    double *of = sum + 2 * scale_of(self, ssk_rows_step(rows, r));
    for (size_t i = (size_t)r * d; i < ((size_t)r + 1) * d; i++)
      of[0] += (double)z->data[i] * (double)z->data[i] + (variance ? (double)variance->data[i] : 0);
    of[1]++;
  }
  double unit = self->sigma_data * self->sigma_data, whole = (double)ctx->T * ctx->P / self->scales;
  for (int i = 0; i < self->scales; i++) {
    observed[2 * i] = (ssk_real)(sum[2 * i] / ((double)d * unit * whole));
    observed[2 * i + 1] = (ssk_real)(sum[2 * i + 1] / whole);
  }
  ssk_observe_statistic(ctx, self->tracked, observed);
}

#endif
