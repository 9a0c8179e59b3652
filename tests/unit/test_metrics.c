/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_metrics.c - the metrics against closed forms, and the floors that every forecast of the
 * bimodal series must respect. */
#include "infer/baselines.h"
#include "infer/evaluate.h"
#include "infer/model_state.h"
#include "support/instances.h"
#include <math.h>

TestSuite(metrics);

static double value_of(const struct ssk_instance *metric, const struct ssk_case *c) {
  const struct ssk_metric_ops *ops = metric->component->ops;
  return ops->value(metric->self, c);
}

/* z-test of a mean against its exact value. */
static void check_mean(const char *what, const double *values, int n, double exact,
                       double largest_se) {
  struct ssk_mean m = ssk_mean_of(values, n, 1);
  cr_expect_eq(m.n, n, "%s", what);
  cr_expect_lt(m.se, largest_se, "%s: standard error %g", what, m.se);
  cr_expect_lt(fabs(m.mean - exact), 4 * m.se, "%s: %g, exact %g, standard error %g", what, m.mean,
               exact, m.se);
}

/* With six samples an estimator that is not fair is off by a tenth of the value. */
Test(metrics, crps_and_energy_score_of_gaussians) {
  enum { N = 20000, S = 6, D = 3 };
  struct kit kit;
  kit_open(&kit);
  struct ssk_instance *crps = kit_make(&kit, SSK_METRIC, "crps", "");
  struct ssk_instance *energy = kit_make(&kit, SSK_METRIC, "energy_score", "");
  static double crps_value[N], line_value[N], plane_value[N];
  const double m = 1.5, s = 2, truth = 3, e = (truth - m) / s, seen[D] = {1, 0, 1};
  double cdf = 0.5 * erfc(-e / M_SQRT2), density = exp(-0.5 * e * e) / sqrt(2 * M_PI);
  double exact = s * (e * (2 * cdf - 1) + 2 * density - 1 / sqrt(M_PI));
  for (int i = 0; i < N; i++) {
    double line[S], space[S * D], centre[D] = {m, 99, m};
    ssk_rng rng = ssk_rng_open(11, "test", "metrics", 0, (uint32_t)i);
    for (int k = 0; k < S * D; k++)
      space[k] = m + s * ssk_rng_normal(&rng);
    for (int k = 0; k < S; k++)
      line[k] = space[k * D];
    struct ssk_case c = {.size = sizeof c,
                         .D = 1,
                         .horizon = 1,
                         .samples = S,
                         .truth = &truth,
                         .truth_mask = seen,
                         .paths = line};
    crps_value[i] = value_of(crps, &c);
    line_value[i] = value_of(energy, &c);
    /* Two of three dimensions are observed, at the mean: distances have Rayleigh's distribution. */
    c.D = D;
    c.truth = centre;
    c.paths = space;
    plane_value[i] = value_of(energy, &c);
  }
  check_mean("crps", crps_value, N, exact, 0.01);
  check_mean("energy score in one dimension", line_value, N, exact, 0.01);
  check_mean("energy score in two dimensions", plane_value, N,
             s * (sqrt(M_PI / 2) - sqrt(M_PI) / 2), 0.01);
  kit_close(&kit);
}

Test(metrics, point_errors_coverage_and_gaps) {
  enum { S = 5 };
  struct kit kit;
  kit_open(&kit);
  /* Two steps of two dimensions: step 1 all observed, step 2 the first dimension only. */
  double paths[S * 4], truth[4] = {1, -2, 10, 7}, mask[4] = {1, 1, 1, 0}, none[4] = {0};
  static const double sample[S] = {3, 0, 1, 2, 4};
  for (int s = 0; s < S; s++)
    for (int k = 0; k < 4; k++)
      paths[s * 4 + k] = sample[s];
  paths[2] = 8; /* of 3: the mean of that entry is 3, its median 2 */
  struct ssk_case c = {.size = sizeof c,
                       .D = 2,
                       .horizon = 2,
                       .samples = S,
                       .truth = truth,
                       .truth_mask = mask,
                       .paths = paths};
  struct ssk_instance *mae = kit_make(&kit, SSK_METRIC, "mae", "");
  struct ssk_instance *rmse = kit_make(&kit, SSK_METRIC, "rmse", "");
  struct ssk_instance *coverage = kit_make(&kit, SSK_METRIC, "coverage", "level: 0.5\n");
  cr_expect_float_eq(value_of(mae, &c), (1 + 4 + 8) / 3.0, 1e-12);
  cr_expect_float_eq(value_of(rmse, &c), sqrt((1 + 16 + 49) / 3.0), 1e-12);
  /* Quartiles by (n + 1) p are 0.5 and 3.5: one truth of three lies between. */
  cr_expect_float_eq(value_of(coverage, &c), 1 / 3.0, 1e-12);
  truth[0] = 0.49;
  cr_expect_eq(value_of(coverage, &c), 0);
  const struct ssk_metric_ops *ops = coverage->component->ops;
  cr_expect_eq(ops->target(coverage->self), 0.5);
  c.truth_mask = none;
  cr_expect(isnan(value_of(mae, &c)) && isnan(value_of(rmse, &c)) && isnan(value_of(coverage, &c)));
  kit_close(&kit);
}

/* ---- forecasters on the bimodal series ----------------------------------------------------------
 */

enum { JSD, JSD_PAPER, CRPS, ENERGY, ELBO, METRICS };
static const char *const metric_names[METRICS] = {"jsd", "jsd_paper", "crps", "energy_score",
                                                  "elbo"};

static void score(struct kit *kit, const char *name, struct ssk_data *data,
                  const struct ssk_evaluate_section *section, int threads,
                  struct ssk_evaluation *out) {
  struct ssk_forecaster forecaster;
  struct ssk_pool *pool = NULL;
  if ((threads > 1 && ssk_pool_new(threads, &pool, kit->err)) ||
      ssk_baseline_forecaster(name, data, section, &forecaster, kit->err) ||
      ssk_evaluate(&forecaster, data, section, 1, pool, out, kit->err))
    kit_fail(kit, name);
  ssk_forecaster_free(&forecaster);
  ssk_pool_free(pool);
}

static struct ssk_evaluate_section section_of(struct kit *kit, struct ssk_instance **metrics,
                                              int64_t series) {
  for (int k = 0; k < METRICS; k++)
    metrics[k] = kit_make(kit, SSK_METRIC, metric_names[k], "");
  return (struct ssk_evaluate_section){.split = SSK_TEST,
                                       .series = series,
                                       .context = 0,
                                       .horizon = 1,
                                       .samples = 1024,
                                       .bound_length = 32,
                                       .particles = 1024,
                                       .metrics = {METRICS, metrics}};
}

static void check_floor(const struct ssk_evaluation *e, int metric, const char *row, double lo,
                        double hi) {
  double mean = e->means[metric].mean;
  cr_expect(mean >= lo && mean <= hi, "%s of %s is %g, expected in [%g, %g]", metric_names[metric],
            row, mean, lo, hi);
}

/* The floors that model.md measured by an independent simulation, 1000 series; here 150. */
Test(metrics, floors_of_the_bimodal_series) {
  struct kit kit;
  struct ssk_instance *metrics[METRICS];
  struct ssk_evaluation e;
  kit_open(&kit);
  struct ssk_data *data = kit_data(&kit, "bimodal", "valid: 0\ntest: 150\ntest_length: 48\n");
  struct ssk_evaluate_section section = section_of(&kit, metrics, 0);
  score(&kit, "oracle", data, &section, 1, &e);
  check_floor(&e, JSD, "oracle", 0.0050, 0.0062);
  check_floor(&e, JSD_PAPER, "oracle", 0.070, 0.098);
  check_floor(&e, CRPS, "oracle", 2.02, 2.10);
  cr_expect_float_eq(e.means[CRPS].mean, e.means[ENERGY].mean, 1e-9,
                     "one dimension: the energy score is the CRPS");
  cr_expect_lt(fabs(e.means[ELBO].mean + 17.84 / 32), 4 * e.means[ELBO].se);
  cr_expect_lt(e.means[ELBO].se, 0.02);
  ssk_evaluation_free(&e);
  score(&kit, "oracle_gaussian", data, &section, 1, &e);
  check_floor(&e, JSD, "oracle_gaussian", 0.50, 0.52);
  check_floor(&e, CRPS, "oracle_gaussian", 2.37, 2.47);
  /* The steady state's innovation has the variance 16.072: 88.47 nats in 32 steps. */
  cr_expect_lt(fabs(e.means[ELBO].mean + 88.47 / 32), 0.01);
  cr_expect_lt(e.means[ELBO].se, 0.004);
  ssk_evaluation_free(&e);
  score(&kit, "persistence", data, &section, 1, &e);
  check_floor(&e, JSD, "persistence", 0.68, M_LN2 + 1e-9);
  check_floor(&e, CRPS, "persistence", 3.8, 4.3);
  ssk_evaluation_free(&e);
  score(&kit, "marginal", data, &section, 1, &e);
  check_floor(&e, JSD, "marginal", 0.50, M_LN2);
  ssk_evaluation_free(&e);
  kit_close(&kit);
}

Test(metrics, exact_oracle_of_the_linear_model) {
  struct kit kit;
  struct ssk_instance *metrics[METRICS];
  struct ssk_evaluation exact, matched;
  kit_open(&kit);
  struct ssk_data *data = kit_data(&kit, "lgssm", "valid: 0\ntest: 300\nlength: 25\n");
  struct ssk_evaluate_section section = section_of(&kit, metrics, 0);
  section.samples = 256;
  section.bound_length = 0;
  score(&kit, "oracle", data, &section, 1, &exact);
  score(&kit, "oracle_gaussian", data, &section, 1, &matched);
  /* The forecast of a Gaussian model is Gaussian: the steady state's variance is 0.02484. */
  double floor = sqrt(0.02484 / M_PI);
  cr_expect_lt(fabs(exact.means[CRPS].mean - floor), 4 * exact.means[CRPS].se);
  cr_expect_lt(fabs(exact.means[CRPS].mean - matched.means[CRPS].mean), 0.001);
  for (int64_t i = 0; i < exact.n_series; i++)
    cr_expect_eq(exact.values[i * METRICS + ELBO], matched.values[i * METRICS + ELBO]);
  ssk_evaluation_free(&exact);
  ssk_evaluation_free(&matched);
  kit_close(&kit);
}

Test(metrics, threads_do_not_change_a_bit) {
  struct kit kit;
  struct ssk_instance *metrics[METRICS];
  struct ssk_evaluation one, three;
  kit_open(&kit);
  struct ssk_data *data = kit_data(&kit, "bimodal", "valid: 0\ntest: 24\n");
  struct ssk_evaluate_section section = section_of(&kit, metrics, 20);
  section.particles = 200;
  section.horizon = 3;
  score(&kit, "oracle", data, &section, 1, &one);
  score(&kit, "oracle", data, &section, 3, &three);
  cr_assert_eq(one.n_series, 20);
  cr_expect_arr_eq(one.values, three.values, 20 * METRICS * sizeof *one.values);
  ssk_evaluation_free(&one);
  ssk_evaluation_free(&three);
  kit_close(&kit);
}

/* Steps alone: named after the step, and the horizon's mean is theirs. What needs more than samples
 * has no such columns. */
Test(metrics, single_steps_of_the_horizon) {
  enum { COLUMNS = 5 + 3 * 3 };
  static const char *const names[COLUMNS] = {"jsd",
                                             "jsd_paper",
                                             "jsd_paper_h2",
                                             "jsd_paper_h1",
                                             "jsd_paper_h3",
                                             "crps",
                                             "crps_h2",
                                             "crps_h1",
                                             "crps_h3",
                                             "energy_score",
                                             "energy_score_h2",
                                             "energy_score_h1",
                                             "energy_score_h3",
                                             "elbo"};
  struct kit kit;
  struct ssk_instance *metrics[METRICS];
  struct ssk_evaluation e, first;
  struct ssk_metric_column columns[COLUMNS];
  double steps[] = {2, 1, 3};
  kit_open(&kit);
  struct ssk_data *data = kit_data(&kit, "bimodal", "valid: 0\ntest: 12\n");
  struct ssk_evaluate_section section = section_of(&kit, metrics, 0);
  section.particles = 200;
  section.samples = 64;
  section.context = 24;
  section.horizon = 3;
  section.steps = (struct ssk_reals){3, steps};
  cr_assert_eq(ssk_metric_column_count(&section), COLUMNS);
  ssk_metric_columns(&section, columns);
  for (int k = 0; k < COLUMNS; k++)
    cr_expect_str_eq(columns[k].name, names[k]);
  cr_expect(strstr(columns[7].definition, "of step 1 alone; 64 samples, horizon 3") != NULL, "%s",
            columns[7].definition);
  cr_expect_null(strstr(columns[5].definition, "alone"));

  score(&kit, "oracle", data, &section, 2, &e);
  for (int i = 0; i < 12; i++) {
    const double *v = e.values + i * COLUMNS;
    cr_expect_float_eq(v[5], (v[6] + v[7] + v[8]) / 3, 1e-9);
    cr_expect_float_eq(v[9], (v[10] + v[11] + v[12]) / 3, 1e-9);
    cr_expect_eq(v[1], v[3]); /* it is of the first step anyhow */
    cr_expect(isnan(v[2]) && isnan(v[4]), "no history ends before a later step");
  }
  section.horizon = 1; /* the same forecasts, cut off */
  section.steps.n = 0;
  score(&kit, "persistence", data, &section, 1, &first);
  ssk_evaluation_free(&e);
  section.horizon = 3;
  section.steps = (struct ssk_reals){1, steps + 1};
  score(&kit, "persistence", data, &section, 1, &e);
  for (int i = 0; i < 12; i++)
    cr_expect_eq(e.values[i * 8 + 4], first.values[i * METRICS + CRPS]);
  ssk_evaluation_free(&first);
  ssk_evaluation_free(&e);
  kit_close(&kit);
}

Test(metrics, what_cannot_be_had_is_no_value_or_an_error) {
  struct kit kit;
  struct ssk_instance *metrics[METRICS];
  struct ssk_evaluation e;
  struct ssk_forecaster forecaster;
  kit_open(&kit);
  struct ssk_data *data = kit_data(&kit, "bimodal", "valid: 0\ntest: 3\n");
  struct ssk_evaluate_section section = section_of(&kit, metrics, 0);
  data->oracle = NULL;
  cr_expect_eq(ssk_baseline_forecaster("oracle", data, &section, &forecaster, kit.err), SSK_EDATA);
  cr_expect_eq(ssk_baseline_forecaster("persistance", data, &section, &forecaster, kit.err),
               SSK_ERECIPE);
  score(&kit, "persistence", data, &section, 1, &e);
  cr_expect_eq(e.means[JSD].n, 0);
  cr_expect_eq(e.means[ELBO].n, 0);
  cr_expect_eq(e.means[CRPS].n, 3);
  ssk_evaluation_free(&e);
  section.context = 32;
  cr_assert_eq(ssk_baseline_forecaster("persistence", data, &section, &forecaster, kit.err),
               SSK_OK);
  cr_expect_eq(ssk_evaluate(&forecaster, data, &section, 1, NULL, &e, kit.err), SSK_EDATA);
  data->split[SSK_TEST].n = 0;
  cr_expect_eq(ssk_evaluate(&forecaster, data, &section, 1, NULL, &e, kit.err), SSK_EDATA);
  ssk_forecaster_free(&forecaster);
  kit_close(&kit);
}

Test(metrics, a_forecast_that_diverges_is_an_error) {
  const double paths[] = {1, -2, INFINITY};
  ssk_err *err = ssk_err_new();
  cr_expect_eq(ssk_model_check_finite(paths, 2, "the forecast", err), SSK_OK);
  cr_expect_eq(ssk_model_check_finite(paths, 3, "the forecast", err), SSK_ENUMERIC);
  cr_expect_str_eq(ssk_err_message(err, 0), "the forecast is not finite: it diverges");
  ssk_err_free(err);
}
