/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_forecast_metrics.c - the metrics of the forecasting literature against values worked out by
 * hand, and pooled figures with their standard error. */
#include "infer/evaluate.h"
#include "infer/pooled.h"
#include "support/instances.h"
#include <math.h>

TestSuite(forecast_metrics);

/* Series a: history 1 2 4, truth 2 4, sorted samples {1 2 4} and {3 3 6}.
 * Series b: history 0 1 and a gap, truth -1 and a gap, sorted samples {0 1 2}. */
static const double ones[3] = {1, 1, 1}, gap_last[3] = {1, 1, 0}, gap_second[2] = {1, 0};
static const double history_a[3] = {1, 2, 4}, history_b[3] = {0, 1, 99};
static const double truth_a[2] = {2, 4}, truth_b[2] = {-1, 55};
static const double paths_a[6] = {4, 3, 1, 6, 2, 3}, paths_b[6] = {1, 7, 0, 7, 2, 7};

static const struct ssk_case cases[2] = {{.size = sizeof(struct ssk_case),
                                          .D = 1,
                                          .context = 3,
                                          .horizon = 2,
                                          .samples = 3,
                                          .history = history_a,
                                          .history_mask = ones,
                                          .truth = truth_a,
                                          .truth_mask = ones,
                                          .paths = paths_a},
                                         {.size = sizeof(struct ssk_case),
                                          .D = 1,
                                          .context = 3,
                                          .horizon = 2,
                                          .samples = 3,
                                          .history = history_b,
                                          .history_mask = gap_last,
                                          .truth = truth_b,
                                          .truth_mask = gap_second,
                                          .paths = paths_b}};

/* The figure over n cases: the mean of the series' values. */
static double figure(struct kit *kit, const char *name, const char *yaml, const struct ssk_case *c,
                     int n) {
  const struct ssk_instance *metric = kit_make(kit, SSK_METRIC, name, yaml);
  const struct ssk_metric_ops *ops = metric->component->ops;
  double terms[2 * SSK_METRIC_TERMS], values[2];
  for (int i = 0; i < n; i++)
    if (!ops->terms)
      values[i] = ops->value(metric->self, &c[i]);
    else if (!ops->accumulate(metric->self, &c[i], terms + (ptrdiff_t)i * SSK_METRIC_TERMS))
      terms[i * SSK_METRIC_TERMS] = NAN;
  if (ops->terms)
    ssk_pooled_values(metric, terms, n, 1, values);
  return ssk_mean_of(values, n, 1).mean;
}

/* Nearest quantiles at 1/4, 1/2, 3/4 of three samples are these samples (places 0.5 and 1.5 round
 * to even); doubled pinball losses: a 0.5 0 1 and 0.5 1 1, b 1.5 2 1.5, their means' sum is 3; the
 * sum of |y| is 7. Interpolated: 0.25 0 0.5, 0.5 1 0.25, 2.25 2 1.25. */
Test(forecast_metrics, weighted_quantile_loss) {
  struct kit kit;
  kit_open(&kit);
  cr_expect_float_eq(figure(&kit, "crps_quantile", "levels: 3\n", cases, 2), 3.0 / 7, 1e-12);
  cr_expect_float_eq(figure(&kit, "crps_quantile", "{levels: 3, quantile: linear}\n", cases, 2),
                     8.0 / 21, 1e-12);
  cr_expect_float_eq(figure(&kit, "crps_sum", "levels: 3\n", cases, 1), 4.0 / 3 / 6, 1e-12,
                     "one dimension: the sum is the series");
  kit_close(&kit);
}

/* 4 nats in 2 steps, 8 in 8: 2 and 1 a step, and 12 in 10. */
Test(forecast_metrics, nats_a_step_of_all_series_together) {
  struct kit kit;
  kit_open(&kit);
  const struct ssk_case two[2] = {{.size = sizeof two[0],
                                   .has_bound = true,
                                   .distortion = 2,
                                   .rate_initial = 1.5,
                                   .rate_transition = 0.5,
                                   .bound_length = 2,
                                   .has_likelihood = true,
                                   .log_likelihood = -4,
                                   .likelihood_length = 2},
                                  {.size = sizeof two[0],
                                   .has_bound = true,
                                   .distortion = 5,
                                   .rate_initial = 1,
                                   .rate_transition = 2,
                                   .bound_length = 8,
                                   .has_likelihood = true,
                                   .log_likelihood = -8,
                                   .likelihood_length = 8}};
  cr_expect_float_eq(figure(&kit, "elbo", "", two, 2), -1.5, 1e-12);
  cr_expect_float_eq(figure(&kit, "elbo_pooled", "", two, 2), -1.2, 1e-12);
  cr_expect_float_eq(figure(&kit, "iwae", "", two, 2), -1.5, 1e-12);
  cr_expect_float_eq(figure(&kit, "iwae_pooled", "", two, 2), -1.2, 1e-12);
  cr_expect(isnan(figure(&kit, "elbo_pooled", "", cases, 1)), "it has no bound");
  kit_close(&kit);
}

/* Two dimensions: sums of the samples 3 1 4, of the truth 2; losses 0.5 1 1. */
Test(forecast_metrics, quantile_loss_of_the_sum) {
  struct kit kit;
  kit_open(&kit);
  const double paths[12] = {1, 2, 9, 9, 0, 1, 9, 9, 2, 2, 9, 9}, truth[4] = {1, 1, 5, 5};
  const double mask[4] = {1, 1, 1, 0}, half[4] = {1, 0, 0, 1};
  struct ssk_case c = {.size = sizeof c,
                       .D = 2,
                       .horizon = 2,
                       .samples = 3,
                       .truth = truth,
                       .truth_mask = mask,
                       .paths = paths};
  cr_expect_float_eq(figure(&kit, "crps_sum", "levels: 3\n", &c, 1), 2.5 / 3 / 2, 1e-12);
  c.truth_mask = half;
  cr_expect(isnan(figure(&kit, "crps_sum", "levels: 3\n", &c, 1)), "no step is whole");
  kit_close(&kit);
}

Test(forecast_metrics, deviations_relative_to_the_series) {
  struct kit kit;
  kit_open(&kit);
  cr_expect_float_eq(figure(&kit, "nd", "", cases, 2), (0 + 1 + 2) / 7.0, 1e-12);
  /* Means 7/3 4 and 1: squared errors 1/18 and 4 an item, sizes 3 and 1. */
  cr_expect_float_eq(figure(&kit, "nrmse", "", cases, 2), sqrt(73.0 / 36) / 2, 1e-12);
  static const double zeros[2] = {0, 0};
  struct ssk_case c = cases[0];
  c.truth = zeros;
  cr_expect(isnan(figure(&kit, "nd", "", &c, 1)), "nothing to normalise by");
  cr_expect(isnan(figure(&kit, "nrmse", "", &c, 1)));
  kit_close(&kit);
}

Test(forecast_metrics, scaled_errors) {
  struct kit kit;
  kit_open(&kit);
  /* Scales 1.5 and 1; errors of the medians 0.5 and 2. */
  cr_expect_float_eq(figure(&kit, "mase", "", cases, 2), (1.0 / 3 + 2) / 2, 1e-12);
  cr_expect_float_eq(figure(&kit, "mase", "seasonality: 2\n", cases, 2), 0.5 / 3, 1e-12,
                     "b has no observed pair two steps apart");
  cr_expect_float_eq(figure(&kit, "mase", "seasonality: 3\n", cases, 2), (1.0 / 3 + 2) / 2, 1e-12,
                     "a history no longer than the season is taken with 1");
  /* Intervals from 1 to 4, 3 to 6, and 0 to 2 with a miss by 1. */
  cr_expect_float_eq(figure(&kit, "msis", "alpha: 0.5\n", cases, 2), (3 / 1.5 + 6) / 2, 1e-12);
  static const double still[3] = {5, 5, 5};
  struct ssk_case c = cases[0];
  c.history = still;
  cr_expect(isnan(figure(&kit, "mase", "", &c, 1)), "a history that does not move");
  c.context = 0;
  cr_expect(isnan(figure(&kit, "msis", "", &c, 1)), "no history");
  kit_close(&kit);
}

Test(forecast_metrics, coverage_of_quantiles) {
  struct kit kit;
  kit_open(&kit);
  cr_expect_float_eq(figure(&kit, "coverage_quantile", "level: 0.5\n", cases, 2), (0.5 + 1) / 2,
                     1e-12);
  kit_close(&kit);
}

Test(forecast_metrics, an_infinite_figure_is_that_of_all_series) {
  struct kit kit;
  double terms[3 * SSK_METRIC_TERMS] = {0}, values[3];
  kit_open(&kit);
  const struct ssk_instance *metric = kit_make(&kit, SSK_METRIC, "elbo_pooled", "");
  for (int i = 0; i < 3; i++) {
    terms[i * SSK_METRIC_TERMS] = i == 1 ? -INFINITY : -2;
    terms[i * SSK_METRIC_TERMS + 1] = 4;
  }
  ssk_pooled_values(metric, terms, 3, 1, values);
  for (int i = 0; i < 3; i++)
    cr_expect_eq(values[i], -INFINITY, "%g", values[i]);
  kit_close(&kit);
}

/* The spread of the linearised values is that of the ratio over fresh samples of series. */
Test(forecast_metrics, standard_error_of_a_ratio) {
  enum { N = 400, REPEATS = 400 };
  struct kit kit;
  static double terms[N * SSK_METRIC_TERMS], values[N], figures[REPEATS];
  double claimed = 0;
  kit_open(&kit);
  const struct ssk_instance *metric = kit_make(&kit, SSK_METRIC, "nd", "");
  for (int r = 0; r < REPEATS; r++) {
    ssk_rng rng = ssk_rng_open(3, "test", "ratio", 0, (uint32_t)r);
    double sums[2] = {0};
    for (int i = 0; i < N; i++) {
      double size = 1 + 3 * ssk_rng_uniform(&rng);
      terms[i * SSK_METRIC_TERMS] = 0.3 * size + 0.5 * ssk_rng_uniform(&rng);
      terms[i * SSK_METRIC_TERMS + 1] = size;
      sums[0] += terms[i * SSK_METRIC_TERMS];
      sums[1] += size;
    }
    ssk_pooled_values(metric, terms, N, 1, values);
    struct ssk_mean m = ssk_mean_of(values, N, 1);
    cr_assert_float_eq(m.mean, sums[0] / sums[1], 1e-12);
    figures[r] = m.mean;
    claimed += m.se / REPEATS;
  }
  double spread = ssk_mean_of(figures, REPEATS, 1).se * sqrt(REPEATS);
  cr_expect_lt(fabs(claimed / spread - 1), 0.15, "claimed %g, found %g", claimed, spread);
  kit_close(&kit);
}

Test(forecast_metrics, identity_has_all_parameters) {
  struct kit kit;
  kit_open(&kit);
  struct ssk_instance *metrics[] = {kit_make(&kit, SSK_METRIC, "crps_quantile", ""),
                                    kit_make(&kit, SSK_METRIC, "nrmse", "")};
  double one[] = {1};
  struct ssk_evaluate_section section = {
      .horizon = 2, .samples = 8, .steps = {1, one}, .metrics = {2, metrics}};
  struct ssk_metric_column columns[4];
  ssk_metric_columns(&section, columns);
  cr_expect_str_eq(columns[0].id, "crps_quantile(levels=19,quantile=nearest)");
  cr_expect_str_eq(columns[1].id, "crps_quantile(levels=19,quantile=nearest)@h1");
  cr_expect_str_eq(columns[2].id, "nrmse");
  kit_close(&kit);
}
