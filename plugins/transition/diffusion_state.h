/* SPDX-License-Identifier: GPL-3.0-or-later */
/* diffusion_state.h - the diffusion's struct, which its parts share, and the scale of its data. */
#ifndef DIFFUSION_STATE_H
#define DIFFUSION_STATE_H

#include "conditioning.h"
#include "diffusion_levels.h"

enum objective { OBJECTIVE_DISCRETE, OBJECTIVE_ESM };
enum baseline { BASELINE_ZERO, BASELINE_PERSISTENCE };
enum sigma_data_mode { SIGMA_DATA_FIXED, SIGMA_DATA_GLOBAL };

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
  ssk_weight tracked; /* statistic: mean of (z - b)^2 over its start, and weight of the mean */
};

/* What the latent is centred on: b [n, d], or NULL for zero. */
static inline ssk_tensor *centre(const struct diffusion *self, const struct ssk_ctx *ctx,
                                 const struct ssk_rows *rows) {
  return self->baseline == BASELINE_ZERO ? NULL : newest_latent(ctx, rows);
}

/* ---- sigma_data ------------------------------------------------------------------------------ */

/* What the start of the moving average counts, in steps times (1 - decay). */
#define START_WEIGHT 1e-3

static inline void sigma_data_build(struct diffusion *self, ssk_builder *b) {
  if (self->sigma_data_mode == SIGMA_DATA_GLOBAL)
    self->tracked = ssk_statistic(b, "sigma_data", 2, START_WEIGHT, self->sigma_data_decay);
}

/* The tracked statistic is a ratio, {square, rows}: so it does not matter how often a pass calls
 * `rate`, nor for how many rows, and the start fades with the first steps instead of over 1/(1 -
 * decay) of them. The square is in units of the parameter's. */
static inline double sigma_data_now(const struct diffusion *self, const struct ssk_ctx *ctx) {
  if (self->sigma_data_mode == SIGMA_DATA_FIXED)
    return self->sigma_data;
  const ssk_real *tracked = ssk_peek(ctx, self->tracked);
  return self->sigma_data * sqrt(fmax((double)tracked[0] / (double)tracked[1], 1e-8));
}

/* Clean values z [n, d], or Gaussians with these means and variances: their mean square is what
 * gives the network's input the size of one at all levels. */
static inline void sigma_data_track(const struct diffusion *self, const struct ssk_ctx *ctx,
                                    const ssk_tensor *z, const ssk_tensor *variance) {
  if (self->sigma_data_mode == SIGMA_DATA_FIXED || !ctx->training || !z->count)
    return;
  double sum = 0, rows = ssk_height(z) / ((double)ctx->T * ctx->P);
  for (size_t i = 0; i < z->count; i++)
    sum += (double)z->data[i] * (double)z->data[i] + (variance ? (double)variance->data[i] : 0);
  double square = sum / (double)z->count / (self->sigma_data * self->sigma_data);
  ssk_observe_statistic(ctx, self->tracked,
                        (ssk_real[]){(ssk_real)(rows * square), (ssk_real)rows});
}

#endif
