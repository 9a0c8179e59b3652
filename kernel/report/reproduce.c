/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reproduce.c - from a recipe with expectations to pass or fail. */
#include "report/reproduce.h"
#include "report/compare.h"
#include "report/run_score.h"
#include "report/study_folder.h"
#include <stdlib.h>

static int run_study(struct ssk_reproduction *r, const char *path, const char *folder,
                     const struct ssk_run_options *options, ssk_err *err) {
  struct ssk_study *study;
  int code = ssk_study_load(path, r->expected.set.n, r->expected.set.items, options->registry,
                            &study, err);
  if (code)
    return code;
  code = ssk_compare_run(study, path, folder, options, &r->expected, &r->table, err);
  ssk_study_free(study);
  return code;
}

static int score(struct ssk_reproduction *r, const char *folder,
                 const struct ssk_run_options *options, ssk_err *err) {
  struct ssk_run *run;
  struct ssk_pool *pool = NULL;
  int code = ssk_run_open(folder, 0, NULL, options->registry, &run, err);
  if (code)
    return code;
  code = ssk_pool_new(options->threads, &pool, err);
  if (!code)
    code = ssk_run_table(run, pool, &r->table, err);
  ssk_pool_free(pool);
  ssk_run_free(run);
  return code;
}

static int check_fit(const struct ssk_reproduction *r, const struct ssk_experiment *e,
                     ssk_err *err) {
  struct ssk_table table;
  int code = ssk_table_init(&table, &e->evaluate, err);
  if (!code)
    code = ssk_expectations_fit(&r->expected, 1, &e->name, table.n_columns, table.columns, err);
  ssk_table_free(&table);
  return code;
}

static int run_experiment(struct ssk_reproduction *r, const char *path, const char *folder,
                          const struct ssk_run_options *options, ssk_err *err) {
  struct ssk_experiment *e;
  int code = ssk_experiment_load(path, r->expected.set.n, r->expected.set.items, options->registry,
                                 &e, err);
  if (code)
    return code;
  code = check_fit(r, e, err);
  if (!code)
    code = ssk_study_run_check(e, folder, err);
  if (!code)
    code = ssk_study_run_train(e, folder, options, err);
  ssk_experiment_free(e);
  return code ? code : score(r, folder, options, err);
}

int ssk_reproduce(const char *path, bool quick, const char *folder,
                  const struct ssk_run_options *options, struct ssk_reproduction *out,
                  ssk_err *err) {
  *out = (struct ssk_reproduction){0};
  int code = ssk_expectations_load(path, quick, &out->expected, err);
  if (code)
    return code;
  out->found = calloc((size_t)out->expected.n, sizeof *out->found);
  if (!out->found)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the figures");
  code = ssk_is_study(path) ? run_study(out, path, folder, options, err)
                            : run_experiment(out, path, folder, options, err);
  return code ? code
              : ssk_expectations_judge(&out->expected, &out->table, out->found, &out->failed, err);
}

void ssk_reproduction_free(struct ssk_reproduction *r) {
  ssk_table_free(&r->table);
  ssk_expectations_free(&r->expected);
  free(r->found);
  *r = (struct ssk_reproduction){0};
}
