/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sub_vp.c - the sub-VP diffusion with a linear rate beta(t), whose integral is B(t) (beta.h): its
 * variance is bounded by that of the variance-preserving one.
 *
 *   alpha^2 = exp(-B),  noise (1 - exp(-B))^2,  sigma = (1 - exp(-B)) / exp(-B/2) = 2 sinh(B/2)
 *
 * Its rate g^2 = beta (1 - exp(-2B)) is alpha^2 d sigma^2/dt, as of all these diffusions: in VE
 * coordinates they differ in their levels only.
 *
 * Song et al. 2021 (ICLR), equation 29 and appendix B. */
#include "beta.h"

static double sub_vp_sigma(const void *self, double u) {
  return 2 * sinh(beta_integral(self, u) / 2);
}

static double sub_vp_time(const void *self, double sigma) {
  return beta_time(self, 2 * asinh(sigma / 2));
}

static const struct ssk_param sub_vp_params[] = {BETA_PARAMS("0.1", "20", 100, "0.001")};

static const struct ssk_schedule_ops sub_vp_ops = {
    .size = sizeof(struct ssk_schedule_ops), .sigma = sub_vp_sigma, .time = sub_vp_time};

static const struct ssk_component sub_vp_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_SCHEDULE,
    .name = "sub_vp",
    .summary = "sub-VP diffusion with a linear rate",
    .doc = "sigma(u) = 2 sinh(B(t)/2) with B(t) = beta_min t + (beta_max - beta_min) t^2 / 2 and "
           "t = eps + u (1 - eps) (Song et al. 2021, equation 29).",
    .self_size = sizeof(struct beta),
    .params = sub_vp_params,
    .ops = &sub_vp_ops,
};

SSK_PLUGIN(&sub_vp_component)
