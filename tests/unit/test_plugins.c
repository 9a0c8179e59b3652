/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_plugins.c - every component, through its smoke recipe: does its gradient match differences,
 * does it give the same bits twice, and can it forecast? */
#include "infer/model_forecast.h"
#include "model/model.h"
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

struct subject {
  struct ssk_experiment *experiment;
  struct ssk_data *data;
  struct ssk_model *model;
  struct ssk_pass pass;
  ssk_real *values, *gradient;
};

static struct ssk_registry *plugins(ssk_err *err) {
  struct ssk_registry *registry = ssk_registry_new(err);
#ifdef SSK_DOUBLE
  ssk_registry_add_folder(registry, getenv("SSKIT_PLUGIN_PATH_DOUBLE"), err);
#else
  ssk_registry_add_folder(registry, getenv("SSKIT_PLUGIN_PATH"), err);
#endif
  return registry;
}

/* Weights away from their zero starts, so that no path is switched off. */
static void shake(const struct ssk_layout *layout, ssk_real *values) {
  for (int k = 0; k < layout->n; k++) {
    const struct ssk_slice *slice = &layout->slice[k];
    ssk_rng rng = ssk_rng_open(7, slice->name, "shake", 0, 0);
    for (size_t i = 0; i < slice->count && !(slice->flags & SSK_STATISTIC); i++)
      values[slice->offset + i] += (ssk_real)(0.1 * ssk_rng_normal(&rng));
  }
}

static bool prepare(struct subject *s, const char *path, struct ssk_registry *registry,
                    ssk_err *err) {
  *s = (struct subject){0};
  if (ssk_experiment_load(path, 0, NULL, registry, &s->experiment, err) ||
      ssk_data_load(s->experiment, &s->data, err) ||
      ssk_model_build(s->experiment, s->data, &s->model, err))
    return false;
  s->values = calloc(s->model->layout.total, sizeof *s->values);
  s->gradient = calloc(s->model->layout.total, sizeof *s->gradient);
  ssk_layout_initialise(&s->model->layout, 1, s->values);
  shake(&s->model->layout, s->values);
  return !ssk_pass_init(&s->pass, s->model, s->values);
}

static void release(struct subject *s) {
  if (s->pass.ctx.tape)
    ssk_pass_free(&s->pass);
  free(s->values);
  free(s->gradient);
  ssk_model_free(s->model);
  ssk_data_free(s->data);
  ssk_experiment_free(s->experiment);
}

/* Loss of four training windows: the objective's, so that it is in the chain too. */
static double loss(struct subject *s) {
  enum { B = 4 };
  memset(s->gradient, 0, s->model->layout.total * sizeof *s->gradient);
  ssk_pass_begin(&s->pass, s->data->window_length, B, (int)s->experiment->model.paths, s->gradient);
  struct ssk_ctx *ctx = &s->pass.ctx;
  ctx->training = true;
  ctx->progress = 0.5;
  ctx->step = 3;
  struct ssk_window windows[B];
  for (int b = 0; b < B; b++)
    windows[b] = s->data->windows[(b * 5) % s->data->n_windows];
  struct ssk_observed obs = ssk_observe(&s->pass, s->data, SSK_TRAIN, windows);
  struct ssk_posterior q = ssk_model_encode(&s->pass, &obs);
  struct ssk_bound bound = ssk_model_bound(&s->pass, &obs, &q);
  const struct ssk_instance *objective = s->experiment->objective;
  const struct ssk_objective_ops *ops = objective->component->ops;
  struct ssk_ctx inner = ssk_ctx_enter(ctx, objective->path);
  ssk_tensor *mean = ssk_mean_all(ctx->tape, ops->loss(objective->self, &inner, &bound));
  cr_assert_eq(ssk_tape_code(ctx->tape), SSK_OK, "%s", ssk_err_message(s->pass.err, 0));
  double value = (double)mean->data[0];
  ssk_backward(ctx->tape, mean, 1);
  return value;
}

#ifdef SSK_DOUBLE
/* The derivative along a random direction of every slice, against central differences. */
static void check_gradient(struct subject *s, const char *name) {
  size_t total = s->model->layout.total;
  loss(s);
  ssk_real *gradient = calloc(total, sizeof *gradient), *kept = calloc(total, sizeof *kept);
  memcpy(gradient, s->gradient, total * sizeof *gradient);
  memcpy(kept, s->values, total * sizeof *kept);
  for (int k = 0; k < s->model->layout.n; k++) {
    const struct ssk_slice *slice = &s->model->layout.slice[k];
    if (slice->flags & SSK_STATISTIC)
      continue;
    const double h = 1e-6; /* small: a ReLU whose kink it crosses has no derivative there */
    double side[2], analytic = 0, size = 0;
    for (int sign = 0; sign < 2; sign++) {
      ssk_rng rng = ssk_rng_open(11, slice->name, "direction", 0, 0);
      analytic = 0;
      for (size_t i = slice->offset; i < slice->offset + slice->count; i++) {
        double direction = ssk_rng_normal(&rng) / sqrt((double)slice->count);
        s->values[i] = kept[i] + (ssk_real)((sign ? -h : h) * direction);
        analytic += direction * (double)gradient[i];
        size += fabs((double)gradient[i]);
      }
      side[sign] = loss(s);
      memcpy(s->values + slice->offset, kept + slice->offset, slice->count * sizeof *kept);
    }
    double numeric = (side[0] - side[1]) / (2 * h);
    /* The loss is known to about 1e-15 of its size, so its difference to that over h. */
    double rounding = 1e-15 * fabs(side[0]) / h;
    cr_expect_leq(fabs(numeric - analytic), 1e-6 * fmax(fabs(analytic), 1e-2) + 20 * rounding,
                  "%s: %s: reverse mode %.12g, differences %.12g", name, slice->name, analytic,
                  numeric);
    cr_expect(isfinite(size), "%s: %s: gradient is not finite", name, slice->name);
  }
  free(gradient);
  free(kept);
}
#endif

static void check_determinism(struct subject *s, const char *name) {
  size_t bytes = s->model->layout.total * sizeof *s->gradient;
  double first = loss(s);
  ssk_real *gradient = malloc(bytes);
  memcpy(gradient, s->gradient, bytes);
  cr_expect(loss(s) == first && !memcmp(gradient, s->gradient, bytes),
            "%s: a second pass gives other bits", name);
  cr_expect(isfinite(first), "%s: the loss is not finite", name);
  free(gradient);
}

static void check_forecast(struct subject *s, const char *name, ssk_err *err) {
  enum { SAMPLES = 3, HORIZON = 2 };
  struct ssk_forecaster forecaster;
  int D = s->data->shape.D;
  double *paths = calloc((size_t)(SAMPLES * HORIZON * D), sizeof *paths);
  int context = s->data->split[SSK_TRAIN].length[0] - HORIZON;
  cr_assert_eq(ssk_model_forecaster(s->model, s->values, name, 1, 2, &forecaster, err), SSK_OK);
  int code = forecaster.forecast(forecaster.self, s->data, SSK_TRAIN, 0, context, HORIZON, SAMPLES,
                                 1, 0, paths, err);
  cr_expect_eq(code, SSK_OK, "%s: %s", name, ssk_err_message(err, 0));
  for (int i = 0; i < SAMPLES * HORIZON * D; i++)
    cr_expect(isfinite(paths[i]), "%s: a forecast is not finite", name);
  ssk_forecaster_free(&forecaster);
  free(paths);
}

static void check_recipe(const char *folder, const char *name, struct ssk_registry *registry) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  ssk_err *err = ssk_err_new();
  struct subject s;
  if (!prepare(&s, path, registry, err)) {
    ssk_err_print(err, stderr, false);
    cr_expect(false, "%s cannot be prepared", name);
  } else {
    check_determinism(&s, name);
#ifdef SSK_DOUBLE
    check_gradient(&s, name);
#endif
    check_forecast(&s, name, err);
  }
  release(&s);
  ssk_err_free(err);
}

Test(plugins, every_smoke_recipe) {
  char folder[2048];
  snprintf(folder, sizeof folder, "%s/recipes/smoke", getenv("top_srcdir"));
  ssk_err *err = ssk_err_new();
  struct ssk_registry *registry = plugins(err);
  cr_assert_eq(ssk_err_code(err), SSK_OK);
  struct dirent **entries;
  int n = scandir(folder, &entries, NULL, alphasort), recipes = 0;
  for (int i = 0; i < n; i++) {
    const char *name = entries[i]->d_name, *end = strrchr(name, '.');
    if (end && !strcmp(end, ".yaml") && strcmp(name, "common.yaml")) {
      check_recipe(folder, name, registry);
      recipes++;
    }
    free(entries[i]);
  }
  if (n >= 0)
    free(entries);
  cr_expect_gt(recipes, 0, "no smoke recipes in %s", folder);
  ssk_registry_free(registry);
  ssk_err_free(err);
}

Test(plugins, every_component_has_a_smoke_recipe) {
  ssk_err *err = ssk_err_new();
  struct ssk_registry *registry = plugins(err);
  const struct ssk_component *component;
  int i;
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
