/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vp_linear.c - the variance-preserving diffusion with a linear rate beta(t), whose integral is
 * B(t) (beta.h):
 *
 *   alpha^2 = exp(-B),  sigma^2 = (1 - alpha^2) / alpha^2 = exp(B) - 1
 *
 * Ho, Jain, Abbeel 2020; Song et al. 2021 (ICLR), appendix C. */
#include "beta.h"

static double vp_linear_sigma(const void *self, double u) {
  return sqrt(expm1(beta_integral(self, u)));
}

static double vp_linear_time(const void *self, double sigma) {
  return beta_time(self, log1p(sigma * sigma));
}

static const struct ssk_param vp_linear_params[] = {BETA_PARAMS("0.1", "20", 100, "0.001")};

static const struct ssk_schedule_ops vp_linear_ops = {
    .size = sizeof(struct ssk_schedule_ops), .sigma = vp_linear_sigma, .time = vp_linear_time};

static const struct ssk_component vp_linear_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_SCHEDULE,
    .name = "vp_linear",
    .summary = "variance-preserving diffusion with a linear rate",
    .doc = "sigma(u)^2 = exp(B(t)) - 1 with B(t) = beta_min t + (beta_max - beta_min) t^2 / 2 and "
           "t = eps + u (1 - eps) (Song et al. 2021, appendix C).",
    .self_size = sizeof(struct beta),
    .params = vp_linear_params,
    .ops = &vp_linear_ops,
};

SSK_PLUGIN(&vp_linear_component)
