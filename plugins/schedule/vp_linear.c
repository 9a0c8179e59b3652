/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vp_linear.c - the variance-preserving diffusion with a linear rate beta(t).
 *
 *   beta(t) = beta_min + t (beta_max - beta_min),  t = eps + u (1 - eps)
 *   B(t) = integral of beta from 0 to t = beta_min t + (beta_max - beta_min) t^2 / 2
 *   alpha^2 = exp(-B),  sigma^2 = (1 - alpha^2) / alpha^2 = exp(B) - 1
 *
 * Ho, Jain, Abbeel 2020; Song et al. 2021 (ICLR), appendix C. */
#include <math.h>
#include <sskit/plugin.h>

struct vp_linear {
  double beta_min, beta_max, eps;
};

static const char *vp_linear_check(const void *self) {
  const struct vp_linear *s = self;
  return s->beta_min <= s->beta_max ? NULL : "must not be less than beta_min";
}

static const struct ssk_param vp_linear_params[] = {
    SSK_PARAM_REAL(struct vp_linear, beta_min, "0.1", 1e-6, 100, "1", "Rate at t = 0."),
    {.name = "beta_max",
     .type = SSK_T_REAL,
     .offset = SSK_MEMBER_(struct vp_linear, beta_max, double),
     .default_text = "20",
     .min = 1e-3,
     .max = 100,
     .unit = "1",
     .doc = "Rate at t = 1.",
     .check = vp_linear_check},
    SSK_PARAM_REAL(struct vp_linear, eps, "0.001", 1e-9, 0.5, "1",
                   "Time of the lowest level, where u = 0: the diffusion has no density at 0."),
    SSK_PARAM_END,
};

static double vp_linear_sigma(const void *self, double u) {
  const struct vp_linear *s = self;
  double t = s->eps + u * (1 - s->eps);
  return sqrt(expm1(s->beta_min * t + (s->beta_max - s->beta_min) * t * t / 2));
}

/* The root of the quadratic B(t) = log(1 + sigma^2), in the form without cancellation. */
static double vp_linear_time(const void *self, double sigma) {
  const struct vp_linear *s = self;
  double b = log1p(sigma * sigma);
  double t =
      2 * b / (s->beta_min + sqrt(s->beta_min * s->beta_min + 2 * (s->beta_max - s->beta_min) * b));
  return (t - s->eps) / (1 - s->eps);
}

static const struct ssk_schedule_ops vp_linear_ops = {
    .size = sizeof(struct ssk_schedule_ops), .sigma = vp_linear_sigma, .time = vp_linear_time};

static const struct ssk_component vp_linear_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_SCHEDULE,
    .name = "vp_linear",
    .summary = "variance-preserving diffusion with a linear rate",
    .doc = "sigma(u)^2 = exp(B(t)) - 1 with B(t) = beta_min t + (beta_max - beta_min) t^2 / 2 and "
           "t = eps + u (1 - eps) (Song et al. 2021, appendix C).",
    .self_size = sizeof(struct vp_linear),
    .params = vp_linear_params,
    .ops = &vp_linear_ops,
};

SSK_PLUGIN(&vp_linear_component)
