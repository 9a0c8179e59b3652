/* SPDX-License-Identifier: GPL-3.0-or-later */
/* smoke.h - the smallest models of recipes/smoke as test subjects: one for each component. */
#ifndef TESTS_SMOKE_H
#define TESTS_SMOKE_H

#include "model/segments.h"
#include "model/trial.h"
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

static inline struct ssk_registry *smoke_plugins(ssk_err *err) {
  struct ssk_registry *registry = ssk_registry_new(err);
#ifdef SSK_DOUBLE
  ssk_registry_add_folder(registry, getenv("SSKIT_PLUGIN_PATH_DOUBLE"), err);
#else
  ssk_registry_add_folder(registry, getenv("SSKIT_PLUGIN_PATH"), err);
#endif
  return registry;
}

/* From a recipe with overrides; false, with the reason in err, where that cannot be. */
static inline bool smoke_prepare(struct ssk_trial *s, const char *path, int n,
                                 const char *const *overrides, struct ssk_registry *registry,
                                 ssk_err *err) {
  struct ssk_experiment *experiment;
  *s = (struct ssk_trial){0};
  return !ssk_experiment_load(path, n, overrides, registry, &experiment, err) &&
         !ssk_trial_open(s, experiment, err);
}

/* ssk_trial_loss, which must not fail. */
static inline double smoke_loss(struct ssk_trial *s, int segment) {
  const double value = ssk_trial_loss(s, &s->pass, s->gradient, segment);
  cr_assert_eq(ssk_tape_code(s->pass.ctx.tape), SSK_OK, "%s", ssk_err_message(s->pass.err, 0));
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
                             void (*check)(struct ssk_trial *s, const char *name)) {
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
      struct ssk_trial s;
      if (smoke_prepare(&s, path, n, overrides, registry, err)) {
        check(&s, name);
        recipes++;
      } else {
        ssk_err_print(err, stderr, false);
        cr_expect(false, "%s cannot be prepared", name);
        ssk_err_clear(err);
      }
      ssk_trial_release(&s);
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
