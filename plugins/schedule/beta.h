/* SPDX-License-Identifier: GPL-3.0-or-later */
/* beta.h - the parameters of the diffusions that have a rate, and the linear rate of the
 * variance-preserving and the sub-VP diffusion:
 *   beta(t) = beta_min + t (beta_max - beta_min),  t = eps + u (1 - eps)
 *   B(t) = integral of beta from 0 to t = beta_min t + (beta_max - beta_min) t^2 / 2
 * Song et al.: Score-based generative modeling through stochastic differential equations, ICLR
 * 2021, appendix C. */
#ifndef SCHEDULE_BETA_H
#define SCHEDULE_BETA_H

#include <math.h>
#include <sskit/plugin.h>

/* The first member of a schedule's struct. */
struct beta {
  double beta_min, beta_max, eps;
};

/* B at time u of the schedule. */
static inline double beta_integral(const struct beta *beta, double u) {
  double t = beta->eps + u * (1 - beta->eps);
  return beta->beta_min * t + (beta->beta_max - beta->beta_min) * t * t / 2;
}

/* The u at which the integral is B: the quadratic's root, in the form without cancellation. */
static inline double beta_time(const struct beta *beta, double B) {
  double t = 2 * B /
             (beta->beta_min +
              sqrt(beta->beta_min * beta->beta_min + 2 * (beta->beta_max - beta->beta_min) * B));
  return (t - beta->eps) / (1 - beta->eps);
}

static inline const char *beta_check(const void *self) {
  const struct beta *beta = self;
  return beta->beta_min <= beta->beta_max ? NULL : "must not be less than beta_min";
}

/* The rows of the three, with their defaults. */
#define BETA_PARAMS(min_default, max_default, most, eps_default)                                   \
  SSK_PARAM_REAL(struct beta, beta_min, min_default, 1e-6, 100, "1", "Rate at t = 0."),            \
      {.name = "beta_max",                                                                         \
       .type = SSK_T_REAL,                                                                         \
       .offset = SSK_MEMBER_(struct beta, beta_max, double),                                       \
       .default_text = max_default,                                                                \
       .min = 1e-3,                                                                                \
       .max = most,                                                                                \
       .unit = "1",                                                                                \
       .doc = "Rate at t = 1.",                                                                    \
       .check = beta_check},                                                                       \
      SSK_PARAM_REAL(struct beta, eps, eps_default, 1e-9, 0.5, "1",                                \
                     "Time of the lowest level, where u = 0: the diffusion has no density at 0."), \
      SSK_PARAM_END

#endif
