/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_schedules.c - the schedules span their ranges, increase, invert, and are the solutions of
 * the diffusions that they are named after. Plugins are compiled into the test. */
#include <criterion/criterion.h>
#include <math.h>
#include <sskit/plugin.h>

#define ssk_plugin_entry schedules_entry_of_cosine
#include "../../plugins/schedule/cosine.c"
#undef ssk_plugin_entry
#define ssk_plugin_entry schedules_entry_of_geometric
#include "../../plugins/schedule/geometric.c"
#undef ssk_plugin_entry
#define ssk_plugin_entry schedules_entry_of_karras
#include "../../plugins/schedule/karras.c"
#undef ssk_plugin_entry
#define ssk_plugin_entry schedules_entry_of_sub_vp
#include "../../plugins/schedule/sub_vp.c"
#undef ssk_plugin_entry
#define ssk_plugin_entry schedules_entry_of_ve
#include "../../plugins/schedule/ve.c"
#undef ssk_plugin_entry
#define ssk_plugin_entry schedules_entry_of_vp_linear
#include "../../plugins/schedule/vp_linear.c"
#undef ssk_plugin_entry

static void check_schedule(const struct ssk_schedule_ops *ops, const void *self, double lowest,
                           double highest) {
  cr_assert_float_eq(ops->sigma(self, 0), lowest, 1e-6 * lowest);
  cr_assert_float_eq(ops->sigma(self, 1), highest, 1e-6 * highest);
  for (int i = 0; i < 128; i++) {
    double u = i / 127.0, sigma = ops->sigma(self, u);
    cr_assert_float_eq(ops->time(self, sigma), u, 1e-9, "time(sigma(%g)) = %g", u,
                       ops->time(self, sigma));
    cr_assert(i == 0 || sigma > ops->sigma(self, (i - 1) / 127.0));
  }
}

/* d f(sigma)/dt at time u of a schedule that starts at t = eps. */
static double slope(const struct ssk_schedule_ops *ops, const void *self, double eps, double u,
                    double (*f)(double sigma)) {
  double h = 1e-5;
  return (f(ops->sigma(self, u + h)) - f(ops->sigma(self, u - h))) / (2 * h * (1 - eps));
}

static double square(double sigma) {
  return sigma * sigma;
}
static double log1p_square(double sigma) {
  return log1p(sigma * sigma);
}

static const struct beta linear_rate = {.beta_min = 0.1, .beta_max = 20, .eps = 1e-3};

Test(schedules, karras) {
  struct karras s = {.range = {0.002, 80}, .rho = 7};
  check_schedule(&karras_ops, &s, 0.002, 80);
  /* rho = 1 is linear */
  cr_assert_float_eq(karras_sigma(&(struct karras){{1, 3}, 1}, 0.25), 1.5, 1e-12);
}

Test(schedules, geometric) {
  struct geometric s = {{0.01, 50}};
  check_schedule(&geometric_ops, &s, 0.01, 50);
  cr_assert_float_eq(geometric_sigma(&s, 0.5), sqrt(0.01 * 50), 1e-12);
}

/* Equal to `geometric` where that is far above sigma_min; its variance grows as the SDE says. */
Test(schedules, ve) {
  struct ve s = {.range = {0.01, 50}, .eps = 1e-3};
  struct geometric levels = {{0.01, 50}};
  double r = 5000;
  check_schedule(&ve_ops, &s, 0.01 * sqrt(expm1(2e-3 * log(r))), 50 * sqrt(1 - 1 / (r * r)));
  cr_assert_float_eq(ve_sigma(&s, 0.7), geometric_sigma(&levels, 1e-3 + 0.7 * 0.999), 1e-4);
  double t = 1e-3 + 0.3 * (1 - 1e-3);
  cr_assert_float_eq(slope(&ve_ops, &s, s.eps, 0.3, square), 2 * log(r) * square(0.01 * pow(r, t)),
                     1e-8);
}

/* The rate is the derivative of log(1 + sigma^2) = -log alpha^2. */
Test(schedules, vp_linear) {
  check_schedule(&vp_linear_ops, &linear_rate, sqrt(expm1(1e-4 + 19.9e-6 / 2)), sqrt(expm1(10.05)));
  cr_assert_float_eq(slope(&vp_linear_ops, &linear_rate, linear_rate.eps, 0.4, log1p_square),
                     0.1 + (1e-3 + 0.4 * 0.999) * 19.9, 1e-6);
}

/* d sigma^2/dt = g^2/alpha^2 with g^2 = beta (1 - exp(-2B)); less noise than the VP diffusion. */
Test(schedules, sub_vp) {
  check_schedule(&sub_vp_ops, &linear_rate, 2 * sinh(0.5 * (1e-4 + 19.9e-6 / 2)), 2 * sinh(5.025));
  double u = 0.4, t = 1e-3 + u * 0.999, B = beta_integral(&linear_rate, u);
  double g2 = (0.1 + 19.9 * t) * -expm1(-2 * B), alpha2 = exp(-B);
  cr_assert_float_eq(slope(&sub_vp_ops, &linear_rate, linear_rate.eps, u, square), g2 / alpha2,
                     1e-5 * g2 / alpha2);
  for (int i = 0; i <= 16; i++)
    cr_assert_lt(sub_vp_sigma(&linear_rate, i / 16.0), vp_linear_sigma(&linear_rate, i / 16.0));
}

Test(schedules, cosine) {
  struct cosine s = {.range = {0.005, 100}, .offset = 0.008};
  check_schedule(&cosine_ops, &s, 0.005, 100);
  /* without an offset alpha = cos(pi t/2) and sigma = tan(pi t/2): 1 halfway */
  struct cosine plain = {.range = {1e-6, 1e6}, .offset = 0};
  cr_assert_float_eq(cosine_sigma(&plain, 0.5), 1, 1e-5);
}
