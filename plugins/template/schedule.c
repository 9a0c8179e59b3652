/* SPDX-License-Identifier: GPL-3.0-or-later */
/* example.c - a noise schedule of a diffusion transition: the ratio sigma of noise to signal at
 * diffusion time u in [0, 1].
 *
 *     sigma(u) = sigma_min (sigma_max/sigma_min)^(u^curve)
 *
 * It must increase with u. Without `time`, the inverse, the kernel bisects. */
#include <math.h>
#include <sskit/plugin.h>

struct own {
  double sigma_min, sigma_max, curve; /* parameters, filled by the kernel */
};

static double sigma(const void *self, double u) {
  const struct own *s = self;
  return s->sigma_min * pow(s->sigma_max / s->sigma_min, pow(u, s->curve));
}

static double time_of(const void *self, double level) {
  const struct own *s = self;
  const double power = log(level / s->sigma_min) / log(s->sigma_max / s->sigma_min);
  return pow(fmin(fmax(power, 0), 1), 1 / s->curve);
}

static int init(void *self, ssk_err *err) {
  const struct own *s = self;
  return s->sigma_min < s->sigma_max
             ? SSK_OK
             : ssk_err_set(err, SSK_ERECIPE, "sigma_min (%g) must be less than sigma_max (%g)",
                           s->sigma_min, s->sigma_max);
}

static const struct ssk_param params[] = {
    SSK_PARAM_REAL(struct own, sigma_min, "0.01", 1e-6, 1e6, NULL, "Ratio at u = 0."),
    SSK_PARAM_REAL(struct own, sigma_max, "20", 1e-6, 1e6, NULL, "Ratio at u = 1."),
    SSK_PARAM_REAL(struct own, curve, "1.5", 0.1, 10, NULL,
                   "1: geometric; the larger, the more of u has little noise."),
    SSK_PARAM_END};

static const struct ssk_schedule_ops ops = {.size = sizeof ops, .sigma = sigma, .time = time_of};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_SCHEDULE,
    .name = "example",
    .summary = "geometric in a power of diffusion time",
    .doc = "sigma(u) = sigma_min (sigma_max/sigma_min)^(u^curve).",
    .self_size = sizeof(struct own),
    .params = params,
    .ops = &ops,
    .init = init,
};

SSK_PLUGIN(&component)
