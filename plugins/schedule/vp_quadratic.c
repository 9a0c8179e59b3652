/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vp_quadratic.c - the variance-preserving diffusion whose rate is the square of a linear function,
 * CSDI's (Tashiro et al. 2021, appendix E; Song, Meng and Ermon 2021, DDIM), in continuous time:
 *
 *   beta(t) = (a + (b - a) t)^2,  a = sqrt(beta_min), b = sqrt(beta_max)
 *   B(t) = ((a + (b - a) t)^3 - a^3) / (3 (b - a)),   sigma^2 = exp(B) - 1,   t = eps + u (1 - eps)
 *
 * CSDI's K = 50 steps of beta from 1e-4 to 0.5 are rates 50 times as large, and t = 1/50 for the
 * lowest: the defaults. They are not its levels to the digit: its beta is the share of variance
 * that a step replaces, 1 - exp(-rate / K) here, so that sigma is 0.017, 1.56 and 68 where CSDI has
 * 0.010, 1.60 and 173 (levels 1, 26 and 50). */
#include "beta.h"

static double vp_quadratic_sigma(const void *self, double u) {
  const struct beta *beta = self;
  const double a = sqrt(beta->beta_min), slope = sqrt(beta->beta_max) - a;
  const double t = beta->eps + u * (1 - beta->eps), v = slope * t;
  /* (a + v)^3 - a^3 over 3 slope, without the difference */
  return sqrt(expm1(t * (a * a + a * v + v * v / 3)));
}

static double vp_quadratic_time(const void *self, double sigma) {
  const struct beta *beta = self;
  const double a = sqrt(beta->beta_min), slope = sqrt(beta->beta_max) - a;
  const double B = log1p(sigma * sigma);
  if (slope < 1e-6 * a) /* a constant rate */
    return (B / (a * a) - beta->eps) / (1 - beta->eps);
  return ((cbrt(3 * slope * B + a * a * a) - a) / slope - beta->eps) / (1 - beta->eps);
}

static const struct ssk_param vp_quadratic_params[] = {BETA_PARAMS("0.005", "25", 1000, "0.02")};

static const struct ssk_schedule_ops vp_quadratic_ops = {.size = sizeof(struct ssk_schedule_ops),
                                                         .sigma = vp_quadratic_sigma,
                                                         .time = vp_quadratic_time};

static const struct ssk_component vp_quadratic_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_SCHEDULE,
    .name = "vp_quadratic",
    .summary = "variance-preserving diffusion whose rate is a linear function squared: CSDI's",
    .doc =
        "sigma(u)^2 = exp(B(t)) - 1 with B(t) the integral of (sqrt(beta_min) + t (sqrt(beta_max) "
        "- sqrt(beta_min)))^2 and t = eps + u (1 - eps): CSDI's schedule in continuous time "
        "(Tashiro et al. 2021, appendix E). The defaults are for its 50 levels, beta from 1e-4 "
        "to 0.5 a level; in continuous time the highest is 68, for its 173.",
    .self_size = sizeof(struct beta),
    .params = vp_quadratic_params,
    .ops = &vp_quadratic_ops,
};

SSK_PLUGIN(&vp_quadratic_component)
