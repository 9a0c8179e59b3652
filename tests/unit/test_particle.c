/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_particle.c - the bootstrap filter against exact likelihoods: Kalman's, and that of the
 * bimodal series, whose signs can be read off. */
#include "infer/kalman.h"
#include "infer/particle.h"
#include "support/instances.h"
#include <math.h>

TestSuite(particle);

static double estimate(const struct ssk_data *data, int64_t series, int particles,
                       double *last_mean) {
  const struct ssk_split_data *test = &data->split[SSK_TEST];
  int64_t offset = series * test->room;
  struct ssk_particles p;
  cr_assert_eq(ssk_particles_open(&p, data->oracle, data->dataset->self, particles,
                                  ssk_rng_open(5, "test", "particles", 0, (uint32_t)series), NULL),
               SSK_OK);
  for (int t = 0; t < test->length[series]; t++)
    ssk_particles_feed(&p, test->x + offset + t, test->mask + offset + t, 1);
  ssk_particles_mean(&p, last_mean);
  double log_likelihood = p.log_likelihood;
  ssk_particles_free(&p);
  return log_likelihood;
}

/* The estimate of the likelihood is unbiased: the ratio to the exact one has mean 1. */
static void check_ratios(const double *log_ratio, int n, double largest_se) {
  double mean = 0, squares = 0;
  for (int i = 0; i < n; i++)
    mean += exp(log_ratio[i]) / n;
  for (int i = 0; i < n; i++)
    squares += (exp(log_ratio[i]) - mean) * (exp(log_ratio[i]) - mean);
  double se = sqrt(squares / (n - 1) / n);
  cr_expect_lt(se, largest_se, "standard error %g", se);
  cr_expect_lt(fabs(mean - 1), 4 * se, "mean ratio %g, standard error %g", mean, se);
}

Test(particle, agrees_with_kalman) {
  enum { N = 48 };
  struct kit kit;
  kit_open(&kit);
  struct ssk_data *data = kit_data(&kit, "lgssm", "sequences: 1\nvalid: 0\ntest: 48\nlength: 24\n");
  struct ssk_linear_gaussian model;
  data->oracle->linear(data->dataset->self, &model);
  data->split[SSK_TEST].mask[5] = 0; /* gaps are gaps for both */
  data->split[SSK_TEST].mask[24] = 0;
  double log_ratio[N], worst = 0;
  for (int i = 0; i < N; i++) {
    struct ssk_kalman k;
    double mean, deviation;
    cr_assert_eq(ssk_kalman_filter(&model, 24, data->split[SSK_TEST].x + i * 24,
                                   data->split[SSK_TEST].mask + i * 24, &k, NULL),
                 SSK_OK);
    log_ratio[i] = estimate(data, i, 2000, &mean) - k.log_likelihood;
    deviation = fabs(mean - k.filtered_mean[23]) / sqrt(k.filtered_cov[23]);
    worst = deviation > worst ? deviation : worst;
    ssk_kalman_free(&k);
  }
  check_ratios(log_ratio, N, 0.05);
  cr_expect_lt(worst, 0.2, "a filtered mean is off by %g standard deviations", worst);
  kit_close(&kit);
}

/* Paths that are followed back through the filter have the smoother's mean and variance. */
Test(particle, smooths_as_kalman_does) {
  enum { L = 24, PARTICLES = 20000, PATHS = 4000 };
  struct kit kit;
  kit_open(&kit);
  struct ssk_data *data = kit_data(&kit, "lgssm", "sequences: 1\nvalid: 0\ntest: 1\nlength: 24\n");
  struct ssk_linear_gaussian model;
  data->oracle->linear(data->dataset->self, &model);
  struct ssk_split_data *test = &data->split[SSK_TEST];
  for (int t = 8; t < 14; t++)
    test->mask[t] = 0;
  struct ssk_kalman k;
  cr_assert_eq(ssk_kalman_filter(&model, L, test->x, test->mask, &k, NULL), SSK_OK);
  cr_assert_eq(ssk_kalman_smooth(&model, &k, NULL), SSK_OK);
  struct ssk_particles p;
  double *z = malloc(sizeof *z * PATHS * L);
  cr_assert_eq(ssk_particles_open(&p, data->oracle, data->dataset->self, PARTICLES,
                                  ssk_rng_open(5, "test", "smoothing", 0, 0), NULL),
               SSK_OK);
  cr_assert_eq(ssk_particles_smooth(&p, L, test->x, test->mask, 1, PATHS, z, NULL), SSK_OK);
  for (int t = 1; t < L; t++) {
    double mean = 0, variance = 0;
    for (int s = 0; s < PATHS; s++)
      mean += z[s * L + t] / PATHS;
    for (int s = 0; s < PATHS; s++)
      variance += (z[s * L + t] - mean) * (z[s * L + t] - mean) / PATHS;
    cr_expect_leq(fabs(mean - k.smoothed_mean[t]), 0.1 * sqrt(k.smoothed_cov[t]),
                  "step %d: %g, not %g", t, mean, k.smoothed_mean[t]);
    cr_expect(variance > 0.8 * k.smoothed_cov[t] && variance < 1.25 * k.smoothed_cov[t],
              "step %d: variance %g, not %g", t, variance, k.smoothed_cov[t]);
  }
  free(z);
  ssk_particles_free(&p);
  ssk_kalman_free(&k);
  kit_close(&kit);
}

/* Given the signs, which the noise of 0.2 cannot hide, z_t = 0.9^(t-1) z_1 + known: a regression on
 * the one unknown z_1 ~ N(0, 1). */
static double exact_bimodal(const double *x, int T, double noise) {
  double known = 0, a = 1, precision = 1, cross = 0, squares = 0;
  for (int t = 0; t < T; t++) {
    if (t > 0) {
      known = 0.9 * known + (x[t] - 0.9 * x[t - 1] > 0 ? 4 : -4);
      a *= 0.9;
    }
    double y = x[t] - known;
    precision += a * a / (noise * noise);
    cross += a * y / (noise * noise);
    squares += y * y / (noise * noise);
  }
  return -(T - 1) * M_LN2 - 0.5 * T * log(2 * M_PI * noise * noise) - 0.5 * log(precision) -
         0.5 * (squares - cross * cross / precision);
}

Test(particle, bimodal_likelihood) {
  enum { N = 600, FILTERED = 24, T = 32 };
  struct kit kit;
  kit_open(&kit);
  struct ssk_data *data = kit_data(&kit, "bimodal", "sequences: 1\nvalid: 0\ntest: 600\n");
  double nll[N], log_ratio[FILTERED], z;
  for (int i = 0; i < N; i++) {
    nll[i] = -exact_bimodal(data->split[SSK_TEST].x + i * T, T, 0.2);
    if (i < FILTERED)
      log_ratio[i] = estimate(data, i, 4000, &z) + nll[i];
  }
  check_ratios(log_ratio, FILTERED, 0.1);
  double mean = 0, squares = 0;
  for (int i = 0; i < N; i++)
    mean += nll[i] / N;
  for (int i = 0; i < N; i++)
    squares += (nll[i] - mean) * (nll[i] - mean);
  double se = sqrt(squares / (N - 1) / N);
  cr_expect_lt(se, 0.25);
  cr_expect_lt(fabs(mean - 17.84), 3 * se, "%g nats a sequence, standard error %g", mean, se);
  kit_close(&kit);
}

Test(particle, the_same_seed_gives_the_same_bits) {
  struct kit kit;
  kit_open(&kit);
  struct ssk_data *data = kit_data(&kit, "bimodal", "sequences: 1\nvalid: 0\ntest: 2\n");
  double mean[3], first = estimate(data, 0, 500, &mean[0]);
  double other = estimate(data, 1, 500, &mean[1]);
  double again = estimate(data, 0, 500, &mean[2]);
  cr_expect_eq(first, again);
  cr_expect_eq(mean[0], mean[2]);
  cr_expect_neq(first, other);
  kit_close(&kit);
}
