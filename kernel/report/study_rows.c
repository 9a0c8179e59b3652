/* SPDX-License-Identifier: GPL-3.0-or-later */
/* study_rows.c - what can be wrong with a study is found before hours of training: each row is
 * brought as far as the first step, and its evaluation as far as the first series. */
#include "report/study_rows.h"
#include "core/err_place.h"
#include "core/file.h"
#include "infer/baselines.h"
#include "report/study_folder.h"
#include <stdlib.h>
#include <string.h>

static int no_memory(ssk_err *err) {
  return ssk_err_set(err, SSK_ENOMEM, "no memory for the study");
}

static uint64_t first_seed(const struct ssk_study_rows *w) {
  return (uint64_t)w->study->compare.seeds.items[0];
}

/* ---- places ---------------------------------------------------------------------------------- */

static const struct ssk_pos *place_of(const struct ssk_study_rows *w, const char *key) {
  const struct ssk_node *node = ssk_node_find(w->study->tree->root, key);
  return node ? &node->pos : NULL;
}

static const struct ssk_pos *place_of_row(const struct ssk_study_rows *w, int row) {
  char key[40];
  snprintf(key, sizeof key, "compare.rows.%d", row);
  const struct ssk_pos *place = place_of(w, key);
  return place ? place : place_of(w, "compare.rows");
}

/* Whether a diagnostic points into the study itself. */
static bool is_in_study(const struct ssk_study_rows *w, const struct ssk_diagnostic *d) {
  for (int i = 0; d->pos.file && i < w->study->tree->n_files; i++)
    if (!strcmp(d->pos.file, w->study->tree->files[i]))
      return true;
  return false;
}

/* Diagnostics about `what`, but for those that another row has had: at its place in the study where
 * they have none. What stands in the study, or nowhere, needs a word on whom it concerns. */
static void pass_on(const struct ssk_study_rows *w, const char *what, const struct ssk_pos *place,
                    ssk_err *own, ssk_err *err) {
  struct ssk_diagnostic d;
  for (int i = 0; ssk_err_get(own, i, &d); i++) {
    const bool named = d.pos.file && !is_in_study(w, &d);
    if (ssk_err_pass_on(err, own, i) && !named) {
      ssk_err_context(err, "%s", what);
      ssk_err_place(err, ssk_err_count(err) - 1, place);
    }
  }
}

/* ---- recipes --------------------------------------------------------------------------------- */

/* malloc'ed: where the file of a row is. */
static char *path_of(const struct ssk_study_rows *w, const char *row) {
  const bool as_is = row[0] == '/' || strcmp(w->recipes, ".") == 0;
  return as_is ? strdup(row) : ssk_path_join(w->recipes, row);
}

/* `more`: a further override, or NULL. */
static int load_recipe(const struct ssk_study_rows *w, const char *row, uint64_t seed,
                       const char *more, struct ssk_experiment **out, ssk_err *err) {
  *out = NULL;
  int n = w->study->set.n;
  struct ssk_override *set = calloc((size_t)n + 2, sizeof *set);
  char *path = path_of(w, row);
  char last[48];
  int code = set && path ? SSK_OK : no_memory(err);
  if (!code) {
    ssk_overrides_of_set(w->study->tree->root, &w->study->set, set);
    snprintf(last, sizeof last, "seed=%llu", (unsigned long long)seed);
    set[n].text = last;
    set[n + 1].text = more;
    code = ssk_experiment_load_placed(path, n + 1 + (more != NULL), set, w->registry, out, err);
  }
  free(set);
  free(path);
  return code;
}

int ssk_study_rows_start(const struct ssk_study_rows *w, uint64_t seed, struct ssk_experiment **out,
                         ssk_err *err) {
  return load_recipe(w, w->study->compare.start, seed, NULL, out, err);
}

int ssk_study_rows_recipe(const struct ssk_study_rows *w, int row, uint64_t seed,
                          struct ssk_experiment **out, ssk_err *err) {
  const struct ssk_strings *freeze = &w->study->compare.freeze;
  const char *file = w->study->compare.rows.items[row];
  if (!freeze->n)
    return load_recipe(w, file, seed, NULL, out, err);
  *out = NULL;
  struct ssk_text more = {0};
  char *folder = ssk_study_rows_start_run(w, seed);
  char *full = folder ? ssk_path_absolute(folder) : NULL;
  ssk_text_add(&more, "training={freeze: [");
  for (int i = 0; i < freeze->n; i++)
    ssk_text_printf(&more, "%s%s", i ? ", " : "", freeze->items[i]);
  ssk_text_printf(&more, "], start: '%s'}", full ? full : "");
  int code =
      full && !more.failed ? load_recipe(w, file, seed, more.data, out, err) : no_memory(err);
  ssk_text_free(&more);
  free(folder);
  free(full);
  return code;
}

/* ---- runs ------------------------------------------------------------------------------------ */

static char *run_of(const struct ssk_study_rows *w, const char *name, uint64_t seed) {
  struct ssk_text folder = {0};
  ssk_text_printf(&folder, "%s-%llu", name, (unsigned long long)seed);
  char *path = folder.failed ? NULL : ssk_path_join(w->folder, folder.data);
  ssk_text_free(&folder);
  return path;
}

char *ssk_study_rows_run(const struct ssk_study_rows *w, int row, uint64_t seed) {
  return run_of(w, w->names[row], seed);
}

char *ssk_study_rows_start_run(const struct ssk_study_rows *w, uint64_t seed) {
  return run_of(w, "start", seed);
}

/* ---- whether they can be compared ------------------------------------------------------------ */

static int name_row(struct ssk_study_rows *w, int row, const char *name, ssk_err *err) {
  for (int i = 0; i < row; i++)
    if (w->names[i] && !strcmp(w->names[i], name)) {
      ssk_err_at(err, SSK_ERECIPE, place_of_row(w, row), "two rows have the name '%s'", name);
      ssk_err_hint(err, "give each recipe a `name` of its own");
      return SSK_ERECIPE;
    }
  w->names[row] = strdup(name);
  return w->names[row] ? SSK_OK : no_memory(err);
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

/* Whether a recipe has the data and the evaluation of the first one, which is kept. Data sets
 * change their instance as they are read, so this comes before. */
static int check_agreement(struct ssk_study_rows *w, int row, const struct ssk_experiment *e,
                           ssk_err *err) {
  char *settings = settings_of(e), difference[256];
  if (!settings)
    return no_memory(err);
  if (!w->reference) {
    w->settings = settings;
    return ssk_study_rows_recipe(w, row, first_seed(w), &w->reference, err);
  }
  int code = SSK_OK;
  if (strcmp(settings, w->settings) != 0) {
    code = ssk_err_at(err, SSK_ERECIPE, place_of_row(w, row),
                      "other data or another evaluation than the rows before it: %s",
                      ssk_recipe_difference(difference, w->settings, settings));
    ssk_err_hint(err, "put `data`, `missing` and `evaluate` into a base that all rows share");
  }
  free(settings);
  return code;
}

static int check_recipe(struct ssk_study_rows *w, int row, const struct ssk_run_options *options,
                        ssk_err *err) {
  struct ssk_experiment *e;
  int code = ssk_study_rows_recipe(w, row, first_seed(w), &e, err);
  if (code)
    return code;
  code = name_row(w, row, e->name, err);
  int failure = check_agreement(w, row, e, err);
  if (!failure)
    failure = ssk_run_try(e, options, err);
  ssk_experiment_free(e);
  return code ? code : failure;
}

static int check_start(const struct ssk_study_rows *w, const struct ssk_run_options *options,
                       ssk_err *err) {
  struct ssk_experiment *e;
  int code = ssk_study_rows_start(w, first_seed(w), &e, err);
  if (!code)
    code = ssk_run_try(e, options, err);
  ssk_experiment_free(e);
  return code;
}

/* Whether each row is a baseline or a file. */
static int check_files(const struct ssk_study_rows *w, ssk_err *err) {
  const struct ssk_strings *rows = &w->study->compare.rows;
  int code = SSK_OK, n_recipes = 0;
  for (int r = 0; r < rows->n; r++) {
    const char *row = rows->items[r];
    struct ssk_nearest nearest = {.wanted = row};
    if (ssk_baseline_find(row))
      continue;
    n_recipes++;
    char *path = path_of(w, row);
    const bool known = !path || ssk_file_exists(path);
    free(path);
    if (known)
      continue;
    for (const struct ssk_baseline *b = ssk_baselines; b->name; b++)
      ssk_nearest_offer(&nearest, b->name);
    code = ssk_err_at(err, SSK_ERECIPE, place_of_row(w, r),
                      "the row '%s' is neither a recipe's file in '%s' nor a baseline", row,
                      w->recipes);
    if (nearest.best)
      ssk_err_hint(err, "did you mean '%s'?", nearest.best);
  }
  if (!n_recipes) {
    code = ssk_err_at(err, SSK_ERECIPE, place_of(w, "compare.rows"), "no row is a recipe");
    ssk_err_hint(err, "data and evaluation come from the first recipe among the rows");
  }
  return code;
}

/* The baseline of a row: whether it can be had on these data. */
static int make_baseline(struct ssk_study_rows *w, int row, ssk_err *err) {
  const struct ssk_evaluate_section *evaluate = &w->reference->evaluate;
  int code = ssk_baseline_forecaster(w->study->compare.rows.items[row], w->data, evaluate,
                                     &w->baselines[row], err);
  return code ? code : ssk_evaluate_check(&w->baselines[row], w->data, evaluate, err);
}

/* The column that a sequential comparison is decided by. */
static int find_column(struct ssk_study_rows *w, ssk_err *err) {
  const char *name = w->study->compare.decide;
  const int n = ssk_metric_column_count(&w->reference->evaluate);
  struct ssk_metric_column *columns = calloc((size_t)n + 1, sizeof *columns);
  struct ssk_nearest nearest = {.wanted = name};
  if (!columns)
    return no_memory(err);
  ssk_metric_columns(&w->reference->evaluate, columns);
  w->column = -1;
  for (int c = 0; c < n && w->column < 0; c++) {
    if (!*name || !strcmp(columns[c].name, name))
      w->column = c;
    ssk_nearest_offer(&nearest, columns[c].name);
  }
  if (w->column < 0) {
    ssk_err_at(err, SSK_ERECIPE, place_of(w, "compare.decide"),
               "no metric of the rows has the name '%s'", name);
    if (nearest.best)
      ssk_err_hint(err, "did you mean '%s'?", nearest.best);
  }
  free(columns);
  return w->column < 0 ? SSK_ERECIPE : SSK_OK;
}

/* ---- all of it ------------------------------------------------------------------------------- */

enum part { START, RECIPE, BASELINE };

/* One part of the study, with diagnostics of its own. */
static int check_part(struct ssk_study_rows *w, enum part part, int row,
                      const struct ssk_run_options *options, ssk_err *err) {
  ssk_err *own = ssk_err_new();
  char what[200] = "compare.start";
  int code = own ? SSK_OK : no_memory(err);
  if (!code && part == START) {
    code = check_start(w, options, own);
  } else if (!code) {
    snprintf(what, sizeof what, "row '%s'", w->study->compare.rows.items[row]);
    code = part == RECIPE ? check_recipe(w, row, options, own) : make_baseline(w, row, own);
  }
  pass_on(w, what, part == START ? place_of(w, what) : place_of_row(w, row), own, err);
  ssk_err_free(own);
  return code;
}

static int check_rows(struct ssk_study_rows *w, const struct ssk_run_options *options,
                      ssk_err *err) {
  const struct ssk_compare_section *c = &w->study->compare;
  int code = *c->start ? check_part(w, START, 0, options, err) : SSK_OK, failure;
  for (int r = 0; r < c->rows.n; r++) {
    const bool baseline = ssk_baseline_find(c->rows.items[r]);
    failure =
        baseline ? name_row(w, r, c->rows.items[r], err) : check_part(w, RECIPE, r, options, err);
    code = code ? code : failure;
  }
  if (!w->reference)
    return code;
  failure = find_column(w, err);
  code = code ? code : failure;
  failure = ssk_data_load(w->reference, &w->data, code ? NULL : err); /* diagnosed with its row */
  for (int r = 0; r < c->rows.n && !failure; r++)
    if (ssk_baseline_find(c->rows.items[r])) {
      const int refused = check_part(w, BASELINE, r, options, err);
      code = code ? code : refused;
    }
  return code ? code : failure;
}

int ssk_study_rows_open(struct ssk_study_rows *w, const struct ssk_study *study, const char *path,
                        const char *folder, const struct ssk_run_options *options, ssk_err *err) {
  const size_t n = (size_t)study->compare.rows.n;
  *w = (struct ssk_study_rows){.study = study,
                               .folder = folder,
                               .registry = options->registry,
                               .recipes = ssk_path_folder(path),
                               .names = calloc(n, sizeof *w->names),
                               .baselines = calloc(n, sizeof *w->baselines)};
  if (!w->recipes || !w->names || !w->baselines)
    return no_memory(err);
  int code = check_files(w, err);
  return code ? code : check_rows(w, options, err);
}

void ssk_study_rows_close(struct ssk_study_rows *w) {
  for (int r = 0; w->study && r < w->study->compare.rows.n; r++) {
    if (w->baselines)
      ssk_forecaster_free(&w->baselines[r]);
    if (w->names)
      free(w->names[r]);
  }
  free(w->baselines);
  free(w->names);
  ssk_data_free(w->data);
  ssk_experiment_free(w->reference);
  free(w->settings);
  free(w->recipes);
  *w = (struct ssk_study_rows){0};
}
