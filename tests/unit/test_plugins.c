/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_plugins.c - every component, through its smoke recipe: does its gradient match differences,
 * does it give the same bits twice, and can it forecast? */
#include "infer/model_forecast.h"
#include "support/smoke.h"

/* The derivative of the loss by every slice, along two directions, against central differences. */
static void check_gradient(struct ssk_trial *s, const char *name) {
  const size_t bytes = s->model->layout.total * sizeof *s->gradient;
  smoke_loss(s, 0);
  ssk_real *gradient = malloc(bytes);
  memcpy(gradient, s->gradient, bytes);
  for (int k = 0; k < s->model->layout.n; k++) {
    const struct ssk_slice *slice = &s->model->layout.slice[k];
    for (int along = 0; along < 2 && !(slice->flags & SSK_STATISTIC); along++) {
      const struct ssk_slope slope = ssk_trial_slope(s, k, gradient, along);
      cr_expect_leq(fabs(slope.differences - slope.reverse), slope.allowed,
                    "%s: %s: reverse mode %.12g, differences %.12g, allowed %.3g", name,
                    slice->name, slope.reverse, slope.differences, slope.allowed);
    }
  }
  free(gradient);
}

static void check_determinism(struct ssk_trial *s, const char *name) {
  size_t bytes = s->model->layout.total * sizeof *s->gradient;
  double first = smoke_loss(s, 0);
  ssk_real *gradient = malloc(bytes);
  memcpy(gradient, s->gradient, bytes);
  cr_expect(smoke_loss(s, 0) == first && !memcmp(gradient, s->gradient, bytes),
            "%s: a second pass gives other bits", name);
  cr_expect(isfinite(first), "%s: the loss is not finite", name);
  free(gradient);
}

/* One step of the transition alone: a density, and draws that are the same at each call. */
static void check_transition(const struct ssk_trial *s, const struct ssk_forecaster *forecaster,
                             int context, const char *name, ssk_err *err) {
  enum { DRAWS = 3 };
  int d = s->model->dims.d;
  cr_assert_eq(!forecaster->transition, ssk_model_paths(s->model) != NULL);
  if (!forecaster->transition)
    return;
  double *memory = calloc((size_t)((2 * DRAWS + 1) * d), sizeof *memory);
  struct ssk_series_transition t = {.next = memory, .log_prob = NAN};
  cr_assert_eq(forecaster->latents, d);
  for (int call = 0; call < 2; call++) {
    t.draws = memory + d + call * DRAWS * d;
    int code = forecaster->transition(forecaster->self, s->data, SSK_TRAIN, 0, context, DRAWS, 1, 0,
                                      &t, err);
    cr_expect_eq(code, SSK_OK, "%s: %s", name, ssk_err_message(err, 0));
  }
  cr_expect(isfinite(t.log_prob), "%s: the transition's density is not finite", name);
  for (int i = 0; i < DRAWS * d; i++)
    cr_expect(isfinite(t.draws[i]) && t.draws[i] == memory[d + i], "%s: draw %d of the transition",
              name, i);
  free(memory);
}

static void check_forecast(struct ssk_trial *s, const char *name) {
  enum { SAMPLES = 3, HORIZON = 2 };
  struct ssk_forecaster forecaster;
  ssk_err *err = ssk_err_new();
  int D = s->data->shape.D;
  double *paths = calloc((size_t)(SAMPLES * HORIZON * D), sizeof *paths);
  int context = s->data->split[SSK_TRAIN].length[0] - HORIZON;
  cr_assert_eq(ssk_model_forecaster(s->model, s->values, name, 1, &s->experiment->evaluate,
                                    &forecaster, err),
               SSK_OK);
  const struct ssk_emission_ops *emission = s->experiment->model.emission->component->ops;
  cr_expect_eq(forecaster.forecast != NULL, emission->sample != NULL);
  int code = forecaster.forecast ? forecaster.forecast(forecaster.self, s->data, SSK_TRAIN, 0,
                                                       context, HORIZON, SAMPLES, 1, 0, paths, err)
                                 : SSK_OK;
  cr_expect_eq(code, SSK_OK, "%s: %s", name, ssk_err_message(err, 0));
  for (int i = 0; i < SAMPLES * HORIZON * D; i++)
    cr_expect(isfinite(paths[i]), "%s: a forecast is not finite", name);
  struct ssk_series_likelihood likelihood = {0};
  if (forecaster.likelihood)
    code = forecaster.likelihood(forecaster.self, s->data, SSK_TRAIN, 0, context, 1, 0, &likelihood,
                                 err);
  cr_expect_eq(code, SSK_OK, "%s: %s", name, ssk_err_message(err, 0));
  cr_expect(isfinite(likelihood.log_likelihood), "%s: the likelihood is not finite", name);
  check_transition(s, &forecaster, context, name, err);
  ssk_forecaster_free(&forecaster);
  ssk_err_free(err);
  free(paths);
}

static void check_recipe(struct ssk_trial *s, const char *name) {
  check_determinism(s, name);
  check_gradient(s, name);
  check_forecast(s, name);
}

Test(plugins, every_smoke_recipe) {
  cr_expect_gt(smoke_each(0, NULL, check_recipe), 0, "no smoke recipes");
}

Test(plugins, every_component_has_a_smoke_recipe) {
  ssk_err *err = ssk_err_new();
  struct ssk_registry *registry = smoke_plugins(err);
  const struct ssk_component *component;
  int i;
  cr_assert_eq(ssk_registry_open_all(registry, err), SSK_OK);
  for (i = 0; (component = ssk_registry_at(registry, i, NULL)); i++) {
    char path[2048];
    snprintf(path, sizeof path, "%s/recipes/smoke/%s_%s.yaml", getenv("top_srcdir"),
             ssk_kind_name(component->kind), component->name);
    FILE *file = fopen(path, "r");
    cr_expect(file != NULL, "no recipe %s", path);
    if (file)
      fclose(file);
  }
  cr_expect_gt(i, 0, "no components were found");
  ssk_registry_free(registry);
  ssk_err_free(err);
}
