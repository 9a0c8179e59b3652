/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_trained.c - a trained model by sskit.h alone: what it computes depends on its arguments, and
 * wrong calls are told. */
#include "report/run.h"
#include "support/smoke.h"
#include <math.h>
#include <sskit/sskit.h>
#include <unistd.h>

TestSuite(trained);

enum { STEPS = 12, HORIZON = 3, SAMPLES = 70 };

struct trial {
  ssk_err *err;
  char folder[64];
  ssk_trained *model;
};

static void begin(struct trial *t, const char *recipe) {
  char path[4096];
  struct ssk_experiment *experiment = NULL;
#ifdef SSK_DOUBLE
  setenv("SSKIT_PLUGIN_PATH", getenv("SSKIT_PLUGIN_PATH_DOUBLE"), 1);
#endif
  t->err = ssk_err_new();
  struct ssk_registry *registry = smoke_plugins(t->err);
  const struct ssk_run_options options = {.threads = 1, .registry = registry};
  snprintf(t->folder, sizeof t->folder, "/tmp/test_trained.XXXXXX");
  cr_assert_not_null(mkdtemp(t->folder));
  snprintf(path, sizeof path, "%s/recipes/smoke/%s", getenv("top_srcdir"), recipe);
  int code = ssk_experiment_load(path, 0, NULL, registry, &experiment, t->err);
  if (!code)
    code = ssk_run_train(experiment, t->folder, &options, NULL, t->err);
  ssk_experiment_free(experiment);
  ssk_registry_free(registry);
  if (!code)
    code = ssk_trained_open(t->folder, &t->model, t->err);
  cr_assert_eq(code, SSK_OK, "%s", ssk_err_message(t->err, 0));
}

static void end(struct trial *t) {
  char command[128];
  snprintf(command, sizeof command, "rm -rf '%s'", t->folder);
  cr_expect_eq(system(command), 0);
  ssk_trained_free(t->model);
  ssk_err_free(t->err);
}

Test(trained, forecasts_depend_on_the_arguments_alone) {
  struct trial t;
  begin(&t, "dataset_lgssm.yaml");
  const struct ssk_trained_sizes sizes = ssk_trained_sizes(t.model);
  cr_assert_eq(sizes.dimensions, 1);
  cr_expect_eq(sizes.covariates + sizes.statics, 0);
  double x[STEPS], first[SAMPLES * HORIZON], again[SAMPLES * HORIZON];
  for (int k = 0; k < STEPS; k++)
    x[k] = k == 5 ? NAN : sin(k);
  const struct ssk_trained_series series = {.steps = STEPS, .x = x}, shorter = {.steps = 4, .x = x};
  cr_assert_eq(ssk_trained_condition(t.model, &series, t.err), SSK_OK);
  cr_assert_eq(ssk_trained_forecast(t.model, HORIZON, SAMPLES, 0, first, t.err), SSK_OK);
  for (int k = 0; k < SAMPLES * HORIZON; k++)
    cr_assert(isfinite(first[k]));
  cr_assert_eq(ssk_trained_condition(t.model, &shorter, t.err), SSK_OK);
  cr_assert_eq(ssk_trained_forecast(t.model, HORIZON, SAMPLES, 0, again, t.err), SSK_OK);
  cr_expect_neq(memcmp(first, again, sizeof first), 0);
  cr_assert_eq(ssk_trained_condition(t.model, &series, t.err), SSK_OK);
  cr_assert_eq(ssk_trained_forecast(t.model, HORIZON, SAMPLES, 77, again, t.err), SSK_OK);
  cr_expect_neq(memcmp(first, again, sizeof first), 0);
  cr_assert_eq(ssk_trained_forecast(t.model, HORIZON, SAMPLES, 0, again, t.err), SSK_OK);
  cr_expect_eq(memcmp(first, again, sizeof first), 0);
  end(&t);
}

Test(trained, wrong_calls_are_told) {
  struct trial t;
  begin(&t, "dataset_lgssm.yaml");
  double x[STEPS] = {0}, paths[SAMPLES * HORIZON];
  ssk_trained *none;
  const struct ssk_trained_series good = {.steps = STEPS, .x = x}, empty = {.steps = 0, .x = x};
  cr_expect_eq(ssk_trained_open("/nowhere", &none, t.err), SSK_EIO);
  cr_expect_null(none);
  cr_expect_eq(ssk_trained_forecast(t.model, 1, 1, 0, paths, t.err), SSK_EUSAGE);
  cr_expect_eq(ssk_trained_condition(t.model, &empty, t.err), SSK_EUSAGE);
  cr_expect_eq(ssk_trained_condition(t.model, &good, t.err), SSK_OK);
  cr_expect_eq(ssk_trained_forecast(t.model, 0, 1, 0, paths, t.err), SSK_EUSAGE);
  cr_expect_eq(ssk_trained_forecast(t.model, 1, 0, 0, paths, t.err), SSK_EUSAGE);
  x[3] = INFINITY;
  cr_expect_eq(ssk_trained_condition(t.model, &good, t.err), SSK_EDATA);
  cr_expect_eq(ssk_trained_forecast(t.model, 1, 1, 0, paths, t.err), SSK_EUSAGE);
  cr_expect_eq(ssk_trained_condition(t.model, &good, NULL), SSK_EDATA);
  ssk_trained_free(NULL);
  end(&t);
}
