/* SPDX-License-Identifier: GPL-3.0-or-later */
/* csv.c - series from a table of comma-separated values: one row a time step.
 *
 * Rows of one series may be mixed with those of others; their order in the file is that of time,
 * which is checked where a column tells the time. A column may name the split of each row: a run of
 * rows of one series with one split is then a series of that split, so gaps are never joined. */
#include "csv_rows.h"

static const char *csv_check_delimiter(const void *self) {
  const struct csv *d = self;
  return strlen(d->delimiter) == 1 && !strchr("\"\n\r", *d->delimiter)
             ? NULL
             : "must be a single character, not a quote or a line end";
}

static const char *const csv_orders[] = {"ascending", "any", NULL};

static const struct ssk_param csv_params[] = {
    SSK_PARAMS_FILES,
    {.name = "delimiter",
     .type = SSK_T_STRING,
     .offset = SSK_MEMBER_(struct csv, delimiter, const char *),
     .default_text = ",",
     .doc = "The character between cells.",
     .check = csv_check_delimiter},
    SSK_PARAM_BOOL(struct csv, header, "true",
                   "Does the first line name the columns? If not, their names are 1, 2, ..."),
    SSK_PARAM_STRINGS(
        struct csv, columns, NULL,
        "Columns that are observed; default: all with nothing but numbers and missing "
        "cells that have no other role."),
    SSK_PARAM_BOOL(struct csv, wide, "false",
                   "Each of them is a series of its own, of one dimension."),
    SSK_PARAM_STRINGS(struct csv, covariates, NULL,
                      "Columns that are known inputs, over the forecast horizon too."),
    SSK_PARAM_STRING(struct csv, series, "",
                     "Column that tells the series apart; empty: one series."),
    SSK_PARAM_STRING(struct csv, time, "",
                     "Column with dates or times; it is left out: rows stand in their order."),
    SSK_PARAM_ENUM(struct csv, time_order, "ascending", csv_orders,
                   "Whether each row of a series must be later than the one ahead of it (where "
                   "`time` has numbers, or dates as YYYY-MM-DD hh:mm:ss), or may be of any time."),
    SSK_PARAM_NAMES(struct csv, calendar, NULL, csv_calendar_names,
                    "Known inputs made of `time`: sine and cosine of the place in the day, the "
                    "week, the year."),
    SSK_PARAM_STRING(struct csv, split_column, "",
                     "Column with train, valid or test; empty: by `split`."),
    SSK_PARAM_END,
};

/* ---- from rows to series ------------------------------------------------------------------------
 */

/* Which cells of a row are data, in what order: `from`[D + V]. */
struct csv_choice {
  int D, V;
  int *from;
};

/* Say which columns are no data although nobody said so. */
static int csv_leave_out(struct csv_table *t, ssk_err *err) {
  int code = SSK_OK;
  for (int i = 0; i < t->n_columns && !code && csv_observed(t->d)->n == 0; i++) {
    const struct csv_column *column = &t->column[i];
    if (column->text)
      code = ssk_files_leave_out(&t->d->files, err, "'%.60s' (text, such as '%.40s' in line %d)",
                                 column->name, csv_again(&t->reader, column->first_text),
                                 column->first_text.line);
    else if (column->role == CSV_VALUE && !column->numeric)
      code =
          ssk_files_leave_out(&t->d->files, err, "'%.60s' (all cells are missing)", column->name);
    else if (!*column->name)
      code = ssk_files_leave_out(&t->d->files, err, "column %d (it has no name)", i + 1);
  }
  return code;
}

/* The columns that turned out to be data: values first, then covariates, each in the order of the
 * recipe's list, or else of the first file, and the calendar. */
static int csv_select(const struct csv_table *t, struct csv_choice *out, ssk_err *err) {
  const struct csv *d = t->d;
  int n = 0;
  out->from = calloc((size_t)t->width + 1, sizeof *out->from);
  if (!out->from)
    return csv_no_memory(t, err);
  for (int role = CSV_VALUE; role <= CSV_COVARIATE; role++) {
    const struct ssk_strings *list = role == CSV_VALUE ? csv_observed(d) : &d->covariates;
    for (int k = 0; k < (list->n ? list->n : t->n_columns); k++)
      for (int i = 0; i < t->n_columns; i++)
        if (t->column[i].role == (enum csv_role)role &&
            (list->n ? !strcmp(t->column[i].name, list->items[k]) : i == k) &&
            (t->column[i].numeric || t->column[i].named))
          out->from[n++] = t->column[i].slot;
    out->D = role == CSV_VALUE ? n : out->D;
  }
  for (int k = 0; k < t->n_calendar; k++)
    out->from[n++] = t->width - t->n_calendar + k;
  out->V = n - out->D;
  if (out->D)
    return SSK_OK;
  ssk_err_set(err, SSK_EDATA, "'%s' has no column of numbers to model", t->path);
  csv_hint_delimiter(t, err);
  return SSK_EDATA;
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

/* Rows by series, in the order of their first rows, then by time. */
static void csv_sort(struct csv_key *key, size_t n) {
  qsort(key, n, sizeof *key, csv_by_name);
  for (size_t i = 0; i < n; i++)
    key[i].first =
        i && strcmp(key[i].series, key[i - 1].series) == 0 ? key[i - 1].first : key[i].row;
  qsort(key, n, sizeof *key, csv_by_first);
}

/* One series: columns [column, column + D) of the values, and all covariates, of n rows. */
static int csv_add(const struct csv_table *t, const struct csv_choice *choice, int column, int D,
                   const struct csv_key *key, int64_t n, const char *name, ssk_err *err) {
  struct csv *d = t->d;
  int V = choice->V;
  double *x = calloc((size_t)n, (size_t)D * sizeof *x);
  double *u = calloc((size_t)n, (size_t)(V + 1) * sizeof *u);
  signed char *split = *d->split_column ? malloc((size_t)n) : NULL;
  int code = x && u && (split || !*d->split_column) ? SSK_OK : csv_no_memory(t, err);
  for (int64_t i = 0; !code && i < n; i++) {
    const double *row = t->cells + key[i].row * t->width;
    for (int k = 0; k < D; k++)
      x[i * D + k] = row[choice->from[column + k]];
    for (int k = 0; k < V; k++)
      u[i * V + k] = row[choice->from[choice->D + k]];
    if (split)
      split[i] = t->split[key[i].row];
  }
  struct ssk_files_series series = {.size = sizeof series,
                                    .name = name,
                                    .steps = n,
                                    .x = x,
                                    .u = u,
                                    .split = split,
                                    .computed = t->n_calendar};
  code = code ? code : ssk_files_add(&d->files, &series, err);
  free(x);
  free(u);
  free(split);
  return code;
}

/* The rows of one series: one of many dimensions, or many of one. */
static int csv_add_rows(const struct csv_table *t, const struct csv_choice *choice,
                        const struct csv_key *key, int64_t n, ssk_err *err) {
  const char *name = *t->d->series ? key->series : NULL;
  if (!t->d->wide)
    return csv_add(t, choice, 0, choice->D, key, n, name, err);
  int code = SSK_OK;
  for (int column = 0; !code && column < choice->D; column++) {
    int i = 0; /* there is one */
    while (t->column[i].role != CSV_VALUE || t->column[i].slot != choice->from[column])
      i++;
    char *joined = malloc((name ? strlen(name) : 0) + strlen(t->column[i].name) + 2);
    if (!joined)
      return csv_no_memory(t, err);
    sprintf(joined, "%s%s%s", name ? name : "", name ? "/" : "", t->column[i].name);
    code = csv_add(t, choice, column, 1, key, n, joined, err);
    free(joined);
  }
  return code;
}

static int csv_add_all(struct csv_table *t, const struct csv_choice *choice, ssk_err *err) {
  struct csv *d = t->d;
  int64_t n = t->n_rows;
  struct csv_key *key = calloc((size_t)n, sizeof *key);
  int code = key ? ssk_files_dims(&d->files, d->wide ? 1 : choice->D, choice->V, 0, err)
                 : csv_no_memory(t, err);
  for (int64_t i = 0; i < n && !code; i++)
    key[i] = (struct csv_key){.series = *d->series ? t->series[i] : "", .row = i};
  if (!code && *d->series)
    csv_sort(key, (size_t)n);
  for (int64_t i = 0, next; i < n && !code; i = next) {
    for (next = i + 1; next < n && key[next].first == key[i].first && !code; next++)
      if (t->timed &&
          csv_time_order(&t->moment[key[next - 1].row].time, &t->moment[key[next].row].time) >= 0)
        code = csv_bad_order(t, key[next - 1].row, key[next].row, err);
    code = code ? code : csv_add_rows(t, choice, &key[i], next - i, err);
  }
  free(key);
  return code;
}

/* The names of the values of the first file, by which those of others are found. */
static int csv_keep_names(const struct csv_table *t, const struct csv_choice *choice,
                          ssk_err *err) {
  if (t->d->wide || !t->d->header)
    return SSK_OK;
  const char **names = calloc((size_t)choice->D + 1, sizeof *names);
  if (!names)
    return csv_no_memory(t, err);
  for (int k = 0; k < choice->D; k++)
    for (int i = 0; i < t->n_columns; i++)
      if (t->column[i].role == CSV_VALUE && t->column[i].slot == choice->from[k])
        names[k] = t->column[i].name;
  int code = ssk_files_keep_names(&t->d->files, choice->D, names, err);
  free(names);
  return code;
}

static int csv_read(void *self, const char *path, ssk_err *err) {
  struct csv *d = self;
  struct csv_table table = {.d = d, .path = path};
  struct csv_choice choice = {.D = 0};
  int code = csv_open(&table.reader, path, *d->delimiter, err);
  code = code ? code : csv_read_header(&table, err);
  code = code ? code : csv_check_columns(&table, err);
  for (bool end = false; !code && !end;)
    code = csv_read_row(&table, &end, err);
  if (!code && table.n_rows == 0)
    code = ssk_err_set(err, SSK_EDATA, "'%s' has a header but no rows", path);
  code = code ? code : csv_leave_out(&table, err);
  code = code ? code : csv_select(&table, &choice, err);
  code = code ? code : csv_keep_names(&table, &choice, err);
  code = code ? code : csv_add_all(&table, &choice, err);
  free(choice.from);
  csv_table_free(&table);
  return code;
}

static int csv_dataset_open(void *self, uint64_t seed, ssk_err *err) {
  (void)seed;
  return ssk_files_open(self, csv_read, err);
}

static const struct ssk_dataset_ops csv_ops = SSK_FILES_OPS(csv_dataset_open);

static const struct ssk_component csv_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_DATASET,
    .name = "csv",
    .summary = "your own data: a table of comma-separated values, one row a time step",
    .doc = "The first line names the columns; each further line is a time step, in order: where "
           "`time` names a column of dates or numbers, that is checked. `columns` "
           "are observed, `covariates` and the `calendar` are known inputs, `series` tells several "
           "series apart, and `split` or `split_column` says what is for training. "
           "Cells that are empty, NA, NaN, nan or listed under `missing` are masked. Quotes, CRLF "
           "and a byte-order mark are as in RFC 4180. A blank line is none, but in a table of one "
           "column, where it is an empty cell; those at the end of the file are none there either. "
           "Further files have the columns of the first by name, in any order.",
    .self_size = sizeof(struct csv),
    .params = csv_params,
    .ops = &csv_ops,
    .init = ssk_files_init,
    .done = ssk_files_done,
};

SSK_PLUGIN(&csv_component)
