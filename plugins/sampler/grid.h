/* SPDX-License-Identifier: GPL-3.0-or-later */
/* grid.h - the noise levels t_0 = sigma_max > ... > t_{N-1} = sigma_min, t_N = 0 that the samplers
 * of the probability-flow ODE step through: Karras et al. 2022, equation 5, or the schedule's own
 * time. */
#ifndef SAMPLER_GRID_H
#define SAMPLER_GRID_H

#include <math.h>
#include <sskit/plugin.h>

enum grid_spacing { GRID_RHO, GRID_SCHEDULE };

static const char *const grid_spacings[] = {"rho", "schedule", NULL};

/* The rows of `int spacing` and `double rho`, members of S. */
#define GRID_PARAMS(S)                                                                             \
  SSK_PARAM_ENUM(S, spacing, "rho", grid_spacings,                                                 \
                 "Levels at equal steps of sigma^(1/rho), or of the schedule's time; in both "     \
                 "cases between the schedule's ends."),                                            \
      SSK_PARAM_REAL(S, rho, "7", 1, 100, "1", "Curvature of that spacing.")

/* t_i of N steps, i = 0...N. */
static inline double grid_level(const struct ssk_sampling *problem, int spacing, double rho, int N,
                                int i) {
  if (i == N)
    return 0;
  double u = N > 1 ? i / (N - 1.0) : 0;
  if (spacing == GRID_SCHEDULE)
    return problem->sigma(problem, 1 - u);
  double from = pow(problem->sigma_max, 1 / rho), to = pow(problem->sigma_min, 1 / rho);
  return pow(from + u * (to - from), rho);
}

/* x at t_0: normal, of deviation sigma_max. */
static inline ssk_tensor *grid_start(const struct ssk_ctx *ctx, const struct ssk_sampling *problem,
                                     ssk_rng *rng) {
  ssk_tensor *x = ssk_normal(ctx->tape, SSK_SHAPE(problem->n, problem->d), rng);
  for (size_t i = 0; i < x->count; i++)
    x->data[i] *= (ssk_real)problem->sigma_max;
  return x;
}

#endif
