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

static const char *const generated[] = {
    "bimodal",    "lgssm",     "random_walk_mixture", "bimodal_lift", "bimodal_lift_mv",
    "henon_lift", "student_t", "four_well_fold",      "harmonic",     "lorenz",
    "pendulum",
};
#define N_GENERATED (sizeof generated / sizeof *generated)

/* The same seed gives the same series, whatever the sizes; no two series are equal. */
Test(datasets, splits_are_disjoint_and_stable) {
  struct kit kit;
  kit_open(&kit);
  for (size_t k = 0; k < N_GENERATED; k++) {
    struct ssk_data *small =
        kit_data(&kit, generated[k], "sequences: 3\nvalid: 3\ntest: 3\nlength: 8\n");
    struct ssk_data *large = kit_data(
        &kit, generated[k], "sequences: 9\nvalid: 4\ntest: 5\nlength: 8\ntest_length: 11\n");
    for (int a = 0; a < 9; a++) {
      size_t D = (size_t)small->shape.D, d = (size_t)small->shape.latent, row = (size_t)a % 3;
      const struct ssk_split_data *s = &small->split[a / 3], *l = &large->split[a / 3];
      const double *x = s->x + row * 8 * D;
      cr_expect_arr_eq(x, l->x + row * 11 * D, 8 * D * sizeof *x, "%s", generated[k]);
      cr_expect_arr_eq(s->z + row * 8 * d, l->z + row * 11 * d, 8 * d * sizeof *x);
      for (int b = 0; b < a; b++)
        cr_expect_neq(x[7 * D], small->split[b / 3].x[((size_t)(b % 3) * 8 + 7) * D],
                      "%s: series %d and %d", generated[k], a, b);
    }
  }
  kit_close(&kit);
}

/* Samples of a two-step process fall where the densities say. */
static void check_oracle(struct kit *kit, const char *name, const char *more, double lo,
                         double hi) {
  enum { N = 20000 };
  char yaml[64];
  snprintf(yaml, sizeof yaml, "sequences: 1\nvalid: 0\ntest: 0\n%s", more);
  struct ssk_data *data = kit_data(kit, name, yaml);
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
  check_oracle(&kit, "bimodal", "", -4, 4);
  check_oracle(&kit, "lgssm", "", -0.1, 0.1);
  check_oracle(&kit, "random_walk_mixture", "noise: 0.1\n", -1, 1);
  kit_close(&kit);
}

/* ---- samplers against densities, in any dimension
 * ------------------------------------------------ */

enum { DRAWS = 8000, MOST = 8 };

/* One conditional distribution of an oracle: its transition or its emission. */
struct conditional {
  const struct ssk_oracle *oracle;
  const void *self;
  bool emission;
  int n, dim; /* entries of a draw, and how many of them are looked at */
  const double *given, *mask;
};

static void draw(const struct conditional *c, ssk_rng *rng, double *to) {
  (c->emission ? c->oracle->emission : c->oracle->transition)(c->self, rng, c->given, to);
}

static double log_density(const struct conditional *c, const double *at) {
  return c->emission ? c->oracle->emission_log_prob(c->self, c->given, at, c->mask)
                     : c->oracle->transition_log_prob(c->self, c->given, at);
}

/* Draws within a box, each weighted by one over its density, count the volume of the box. The box
 * is around a likely draw, `width` to each side; entries that are signs must agree with it. */
static void check_density(const struct conditional *c, double width, int signs, const char *what) {
  double *value = calloc((size_t)c->n, sizeof *value), top = -INFINITY, centre[MOST];
  ssk_rng rng = ssk_rng_open(5, what, "test", c->emission, 0);
  for (int s = 0; s < 300; s++) {
    draw(c, &rng, value);
    double log_p = log_density(c, value);
    if (log_p > top)
      top = log_p, memcpy(centre, value, (size_t)c->dim * sizeof *centre);
  }
  double sum = 0, squares = 0;
  for (int s = 0; s < DRAWS; s++) {
    draw(c, &rng, value);
    bool inside = true;
    for (int k = 0; k < c->dim; k++)
      inside = inside && fabs(value[k] - centre[k]) <= width;
    double weight = inside ? exp(-log_density(c, value) - (c->dim - signs) * log(2 * width)) : 0;
    sum += weight;
    squares += weight * weight;
  }
  double mean = sum / DRAWS, error = sqrt((squares / DRAWS - mean * mean) / DRAWS);
  cr_expect_lt(error, 0.1, "%s: too few draws fall into the box", what);
  cr_expect_lt(fabs(mean - 1), 4.5 * error, "%s, %s: the box's volume is %g +- %g of itself", what,
               c->emission ? "emission" : "transition", mean, error);
  free(value);
}

/* `latent_width` and `width` are about a deviation of the two noises; `signs` of the state's
 * entries are +1 or -1. Of an observation the first four entries are looked at. */
static void check_densities(struct kit *kit, const char *name, double latent_width, int signs,
                            double width) {
  struct ssk_data *data = kit_data(kit, name, "sequences: 2\nvalid: 0\ntest: 0\nlength: 4\n");
  const struct ssk_oracle *oracle = data->oracle;
  cr_assert_not_null(oracle, "%s", name);
  cr_assert_eq(oracle->d, data->shape.latent, "%s: truth and oracle differ in the state", name);
  cr_assert_leq(oracle->d, MOST);
  int D = data->shape.D, seen = D < 4 ? D : 4;
  double *mask = calloc((size_t)D, sizeof *mask);
  for (int k = 0; k < seen; k++)
    mask[k] = 1;
  struct conditional c = {.oracle = oracle,
                          .self = data->dataset->self,
                          .n = oracle->d,
                          .dim = oracle->d,
                          .given = data->split[SSK_TRAIN].z + 3 * oracle->d,
                          .mask = mask};
  if (oracle->transition_log_prob)
    check_density(&c, latent_width, signs, name);
  c.emission = true, c.n = D, c.dim = seen;
  check_density(&c, width, 0, name);
  free(mask);
}

Test(datasets, samplers_agree_with_densities) {
  struct kit kit;
  kit_open(&kit);
  check_densities(&kit, "lgssm", 0.1, 0, 0.1);
  check_densities(&kit, "bimodal_lift", 0.1, 0, 0.1);
  check_densities(&kit, "bimodal_lift_mv", 0.1, 4, 0.1);
  check_densities(&kit, "henon_lift", 0.03, 0, 0.1);
  check_densities(&kit, "student_t", 1, 0, 0.2);
  check_densities(&kit, "lorenz", 0.5, 0, 1);
  check_densities(&kit, "four_well_fold", 0, 0, 0.1);
  check_densities(&kit, "pendulum", 0, 0, 0.02);
  kit_close(&kit);
}

/* The cdf of each latent against draws from one state (Kolmogorov and Smirnov; 1.95/sqrt(n) is
 * passed once in a thousand), and labels apart from latents. */
static void check_cdf(struct kit *kit, const char *name, const char *yaml, int labels) {
  enum { N = 4000, LATENTS = 8 };
  static double value[LATENTS][N];
  struct ssk_data *data = kit_data(kit, name, yaml);
  const struct ssk_oracle *oracle = data->oracle;
  const double *given = data->split[SSK_TRAIN].z + 3 * data->shape.latent;
  double state[LATENTS];
  ssk_rng rng = ssk_rng_open(6, name, "test", 0, 0);
  cr_assert(oracle && oracle->transition_cdf, "%s", name);
  cr_assert_eq(oracle->labels, labels, "%s", name);
  cr_assert_eq(data->latents, oracle->d - labels, "%s", name);
  for (int i = 0; i < N; i++) {
    oracle->transition(data->dataset->self, &rng, given, state);
    for (int k = 0; k < data->latents; k++)
      value[k][i] = state[k];
  }
  for (int k = 0; k < data->latents; k++) {
    double worst = 0;
    for (int i = 0; i < N; i += 40) {
      int below = 0;
      for (int other = 0; other < N; other++)
        below += value[k][other] <= value[k][i];
      double exact = oracle->transition_cdf(data->dataset->self, given, k, value[k][i]);
      worst = fmax(worst, fabs((double)below / N - exact));
    }
    cr_expect_lt(worst, 1.95 / sqrt(N), "%s: the cdf of latent %d is off by %g", name, k, worst);
  }
}

Test(datasets, samplers_agree_with_transition_cdfs) {
  struct kit kit;
  kit_open(&kit);
  check_cdf(&kit, "lgssm", "{sequences: 2, valid: 0, test: 0, length: 4}", 0);
  check_cdf(&kit, "random_walk_mixture", "{sequences: 2, valid: 0, test: 0, length: 4, noise: 0.1}",
            0);
  check_cdf(&kit, "bimodal_lift", "{sequences: 2, valid: 0, test: 0, length: 4}", 0);
  check_cdf(&kit, "bimodal_lift_mv", "{sequences: 2, valid: 0, test: 0, length: 4}", 4);
  check_cdf(&kit, "henon_lift", "{sequences: 2, valid: 0, test: 0, length: 4}", 0);
  kit_close(&kit);
}

/* What a walk without observation noise shows is its latent: that has no density, so no oracle. */
Test(datasets, walk_without_noise_has_no_oracle) {
  struct kit kit;
  kit_open(&kit);
  struct ssk_data *data =
      kit_data(&kit, "random_walk_mixture", "sequences: 2\nvalid: 0\ntest: 0\n");
  cr_expect_null(data->oracle);
  cr_expect_arr_eq(data->split[SSK_TRAIN].x, data->split[SSK_TRAIN].z, 2 * 32 * sizeof(double));
  kit_close(&kit);
}

/* The signs of bimodal_lift_mv persist; and the lift is one network for all splits: what the test
 * series show has the density of the training network, up to their noise. */
Test(datasets, lifted_signs_persist_and_splits_share_the_lift) {
  struct kit kit;
  kit_open(&kit);
  struct ssk_data *data =
      kit_data(&kit, "bimodal_lift_mv", "sequences: 100\nvalid: 0\ntest: 100\nlength: 16\n");
  double kept = 0, log_p = 0, all[8] = {1, 1, 1, 1, 1, 1, 1, 1};
  const struct ssk_split_data *test = &data->split[SSK_TEST];
  for (int i = 0; i < 100; i++)
    for (int t = 0; t < 16; t++) {
      const double *z = test->z + (i * 16 + t) * 8, *x = test->x + (i * 16 + t) * 8;
      for (int k = 4; k < 8 && t > 0; k++)
        kept += z[k] == z[k - 8];
      log_p += data->oracle->emission_log_prob(data->dataset->self, z, x, all) / (100 * 16);
    }
  double n = 100 * 15 * 4;
  cr_expect_lt(fabs(kept / n - 0.85), 4 * sqrt(0.85 * 0.15 / n));
  double expected = -8 * (0.5 * log(2 * M_PI) + 0.5 + log(0.1)); /* minus the noise's entropy */
  cr_expect_lt(fabs(log_p - expected), 4 * sqrt(8 * 0.5 / (100 * 16)));
  kit_close(&kit);
}
