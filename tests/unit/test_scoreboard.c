/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_scoreboard.c - transitions by themselves: the metrics kernel_* against closed forms, the
 * exact kernel's entropy, and a transition on true latents whose moments are known. */
#include "infer/baselines.h"
#include "infer/evaluate.h"
#include "infer/model_forecast.h"
#include "support/instances.h"
#include "support/smoke.h"
#include <math.h>

TestSuite(scoreboard);

/* ---- the metrics on two modes -------------------------------------------------------------------
 */

#define BLUR 0.1
#define JUMP 2.0
#define KEEP 0.85

static double normal_cdf(double x) {
  return 0.5 * erfc(-x / M_SQRT2);
}

static double two_modes_cdf(const void *self, const double *z_prev, int dim, double value) {
  (void)self, (void)z_prev, (void)dim;
  return KEEP * normal_cdf((value - JUMP) / BLUR) + (1 - KEEP) * normal_cdf((value + JUMP) / BLUR);
}

enum { N = 4000, D = 2 };

/* Draws of both dimensions from keep N(jump, blur^2) + (1 - keep) N(-jump, blur^2). */
static void draw_modes(const char *stream, double keep, double *out) {
  ssk_rng rng = ssk_rng_open(3, "test", stream, 0, 0);
  for (int i = 0; i < N * D; i++) {
    double sign = ssk_rng_uniform(&rng) < keep ? 1 : -1;
    out[i] = JUMP * sign + BLUR * ssk_rng_normal(&rng);
  }
}

struct scores {
  double jsd, wasserstein, modes, weights, tv, nll;
};

static struct scores scores_of(struct kit *kit, const double *kernel, const double *draws,
                               bool with_cdf) {
  static const char *const names[] = {"kernel_jsd",     "kernel_wasserstein", "kernel_modes",
                                      "kernel_weights", "kernel_tv",          "kernel_nll"};
  enum { METRICS = sizeof names / sizeof *names };
  const struct ssk_oracle oracle = {
      .size = sizeof oracle, .d = D, .transition_cdf = with_cdf ? two_modes_cdf : NULL};
  struct ssk_case c = {.size = sizeof c,
                       .oracle = &oracle,
                       .has_transition = true,
                       .latents = D,
                       .draws = N,
                       .transition = draws,
                       .kernel = kernel,
                       .transition_log_prob = -1.25};
  double value[METRICS];
  for (int i = 0; i < METRICS; i++) {
    if (i == kit->n_instances)
      kit_make(kit, SSK_METRIC, names[i], "");
    const struct ssk_metric_ops *ops = kit->instance[i]->component->ops;
    value[i] = ops->value(kit->instance[i]->self, &c);
  }
  return (struct scores){value[0], value[1], value[2], value[3], value[4], value[5]};
}

Test(scoreboard, metrics_of_two_modes) {
  static double kernel[N * D], draws[N * D];
  struct kit kit;
  kit_open(&kit);
  draw_modes("kernel", KEEP, kernel);

  /* Other draws of the kernel: what is left is what the number of draws leaves. */
  draw_modes("same", KEEP, draws);
  struct scores s = scores_of(&kit, kernel, draws, true);
  cr_expect(s.jsd > 0 && s.jsd < 0.003, "jsd %g", s.jsd);
  cr_expect(s.wasserstein < 0.06, "wasserstein %g", s.wasserstein);
  cr_expect_eq(s.modes, 1);
  cr_expect(s.weights < 4 * sqrt(KEEP * (1 - KEEP) / N), "weights %g", s.weights);
  cr_expect(s.tv < 0.04, "total variation %g", s.tv);
  cr_expect_float_eq(s.nll, 1.25, 1e-15);

  /* Other weights: the divergence of two coins, the mass moved by 0.15 over the jump of 4. */
  draw_modes("coin", 0.7, draws);
  s = scores_of(&kit, kernel, draws, true);
  double coin = 0, p[2] = {0.7, 0.3}, q[2] = {KEEP, 1 - KEEP};
  for (int i = 0; i < 2; i++)
    coin += 0.5 * (p[i] * log(2 * p[i] / (p[i] + q[i])) + q[i] * log(2 * q[i] / (p[i] + q[i])));
  cr_expect_lt(fabs(s.jsd - coin), 0.005, "jsd %g, that of the coins %g", s.jsd, coin);
  cr_expect_lt(fabs(s.wasserstein - 0.15 * 2 * JUMP), 0.06, "wasserstein %g", s.wasserstein);
  cr_expect_lt(fabs(s.weights - 0.15), 0.02, "weights %g", s.weights);
  /* Four cells with p p', half the sum of their differences; the kernel's heaviest loses most. */
  cr_expect_lt(fabs(s.tv - (KEEP * KEEP - 0.7 * 0.7)), 0.04, "total variation %g", s.tv);
  cr_expect_eq(s.modes, 1);

  /* Shifted draws of the kernel: the distance is the shift, and the modes are where they were. */
  for (int i = 0; i < N * D; i++)
    draws[i] = kernel[i] + 0.3;
  s = scores_of(&kit, kernel, draws, false);
  cr_expect_float_eq(s.wasserstein, 0.3, 1e-12);
  cr_expect(s.modes == 1 && s.weights == 0 && isnan(s.jsd));

  /* A Gaussian with the kernel's moments: one mode, which is none of the two. */
  ssk_rng rng = ssk_rng_open(3, "test", "gaussian", 0, 0);
  double mean = JUMP * (2 * KEEP - 1), deviation = 2 * JUMP * sqrt(KEEP * (1 - KEEP));
  for (int i = 0; i < N * D; i++)
    draws[i] = mean + deviation * ssk_rng_normal(&rng);
  s = scores_of(&kit, kernel, draws, true);
  cr_expect_eq(s.modes, 0);
  cr_expect(s.jsd > 0.4 && s.jsd < M_LN2, "jsd %g", s.jsd);

  /* One dimension of two. */
  for (int i = 0; i < N; i++)
    draws[i * D] = kernel[i * D];
  s = scores_of(&kit, kernel, draws, true);
  cr_expect_eq(s.modes, 0.5);

  /* Signs that agree between the dimensions: each marginal is right, two joint modes of four are
   * not there, with twice keep (1 - keep). */
  for (int i = 0; i < N; i++) {
    draws[i * D] = kernel[i * D];
    draws[i * D + 1] = kernel[i * D] + BLUR * ssk_rng_normal(&rng);
  }
  s = scores_of(&kit, kernel, draws, true);
  cr_expect_eq(s.modes, 1);
  cr_expect_lt(s.weights, 0.03);
  cr_expect_lt(fabs(s.tv - 2 * KEEP * (1 - KEEP)), 0.03, "total variation %g", s.tv);

  /* A kernel with one mode has no modes to cover and no weights. */
  for (int i = 0; i < N * D; i++)
    kernel[i] = draws[i] = ssk_rng_normal(&rng);
  s = scores_of(&kit, kernel, draws, false);
  cr_expect(isnan(s.modes) && isnan(s.weights) && isnan(s.tv) && s.wasserstein == 0);

  /* Rows whose latents are not the true ones are not compared with the kernel. */
  s = scores_of(&kit, NULL, draws, true);
  cr_expect(isnan(s.jsd) && isnan(s.wasserstein) && isnan(s.modes) && isnan(s.weights) &&
            isnan(s.tv));
  cr_expect_float_eq(s.nll, 1.25, 1e-15);
  kit_close(&kit);
}

/* ---- the oracle ---------------------------------------------------------------------------------
 */

enum { JSD, MODES, NLL, WASSERSTEIN, WEIGHTS, METRICS };
static const char *const metric_names[METRICS] = {"kernel_jsd", "kernel_modes", "kernel_nll",
                                                  "kernel_wasserstein", "kernel_weights"};

/* On two well separated modes of equal deviation the entropy is the coin's plus the Gaussian's. */
static void check_oracle(const char *dataset, const char *yaml, double coin, int latents) {
  struct kit kit;
  struct ssk_instance *metrics[METRICS];
  struct ssk_forecaster oracle;
  struct ssk_evaluation e;
  kit_open(&kit);
  struct ssk_data *data = kit_data(&kit, dataset, yaml);
  for (int i = 0; i < METRICS; i++)
    metrics[i] = kit_make(&kit, SSK_METRIC, metric_names[i], "");
  struct ssk_evaluate_section section = {.split = SSK_TEST,
                                         .horizon = 1,
                                         .samples = 2,
                                         .kernel_draws = 1000,
                                         .particles = 16,
                                         .metrics = {METRICS, metrics}};
  if (ssk_baseline_forecaster("oracle", data, &section, &oracle, kit.err) ||
      ssk_evaluate(&oracle, data, &section, 1, NULL, &e, kit.err))
    kit_fail(&kit, dataset);
  cr_expect_eq(oracle.latents, latents);
  double entropy = latents * (coin + 0.5 * log(2 * M_PI * M_E * BLUR * BLUR));
  cr_expect_lt(fabs(e.means[NLL].mean - entropy), 4 * e.means[NLL].se, "%s: %g, entropy %g",
               dataset, e.means[NLL].mean, entropy);
  cr_expect_lt(e.means[JSD].mean, 0.005);
  cr_expect_eq(e.means[MODES].mean, 1);
  cr_expect_lt(e.means[WEIGHTS].mean, 0.02);
  cr_expect_lt(e.means[WASSERSTEIN].mean, 0.1);
  ssk_evaluation_free(&e);
  ssk_forecaster_free(&oracle);
  kit_close(&kit);
}

Test(scoreboard, oracle_scores_the_entropy) {
  check_oracle("bimodal_lift", "{sequences: 2, valid: 0, test: 100, length: 6}", M_LN2, 1);
  check_oracle("bimodal_lift_mv", "{sequences: 2, valid: 0, test: 60, length: 6}",
               -KEEP * log(KEEP) - (1 - KEEP) * log(1 - KEEP), 4);
}

/* ---- a model on true latents --------------------------------------------------------------------
 */

/* A network mlp starts at zero: the transition is N(z_{t-1}, scale^2), in true units, as long as
 * nothing is trained. */
Test(scoreboard, transition_on_true_latents_is_scored_in_their_units) {
  enum { DRAWS = 20000, CONTEXT = 5 };
  static double draws[DRAWS];
  char path[4096];
  struct ssk_trial s;
  ssk_err *err = ssk_err_new();
  struct ssk_registry *registry = smoke_plugins(err);
  snprintf(path, sizeof path, "%s/recipes/smoke/emission_none.yaml", getenv("top_srcdir"));
  cr_assert(smoke_prepare(&s, path, 0, NULL, registry, err));
  ssk_layout_initialise(&s.model->layout, 1, s.values);
  struct ssk_forecaster forecaster;
  cr_assert_eq(ssk_model_forecaster(s.model, s.values, "model", 1, &s.experiment->evaluate,
                                    &forecaster, err),
               SSK_OK);
  double next, scale = s.data->z_scale[0];
  const double *z = s.data->split[SSK_TEST].z + 2 * s.data->split[SSK_TEST].room + CONTEXT;
  struct ssk_series_transition t = {.draws = draws, .next = &next};
  cr_assert_eq(
      forecaster.transition(forecaster.self, s.data, SSK_TEST, 2, CONTEXT, DRAWS, 1, 0, &t, err),
      SSK_OK, "%s", ssk_err_message(err, 0));
  cr_expect(t.truth && next == z[0]);
  double mean = 0, squares = 0, e = (z[0] - z[-1]) / scale;
  cr_expect_float_eq(t.log_prob, -0.5 * (e * e + log(2 * M_PI)) - log(scale), 1e-5);
  for (int i = 0; i < DRAWS; i++)
    mean += draws[i] / DRAWS;
  for (int i = 0; i < DRAWS; i++)
    squares += (draws[i] - mean) * (draws[i] - mean) / DRAWS;
  cr_expect_lt(fabs(mean - z[-1]), 4 * scale / sqrt(DRAWS), "mean %g, not %g", mean, z[-1]);
  cr_expect_lt(fabs(squares / (scale * scale) - 1), 4 * sqrt(2.0 / DRAWS));
  ssk_forecaster_free(&forecaster);
  ssk_trial_release(&s);
  ssk_registry_free(registry);
  ssk_err_free(err);
}

/* Training units: the true latents have mean 0 and deviation 1 over the training series. */
Test(scoreboard, true_latents_are_standardised) {
  char path[4096];
  struct ssk_trial s;
  ssk_err *err = ssk_err_new();
  struct ssk_registry *registry = smoke_plugins(err);
  snprintf(path, sizeof path, "%s/recipes/smoke/emission_none.yaml", getenv("top_srcdir"));
  cr_assert(smoke_prepare(&s, path, 0, NULL, registry, err));
  int B = (int)s.data->split[SSK_TRAIN].n, T = s.data->window_length;
  struct ssk_window *windows = calloc((size_t)B, sizeof *windows);
  for (int b = 0; b < B; b++)
    windows[b].series = b;
  ssk_pass_begin(&s.pass, T, B, 1, NULL);
  struct ssk_observed obs = ssk_observe(&s.pass, s.data, SSK_TRAIN, windows);
  cr_assert_not_null(obs.z);
  double sum = 0, squares = 0;
  for (size_t i = 0; i < obs.z->count; i++) {
    sum += (double)obs.z->data[i];
    squares += (double)obs.z->data[i] * (double)obs.z->data[i];
  }
  cr_expect_float_eq(sum / (B * T), 0, 1e-5);
  cr_expect_float_eq(squares / (B * T), 1, 1e-5);
  free(windows);
  ssk_trial_release(&s);
  ssk_registry_free(registry);
  ssk_err_free(err);
}

static void expect_refusal(const char *recipe, const char *override, const char *message) {
  char path[4096];
  struct ssk_trial s;
  ssk_err *err = ssk_err_new();
  struct ssk_registry *registry = smoke_plugins(err);
  snprintf(path, sizeof path, "%s/recipes/smoke/%s", getenv("top_srcdir"), recipe);
  cr_expect_not(smoke_prepare(&s, path, 1, &override, registry, err));
  cr_expect_str_eq(ssk_err_message(err, 0), message);
  ssk_trial_release(&s);
  ssk_registry_free(registry);
  ssk_err_free(err);
}

Test(scoreboard, data_must_have_the_latents_that_are_taken) {
  expect_refusal("dataset_csv.yaml", "model.encoder.use=truth",
                 "the data set 'csv' has no true latents, which the encoder 'truth' takes");
  expect_refusal(
      "emission_none.yaml", "model.latent=3",
      "model.latent is 3, but the encoder 'truth' takes the true latents of the data set "
      "'bimodal_lift': 1");
}
