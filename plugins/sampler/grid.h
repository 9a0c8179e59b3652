/* SPDX-License-Identifier: GPL-3.0-or-later */
/* grid.h - the noise levels t_0 > ... > t_{N-1} > 0, t_N = 0 that the samplers of the
 * probability-flow ODE step through: Karras et al. 2022, equation 5, or the schedule's own time.
 *
 * A training's levels reach far to both sides, so that its bound is tight. A sampler need not go so
 * far: where t is several times the size of what is drawn, that is all but normal with variance t^2
 * + sigma_data^2, and where t is well below the finest structure, D has it already. */
#ifndef SAMPLER_GRID_H
#define SAMPLER_GRID_H

#include <math.h>
#include <sskit/plugin.h>

enum grid_spacing { GRID_RHO, GRID_SCHEDULE };

static const char *const grid_spacings[] = {"rho", "schedule", NULL};

/* A member of a sampler's struct. */
struct grid {
  int spacing;
  double rho;
  double sigma_min, sigma_max; /* over sigma_data; 0: where the schedule ends */
};

/* The rows of `struct grid grid`, a member of S; the defaults of the ends are texts. */
#define GRID_PARAMS(S, lowest, highest)                                                            \
  {.name = "spacing",                                                                              \
   .type = SSK_T_ENUM,                                                                             \
   .offset = SSK_MEMBER_(S, grid.spacing, int),                                                    \
   .default_text = "rho",                                                                          \
   .choices = grid_spacings,                                                                       \
   .doc =                                                                                          \
       "Levels at equal steps of sigma^(1/rho), or of the schedule's time, which runs from end "   \
       "to end."},                                                                                 \
      {.name = "rho",                                                                              \
       .type = SSK_T_REAL,                                                                         \
       .offset = SSK_MEMBER_(S, grid.rho, double),                                                 \
       .default_text = "7",                                                                        \
       .min = 1,                                                                                   \
       .max = 100,                                                                                 \
       .unit = "1",                                                                                \
       .doc = "Curvature of that spacing."},                                                       \
      {.name = "sigma_min",                                                                        \
       .type = SSK_T_REAL,                                                                         \
       .offset = SSK_MEMBER_(S, grid.sigma_min, double),                                           \
       .default_text = lowest,                                                                     \
       .min = 0,                                                                                   \
       .max = 1,                                                                                   \
       .unit = "sigma_data",                                                                       \
       .doc = "Lowest level of spacing rho, within those of training; 0: the lowest of these."},   \
  {                                                                                                \
    .name = "sigma_max", .type = SSK_T_REAL, .offset = SSK_MEMBER_(S, grid.sigma_max, double),     \
    .default_text = highest, .min = 0, .max = 1e6, .unit = "sigma_data",                           \
    .doc = "Highest level of spacing rho, within those of training; 0: the highest of these. A "   \
           "value of less than 1 is taken for 1. Where the ends are not apart, those of training " \
           "are taken.",                                                                           \
  }

/* An end of the grid: so many times sigma_data, within the schedule's. */
static inline double grid_end(const struct ssk_sampling *problem, double times, double otherwise) {
  double sigma = times > 0 ? times * problem->sigma_data : otherwise;
  return fmin(fmax(sigma, problem->sigma_min), problem->sigma_max);
}

/* t_i of N steps, i = 0...N. */
static inline double grid_level(const struct ssk_sampling *problem, const struct grid *grid, int N,
                                int i) {
  if (i == N)
    return 0;
  double u = N > 1 ? i / (N - 1.0) : 0;
  if (grid->spacing == GRID_SCHEDULE)
    return problem->sigma(problem, 1 - u);
  double times = grid->sigma_max > 0 ? fmax(grid->sigma_max, 1) : 0;
  double highest = grid_end(problem, times, problem->sigma_max);
  double lowest = grid_end(problem, grid->sigma_min, problem->sigma_min);
  if (lowest >= highest) /* no step would lead anywhere */
    lowest = problem->sigma_min, highest = problem->sigma_max;
  double from = pow(highest, 1 / grid->rho), to = pow(lowest, 1 / grid->rho);
  return pow(from + u * (to - from), grid->rho);
}

/* x at t_0 of N steps: normal, of the variance that what is drawn has at that level. */
static inline ssk_tensor *grid_start(const struct ssk_ctx *ctx, const struct ssk_sampling *problem,
                                     const struct grid *grid, int N, ssk_rng *rng) {
  double spread = hypot(grid_level(problem, grid, N, 0), problem->sigma_data);
  ssk_tensor *x = ssk_normal(ctx->tape, SSK_SHAPE(problem->n, problem->d), rng);
  for (size_t i = 0; i < x->count; i++)
    x->data[i] *= (ssk_real)spread;
  return x;
}

#endif
