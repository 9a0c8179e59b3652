/* SPDX-License-Identifier: GPL-3.0-or-later */
/* csv.c - series from a table of comma-separated values: one row a time step.
 *
 * The file is read once. Each row gets a split: by its place in time within its series, or by a
 * column that names it. A run of rows of one series with one split is a series of that split; so
 * gaps are never joined. Missing cells are masked, covariates must be complete. Standardisation is
 * the kernel's, which undoes it for metrics. */
#include "csv_table.h"

static const char *csv_check_delimiter(const void *self) {
  const struct csv *d = self;
  return strlen(d->delimiter) == 1 && !strchr("\"\n\r", *d->delimiter)
             ? NULL
             : "must be a single character, not a quote or a line end";
}

static const char *csv_check_split(const void *self) {
  const struct csv *d = self;
  double sum = 0;
  for (int i = 0; i < d->split.n; i++)
    sum += d->split.items[i];
  return d->split.n == 3 && d->split.items[0] > 0 && fabs(sum - 1) < 1e-9
             ? NULL
             : "must be three fractions (train, valid, test) that sum to 1, the first above 0";
}

static const struct ssk_param csv_params[] = {
    SSK_PARAM_PATH(struct csv, path, NULL, "The file; its first line names the columns."),
    {.name = "delimiter",
     .type = SSK_T_STRING,
     .offset = SSK_MEMBER_(struct csv, delimiter, const char *),
     .default_text = ",",
     .doc = "The character between cells.",
     .check = csv_check_delimiter},
    SSK_PARAM_STRINGS(
        struct csv, columns, NULL,
        "Columns that are observed; default: all with nothing but numbers and missing "
        "cells that have no other role."),
    SSK_PARAM_STRINGS(struct csv, covariates, NULL,
                      "Columns that are known inputs, over the forecast horizon too."),
    SSK_PARAM_STRING(struct csv, series, "",
                     "Column that tells the series apart; empty: one series."),
    SSK_PARAM_STRING(struct csv, time, "",
                     "Column with dates or times; it is left out: rows stand in their order."),
    SSK_PARAM_STRING(struct csv, split_column, "",
                     "Column with train, valid or test; empty: split by time."),
    {.name = "split",
     .type = SSK_T_REALS,
     .offset = SSK_MEMBER_(struct csv, split, struct ssk_reals),
     .default_text = "[0.7, 0.1, 0.2]",
     .min = 0,
     .max = 1,
     .doc = "Fractions of each series, in the order of time, for train, valid and test.",
     .check = csv_check_split},
    SSK_PARAM_INT(struct csv, overlap, "0", 0, 1e6, "steps",
                  "Rows ahead of a validation or test part that are given with it, as history."),
    SSK_PARAM_STRINGS(
        struct csv, missing, NULL,
        "Further cells that mean missing, such as -9999; empty cells, NA, NaN and nan "
        "always do."),
    SSK_PARAM_END,
};

/* ---- from rows to series ------------------------------------------------------------------------
 */

/* Keep the columns that turned out to be data: values first, then covariates, each in the order of
 * the recipe's list, or else of the file. */
static int csv_select(struct csv_table *t, ssk_err *err) {
  struct csv *d = t->d;
  int *from = calloc((size_t)t->width + 1, sizeof *from), n = 0;
  if (!from)
    return csv_no_memory(t, err);
  for (int role = CSV_VALUE; role <= CSV_COVARIATE; role++) {
    const struct ssk_strings *list = role == CSV_VALUE ? &d->columns : &d->covariates;
    for (int k = 0; k < (list->n ? list->n : t->n_columns); k++)
      for (int i = 0; i < t->n_columns; i++)
        if (t->column[i].role == (enum csv_role)role &&
            (list->n ? !strcmp(t->column[i].name, list->items[k]) : i == k) &&
            (t->column[i].numeric || t->column[i].named) && n < t->width)
          from[n++] = t->column[i].slot;
    *(role == CSV_VALUE ? &d->D : &d->V) = role == CSV_VALUE ? n : n - d->D;
  }
  int code = SSK_OK;
  if (d->D == 0)
    code = ssk_err_set(err, SSK_EDATA, "'%s' has no column of numbers to model", d->path);
  else if (!(d->values = malloc((size_t)d->n_rows * (size_t)n * sizeof *d->values)))
    code = csv_no_memory(t, err);
  for (int64_t r = 0; r < d->n_rows && !code; r++)
    for (int k = 0; k < n; k++)
      d->values[r * n + k] = t->cells[r * t->width + from[k]];
  free(from);
  return code;
}

struct csv_key {
  const char *series;
  int64_t row, first; /* first: the first row of its series */
};

static int csv_by_name(const void *a, const void *b) {
  const struct csv_key *x = a, *y = b;
  int order = strcmp(x->series, y->series);
  return order ? order : (x->row > y->row) - (x->row < y->row);
}

static int csv_by_first(const void *a, const void *b) {
  const struct csv_key *x = a, *y = b;
  int order = (x->first > y->first) - (x->first < y->first);
  return order ? order : (x->row > y->row) - (x->row < y->row);
}

static int csv_by_split(const void *a, const void *b) {
  const struct csv_run *x = a, *y = b;
  int order = x->split - y->split;
  return order ? order : (x->first > y->first) - (x->first < y->first);
}

/* The splits of one series' rows, by the fractions. */
static void csv_split_by_time(const struct csv *d, struct csv_table *t, int64_t from, int64_t n) {
  int64_t train = (int64_t)floor(d->split.items[0] * (double)n + 1e-9);
  int64_t valid = (int64_t)floor((d->split.items[0] + d->split.items[1]) * (double)n + 1e-9);
  for (int64_t i = 0; i < n; i++)
    t->split[d->order[from + i]] = (signed char)(i < train   ? SSK_TRAIN
                                                 : i < valid ? SSK_VALID
                                                             : SSK_TEST);
}

/* Cut one series, order[from, from + n), into runs of one split. */
static int csv_cut(struct csv_table *t, int64_t from, int64_t n, ssk_err *err) {
  struct csv *d = t->d;
  if (*d->split_column == '\0')
    csv_split_by_time(d, t, from, n);
  for (int64_t i = 0, next; i < n; i = next) {
    int split = t->split[d->order[from + i]];
    for (next = i + 1; next < n && t->split[d->order[from + next]] == split; next++)
      ;
    int64_t back = split == SSK_TRAIN ? 0 : d->overlap < i ? d->overlap : i;
    int64_t length = next - i + back;
    if (length > INT32_MAX)
      return ssk_err_set(err, SSK_EDATA, "'%s' has a series of %lld rows: too long", d->path,
                         (long long)length);
    d->runs[d->n_runs++] =
        (struct csv_run){.split = split, .first = from + i - back, .length = (int)length};
    if (length > d->longest)
      d->longest = (int)length;
  }
  return SSK_OK;
}

static int csv_arrange(struct csv_table *t, ssk_err *err) {
  struct csv *d = t->d;
  size_t n = (size_t)d->n_rows;
  bool many = *d->series != '\0';
  struct csv_key *key = calloc(n, sizeof *key);
  d->order = calloc(n, sizeof *d->order);
  d->runs = calloc(n, sizeof *d->runs); /* at most one a row */
  int code = key && d->order && d->runs ? SSK_OK : csv_no_memory(t, err);
  for (size_t i = 0; i < n && !code; i++)
    key[i] = (struct csv_key){.series = many ? t->series[i] : "", .row = (int64_t)i};
  if (!code && many) {
    qsort(key, n, sizeof *key, csv_by_name);
    for (size_t i = 0; i < n; i++)
      key[i].first =
          i && strcmp(key[i].series, key[i - 1].series) == 0 ? key[i - 1].first : key[i].row;
    qsort(key, n, sizeof *key, csv_by_first);
  }
  for (size_t i = 0; i < n && !code; i++)
    d->order[i] = key[i].row;
  for (size_t i = 0, next; i < n && !code; i = next) {
    for (next = i + 1; next < n && key[next].first == key[i].first; next++)
      ;
    code = csv_cut(t, (int64_t)i, (int64_t)(next - i), err);
  }
  free(key);
  if (code)
    return code;
  qsort(d->runs, (size_t)d->n_runs, sizeof *d->runs, csv_by_split);
  for (int64_t i = 0; i < d->n_runs; i++)
    for (int s = d->runs[i].split + 1; s <= SSK_SPLIT_COUNT; s++)
      d->first[s] = i + 1;
  if (d->first[SSK_TRAIN + 1] == 0)
    return ssk_err_set(err, SSK_EDATA, "'%s' has no rows for training", d->path);
  return SSK_OK;
}

static int csv_dataset_open(void *self, uint64_t seed, ssk_err *err) {
  struct csv *d = self;
  struct csv_table table = {.d = d};
  (void)seed;
  int code = csv_open(&table.reader, d->path, *d->delimiter, err);
  code = code ? code : csv_read_header(&table, err);
  code = code ? code : csv_check_columns(&table, err);
  for (bool end = false; !code && !end;)
    code = csv_read_row(&table, &end, err);
  if (!code && d->n_rows == 0)
    code = ssk_err_set(err, SSK_EDATA, "'%s' has a header but no rows", d->path);
  code = code ? code : csv_select(&table, err);
  code = code ? code : csv_arrange(&table, err);
  csv_table_free(&table);
  return code;
}

static void csv_done(void *self) {
  struct csv *d = self;
  free(d->values);
  free(d->order);
  free(d->runs);
}

/* ---- the slots --------------------------------------------------------------------------------
 */

static void csv_shape(const void *self, struct ssk_data_shape *out) {
  const struct csv *d = self;
  *out =
      (struct ssk_data_shape){.size = sizeof *out, .D = d->D, .V = d->V, .max_length = d->longest};
}

static int64_t csv_count(const void *self, enum ssk_split split) {
  const struct csv *d = self;
  return d->first[split + 1] - d->first[split];
}

static int csv_fill(const void *self, enum ssk_split split, int64_t i, struct ssk_series *out,
                    ssk_err *err) {
  const struct csv *d = self;
  const struct csv_run *run = &d->runs[d->first[split] + i];
  (void)err;
  out->length = run->length;
  for (int t = 0; t < run->length; t++) {
    const double *row = d->values + d->order[run->first + t] * (d->D + d->V);
    for (int k = 0; k < d->D; k++) {
      bool seen = !isnan(row[k]);
      out->x[t * d->D + k] = seen ? row[k] : 0;
      out->mask[t * d->D + k] = seen;
    }
    for (int k = 0; k < d->V; k++)
      out->u[t * d->V + k] = row[d->D + k];
  }
  return SSK_OK;
}

static const struct ssk_dataset_ops csv_ops = {.size = sizeof(struct ssk_dataset_ops),
                                               .open = csv_dataset_open,
                                               .shape = csv_shape,
                                               .count = csv_count,
                                               .fill = csv_fill};

static const struct ssk_component csv_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_DATASET,
    .name = "csv",
    .summary = "your own data: a table of comma-separated values, one row a time step",
    .doc =
        "The first line names the columns; each further line is a time step, in order. `columns` "
        "are observed, `covariates` are known inputs, `series` tells several series apart, and "
        "`split` (by time, within each series) or `split_column` says what is for training. "
        "Cells that are empty, NA, NaN, nan or listed under `missing` are masked. Quotes, CRLF "
        "and a byte-order mark are as in RFC 4180.",
    .self_size = sizeof(struct csv),
    .params = csv_params,
    .ops = &csv_ops,
    .done = csv_done,
};

SSK_PLUGIN(&csv_component)
