/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_datasets.c - the generated data sets: series that follow their equations, splits that share
 * nothing, and an oracle whose samplers and densities agree. */
#include "support/instances.h"
#include <math.h>

TestSuite(datasets);

Test(datasets, bimodal_follows_its_equations) {
  struct kit kit;
  kit_open(&kit);
  struct ssk_data *data =
      kit_data(&kit, "bimodal", "sequences: 300\nvalid: 2\ntest: 2\nlength: 16\ntest_length: 20\n");
  const struct ssk_split_data *train = &data->split[SSK_TRAIN];
  cr_assert_eq(data->shape.max_length, 20);
  cr_expect_eq(train->length[0], 16);
  cr_expect_eq(data->split[SSK_TEST].length[0], 20);
  double up = 0, squares = 0, first = 0, worst = 0;
  for (int i = 0; i < 300; i++)
    for (int t = 0; t < 16; t++) {
      const double *z = train->z + i * 20 + t, *x = train->x + i * 20 + t;
      squares += (*x - *z) * (*x - *z);
      if (t == 0) {
        first += *z * *z / 300;
        continue;
      }
      double jump = z[0] - 0.9 * z[-1];
      worst = fmax(worst, fabs(fabs(jump) - 4));
      up += jump > 0;
    }
  cr_expect_lt(worst, 1e-12);
  cr_expect_lt(fabs(up / (300 * 15) - 0.5), 4 * 0.5 / sqrt(300 * 15));
  cr_expect_lt(fabs(squares / (300 * 16) / 0.04 - 1), 4 * sqrt(2.0 / (300 * 16)));
  cr_expect_lt(fabs(first - 1), 4 * sqrt(2.0 / 300));
  kit_close(&kit);
}

/* The same seed gives the same series, whatever the sizes; no two series are equal. */
Test(datasets, splits_are_disjoint_and_stable) {
  static const char *const names[] = {"bimodal", "lgssm"};
  struct kit kit;
  kit_open(&kit);
  for (int k = 0; k < 2; k++) {
    struct ssk_data *small =
        kit_data(&kit, names[k], "sequences: 3\nvalid: 3\ntest: 3\nlength: 8\n");
    struct ssk_data *large =
        kit_data(&kit, names[k], "sequences: 9\nvalid: 4\ntest: 5\nlength: 8\ntest_length: 11\n");
    for (int a = 0; a < 9; a++) {
      const double *x = small->split[a / 3].x + (a % 3) * 8;
      cr_expect_arr_eq(x, large->split[a / 3].x + (a % 3) * 11, 8 * sizeof *x);
      for (int b = 0; b < a; b++)
        cr_expect_neq(x[7], small->split[b / 3].x[(b % 3) * 8 + 7], "series %d and %d", a, b);
    }
  }
  kit_close(&kit);
}

/* Samples of a two-step process fall where the densities say. */
static void check_oracle(struct kit *kit, const char *name, double lo, double hi) {
  enum { N = 20000 };
  struct ssk_data *data = kit_data(kit, name, "sequences: 1\nvalid: 0\ntest: 0\n");
  const struct ssk_oracle *oracle = data->oracle;
  const void *self = data->dataset->self;
  const double z_prev = 0.7, one = 1, zero = 0;
  ssk_rng rng = ssk_rng_open(3, name, "test", 0, 0);
  double below[3] = {0}, centre = oracle->predictive_centre(self, &z_prev, 0);
  double place[3] = {centre + 0.9 * lo, centre, centre + 0.8 * hi};
  for (int s = 0; s < N; s++) {
    double z, x;
    oracle->transition(self, &rng, &z_prev, &z);
    oracle->emission(self, &rng, &z, &x);
    for (int k = 0; k < 3; k++)
      below[k] += x <= place[k];
  }
  for (int k = 0; k < 3; k++) {
    double p = oracle->predictive_cdf(self, &z_prev, 0, place[k]);
    cr_expect_lt(fabs(below[k] / N - p), 4 * sqrt(p * (1 - p) / N) + 1e-4, "%s: P(x <= %g) is %g",
                 name, place[k], p);
  }
  cr_expect_eq(oracle->emission_log_prob(self, &z_prev, &one, &zero), 0, "a missing entry counts");
  double mass = 0, transition = 0, step = 1e-3; /* densities integrate to one */
  for (double x = -8; x < 9; x += step) {
    mass += step * exp(oracle->emission_log_prob(self, &z_prev, &x, &one));
    if (oracle->transition_log_prob)
      transition += step * exp(oracle->transition_log_prob(self, &z_prev, &x));
  }
  cr_expect_float_eq(mass, 1, 1e-9, "%s: the emission's mass is %g", name, mass);
  if (oracle->transition_log_prob)
    cr_expect_float_eq(transition, 1, 1e-9, "%s: the transition's mass is %g", name, transition);
}

Test(datasets, oracles_agree_with_themselves) {
  struct kit kit;
  kit_open(&kit);
  check_oracle(&kit, "bimodal", -4, 4);
  check_oracle(&kit, "lgssm", -0.1, 0.1);
  kit_close(&kit);
}
