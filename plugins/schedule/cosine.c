/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cosine.c - the cosine schedule, cut to a range of noise levels.
 *
 *   alpha(t)^2 = f(t) / f(0),  f(t) = cos^2(pi/2 (t + offset) / (1 + offset))
 *   sigma^2 = 1 / alpha^2 - 1
 *
 * At t = 0 there is no noise and at t = 1 no signal. Where the original clips the steps (beta_k <=
 * 0.999), here u in [0, 1] runs over the times between sigma_min and sigma_max: that keeps the
 * levels strictly increasing.
 *
 * Nichol, Dhariwal: Improved denoising diffusion probabilistic models, ICML 2021, eq. 17. */
#include "range.h"
#include <math.h>

#define HALF_PI 1.57079632679489661923

struct cosine {
  struct range range;
  double offset;
};

static const struct ssk_param cosine_params[] = {
    SSK_PARAM_REAL(struct cosine, offset, "0.008", 0, 1, "1",
                   "Keeps the first steps from being too small."),
    RANGE_PARAMS(struct cosine, "0.005", "100"),
    SSK_PARAM_END,
};

static double at_time(const struct cosine *s, double t) {
  double signal = cos(HALF_PI * (t + s->offset) / (1 + s->offset));
  double whole = cos(HALF_PI * s->offset / (1 + s->offset));
  return sqrt(fmax(whole * whole / (signal * signal) - 1, 0));
}

static double time_of(const struct cosine *s, double sigma) {
  double whole = cos(HALF_PI * s->offset / (1 + s->offset));
  return acos(whole / sqrt(1 + sigma * sigma)) / HALF_PI * (1 + s->offset) - s->offset;
}

static double cosine_sigma(const void *self, double u) {
  const struct cosine *s = self;
  double from = time_of(s, s->range.sigma_min), to = time_of(s, s->range.sigma_max);
  return at_time(s, from + u * (to - from));
}

static double cosine_time(const void *self, double sigma) {
  const struct cosine *s = self;
  double from = time_of(s, s->range.sigma_min), to = time_of(s, s->range.sigma_max);
  return (time_of(s, sigma) - from) / (to - from);
}

static const struct ssk_schedule_ops cosine_ops = {
    .size = sizeof(struct ssk_schedule_ops), .sigma = cosine_sigma, .time = cosine_time};

static const struct ssk_component cosine_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_SCHEDULE,
    .name = "cosine",
    .summary = "the cosine schedule, between two noise levels",
    .doc = "alpha(t)^2 = cos^2(pi/2 (t + offset)/(1 + offset)), normalised to 1 at t = 0, and "
           "sigma^2 = 1/alpha^2 - 1 (Nichol and Dhariwal 2021, eq. 17); u runs over the times "
           "between sigma_min and sigma_max.",
    .self_size = sizeof(struct cosine),
    .params = cosine_params,
    .ops = &cosine_ops,
};

SSK_PLUGIN(&cosine_component)
