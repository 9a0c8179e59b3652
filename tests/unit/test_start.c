/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_start.c - trainings that have frozen parts from another: their weights, and what is said
 * where these do not fit. */
#include "core/file.h"
#include "report/run.h"
#include "support/smoke.h"
#include <unistd.h>

TestSuite(start);

struct trial {
  ssk_err *err;
  struct ssk_registry *registry;
  char folder[64], donor[128], heir[128], from[512];
};

static void begin(struct trial *t) {
  t->err = ssk_err_new();
  t->registry = smoke_plugins(t->err);
  snprintf(t->folder, sizeof t->folder, "/tmp/test_start.XXXXXX");
  cr_assert_not_null(mkdtemp(t->folder));
  snprintf(t->donor, sizeof t->donor, "%s/donor", t->folder);
  snprintf(t->heir, sizeof t->heir, "%s/heir", t->folder);
  snprintf(t->from, sizeof t->from, "training={freeze: [encoder, emission], start: '%s'}",
           t->donor);
}

static void end(struct trial *t) {
  char command[128];
  snprintf(command, sizeof command, "rm -rf '%s'", t->folder);
  cr_expect_eq(system(command), 0);
  ssk_registry_free(t->registry);
  ssk_err_free(t->err);
}

static int train(struct trial *t, const char *recipe, const char *folder, int n,
                 const char *const *overrides) {
  char path[4096];
  struct ssk_experiment *experiment = NULL;
  const struct ssk_run_options options = {.threads = 1, .registry = t->registry};
  snprintf(path, sizeof path, "%s/recipes/smoke/%s", getenv("top_srcdir"), recipe);
  int code = ssk_experiment_load(path, n, overrides, t->registry, &experiment, t->err);
  if (!code)
    code = ssk_run_train(experiment, folder, &options, NULL, t->err);
  ssk_experiment_free(experiment);
  return code;
}

/* The averaged weights of the same name and number; NULL where the run has none. */
static const ssk_real *weights_of(const struct ssk_run *run, const struct ssk_slice *wanted) {
  for (int i = 0; i < run->model->layout.n; i++) {
    const struct ssk_slice *slice = &run->model->layout.slice[i];
    if (!strcmp(slice->name, wanted->name) && slice->count == wanted->count)
      return run->values + slice->offset;
  }
  return NULL;
}

Test(start, frozen_parts_have_the_weights_of_the_start) {
  struct trial t;
  begin(&t);
  const char *other_seed = "seed=2", *set[] = {t.from};
  struct ssk_run *donor, *heir;
  cr_assert_eq(train(&t, "transition_gaussian.yaml", t.donor, 1, &other_seed), SSK_OK, "%s",
               ssk_err_message(t.err, 0));
  cr_assert_eq(train(&t, "transition_mixture.yaml", t.heir, 1, set), SSK_OK, "%s",
               ssk_err_message(t.err, 0));
  cr_assert_eq(ssk_run_open(t.donor, 0, NULL, t.registry, &donor, t.err), SSK_OK);
  cr_assert_eq(ssk_run_open(t.heir, 0, NULL, t.registry, &heir, t.err), SSK_OK);
  int frozen = 0, own = 0;
  for (int i = 0; i < heir->model->layout.n; i++) {
    const struct ssk_slice *slice = &heir->model->layout.slice[i];
    const ssk_real *mine = heir->values + slice->offset, *theirs = weights_of(donor, slice);
    size_t bytes = slice->count * sizeof *mine;
    if (slice->part == SSK_PART_INITIAL || slice->part == SSK_PART_TRANSITION) {
      own += !theirs || memcmp(mine, theirs, bytes) != 0;
      continue;
    }
    cr_assert_not_null(theirs, "%s", slice->name);
    cr_expect_arr_eq(mine, theirs, bytes, "%s is not what it was", slice->name);
    frozen++;
  }
  cr_expect(frozen > 4 && own > 4, "%d slices frozen, %d of its own", frozen, own);
  ssk_run_free(donor);
  ssk_run_free(heir);
  end(&t);
}

Test(start, what_does_not_fit_is_named) {
  struct trial t;
  begin(&t);
  const char *wider[] = {t.from, "model.encoder.network.hidden=8"}, *none[] = {t.from};
  cr_expect_eq(train(&t, "transition_mixture.yaml", t.heir, 1, none), SSK_EIO);
  cr_expect(strstr(ssk_err_message(t.err, 0), "donor"), "%s", ssk_err_message(t.err, 0));
  ssk_err_clear(t.err);
  cr_assert_eq(train(&t, "transition_gaussian.yaml", t.donor, 0, NULL), SSK_OK);
  cr_expect_eq(train(&t, "transition_mixture.yaml", t.heir, 2, wider), SSK_EDATA);
  cr_expect(strstr(ssk_err_message(t.err, 0), "the model needs ["), "%s",
            ssk_err_message(t.err, 0));
  cr_expect_not(ssk_file_exists(t.heir), "a training that cannot begin leaves no run");
  end(&t);
}
