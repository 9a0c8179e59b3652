/* SPDX-License-Identifier: GPL-3.0-or-later */
/* smoke.h - the smallest models of recipes/smoke as test subjects: one for each component. */
#ifndef TESTS_SMOKE_H
#define TESTS_SMOKE_H

#include "model/segments.h"
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

static inline struct ssk_registry *smoke_plugins(ssk_err *err) {
  struct ssk_registry *registry = ssk_registry_new(err);
#ifdef SSK_DOUBLE
  ssk_registry_add_folder(registry, getenv("SSKIT_PLUGIN_PATH_DOUBLE"), err);
#else
  ssk_registry_add_folder(registry, getenv("SSKIT_PLUGIN_PATH"), err);
#endif
  return registry;
}

/* Weights away from their zero starts, so that no path is switched off. */
static inline void smoke_shake(const struct ssk_layout *layout, ssk_real *values) {
  for (int k = 0; k < layout->n; k++) {
    const struct ssk_slice *slice = &layout->slice[k];
    ssk_rng rng = ssk_rng_open(7, slice->name, "shake", 0, 0);
    for (size_t i = 0; i < slice->count && !(slice->flags & SSK_STATISTIC); i++)
      values[slice->offset + i] += (ssk_real)(0.1 * ssk_rng_normal(&rng));
  }
}

/* From a recipe with overrides; false, with the reason in err, where that cannot be. */
static inline bool smoke_prepare(struct subject *s, const char *path, int n,
                                 const char *const *overrides, struct ssk_registry *registry,
                                 ssk_err *err) {
  *s = (struct subject){0};
  if (ssk_experiment_load(path, n, overrides, registry, &s->experiment, err) ||
      ssk_data_load(s->experiment, &s->data, err) ||
      ssk_model_build(s->experiment, s->data, &s->model, err))
    return false;
  s->values = calloc(s->model->layout.total, sizeof *s->values);
  s->gradient = calloc(s->model->layout.total, sizeof *s->gradient);
  ssk_layout_initialise(&s->model->layout, 1, s->values);
  smoke_shake(&s->model->layout, s->values);
  return !ssk_pass_init(&s->pass, s->model, s->values);
}

static inline void smoke_release(struct subject *s) {
  if (s->pass.ctx.tape)
    ssk_pass_free(&s->pass);
  free(s->values);
  free(s->gradient);
  ssk_model_free(s->model);
  ssk_data_free(s->data);
  ssk_experiment_free(s->experiment);
}

/* Loss of four training windows, and its gradient: the objective's, so that it is in the chain too.
 * One window reaches beyond its series. segment: of the recipe key training.segment. */
static inline double smoke_loss(struct subject *s, int segment) {
  enum { B = 4 };
  struct ssk_pass *pass = &s->pass;
  struct ssk_ctx *ctx = &pass->ctx;
  memset(s->gradient, 0, s->model->layout.total * sizeof *s->gradient);
  ssk_pass_begin(pass, s->data->window_length, B, (int)s->experiment->model.paths,
                 segment ? NULL : s->gradient);
  ctx->training = true;
  ctx->progress = 0.5;
  ctx->step = 3;
  struct ssk_window windows[B];
  for (int b = 0; b < B; b++)
    windows[b] = s->data->windows[(b * 5) % s->data->n_windows];
  windows[1].start = s->data->split[SSK_TRAIN].length[windows[1].series] - ctx->dims->j - 1;
  struct ssk_observed obs = ssk_observe(pass, s->data, SSK_TRAIN, windows);
  struct ssk_walk walk;
  struct ssk_bound bound;
  if (segment) {
    ssk_walk_begin(&walk, pass, &obs, ssk_segment_length(pass, segment));
    bound = ssk_walk_bound(&walk, s->gradient);
  } else {
    bound = ssk_model_bound(pass, &obs);
  }
  const struct ssk_instance *objective = s->experiment->objective;
  const struct ssk_objective_ops *ops = objective->component->ops;
  struct ssk_ctx inner = ssk_ctx_enter(ctx, objective->path);
  ssk_tensor *mean = ssk_mean_all(ctx->tape, ops->loss(objective->self, &inner, &bound));
  cr_assert_eq(ssk_tape_code(ctx->tape), SSK_OK, "%s", ssk_err_message(pass->err, 0));
  double value = (double)mean->data[0];
  ssk_backward(ctx->tape, mean, 1);
  if (segment)
    ssk_walk_backward(&walk);
  cr_assert_eq(ssk_tape_code(ctx->tape), SSK_OK, "%s", ssk_err_message(pass->err, 0));
  return value;
}

/* Is this the recipe of a component whose library the build is without? */
static inline bool smoke_left_out(const char *recipe) {
  const char *without = getenv("SSKIT_WITHOUT");
  for (size_t n; without && *without; without += n) {
    without += strspn(without, " ");
    n = strcspn(without, " ");
    if (n && !strncmp(recipe, without, n) && !strcmp(recipe + n, ".yaml"))
      return true;
  }
  return false;
}

/* Call `check` with a subject of each recipe of recipes/smoke; returns their number. */
static inline int smoke_each(int n, const char *const *overrides,
                             void (*check)(struct subject *s, const char *name)) {
  char folder[2048], path[4096];
  snprintf(folder, sizeof folder, "%s/recipes/smoke", getenv("top_srcdir"));
  ssk_err *err = ssk_err_new();
  struct ssk_registry *registry = smoke_plugins(err);
  cr_assert_eq(ssk_err_code(err), SSK_OK);
  struct dirent **entries;
  int found = scandir(folder, &entries, NULL, alphasort), recipes = 0;
  for (int i = 0; i < found; i++) {
    const char *name = entries[i]->d_name, *end = strrchr(name, '.');
    if (end && !strcmp(end, ".yaml") && strcmp(name, "common.yaml") && !smoke_left_out(name)) {
      snprintf(path, sizeof path, "%s/%s", folder, name);
      struct subject s;
      if (smoke_prepare(&s, path, n, overrides, registry, err)) {
        check(&s, name);
        recipes++;
      } else {
        ssk_err_print(err, stderr, false);
        cr_expect(false, "%s cannot be prepared", name);
        ssk_err_clear(err);
      }
      smoke_release(&s);
    }
    free(entries[i]);
  }
  if (found >= 0)
    free(entries);
  ssk_registry_free(registry);
  ssk_err_free(err);
  return recipes;
}

#endif
