/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_dip.c - the dip statistic against published and hand-made values, and as a test. */
#include "core/dip.h"
#include <criterion/criterion.h>
#include <math.h>
#include <sskit/rng.h>

enum { MOST = 256 };
static int scratch[3 * MOST + 1];

static void expect_dip(const char *what, int n, double *x, double wanted) {
  const double dip = ssk_dip(n, x, scratch);
  cr_expect(fabs(dip - wanted) < 1e-12, "%s: %.9g, not %.9g", what, dip, wanted);
}

/* The ratings of statistics faculties of Hartigan and Hartigan 1985, whose dip they give as 0.0595.
 */
Test(dip, of_the_statistics_faculties) {
  double x[] = {30, 33, 35, 36, 37, 37, 39, 39, 39, 39, 39, 40, 40, 40, 40, 41, 42, 43, 43, 43, 44,
                44, 45, 45, 46, 46, 47, 47, 48, 48, 48, 49, 50, 50, 51, 52, 52, 53, 53, 53, 53, 53,
                54, 54, 57, 57, 59, 60, 60, 60, 61, 61, 61, 61, 62, 62, 62, 62, 63, 66, 70, 72, 72};
  expect_dip("faculties", sizeof x / sizeof x[0], x, 7.5 / 126);
}

Test(dip, of_samples_that_can_be_counted) {
  expect_dip("one value", 1, (double[]){3}, 0);
  expect_dip("one atom", 5, (double[]){2, 2, 2, 2, 2}, 0);
  expect_dip("two atoms", 6, (double[]){1, 5, 1, 5, 5, 1}, 0.25);
  expect_dip("two unequal atoms", 8, (double[]){1, 5, 1, 1, 1, 1, 5, 1}, 0.125);
  expect_dip("even", 6, (double[]){5, 0, 1, 4, 2, 3}, 1.0 / 12);
  /* Convex, an atom, concave: as good as one mode can be. */
  expect_dip("a peak", 9, (double[]){-8, -4, -2, -1, 0, 1, 2, 4, 8}, 1.0 / 18);
}

/* Location, scale and direction do not matter. */
Test(dip, is_free_of_location_and_scale) {
  double x[40], moved[40], turned[40];
  ssk_rng rng = ssk_rng_open(1, "dip", NULL, 0, 0);
  for (int i = 0; i < 40; i++) {
    x[i] = ssk_rng_normal(&rng) + (i % 3 ? 2 : -2);
    moved[i] = 1024 * x[i] + 4096;
    turned[i] = -x[i];
  }
  const double dip = ssk_dip(40, x, scratch);
  cr_expect(dip > 1.0 / 80);
  cr_expect(fabs(ssk_dip(40, moved, scratch) - dip) < 1e-9);
  cr_expect(fabs(ssk_dip(40, turned, scratch) - dip) < 1e-12);
}

/* How many of 400 samples of n exceed the limit: of two normals `apart` standard deviations apart,
 * the second with a probability of `share`; or of the uniform distribution. */
static int exceeding(int n, double apart, double share, bool uniform) {
  double x[MOST];
  ssk_rng rng = ssk_rng_open(2, "samples", NULL, (uint32_t)n, (uint32_t)(10 * apart));
  int count = 0;
  for (int s = 0; s < 400; s++) {
    for (int i = 0; i < n; i++)
      x[i] = uniform ? ssk_rng_uniform(&rng)
                     : ssk_rng_normal(&rng) + (ssk_rng_uniform(&rng) < share ? apart : 0);
    count += ssk_dip(n, x, scratch) > ssk_dip_limit(n);
  }
  return count;
}

Test(dip, tells_one_mode_from_two) {
  static const int sizes[] = {32, 64, 128};
  for (int i = 0; i < 3; i++) {
    const int n = sizes[i];
    cr_expect_leq(exceeding(n, 0, 0, true), 12, "uniform, %d values", n); /* 1 % is 4 */
    cr_expect_leq(exceeding(n, 0, 0, false), 6, "normal, %d values", n);
    cr_expect_leq(exceeding(n, 1.5, 0.5, false), 6, "one flat mode, %d values", n);
    cr_expect_geq(exceeding(n, 8, 0.5, false), n < 64 ? 320 : 390, "two modes, %d values", n);
  }
  cr_expect_geq(exceeding(128, 12, 0.2, false), 340, "a small second mode");
}
