/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ve.c - the variance-exploding diffusion, by the kernel of its stochastic differential equation.
 *
 *   dx = s(t) sqrt(2 log r) dw,  s(t) = sigma_min r^t,  r = sigma_max / sigma_min
 *   sigma(t)^2 = s(t)^2 - s(0)^2 = sigma_min^2 (r^{2t} - 1),  t = eps + u (1 - eps)
 *
 * The schedule `geometric` is s(t) itself, which the diffusion's levels approach where s is much
 * larger than sigma_min; below, this one goes on to the square root of time.
 *
 * Song et al.: Score-based generative modeling through stochastic differential equations, ICLR
 * 2021, equation 9 and appendix C. */
#include "range.h"
#include <math.h>

struct ve {
  struct range range;
  double eps;
};

static const struct ssk_param ve_params[] = {
    RANGE_PARAMS(struct ve, "0.01", "50"),
    SSK_PARAM_REAL(struct ve, eps, "0.001", 1e-9, 0.5, "1",
                   "Time of the lowest level, where u = 0: the diffusion has no density at 0."),
    SSK_PARAM_END,
};

static double ve_sigma(const void *self, double u) {
  const struct ve *s = self;
  double t = s->eps + u * (1 - s->eps), r = s->range.sigma_max / s->range.sigma_min;
  return s->range.sigma_min * sqrt(expm1(2 * t * log(r)));
}

static double ve_time(const void *self, double sigma) {
  const struct ve *s = self;
  double ratio = sigma / s->range.sigma_min, r = s->range.sigma_max / s->range.sigma_min;
  return (log1p(ratio * ratio) / (2 * log(r)) - s->eps) / (1 - s->eps);
}

static const struct ssk_schedule_ops ve_ops = {
    .size = sizeof(struct ssk_schedule_ops), .sigma = ve_sigma, .time = ve_time};

static const struct ssk_component ve_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_SCHEDULE,
    .name = "ve",
    .summary = "variance-exploding diffusion",
    .doc = "sigma(u)^2 = sigma_min^2 ((sigma_max/sigma_min)^{2t} - 1), t = eps + u (1 - eps): the "
           "kernel of the variance-exploding equation (Song et al. 2021, equation 9).",
    .self_size = sizeof(struct ve),
    .params = ve_params,
    .ops = &ve_ops,
};

SSK_PLUGIN(&ve_component)
