/* SPDX-License-Identifier: GPL-3.0-or-later */
/* compare.c - a study from its recipe to the scores of its rows. All rows see the same series, and
 * the same seed gives two models the same start, order of data and noise wherever they share a
 * component: differences are paired. */
#include "report/compare.h"
#include "infer/baselines.h"
#include "report/run_score.h"
#include "report/score.h"
#include "report/study_folder.h"
#include "report/study_rows.h"
#include <stdlib.h>

/* A study while it runs. */
struct work {
  struct ssk_study_rows rows;
  const struct ssk_run_options *options;
  struct ssk_pool *pool;
  struct ssk_table *table;
  int training, trainings; /* the one at hand, from 1, of so many */
};

static uint64_t seed_of(const struct work *w, int s) {
  return (uint64_t)w->rows.study->compare.seeds.items[s];
}

/* ---- trainings ------------------------------------------------------------------------------- */

/* What is done with each training of the study, in their order. `name`: of its row, or "start". */
typedef int visit(struct work *w, const struct ssk_experiment *e, const char *name,
                  const char *folder, ssk_err *err);

/* `row` -1: the training that frozen parts have their weights from. */
static int visit_one(struct work *w, int row, int s, visit *what, ssk_err *err) {
  struct ssk_experiment *e;
  const bool start = row < 0;
  const uint64_t seed = seed_of(w, s);
  int code = start ? ssk_study_rows_start(&w->rows, seed, &e, err)
                   : ssk_study_rows_recipe(&w->rows, row, seed, &e, err);
  if (code)
    return code;
  char *folder =
      start ? ssk_study_rows_start_run(&w->rows, seed) : ssk_study_rows_run(&w->rows, row, seed);
  w->training++;
  code = folder ? what(w, e, start ? "start" : w->rows.names[row], folder, err)
                : ssk_err_set(err, SSK_ENOMEM, "no memory for a file name");
  free(folder);
  ssk_experiment_free(e);
  return code;
}

static int visit_runs(struct work *w, visit *what, ssk_err *err) {
  const struct ssk_compare_section *c = &w->rows.study->compare;
  int code = SSK_OK;
  w->training = 0;
  for (int s = 0; *c->start && s < c->seeds.n && !code; s++)
    code = visit_one(w, -1, s, what, err);
  if (code)
    ssk_err_context(err, "compare.start");
  for (int r = 0; r < c->rows.n && !code; r++)
    if (!ssk_baseline_find(c->rows.items[r])) {
      for (int s = 0; s < c->seeds.n && !code; s++)
        code = visit_one(w, r, s, what, err);
      if (code)
        ssk_err_context(err, "row '%s'", w->rows.names[r]);
    }
  return code;
}

static int check_run(struct work *w, const struct ssk_experiment *e, const char *name,
                     const char *folder, ssk_err *err) {
  (void)name;
  w->trainings = w->training;
  return ssk_study_run_check(e, folder, err);
}

static int train_run(struct work *w, const struct ssk_experiment *e, const char *name,
                     const char *folder, ssk_err *err) {
  char label[200];
  struct ssk_run_options options = *w->options;
  snprintf(label, sizeof label, "%.120s, seed %lld (%d of %d)", name, (long long)e->seed,
           w->training, w->trainings);
  options.label = label;
  const int code = ssk_study_run_train(e, folder, &options, err);
  if (code == SSK_EINTERRUPTED)
    ssk_err_hint(err, "go on with the same command and '-o %s'", w->rows.folder);
  return code;
}

/* ---- scores ---------------------------------------------------------------------------------- */

static int score_row(void *user, int row, int s, int64_t first, int64_t count,
                     struct ssk_evaluation *out, ssk_err *err) {
  const struct work *w = user;
  if (ssk_baseline_find(w->rows.study->compare.rows.items[row]))
    return ssk_evaluate_range(&w->rows.baselines[row], w->rows.data, &w->rows.reference->evaluate,
                              first, count, seed_of(w, 0), w->pool, out, err);
  char *folder = ssk_study_rows_run(&w->rows, row, seed_of(w, s));
  struct ssk_run *run = NULL;
  int code = folder ? ssk_run_open(folder, 0, NULL, w->options->registry, &run, err)
                    : ssk_err_set(err, SSK_ENOMEM, "no memory for a file name");
  if (!code) /* on its own data: the same series, but its own standardisation */
    code = ssk_run_evaluate(run, &w->rows.reference->evaluate, seed_of(w, s), first, count, w->pool,
                            out, err);
  ssk_run_free(run);
  free(folder);
  return code;
}

static int score_rows(struct work *w, struct ssk_difference_how *how, ssk_err *err) {
  const struct ssk_compare_section *c = &w->rows.study->compare;
  struct ssk_sequential rule = {
      .on = c->sequential, .column = w->rows.column, .look = c->look, .alpha = 0.05};
  struct ssk_scored *rows = calloc((size_t)c->rows.n, sizeof *rows);
  int64_t series = ssk_evaluated_series(&w->rows.reference->evaluate, w->rows.data);
  int code = rows ? SSK_OK : ssk_err_set(err, SSK_ENOMEM, "no memory for scores");
  for (int r = 0; r < c->rows.n && !code; r++) {
    const struct ssk_baseline *baseline = ssk_baseline_find(c->rows.items[r]);
    rows[r] = (struct ssk_scored){.name = w->rows.names[r],
                                  .best_possible = baseline && baseline->best_possible,
                                  .seeds = baseline ? 1 : c->seeds.n};
  }
  if (!code)
    code = ssk_score_rows(rows, c->rows.n, series, &rule, score_row, w, err);
  if (!code)
    code = ssk_score_table(rows, c->rows.n, w->table, err);
  if (!code && rule.on)
    ssk_score_note(&rule, series, w->table);
  *how = (struct ssk_difference_how){.resamples = c->bootstrap,
                                     .seed = seed_of(w, 0),
                                     .lags = (int)c->lags,
                                     .anytime = rule.on,
                                     .anytime_look = rule.look,
                                     .anytime_alpha =
                                         rule.alpha / (rule.comparisons ? rule.comparisons : 1)};
  if (rows)
    ssk_scored_free(rows, c->rows.n);
  free(rows);
  return code;
}

/* ---- the study ------------------------------------------------------------------------------- */

static int prepare(struct work *w, const struct ssk_expectations *expected, ssk_err *err) {
  int code = ssk_pool_new(w->options->threads, &w->pool, err);
  if (!code)
    code = ssk_table_init(w->table, &w->rows.reference->evaluate, err);
  if (!code && expected)
    code = ssk_expectations_fit(expected, w->rows.study->compare.rows.n,
                                (const char *const *)w->rows.names, w->table->n_columns,
                                w->table->columns, err);
  if (!code)
    code = visit_runs(w, check_run, err);
  return code ? code : ssk_study_folder_take(w->rows.folder, w->options->command, err);
}

int ssk_compare_run(const struct ssk_study *study, const char *path, const char *folder,
                    const struct ssk_run_options *options, const struct ssk_expectations *expected,
                    struct ssk_table *table, ssk_err *err) {
  *table = (struct ssk_table){0};
  struct work w = {.options = options, .table = table};
  int code = ssk_study_rows_open(&w.rows, study, path, folder, options, err);
  if (!code)
    code = prepare(&w, expected, err);
  if (!code)
    code = visit_runs(&w, train_run, err);
  struct ssk_difference_how how;
  if (!code)
    code = score_rows(&w, &how, err);
  if (!code)
    code = ssk_table_finish(table, &how, err);
  if (!code)
    code = ssk_table_write(table, folder, err);
  ssk_pool_free(w.pool);
  ssk_study_rows_close(&w.rows);
  if (code)
    ssk_table_free(table);
  return code;
}
