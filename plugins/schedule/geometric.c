/* SPDX-License-Identifier: GPL-3.0-or-later */
/* geometric.c - noise levels in geometric progression, as of the first score-based models.
 *
 *   sigma(u) = sigma_min (sigma_max / sigma_min)^u
 *
 * Song, Ermon: Generative modeling by estimating gradients of the data distribution, NeurIPS 2019,
 * section 4.1. */
#include "range.h"
#include <math.h>

struct geometric {
  struct range range;
};

static const struct ssk_param geometric_params[] = {
    RANGE_PARAMS(struct geometric, "0.01", "50"),
    SSK_PARAM_END,
};

static double geometric_sigma(const void *self, double u) {
  const struct geometric *s = self;
  return s->range.sigma_min * pow(s->range.sigma_max / s->range.sigma_min, u);
}

static double geometric_time(const void *self, double sigma) {
  const struct geometric *s = self;
  return log(sigma / s->range.sigma_min) / log(s->range.sigma_max / s->range.sigma_min);
}

static const struct ssk_schedule_ops geometric_ops = {
    .size = sizeof(struct ssk_schedule_ops), .sigma = geometric_sigma, .time = geometric_time};

static const struct ssk_component geometric_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_SCHEDULE,
    .name = "geometric",
    .summary = "noise levels in geometric progression",
    .doc = "sigma(u) = sigma_min (sigma_max/sigma_min)^u (Song and Ermon 2019, section 4.1): equal "
           "steps of log sigma.",
    .self_size = sizeof(struct geometric),
    .params = geometric_params,
    .ops = &geometric_ops,
};

SSK_PLUGIN(&geometric_component)
