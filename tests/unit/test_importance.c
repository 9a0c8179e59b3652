/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_importance.c - importance-weighted estimates and their diagnostics, and the likelihood of a
 * linear model against the Kalman filter's. */
#include "infer/importance.h"
#include "infer/model_forecast.h"
#include "support/untrained.h"

Test(importance, equal_weights_count_all) {
  double log_w[] = {2, 2, 2, 2};
  struct ssk_importance out;
  ssk_importance(4, log_w, &out);
  cr_assert_float_eq(out.log_mean, 2, 1e-12);
  cr_assert_float_eq(out.effective_paths, 4, 1e-12);
  cr_assert(isnan(out.pareto_k), "four weights have no tail");
}

Test(importance, one_weight_counts_alone) {
  double log_w[] = {-INFINITY, 1000, -INFINITY, -INFINITY, 200};
  struct ssk_importance out;
  ssk_importance(5, log_w, &out);
  cr_assert_float_eq(out.log_mean, 1000 - log(5), 1e-9);
  cr_assert_float_eq(out.effective_paths, 1, 1e-12);
}

Test(importance, a_tail_that_vanishes_has_no_finite_shape) {
  enum { N = 64 };
  double log_w[N];
  struct ssk_importance out;
  for (int i = 0; i < N; i++)
    log_w[i] = 1000.0 * i;
  ssk_importance(N, log_w, &out);
  cr_assert_eq(out.pareto_k, INFINITY);
}

Test(importance, no_weight_at_all) {
  double log_w[] = {-INFINITY, -INFINITY};
  struct ssk_importance out;
  ssk_importance(2, log_w, &out);
  cr_assert_eq(out.log_mean, -INFINITY);
}

/* Quantiles of generalised Pareto distributions of known shape, whatever their scale. */
Test(importance, shape_of_a_pareto_tail) {
  enum { N = 1000 };
  double shapes[] = {0.2, 0.5, 0.7, 1}, scales[] = {1, 1e-6, 1e3};
  for (int i = 0; i < 12; i++) {
    double k = shapes[i % 4], x[N];
    for (int n = 0; n < N; n++)
      x[n] = scales[i / 4] * (pow(1 - (n + 0.5) / N, -k) - 1) / k;
    cr_assert_float_eq(ssk_pareto_shape(N, x), k, 0.03, "shape %g: %g", k, ssk_pareto_shape(N, x));
  }
}

/* Weights w = 1/u have a tail of shape 1, and w = u^(-1/5) one of shape 1/5. */
Test(importance, shape_of_the_largest_weights) {
  enum { N = 4000 };
  double shapes[] = {1, 0.2};
  for (int i = 0; i < 2; i++) {
    double log_w[N];
    struct ssk_importance out;
    for (int n = 0; n < N; n++)
      log_w[(n * 7) % N] = -shapes[i] * log((n + 0.5) / N);
    ssk_importance(N, log_w, &out);
    cr_assert_float_eq(out.pareto_k, shapes[i], 0.1, "shape %g: %g", shapes[i], out.pareto_k);
  }
}

/* The estimate, whose error is about sqrt(1/effective paths), against the exact value. */
static void check_against_kalman(const char *transition) {
  char text[1024];
  snprintf(text, sizeof text,
           "data: {use: lgssm, sequences: 4, valid: 0, test: 4, length: 5}\n"
           "standardise: false\n"
           "model:\n"
           "  latent: 1\n"
           "  summary: identity\n"
           "  encoder: {use: gaussian, frame: additive, logvar_start: -0.5}\n"
           "  emission: {use: gaussian, identity: true, logvar_start: -0.7}\n"
           "  initial: standard\n"
           "  transition: %s\n"
           "evaluate: {likelihood_paths: 20000}\n",
           transition);
  struct kit kit;
  kit_open(&kit);
  struct ssk_experiment *experiment;
  struct ssk_data *data;
  struct ssk_model *model;
  if (ssk_experiment_parse("test.yaml", text, strlen(text), 0, NULL, kit.registry, &experiment,
                           kit.err) ||
      ssk_data_load(experiment, &data, kit.err) ||
      ssk_model_build(experiment, data, &model, kit.err))
    kit_fail(&kit, "the model cannot be made");
  ssk_real *values = calloc(model->layout.total, sizeof *values);
  ssk_layout_initialise(&model->layout, 1, values);
  struct ssk_forecaster forecaster;
  cr_assert_eq(
      ssk_model_forecaster(model, values, "model", 1, &experiment->evaluate, &forecaster, kit.err),
      SSK_OK);
  const struct ssk_split_data *split = &data->split[SSK_TEST];
  for (int64_t i = 0; i < split->n; i++) {
    struct ssk_series_likelihood got;
    cr_assert_eq(forecaster.likelihood(forecaster.self, data, SSK_TEST, i, 5, 1, 0, &got, kit.err),
                 SSK_OK, "%s", ssk_err_message(kit.err, 0));
    const double exact = untrained_likelihood(&kit, split, i, 5);
    cr_assert_gt(got.effective_paths, 500);
    cr_assert_lt(got.pareto_k, 0.7);
    cr_assert_float_eq(got.log_likelihood, exact, 4 / sqrt(got.effective_paths),
                       "%s, series %d: %g, exact %g, of %g paths", transition, (int)i,
                       got.log_likelihood, exact, got.effective_paths);
  }
  ssk_forecaster_free(&forecaster);
  free(values);
  ssk_model_free(model);
  ssk_data_free(data);
  ssk_experiment_free(experiment);
  kit_close(&kit);
}

Test(importance, likelihood_of_a_linear_transition_is_the_kalman_filters) {
  check_against_kalman("{use: linear, logvar_start: -1}");
}
Test(importance, likelihood_of_a_mixture_is_the_kalman_filters) {
  check_against_kalman("{use: mixture, components: 1, logvar_start: -1}");
}
