/* SPDX-License-Identifier: GPL-3.0-or-later */
/* compare_runs.c - from run directories to the rows of a table. */
#include "report/compare_runs.h"
#include "report/run_score.h"
#include "report/score.h"
#include <stdlib.h>
#include <string.h>

/* A comparison while it is made. */
struct work {
  const struct ssk_runs *runs;
  int n_overrides;
  const char *const *overrides;
  const struct ssk_run_options *options;
  struct ssk_pool *pool;
  struct ssk_run *first; /* open until the end: the columns are of its metrics */
  int n_rows;
  struct ssk_scored *rows;
  char **names; /* [n_rows] */
  int *of_row;  /* [runs->n]: the row that a run belongs to */
  int *lead;    /* [n_rows]: the first run of a row */
};

static int no_memory(ssk_err *err) {
  return ssk_err_set(err, SSK_ENOMEM, "no memory for the comparison");
}

static bool is_of_data(const char *key) {
  return !strncmp(key, "data.", 5) || !strcmp(key, "data") || !strncmp(key, "missing.", 8);
}

static int check_data(const struct ssk_runs *runs, ssk_err *err) {
  const char **keys;
  int n = ssk_runs_differing(runs, false, &keys), code = n < 0 ? no_memory(err) : SSK_OK;
  for (int k = 0; k < n && !code; k++)
    if (is_of_data(keys[k])) {
      code = ssk_err_set(err, SSK_EUSAGE, "the runs are of different data: they differ in '%s'",
                         keys[k]);
      ssk_err_hint(err, "'sskit runs diff' shows how; figures are comparable on the same series "
                        "only");
    }
  free(keys);
  return code;
}

/* A name for the row: that of its recipe, with a number where another row has it too. */
static char *name_of(const struct work *w, int row) {
  const char *name = w->runs->items[w->lead[row]].name;
  int same = 1;
  for (int r = 0; r < row; r++)
    same += !strcmp(w->runs->items[w->lead[r]].name, name);
  struct ssk_text text = {0};
  ssk_text_add(&text, name);
  if (same > 1)
    ssk_text_printf(&text, "-%d", same);
  if (text.failed)
    ssk_text_free(&text);
  return text.data;
}

static uint64_t seed_of(const struct work *w, int run) {
  const char *text = ssk_run_value(&w->runs->items[run], "seed");
  return text ? strtoull(text, NULL, 10) : 0;
}

static int rising(const void *a, const void *b) {
  const uint64_t *x = a, *y = b;
  return (*x > *y) - (*x < *y);
}

/* The seeds of a row, each of which is one training. */
static int find_seeds(struct work *w, int row, ssk_err *err) {
  struct ssk_scored *scored = &w->rows[row];
  if (!(scored->seed = malloc((size_t)scored->seeds * sizeof *scored->seed)))
    return no_memory(err);
  for (int i = 0, n = 0; i < w->runs->n; i++)
    if (w->of_row[i] == row)
      scored->seed[n++] = seed_of(w, i);
  qsort(scored->seed, (size_t)scored->seeds, sizeof *scored->seed, rising);
  for (int s = 1; s < scored->seeds; s++)
    if (scored->seed[s] == scored->seed[s - 1]) {
      ssk_err_set(err, SSK_EUSAGE, "two of the runs are one training: '%s' with the seed %llu",
                  scored->name, (unsigned long long)scored->seed[s]);
      ssk_err_hint(err, "name one of them");
      return SSK_EUSAGE;
    }
  return SSK_OK;
}

static int group(struct work *w, ssk_err *err) {
  const struct ssk_runs *runs = w->runs;
  size_t most = (size_t)runs->n;
  w->rows = calloc(most, sizeof *w->rows);
  w->names = calloc(most, sizeof *w->names);
  w->of_row = calloc(most, sizeof *w->of_row);
  w->lead = calloc(most, sizeof *w->lead);
  if (!w->rows || !w->names || !w->of_row || !w->lead)
    return no_memory(err);
  for (int i = 0; i < runs->n; i++) {
    int row = 0;
    while (row < w->n_rows && !ssk_run_same_but_seed(&runs->items[w->lead[row]], &runs->items[i]))
      row++;
    if (row == w->n_rows)
      w->lead[w->n_rows++] = i;
    w->of_row[i] = row;
    w->rows[row].seeds++;
  }
  for (int r = 0; r < w->n_rows; r++) {
    if (!(w->names[r] = name_of(w, r)))
      return no_memory(err);
    w->rows[r].name = w->names[r];
    int code = find_seeds(w, r, err);
    if (code)
      return code;
  }
  return SSK_OK;
}

/* The run of a row with its s-th seed. */
static const struct ssk_run_info *run_of(const struct work *w, int row, int s) {
  int i = 0;
  while (w->of_row[i] != row || seed_of(w, i) != w->rows[row].seed[s])
    i++;
  return &w->runs->items[i];
}

static int score(void *user, int row, int s, int64_t first, int64_t count,
                 struct ssk_evaluation *out, ssk_err *err) {
  const struct work *w = user;
  struct ssk_run *run;
  int code = ssk_run_open(run_of(w, row, s)->path, w->n_overrides, w->overrides,
                          w->options->registry, &run, err);
  if (code)
    return code;
  code =
      ssk_run_evaluate(run, NULL, (uint64_t)run->experiment->seed, first, count, w->pool, out, err);
  ssk_run_free(run);
  return code;
}

/* The keys in which rows differ, beside their names. */
static int add_settings(const struct work *w, struct ssk_table *table, ssk_err *err) {
  const char **keys;
  int n = ssk_runs_differing(w->runs, false, &keys);
  int code = n < 0 ? no_memory(err) : ssk_table_name_settings(table, n, keys, err);
  for (int r = 0; r < w->n_rows && !code; r++)
    for (int k = 0; k < n && !code; k++)
      code = ssk_table_set(table, r, k, ssk_run_value(&w->runs->items[w->lead[r]], keys[k]), err);
  free(keys);
  return code;
}

static int compare(struct work *w, struct ssk_table *table, ssk_err *err) {
  struct ssk_sequential all = {.on = false};
  int code = check_data(w->runs, err);
  if (!code)
    code = group(w, err);
  if (!code)
    code = ssk_pool_new(w->options->threads, &w->pool, err);
  if (!code)
    code = ssk_run_open(w->runs->items[0].path, w->n_overrides, w->overrides, w->options->registry,
                        &w->first, err);
  if (!code)
    code = ssk_table_init(table, &w->first->experiment->evaluate, err);
  if (!code)
    code = ssk_score_rows(w->rows, w->n_rows,
                          ssk_evaluated_series(&w->first->experiment->evaluate, w->first->data),
                          &all, score, w, err);
  if (!code)
    code = ssk_score_table(w->rows, w->n_rows, table, err);
  if (!code)
    code = add_settings(w, table, err);
  const struct ssk_difference_how how = {.resamples = 1000, .seed = 1, .lags = -1};
  return code ? code : ssk_table_finish(table, &how, err);
}

int ssk_compare_runs(const struct ssk_runs *runs, int n_overrides, const char *const *overrides,
                     const struct ssk_run_options *options, struct ssk_table *table, ssk_err *err) {
  struct work w = {
      .runs = runs, .n_overrides = n_overrides, .overrides = overrides, .options = options};
  *table = (struct ssk_table){0};
  if (!runs->n)
    return ssk_err_set(err, SSK_EUSAGE, "there are no runs to compare");
  int code = compare(&w, table, err);
  if (w.rows)
    ssk_scored_free(w.rows, w.n_rows);
  for (int r = 0; w.names && r < w.n_rows; r++)
    free(w.names[r]);
  free(w.rows);
  free(w.names);
  free(w.of_row);
  free(w.lead);
  ssk_run_free(w.first);
  ssk_pool_free(w.pool);
  if (code)
    ssk_table_free(table);
  return code;
}
