/* SPDX-License-Identifier: GPL-3.0-or-later */
/* location_scale.h - a location and a scale for each dimension, the scale over an annealed floor:
 * what the emissions of real-valued observations share. */
#ifndef EMISSION_LOCATION_SCALE_H
#define EMISSION_LOCATION_SCALE_H

#include "readout.h"
#include <math.h>

enum location_scale_variance { VARIANCE_CONSTANT, VARIANCE_NETWORK };
static const char *const location_scale_variances[] = {"constant", "network", NULL};

struct location_scale {
  struct readout readout;
  int variance;
  struct ssk_variance limits;
  double floor_start, floor_end, floor_until;
  ssk_weight raw; /* [D] raw variance, constant */
};

/* The rows of its parameters, those of the readout included. */
#define LOCATION_SCALE_PARAMS                                                                      \
  READOUT_PARAMS,                                                                                  \
      SSK_PARAM_ENUM(                                                                              \
          struct location_scale, variance, "constant", location_scale_variances,                   \
          "constant: one learned variance a dimension; network: the network gives it."),           \
      SSK_PARAM_VARIANCE(struct location_scale, limits, "-1.4"),                                   \
      SSK_PARAM_REAL(struct location_scale, floor_start, "0", 0, 100, "data",                      \
                     "Floor under the standard deviation at the start of the training, in units "  \
                     "of the data as the model sees them (standardised); 0: no floor."),           \
      SSK_PARAM_REAL(struct location_scale, floor_end, "0.005", 1e-6, 100, "data",                 \
                     "The floor at the end of its annealing, and in evaluation."),                 \
      SSK_PARAM_REAL(struct location_scale, floor_until, "0.6", 1e-6, 1, NULL,                     \
                     "Fraction of the training over which the floor falls, geometrically.")

/* What `doc` says of them. */
#define LOCATION_SCALE_DOC                                                                         \
  "    mu = z_t + g(z_{t-j+1:t}, u_t, time_t)     where d = D and identity is true,\n"             \
  "    mu = C z_t + g(...)                        elsewhere in the additive frame,\n"              \
  "    mu = g(...)                                in the free frame,\n"                            \
  "    log sigma^2 = clamp(log(softplus(raw) + max(var_min, f^2)), logvar_min, logvar_max)\n"      \
  "and raw a constant of each dimension, or an output of the network that gives g.\n"              \
  "\n"                                                                                             \
  "The floor f falls from floor_start to floor_end, geometrically, over the fraction\n"            \
  "floor_until of the training. Coming from above, the emission first explains coarse\n"           \
  "structure by the latent, and the latent learns to filter; with a free variance it can\n"        \
  "slide to zero, where the latent is a copy of the observation.\n"

static inline int location_scale_build(struct location_scale *e, ssk_builder *b,
                                       const struct ssk_dims *dims) {
  readout_build(&e->readout, b, dims, e->variance == VARIANCE_NETWORK ? &e->limits : NULL);
  if (e->variance == VARIANCE_CONSTANT)
    e->raw = ssk_declare(b, "raw", SSK_SHAPE(dims->D), SSK_INIT_CONSTANT,
                         ssk_variance_raw(&e->limits), SSK_NO_DECAY);
  return ssk_build_code(b);
}

/* The floor under the standard deviation at this point of the training: geometric in time. */
static inline double location_scale_floor(const struct location_scale *e, double progress) {
  if (e->floor_start <= 0)
    return 0;
  double part = fmin(progress / e->floor_until, 1);
  return e->floor_start * pow(e->floor_end / e->floor_start, part);
}

/* Location and log squared scale, [n, D]. */
static inline struct ssk_gaussian location_scale_run(const struct location_scale *e,
                                                     const struct ssk_ctx *ctx,
                                                     const struct ssk_rows *rows) {
  ssk_tape *tape = ctx->tape;
  /* The floor takes the place of var_min: sigma^2 = softplus(raw) + floor^2 keeps a gradient below
   * it, which a hard maximum would not. */
  struct ssk_variance limits = e->limits;
  double floor = location_scale_floor(e, ctx->progress);
  limits.var_min = fmax(limits.var_min, floor * floor);
  struct ssk_gaussian p =
      readout_run(&e->readout, ctx, rows, e->variance == VARIANCE_NETWORK ? &limits : NULL);
  if (e->variance == VARIANCE_CONSTANT) {
    ssk_tensor *logvar = ssk_variance_log(tape, ssk_use(ctx, e->raw), &limits);
    p.logvar = ssk_add(tape, ssk_full(tape, SSK_SHAPE(rows->n, ctx->dims->D), 0), logvar);
  }
  return p;
}

/* The slots `mean` and `init`: `self` begins with a struct location_scale. */
static inline ssk_tensor *location_scale_mean(const void *self, const struct ssk_ctx *ctx,
                                              const struct ssk_rows *in) {
  return location_scale_run(self, ctx, in).mean;
}

static inline int location_scale_init(void *self, ssk_err *err) {
  const struct location_scale *e = self;
  if (e->floor_start > 0 && e->floor_end > e->floor_start)
    return ssk_err_set(err, SSK_ERECIPE, "floor_end (%g) must not exceed floor_start (%g)",
                       e->floor_end, e->floor_start);
  return ssk_variance_check(&e->limits, err);
}

#endif
