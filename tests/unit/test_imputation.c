/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_imputation.c - entries that are held out, what is inferred in their place, and its metrics.
 */
#include "infer/baselines.h"
#include "infer/evaluate.h"
#include "infer/kalman.h"
#include "infer/model_forecast.h"
#include "infer/model_prior.h"
#include "support/instances.h"
#include "support/smoke.h"

TestSuite(imputation);

/* ---- what is held out ---------------------------------------------------------------------------
 */

static const char series[] = "sequences: 40\nvalid: 8\ntest: 40\nlength: 50\n";

static struct ssk_data *thin_out(struct kit *kit, double fraction, int64_t seed, int n,
                                 const char *const *splits) {
  struct ssk_data *data = kit_load_with(
      kit, kit_make(kit, SSK_DATASET, "lgssm", series),
      (struct ssk_missing_section){fraction, seed, {.n = n, .items = (const char **)splits}});
  if (!data)
    kit_fail(kit, "no data");
  return data;
}

Test(imputation, entries_are_hidden_at_random_and_their_values_stay) {
  static const char *const splits[] = {"train", "test"};
  struct kit kit;
  kit_open(&kit);
  const struct ssk_data *all = kit_data(&kit, "lgssm", series);
  const struct ssk_data *some = thin_out(&kit, 0.3, 1, 2, splits);
  const struct ssk_data *more = thin_out(&kit, 0.6, 1, 2, splits);
  const struct ssk_data *other = thin_out(&kit, 0.3, 2, 2, splits);
  const struct ssk_split_data *a = &all->split[SSK_TEST], *b = &some->split[SSK_TEST];
  const struct ssk_split_data *c = &more->split[SSK_TEST], *e = &other->split[SSK_TEST];
  int hidden = 0, different = 0;
  for (int i = 0; i < 40 * 50; i++) {
    cr_assert_eq(a->x[i], b->x[i]);
    cr_assert(b->hidden[i] != b->mask[i], "entry %d is both or neither", i);
    cr_assert(!b->hidden[i] || c->hidden[i], "a larger fraction shows entry %d", i);
    hidden += b->hidden[i] != 0;
    different += b->hidden[i] != e->hidden[i];
  }
  cr_expect(abs(hidden - 600) < 5 * sqrt(2000 * 0.3 * 0.7), "%d of 2000", hidden);
  cr_expect_gt(different, 500);
  cr_expect(!all->split[SSK_TRAIN].hidden && some->split[SSK_TRAIN].hidden);
  cr_expect(!some->split[SSK_VALID].hidden, "a split that was not named");
  cr_expect(all->fingerprint != some->fingerprint && some->fingerprint != other->fingerprint);
  kit_close(&kit);
}

Test(imputation, something_must_be_left_to_train_on) {
  static const char *const splits[] = {"train"};
  struct kit kit;
  kit_open(&kit);
  struct ssk_instance *two =
      kit_make(&kit, SSK_DATASET, "lgssm", "sequences: 1\nvalid: 0\ntest: 0\nlength: 2\n");
  const struct ssk_missing_section most = {0.999, 1, {.n = 1, .items = (const char **)splits}};
  cr_expect_null(kit_load_with(&kit, two, most));
  cr_expect_str_eq(ssk_err_message(kit.err, 0),
                   "missing.fraction hides all training entries of dimension 0");
  kit_close(&kit);
}

/* ---- baselines and the oracle -------------------------------------------------------------------
 */

enum { S = 500, L = 50 };

static void infer(const struct ssk_data *data, const char *baseline, int64_t i, double *x,
                  double *mean) {
  struct ssk_forecaster f;
  const struct ssk_series_posterior out = {.x = x, .mean = mean};
  cr_assert_eq(ssk_baseline_forecaster(baseline, data,
                                       &(struct ssk_evaluate_section){.particles = 100}, &f, NULL),
               SSK_OK);
  cr_assert_eq(f.posterior(f.self, data, SSK_TEST, i, S, 3, 0, &out, NULL), SSK_OK);
  ssk_forecaster_free(&f);
}

Test(imputation, baselines_fill_in_what_they_know) {
  static const char *const splits[] = {"train", "test"};
  struct kit kit;
  kit_open(&kit);
  const struct ssk_data *data = thin_out(&kit, 0.3, 1, 2, splits);
  const struct ssk_split_data *train = &data->split[SSK_TRAIN], *test = &data->split[SSK_TEST];
  double *x = malloc(sizeof *x * S * L), mean[L], sum = 0, n = 0;
  infer(data, "persistence", 2, x, mean);
  const double *row = test->x + 2 * L, *mask = test->mask + 2 * L;
  for (int t = 1; t < L; t++) {
    cr_expect_eq(mean[t], mask[t] != 0 ? row[t] : mean[t - 1]);
    cr_expect_eq(x[7 * L + t], mean[t]);
  }
  infer(data, "marginal", 2, x, mean); /* fewer than 100 series: of all steps */
  for (int i = 0; i < 40 * L; i++)
    if (train->mask[i] != 0)
      sum += train->x[i], n++;
  for (int t = 0; t < L; t++)
    cr_expect_float_eq(mean[t], sum / n, 1e-12);
  free(x);
  kit_close(&kit);
}

Test(imputation, the_oracle_is_the_kalman_smoother) {
  static const char *const splits[] = {"test"};
  struct kit kit;
  kit_open(&kit);
  const struct ssk_data *data = thin_out(&kit, 0.3, 1, 1, splits);
  const struct ssk_split_data *test = &data->split[SSK_TEST];
  struct ssk_linear_gaussian model;
  data->oracle->linear(data->dataset->self, &model);
  double *x = malloc(sizeof *x * S * L), mean[L];
  infer(data, "oracle", 2, x, mean);
  struct ssk_kalman k;
  cr_assert_eq(ssk_kalman_filter(&model, L, test->x + 2 * L, test->mask + 2 * L, &k, NULL), SSK_OK);
  cr_assert_eq(ssk_kalman_smooth(&model, &k, NULL), SSK_OK);
  for (int t = 0; t < L; t++) {
    double drawn = 0, squares = 0, variance = k.smoothed_cov[t] + 0.01;
    for (int s = 0; s < S; s++)
      drawn += x[s * L + t] / S;
    for (int s = 0; s < S; s++)
      squares += (x[s * L + t] - drawn) * (x[s * L + t] - drawn) / S;
    cr_expect_float_eq(mean[t], k.smoothed_mean[t], 1e-12);
    cr_expect_leq(fabs(drawn - mean[t]), 5 * sqrt(variance / S), "step %d", t);
    cr_expect_leq(fabs(squares - variance), 5 * variance * sqrt(2.0 / S), "step %d", t);
  }
  ssk_kalman_free(&k);
  free(x);
  kit_close(&kit);
}

/* ---- a model
 * -------------------------------------------------------------------------------------- */

static void prepare(struct ssk_trial *s, int n, const char *const *overrides,
                    struct ssk_registry *registry, ssk_err *err) {
  char path[2048];
  snprintf(path, sizeof path, "%s/recipes/smoke/metric_smoothing_gap.yaml", getenv("top_srcdir"));
  cr_assert(smoke_prepare(s, path, n, overrides, registry, err), "%s", ssk_err_message(err, 0));
}

/* What is inferred of test series 0, [mean, then all paths]. */
static void smooth(const struct ssk_trial *s, double *mean, double *x, double *z) {
  struct ssk_forecaster f;
  ssk_err *err = ssk_err_new();
  cr_assert_eq(ssk_model_forecaster(s->model, s->values, "m", 1, &s->experiment->evaluate, &f, err),
               SSK_OK);
  const struct ssk_series_posterior out = {.x = x, .mean = mean, .z = z};
  cr_expect_eq(f.posterior(f.self, s->data, SSK_TEST, 0, 16, 9, 0, &out, err), SSK_OK, "%s",
               ssk_err_message(err, 0));
  ssk_forecaster_free(&f);
  ssk_err_free(err);
}

static double largest_change(const double *a, const double *b, int n) {
  double worst = 0;
  for (int i = 0; i < n; i++)
    worst = fmax(worst, fabs(a[i] - b[i]));
  return worst;
}

/* Of what is hidden nothing shows; what was seen counts before and after it; and a draw by weights
 * is of the paths that there are. */
Test(imputation, a_model_smooths_what_it_sees) {
  enum { STEPS = 8, PATHS = 16, LATENT = 2 };
  ssk_err *err = ssk_err_new();
  struct ssk_registry *registry = smoke_plugins(err);
  struct ssk_trial s;
  prepare(&s, 1, (const char *[]){"evaluate.smoothing=encoder"}, registry, err);
  struct ssk_split_data *test = &s.data->split[SSK_TEST];
  double mean[3][STEPS], x[3][PATHS * STEPS], z[3][PATHS * STEPS * LATENT];
  smooth(&s, mean[0], x[0], z[0]);
  int hidden = -1, last = -1;
  for (int t = 0; t < STEPS; t++)
    if (test->hidden[t] != 0)
      hidden = t;
    else
      last = t;
  cr_assert(hidden >= 0 && last > 0, "choose another seed");
  test->x[hidden] += 100;
  smooth(&s, mean[1], x[1], z[1]);
  cr_expect(!memcmp(mean[0], mean[1], sizeof mean[0]) && !memcmp(x[0], x[1], sizeof x[0]),
            "a hidden value shows");
  const double seen = test->x[last];
  test->x[last] += 1;
  smooth(&s, mean[1], x[1], z[1]);
  cr_expect_gt(fabs(mean[0][0] - mean[1][0]), 1e-6, "the future does not count");
  test->x[last] = seen;

  s.experiment->evaluate.smoothing = 1;
  smooth(&s, mean[2], x[2], z[2]);
  cr_expect_gt(largest_change(mean[0], mean[2], STEPS), 1e-9, "weights change nothing");
  for (int p = 0; p < PATHS; p++) {
    bool found = false;
    for (int q = 0; q < PATHS; q++)
      found = found || (!memcmp(x[2] + p * STEPS, x[0] + q * STEPS, sizeof(double) * STEPS) &&
                        !memcmp(z[2] + p * STEPS * LATENT, z[0] + q * STEPS * LATENT,
                                sizeof(double) * STEPS * LATENT));
    cr_expect(found, "path %d is new", p);
  }
  ssk_trial_release(&s);
  ssk_registry_free(registry);
  ssk_err_free(err);
}

/* The standard prior with a random walk: z_t is a sum of normals, so its variance grows as they are
 * added. */
Test(imputation, series_are_drawn_from_the_prior) {
  enum { STEPS = 5, PATHS = 4000, LATENT = 2 };
  ssk_err *err = ssk_err_new();
  struct ssk_registry *registry = smoke_plugins(err);
  struct ssk_trial s;
  prepare(
      &s, 3,
      (const char *[]){"model.order=1", "model.initial=standard", "model.transition=random_walk"},
      registry, err);
  double *z = malloc(sizeof *z * PATHS * STEPS * LATENT), *x = malloc(sizeof *x * PATHS * STEPS);
  cr_assert_eq(ssk_model_draw(s.model, s.values, s.data, SSK_TEST, 0, STEPS, PATHS, 1, z, x, err),
               SSK_OK, "%s", ssk_err_message(err, 0));
  double step = 0, variance[STEPS] = {0};
  for (int p = 0; p < PATHS; p++)
    for (int t = 0; t < STEPS; t++) {
      const double *at = z + (p * STEPS + t) * LATENT;
      variance[t] += at[0] * at[0] / PATHS;
      step += t ? (at[0] - at[-LATENT]) * (at[0] - at[-LATENT]) / PATHS / (STEPS - 1) : 0;
      cr_assert(isfinite(x[p * STEPS + t]));
    }
  cr_expect_leq(fabs(variance[0] - 1), 5 * sqrt(2.0 / PATHS), "%g", variance[0]);
  for (int t = 1; t < STEPS; t++)
    cr_expect_leq(fabs(variance[t] / (1 + t * step) - 1), 5 * sqrt(2.0 / PATHS), "step %d: %g", t,
                  variance[t]);
  free(z);
  free(x);
  ssk_trial_release(&s);
  ssk_registry_free(registry);
  ssk_err_free(err);
}

/* ---- metrics
 * -------------------------------------------------------------------------------------- */

static double value_of(struct kit *kit, const char *metric, const struct ssk_smoothing *smoothing) {
  const struct ssk_instance *i = kit_make(kit, SSK_METRIC, metric, "");
  const struct ssk_metric_ops *ops = i->component->ops;
  const struct ssk_case c = {.size = sizeof c, .D = 2, .samples = 3, .smoothing = smoothing};
  cr_expect_eq(ops->needs, SSK_NEEDS_POSTERIOR);
  return ops->value(i->self, &c);
}

Test(imputation, metrics_by_hand) {
  /* Two steps of two dimensions; entries 1 and 2 are hidden. */
  static const double x[] = {1, 2, 3, 4}, observed[] = {1, 0, 0, 0}, hidden[] = {0, 1, 1, 0};
  static const double mean[] = {1.5, 2.5, 1, 9}, signal[] = {1, 1, 1, 1},
                      exact[] = {1.5, 2.5, 3, 7};
  static const double paths[] = {0, 3, 3, 0, 0, 5, 3, 0, 0, 4, 6, 0};
  struct ssk_smoothing s = {.size = sizeof s,
                            .length = 2,
                            .x = x,
                            .observed = observed,
                            .hidden = hidden,
                            .paths = paths,
                            .mean = mean,
                            .signal = signal,
                            .exact = exact};
  struct kit kit;
  kit_open(&kit);
  cr_expect_float_eq(value_of(&kit, "imputation_rmse", &s), sqrt((0.25 + 4) / 2), 1e-12);
  /* E|X - y| = 2 and 1; E|X - X'|/2 over distinct pairs: (2 + 1 + 1)/3/2 and (0 + 3 + 3)/3/2 */
  cr_expect_float_eq(value_of(&kit, "imputation_crps", &s), (4.0 / 3 + 0) / 2, 1e-12);
  cr_expect_float_eq(value_of(&kit, "smoothing_rmse", &s), sqrt((0.25 + 2.25 + 0 + 64) / 4), 1e-12);
  cr_expect_float_eq(value_of(&kit, "smoothing_gap", &s), sqrt((4 + 4) / 4.0), 1e-12);
  s.hidden = s.signal = s.exact = NULL;
  cr_expect(isnan(value_of(&kit, "imputation_rmse", &s)) &&
            isnan(value_of(&kit, "imputation_crps", &s)) &&
            isnan(value_of(&kit, "smoothing_rmse", &s)) &&
            isnan(value_of(&kit, "smoothing_gap", &s)));
  kit_close(&kit);
}

/* On linear data the oracle has no gap, and its squared error and the gap of another add up: the
 * error of the exact mean is uncorrelated with all that depends on the observations alone. */
Test(imputation, errors_add_up) {
  static const char *const splits[] = {"train", "test"};
  struct kit kit;
  kit_open(&kit);
  const struct ssk_data *data = kit_load_with(
      &kit, kit_make(&kit, SSK_DATASET, "lgssm", "sequences: 100\nvalid: 0\ntest: 400\n"),
      (struct ssk_missing_section){0.3, 1, {.n = 2, .items = (const char **)splits}});
  cr_assert_not_null(data);
  struct ssk_instance *metrics[] = {kit_make(&kit, SSK_METRIC, "smoothing_rmse", ""),
                                    kit_make(&kit, SSK_METRIC, "smoothing_gap", "")};
  const struct ssk_evaluate_section how = {.split = SSK_TEST,
                                           .horizon = 1,
                                           .samples = 2,
                                           .particles = 10,
                                           .metrics = {.n = 2, .items = metrics}};
  double squares[2][2] = {{0}};
  static const char *const rows[] = {"oracle", "persistence"};
  for (int r = 0; r < 2; r++) {
    struct ssk_forecaster f;
    struct ssk_evaluation e;
    cr_assert_eq(ssk_baseline_forecaster(rows[r], data, &how, &f, NULL), SSK_OK);
    cr_assert_eq(ssk_evaluate(&f, data, &how, 1, NULL, &e, NULL), SSK_OK);
    for (int i = 0; i < 400; i++)
      for (int k = 0; k < 2; k++)
        squares[r][k] += e.values[i * 2 + k] * e.values[i * 2 + k] / 400;
    ssk_evaluation_free(&e);
    ssk_forecaster_free(&f);
  }
  cr_expect_lt(squares[0][1], 1e-20, "the oracle has a gap of %g", squares[0][1]);
  const double sum = squares[0][0] + squares[1][1];
  cr_expect_lt(fabs(squares[1][0] / sum - 1), 0.05, "%g, not %g", squares[1][0], sum);
  kit_close(&kit);
}
