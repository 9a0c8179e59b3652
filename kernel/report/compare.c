/* SPDX-License-Identifier: GPL-3.0-or-later */
/* compare.c - a study from its recipe to the scores of its rows. All rows see the same series, and
 * the same seed gives two models the same start, order of data and noise wherever they share a
 * component: differences are paired. */
#include "report/compare.h"
#include "core/file.h"
#include "infer/baselines.h"
#include "report/run_score.h"
#include "report/score.h"
#include "report/study_folder.h"
#include <stdlib.h>
#include <string.h>

/* A study while it runs. */
struct work {
  const struct ssk_study *study;
  const char *folder;
  char *recipes; /* folder of the study's file: rows are relative to it */
  const struct ssk_run_options *options;
  struct ssk_pool *pool;
  struct ssk_table *table;
  char **names;                     /* of the rows */
  struct ssk_experiment *reference; /* of the first model row, with the first seed */
  struct ssk_data *data;            /* by that recipe; what baselines are evaluated on */
  struct ssk_forecaster *baselines; /* of the rows; empty for recipes */
  char *settings;                   /* data and evaluation of that recipe, as text */
};

static const struct ssk_pos *place_of_rows(const struct ssk_study *study) {
  const struct ssk_node *node = ssk_node_find(study->tree->root, "compare.rows");
  return node ? &node->pos : NULL;
}

int ssk_compare_check_rows(const struct ssk_study *study, const char *folder, ssk_err *err) {
  const struct ssk_strings *rows = &study->compare.rows;
  int code = SSK_OK;
  for (int r = 0; r < rows->n; r++) {
    const char *row = rows->items[r];
    struct ssk_nearest nearest = {.wanted = row};
    char *path = row[0] == '/' ? strdup(row) : ssk_path_join(folder, row), place[40];
    const bool known = !path || ssk_baseline_find(row) || ssk_file_exists(path);
    free(path);
    if (known)
      continue;
    for (const struct ssk_baseline *b = ssk_baselines; b->name; b++)
      ssk_nearest_offer(&nearest, b->name);
    snprintf(place, sizeof place, "compare.rows.%d", r);
    const struct ssk_node *node = ssk_node_find(study->tree->root, place);
    code =
        ssk_err_at(err, SSK_ERECIPE, node ? &node->pos : place_of_rows(study),
                   "the row '%s' is neither a recipe's file in '%s' nor a baseline", row, folder);
    if (nearest.best)
      ssk_err_hint(err, "did you mean '%s'?", nearest.best);
  }
  return code;
}

/* ---- recipes --------------------------------------------------------------------------------- */

/* `more`: a further override, or NULL. */
static int load_recipe(const struct work *w, const char *row, uint64_t seed, const char *more,
                       struct ssk_experiment **out, ssk_err *err) {
  *out = NULL;
  int n = w->study->set.n;
  const char **set = calloc((size_t)n + 2, sizeof *set);
  char *path = row[0] == '/' ? strdup(row) : ssk_path_join(w->recipes, row);
  char last[48];
  int code = set && path ? SSK_OK : ssk_err_set(err, SSK_ENOMEM, "no memory for a recipe");
  if (!code) {
    for (int i = 0; i < n; i++)
      set[i] = w->study->set.items[i];
    snprintf(last, sizeof last, "seed=%llu", (unsigned long long)seed);
    set[n] = last;
    set[n + 1] = more;
    code = ssk_experiment_load(path, n + 1 + (more != NULL), set, w->options->registry, out, err);
  }
  free(set);
  free(path);
  return code;
}

/* malloc'ed: where the training with this seed is that gives frozen parts their weights. */
static char *start_folder(const struct work *w, uint64_t seed) {
  char name[48];
  snprintf(name, sizeof name, "start-%llu", (unsigned long long)seed);
  return ssk_path_join(w->folder, name);
}

/* The recipe of a row as it is trained: what the study freezes comes from its start. */
static int load_row(const struct work *w, const char *row, uint64_t seed,
                    struct ssk_experiment **out, ssk_err *err) {
  const struct ssk_strings *freeze = &w->study->compare.freeze;
  if (!freeze->n)
    return load_recipe(w, row, seed, NULL, out, err);
  *out = NULL;
  struct ssk_text more = {0};
  char *folder = start_folder(w, seed), *full = folder ? ssk_path_absolute(folder) : NULL;
  ssk_text_add(&more, "training={freeze: [");
  for (int i = 0; i < freeze->n; i++)
    ssk_text_printf(&more, "%s%s", i ? ", " : "", freeze->items[i]);
  ssk_text_printf(&more, "], start: '%s'}", full ? full : "");
  int code = full && !more.failed ? load_recipe(w, row, seed, more.data, out, err)
                                  : ssk_err_set(err, SSK_ENOMEM, "no memory for a recipe");
  ssk_text_free(&more);
  free(folder);
  free(full);
  return code;
}

/* What rows must have in common, as it stands in the resolved recipe. */
static char *settings_of(const struct ssk_experiment *e) {
  struct ssk_text text = {0};
  for (const struct ssk_param *row = ssk_experiment_rows; row->name; row++)
    if (!strcmp(row->name, "data") || !strcmp(row->name, "missing") ||
        !strcmp(row->name, "evaluate")) {
      const struct ssk_param pair[] = {*row, SSK_PARAM_END};
      ssk_schema_dump(pair, e, 0, &text);
    }
  if (text.failed)
    ssk_text_free(&text);
  return text.data;
}

static int check_agreement(struct work *w, const struct ssk_experiment *e, const char *row,
                           ssk_err *err) {
  char *settings = settings_of(e);
  if (!settings)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for a recipe");
  bool same = !strcmp(settings, w->settings);
  free(settings);
  if (same)
    return SSK_OK;
  ssk_err_at(err, SSK_ERECIPE, place_of_rows(w->study),
             "'%s' has other data or another evaluation than the rows before it", row);
  ssk_err_hint(err, "put `data`, `missing` and `evaluate` into a base that all rows share");
  return SSK_ERECIPE;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static int name_row(struct work *w, int row, const char *name, ssk_err *err) {
  for (int i = 0; i < row; i++)
    if (!strcmp(w->names[i], name)) {
      ssk_err_at(err, SSK_ERECIPE, place_of_rows(w->study), "two rows have the name '%s'", name);
      ssk_err_hint(err, "give each recipe a `name` of its own");
      return SSK_ERECIPE;
    }
  w->names[row] = strdup(name);
  return w->names[row] ? SSK_OK : ssk_err_set(err, SSK_ENOMEM, "no memory for a name");
}

static uint64_t seed_of(const struct work *w, int s) {
  return (uint64_t)w->study->compare.seeds.items[s];
}

/* malloc'ed: the run of a row with a seed. */
static char *run_folder(const struct work *w, int row, int s) {
  char name[256];
  snprintf(name, sizeof name, "%s-%llu", w->names[row], (unsigned long long)seed_of(w, s));
  return ssk_path_join(w->folder, name);
}

/* What is done with each training of the study, in their order. */
typedef int visit(struct work *w, const struct ssk_experiment *e, const char *folder, ssk_err *err);

/* `start`: the training that frozen parts have their weights from; else that of a row. */
static int visit_one(struct work *w, bool start, int row, int s, visit *what, ssk_err *err) {
  struct ssk_experiment *e;
  const uint64_t seed = seed_of(w, s);
  int code = start ? load_recipe(w, w->study->compare.start, seed, NULL, &e, err)
                   : load_row(w, w->study->compare.rows.items[row], seed, &e, err);
  if (code)
    return code;
  char *folder = start ? start_folder(w, seed) : run_folder(w, row, s);
  code =
      folder ? what(w, e, folder, err) : ssk_err_set(err, SSK_ENOMEM, "no memory for a file name");
  free(folder);
  ssk_experiment_free(e);
  return code;
}

static int visit_runs(struct work *w, visit *what, ssk_err *err) {
  const struct ssk_compare_section *c = &w->study->compare;
  int code = SSK_OK;
  for (int s = 0; *c->start && s < c->seeds.n && !code; s++)
    code = visit_one(w, true, 0, s, what, err);
  if (code)
    ssk_err_context(err, "compare.start");
  for (int r = 0; r < c->rows.n && !code; r++)
    if (!ssk_baseline_find(c->rows.items[r])) {
      for (int s = 0; s < c->seeds.n && !code; s++)
        code = visit_one(w, false, r, s, what, err);
      if (code)
        ssk_err_context(err, "row '%s'", w->names[r]);
    }
  return code;
}

static int check_run(struct work *w, const struct ssk_experiment *e, const char *folder,
                     ssk_err *err) {
  (void)w;
  return ssk_study_run_check(e, folder, err);
}

static int train_run(struct work *w, const struct ssk_experiment *e, const char *folder,
                     ssk_err *err) {
  const int code = ssk_study_run_train(e, folder, w->options, err);
  if (code == SSK_EINTERRUPTED)
    ssk_err_hint(err, "go on with the same command and '-o %s'", w->folder);
  return code;
}

/* ---- scores ---------------------------------------------------------------------------------- */

static int score_row(void *user, int row, int s, int64_t first, int64_t count,
                     struct ssk_evaluation *out, ssk_err *err) {
  const struct work *w = user;
  if (ssk_baseline_find(w->study->compare.rows.items[row]))
    return ssk_evaluate_range(&w->baselines[row], w->data, &w->reference->evaluate, first, count,
                              seed_of(w, 0), w->pool, out, err);
  char *folder = run_folder(w, row, s);
  struct ssk_run *run = NULL;
  int code = folder ? ssk_run_open(folder, 0, NULL, w->options->registry, &run, err)
                    : ssk_err_set(err, SSK_ENOMEM, "no memory for a file name");
  if (!code) /* on its own data: the same series, but its own standardisation */
    code = ssk_run_evaluate(run, &w->reference->evaluate, seed_of(w, s), first, count, w->pool, out,
                            err);
  ssk_run_free(run);
  free(folder);
  return code;
}

/* The column that a sequential comparison is decided by; -1, with a diagnostic: there is none. */
static int deciding_column(const struct work *w, ssk_err *err) {
  const char *name = w->study->compare.decide;
  struct ssk_nearest nearest = {.wanted = name};
  for (int c = 0; c < w->table->n_columns; c++) {
    if (!*name || !strcmp(w->table->columns[c].name, name))
      return c;
    ssk_nearest_offer(&nearest, w->table->columns[c].name);
  }
  const struct ssk_node *node = ssk_node_find(w->study->tree->root, "compare.decide");
  ssk_err_at(err, SSK_ERECIPE, node ? &node->pos : NULL, "no metric of the rows has the name '%s'",
             name);
  if (nearest.best)
    ssk_err_hint(err, "did you mean '%s'?", nearest.best);
  return -1;
}

static int score_rows(struct work *w, struct ssk_difference_how *how, ssk_err *err) {
  const struct ssk_compare_section *c = &w->study->compare;
  struct ssk_sequential rule = {
      .on = c->sequential, .column = deciding_column(w, err), .look = c->look, .alpha = 0.05};
  struct ssk_scored *rows = calloc((size_t)c->rows.n, sizeof *rows);
  int64_t series = ssk_evaluated_series(&w->reference->evaluate, w->data);
  int code = rows ? SSK_OK : ssk_err_set(err, SSK_ENOMEM, "no memory for scores");
  for (int r = 0; r < c->rows.n && !code; r++) {
    const struct ssk_baseline *baseline = ssk_baseline_find(c->rows.items[r]);
    rows[r] = (struct ssk_scored){.name = w->names[r],
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

/* The recipe of a row: does it fit the others? The first one is kept. */
static int check_recipe(struct work *w, int row, const char *recipe, ssk_err *err) {
  struct ssk_experiment *e;
  int code = load_row(w, recipe, seed_of(w, 0), &e, err);
  if (code)
    return code;
  code = name_row(w, row, e->name, err);
  if (w->reference) {
    if (!code)
      code = check_agreement(w, e, recipe, err);
    ssk_experiment_free(e);
    return code;
  }
  w->reference = e;
  w->settings = settings_of(e);
  if (!code && !w->settings)
    code = ssk_err_set(err, SSK_ENOMEM, "no memory for a recipe");
  return code;
}

static int check_rows(struct work *w, ssk_err *err) {
  const struct ssk_strings *rows = &w->study->compare.rows;
  const int unknown = ssk_compare_check_rows(w->study, w->recipes, err);
  if (unknown)
    return unknown;
  for (int i = 0; i < rows->n; i++) {
    int code = ssk_baseline_find(rows->items[i]) ? name_row(w, i, rows->items[i], err)
                                                 : check_recipe(w, i, rows->items[i], err);
    if (code)
      return code;
  }
  if (w->reference)
    return SSK_OK;
  ssk_err_at(err, SSK_ERECIPE, place_of_rows(w->study), "no row is a recipe");
  ssk_err_hint(err, "data and evaluation come from the first recipe among the rows");
  return SSK_ERECIPE;
}

/* The baselines, before anything is trained: whether each can be had on these data. */
static int make_baselines(struct work *w, ssk_err *err) {
  const struct ssk_strings *rows = &w->study->compare.rows;
  w->baselines = calloc((size_t)rows->n, sizeof *w->baselines);
  if (!w->baselines)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the study");
  for (int i = 0; i < rows->n; i++) {
    if (!ssk_baseline_find(rows->items[i]))
      continue;
    int code = ssk_baseline_forecaster(rows->items[i], w->data, &w->reference->evaluate,
                                       &w->baselines[i], err);
    if (code) {
      ssk_err_context(err, "row '%s'", rows->items[i]);
      return code;
    }
  }
  return SSK_OK;
}

static int prepare(struct work *w, const char *path, const struct ssk_expectations *expected,
                   ssk_err *err) {
  w->recipes = ssk_path_folder(path);
  w->names = calloc((size_t)w->study->compare.rows.n, sizeof *w->names);
  if (!w->recipes || !w->names)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the study");
  int code = check_rows(w, err);
  if (!code)
    code = ssk_data_load(w->reference, &w->data, err);
  if (!code)
    code = make_baselines(w, err);
  if (!code)
    code = ssk_pool_new(w->options->threads, &w->pool, err);
  if (!code)
    code = ssk_table_init(w->table, &w->reference->evaluate, err);
  if (!code && deciding_column(w, err) < 0)
    code = SSK_ERECIPE;
  if (!code && expected)
    code = ssk_expectations_fit(expected, w->study->compare.rows.n, (const char *const *)w->names,
                                w->table->n_columns, w->table->columns, err);
  if (!code)
    code = visit_runs(w, check_run, err);
  return code ? code : ssk_study_folder_take(w->folder, w->options->command, err);
}

int ssk_compare_run(const struct ssk_study *study, const char *path, const char *folder,
                    const struct ssk_run_options *options, const struct ssk_expectations *expected,
                    struct ssk_table *table, ssk_err *err) {
  *table = (struct ssk_table){0};
  struct work w = {.study = study, .folder = folder, .options = options, .table = table};
  int code = prepare(&w, path, expected, err);
  if (!code)
    code = visit_runs(&w, train_run, err);
  struct ssk_difference_how how;
  if (!code)
    code = score_rows(&w, &how, err);
  if (!code)
    code = ssk_table_finish(table, &how, err);
  if (!code)
    code = ssk_table_write(table, folder, err);
  for (int i = 0; w.baselines && i < study->compare.rows.n; i++)
    ssk_forecaster_free(&w.baselines[i]);
  free(w.baselines);
  ssk_pool_free(w.pool);
  ssk_data_free(w.data);
  ssk_experiment_free(w.reference);
  for (int i = 0; w.names && i < study->compare.rows.n; i++)
    free(w.names[i]);
  free(w.names);
  free(w.settings);
  free(w.recipes);
  if (code)
    ssk_table_free(table);
  return code;
}
