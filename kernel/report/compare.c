/* SPDX-License-Identifier: GPL-3.0-or-later */
/* compare.c - a study from its recipe to the scores of its rows. All rows see the same series, and
 * the same seed gives two models the same start, order of data and noise wherever they share a
 * component: differences are paired. */
#include "report/compare.h"
#include "core/file.h"
#include "infer/baselines.h"
#include "infer/model_forecast.h"
#include <stdlib.h>
#include <string.h>

/* A study while it runs. */
struct work {
  const struct ssk_study *study;
  const char *folder;
  char *recipes; /* folder of the study's file: rows are relative to it */
  const struct ssk_run_options *options;
  struct ssk_pool *pool;
  struct ssk_comparison *out;
  struct ssk_experiment *reference; /* of the first model row, with the first seed */
  struct ssk_data *data;            /* by that recipe; what baselines are evaluated on */
  char *settings;                   /* data and evaluation of that recipe, as text */
};

static const struct ssk_pos *place_of_rows(const struct ssk_study *study) {
  const struct ssk_node *node = ssk_node_find(study->tree->root, "compare.rows");
  return node ? &node->pos : NULL;
}

/* ---- recipes --------------------------------------------------------------------------------- */

static int load_recipe(const struct work *w, const char *row, double seed,
                       struct ssk_experiment **out, ssk_err *err) {
  *out = NULL;
  int n = w->study->set.n;
  const char **set = calloc((size_t)n + 1, sizeof *set);
  char *path = row[0] == '/' ? strdup(row) : ssk_path_join(w->recipes, row);
  char last[48];
  int code = set && path ? SSK_OK : ssk_err_set(err, SSK_ENOMEM, "no memory for a recipe");
  if (!code) {
    for (int i = 0; i < n; i++)
      set[i] = w->study->set.items[i];
    snprintf(last, sizeof last, "seed=%.0f", seed);
    set[n] = last;
    code = ssk_experiment_load(path, n + 1, set, w->options->registry, out, err);
  }
  free(set);
  free(path);
  return code;
}

/* What rows must have in common, as it stands in the resolved recipe. */
static char *settings_of(const struct ssk_experiment *e) {
  struct ssk_text text = {0};
  for (const struct ssk_param *row = ssk_experiment_rows; row->name; row++)
    if (!strcmp(row->name, "data") || !strcmp(row->name, "evaluate")) {
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
  ssk_err_hint(err, "put `data` and `evaluate` into a base that all rows share");
  return SSK_ERECIPE;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static int name_row(struct work *w, struct ssk_compare_row *row, const char *name, ssk_err *err) {
  for (struct ssk_compare_row *other = w->out->rows; other != row; other++)
    if (!strcmp(other->name, name)) {
      ssk_err_at(err, SSK_ERECIPE, place_of_rows(w->study), "two rows have the name '%s'", name);
      ssk_err_hint(err, "give each recipe a `name` of its own");
      return SSK_ERECIPE;
    }
  row->name = ssk_arena_strdup(&w->out->arena, name);
  return row->name ? SSK_OK : ssk_err_set(err, SSK_ENOMEM, "no memory for a name");
}

static int evaluate(struct work *w, const struct ssk_forecaster *forecaster,
                    const struct ssk_data *data, struct ssk_compare_row *row, int i, ssk_err *err) {
  return ssk_evaluate(forecaster, data, &w->reference->evaluate, (uint64_t)w->out->seeds[i],
                      w->pool, &row->evaluation[i], err);
}

static int run_baseline(struct work *w, const struct ssk_baseline *baseline,
                        struct ssk_compare_row *row, ssk_err *err) {
  row->baseline = true;
  row->best_possible = baseline->best_possible;
  struct ssk_forecaster forecaster;
  int code = ssk_baseline_forecaster(baseline->name, w->data, w->reference->evaluate.particles,
                                     &forecaster, err);
  if (code)
    return code;
  code = evaluate(w, &forecaster, w->data, row, 0, err);
  row->n = 1;
  ssk_forecaster_free(&forecaster);
  return code;
}

static int evaluate_run(struct work *w, const char *folder, struct ssk_compare_row *row, int i,
                        ssk_err *err) {
  struct ssk_run *run;
  int code = ssk_run_open(folder, 0, NULL, w->options->registry, &run, err);
  if (code)
    return code;
  struct ssk_forecaster forecaster;
  code = ssk_model_forecaster(run->model, run->values, row->name, ssk_pool_threads(w->pool),
                              (int)w->reference->evaluate.bound_paths, &forecaster, err);
  if (!code) {
    code = evaluate(w, &forecaster, run->data, row, i, err); /* its own standardisation */
    row->n = i + 1;
    ssk_forecaster_free(&forecaster);
  }
  row->weights = (int64_t)run->model->layout.trained;
  ssk_run_free(run);
  return code;
}

static int run_seed(struct work *w, const char *recipe, struct ssk_compare_row *row, int i,
                    ssk_err *err) {
  struct ssk_experiment *e;
  int code = load_recipe(w, recipe, w->out->seeds[i], &e, err);
  if (code)
    return code;
  char name[256];
  snprintf(name, sizeof name, "%s-%.0f", row->name, w->out->seeds[i]);
  char *folder = ssk_path_join(w->folder, name);
  struct ssk_run_summary summary = {0};
  code = folder ? ssk_run_train(e, folder, w->options, &summary, err)
                : ssk_err_set(err, SSK_ENOMEM, "no memory for a file name");
  row->time_training += summary.seconds / w->out->n_seeds;
  if (!code)
    code = evaluate_run(w, folder, row, i, err);
  free(folder);
  ssk_experiment_free(e);
  return code;
}

/* ---- the study ------------------------------------------------------------------------------- */

/* Everything that can be wrong with the recipes is said before the first step is trained. */
static int check_rows(struct work *w, ssk_err *err) {
  const struct ssk_strings *rows = &w->study->compare.rows;
  for (int i = 0; i < rows->n; i++) {
    struct ssk_compare_row *row = &w->out->rows[i];
    if (ssk_baseline_find(rows->items[i])) {
      int code = name_row(w, row, rows->items[i], err);
      if (code)
        return code;
      continue;
    }
    struct ssk_experiment *e;
    int code = load_recipe(w, rows->items[i], w->out->seeds[0], &e, err);
    if (code)
      return code;
    code = name_row(w, row, e->name, err);
    if (!code && w->reference)
      code = check_agreement(w, e, rows->items[i], err);
    if (!code && !w->reference) {
      w->reference = e;
      w->settings = settings_of(e);
      if (!w->settings)
        code = ssk_err_set(err, SSK_ENOMEM, "no memory for a recipe");
    } else {
      ssk_experiment_free(e);
    }
    if (code)
      return code;
  }
  if (w->reference)
    return SSK_OK;
  ssk_err_at(err, SSK_ERECIPE, place_of_rows(w->study), "no row is a recipe");
  ssk_err_hint(err, "data and evaluation come from the first recipe among the rows");
  return SSK_ERECIPE;
}

static int run_rows(struct work *w, ssk_err *err) {
  const struct ssk_strings *rows = &w->study->compare.rows;
  for (int i = 0; i < rows->n; i++) {
    struct ssk_compare_row *row = &w->out->rows[i];
    const struct ssk_baseline *baseline = ssk_baseline_find(rows->items[i]);
    row->evaluation = calloc((size_t)w->out->n_seeds, sizeof *row->evaluation);
    int code = row->evaluation ? SSK_OK : ssk_err_set(err, SSK_ENOMEM, "no memory for scores");
    if (!code && baseline)
      code = run_baseline(w, baseline, row, err);
    for (int s = 0; !code && !baseline && s < w->out->n_seeds; s++)
      code = run_seed(w, rows->items[i], row, s, err);
    if (code) {
      ssk_err_context(err, "row '%s'", row->name);
      return code;
    }
  }
  return SSK_OK;
}

static int prepare(struct work *w, const char *path, ssk_err *err) {
  const struct ssk_compare_section *section = &w->study->compare;
  struct ssk_comparison *out = w->out;
  int threads = w->options->threads > 0 ? w->options->threads : ssk_pool_default_threads();
  w->recipes = ssk_path_folder(path);
  out->name = strdup(w->study->name);
  out->n_rows = section->rows.n;
  out->n_seeds = section->seeds.n;
  out->rows = calloc((size_t)out->n_rows, sizeof *out->rows);
  out->seeds = calloc((size_t)out->n_seeds, sizeof *out->seeds);
  if (!w->recipes || !out->name || !out->rows || !out->seeds)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the study");
  for (int i = 0; i < out->n_seeds; i++)
    out->seeds[i] = section->seeds.items[i];
  int code = check_rows(w, err);
  if (!code)
    code = ssk_data_load(w->reference, &w->data, err);
  if (!code)
    code = ssk_pool_new(threads, &w->pool, err);
  if (code)
    return code;
  out->n_columns = w->reference->evaluate.metrics.n;
  out->columns = calloc((size_t)out->n_columns + 1, sizeof *out->columns);
  if (!out->columns)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the study");
  ssk_metric_columns(&w->reference->evaluate, out->columns);
  return ssk_folder_claim(w->folder, err);
}

int ssk_compare_run(const struct ssk_study *study, const char *path, const char *folder,
                    const struct ssk_run_options *options, struct ssk_comparison *out,
                    ssk_err *err) {
  *out = (struct ssk_comparison){0};
  struct work w = {.study = study, .folder = folder, .options = options, .out = out};
  int code = prepare(&w, path, err);
  if (!code)
    code = run_rows(&w, err);
  ssk_pool_free(w.pool);
  ssk_data_free(w.data);
  ssk_experiment_free(w.reference);
  free(w.settings);
  free(w.recipes);
  if (code)
    ssk_comparison_free(out);
  return code;
}

void ssk_comparison_free(struct ssk_comparison *comparison) {
  for (int i = 0; i < comparison->n_rows && comparison->rows; i++) {
    struct ssk_compare_row *row = &comparison->rows[i];
    for (int s = 0; s < row->n; s++)
      ssk_evaluation_free(&row->evaluation[s]);
    free(row->evaluation);
  }
  free(comparison->rows);
  free(comparison->columns);
  free(comparison->seeds);
  free(comparison->name);
  ssk_arena_free(&comparison->arena);
  *comparison = (struct ssk_comparison){0};
}
