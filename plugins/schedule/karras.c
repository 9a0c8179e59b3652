/* SPDX-License-Identifier: GPL-3.0-or-later */
/* karras.c - the noise levels of EDM: equal steps of sigma^(1/rho).
 *
 *   sigma(u) = (a + u (b - a))^rho,  a = sigma_min^(1/rho),  b = sigma_max^(1/rho)
 *
 * Karras, Aittala, Aila, Laine: Elucidating the design space of diffusion-based generative models,
 * NeurIPS 2022, eq. 5 (with u running from the lowest to the highest level). */
#include "range.h"
#include <math.h>

struct karras {
  struct range range;
  double rho;
};

static const struct ssk_param karras_params[] = {
    RANGE_PARAMS(struct karras, "0.002", "80"),
    SSK_PARAM_REAL(struct karras, rho, "7", 1, 100, "1",
                   "Curvature: larger values put more levels at little noise (EDM: 7)."),
    SSK_PARAM_END,
};

static double karras_sigma(const void *self, double u) {
  const struct karras *s = self;
  double a = pow(s->range.sigma_min, 1 / s->rho), b = pow(s->range.sigma_max, 1 / s->rho);
  return pow(a + u * (b - a), s->rho);
}

static double karras_time(const void *self, double sigma) {
  const struct karras *s = self;
  double a = pow(s->range.sigma_min, 1 / s->rho), b = pow(s->range.sigma_max, 1 / s->rho);
  return (pow(sigma, 1 / s->rho) - a) / (b - a);
}

static const struct ssk_schedule_ops karras_ops = {
    .size = sizeof(struct ssk_schedule_ops), .sigma = karras_sigma, .time = karras_time};

static const struct ssk_component karras_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_SCHEDULE,
    .name = "karras",
    .summary = "EDM's noise levels: equal steps of sigma^(1/rho)",
    .doc = "sigma(u) = (sigma_min^(1/rho) + u (sigma_max^(1/rho) - sigma_min^(1/rho)))^rho "
           "(Karras et al. 2022, eq. 5).",
    .self_size = sizeof(struct karras),
    .params = karras_params,
    .ops = &karras_ops,
};

SSK_PLUGIN(&karras_component)
