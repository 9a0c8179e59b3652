/* SPDX-License-Identifier: GPL-3.0-or-later */
/* csv_rows.h - the rows of a CSV file: what the cells of each column say, by its role. */
#ifndef SSK_CSV_ROWS_H
#define SSK_CSV_ROWS_H

#include "csv_table.h"

#define CSV_AS_THEY_STAND "'time_order: any' takes the rows as they stand"

/* A column that nobody asked for has numbers and text: it is not for us to say which of them is
 * wrong. */
static int csv_mixed(struct csv_table *t, const struct csv_column *column, ssk_err *err) {
  struct ssk_pos pos = csv_pos(&t->reader);
  ssk_err_at(err, SSK_EDATA, &pos, "column '%s' has numbers, and text: '%.40s' is %s", column->name,
             t->reader.cell, column->text ? "a number" : "not a finite number");
  ssk_err_hint(err,
               "list under 'missing' what stands for a missing value; or name the columns that "
               "are observed under 'columns'");
  return SSK_EDATA;
}

/* A number as it is written where the comma is the decimal mark, or stands between thousands. */
static int csv_comma(struct csv_table *t, const struct csv_column *column, ssk_err *err) {
  struct ssk_pos pos = csv_pos(&t->reader);
  ssk_err_at(err, SSK_EDATA, &pos,
             "column '%s': the number '%.40s' has a comma, where a decimal point is expected",
             column->name, t->reader.cell);
  const char *text = column->named ? ""
                                   : "; if it is text, name the columns that are observed under "
                                     "'columns'";
  if (*t->d->delimiter == ',')
    ssk_err_hint(err, "write 1.5 for 1,5 and 1000 for 1,000%s", text);
  else
    ssk_err_hint(err, "write 1.5 for 1,5; \"sed 's/,/./g'\" does it for a whole file%s", text);
  return SSK_EDATA;
}

static int csv_take_number(struct csv_table *t, struct csv_column *column, double *out,
                           ssk_err *err) {
  const char *text = t->reader.cell;
  *out = NAN;
  if (csv_missing(t->d, text)) {
    if (column->role != CSV_COVARIATE)
      return SSK_OK;
    struct ssk_pos pos = csv_pos(&t->reader);
    return ssk_err_at(err, SSK_EDATA, &pos, "covariate '%s' is missing here", column->name);
  }
  if (ssk_files_number(text, out)) {
    column->numeric = true;
    return SSK_OK;
  }
  if (ssk_files_comma_number(text))
    return csv_comma(t, column, err);
  if (!column->named && column->numeric)
    return csv_mixed(t, column, err);
  if (!column->named) {
    column->role = CSV_UNUSED;
    column->text = true;
    column->first_text = csv_here(&t->reader);
    return SSK_OK;
  }
  struct ssk_pos pos = csv_pos(&t->reader);
  ssk_err_at(err, SSK_EDATA, &pos, "column '%s': '%.40s' is not a finite number", column->name,
             text);
  ssk_err_hint(err, "list it under 'missing' if it stands for a missing value");
  return SSK_EDATA;
}

static int csv_take_split(struct csv_table *t, signed char *out, ssk_err *err) {
  static const char *const names[] = {"train", "valid", "test"};
  for (int s = 0; s < SSK_SPLIT_COUNT; s++)
    if (strcmp(t->reader.cell, names[s]) == 0) {
      *out = (signed char)s;
      return SSK_OK;
    }
  struct ssk_pos pos = csv_pos(&t->reader);
  ssk_err_at(err, SSK_EDATA, &pos, "'%.40s' is not a split", t->reader.cell);
  ssk_err_hint(err, "train, valid or test");
  return SSK_EDATA;
}

static int csv_bad_time(struct csv_table *t, const struct csv_time *time, ssk_err *err) {
  struct ssk_pos pos = csv_pos(&t->reader);
  const char *text = t->reader.cell;
  if (time->form == CSV_TIME_WRONG)
    return ssk_err_at(err, SSK_EDATA, &pos, "'%.40s': there is no such date or time of day", text);
  if (csv_missing(t->d, text))
    ssk_err_at(err, SSK_EDATA, &pos, "the time is missing here");
  else
    ssk_err_at(err, SSK_EDATA, &pos, "'%.40s' is not a time%s", text,
               t->n_calendar ? "" : " like those ahead of it");
  if (t->n_calendar)
    ssk_err_hint(err, "the calendar needs YYYY-MM-DD, with hh:mm or hh:mm:ss behind it where hours "
                      "are asked for");
  else
    ssk_err_hint(err, CSV_AS_THEY_STAND);
  return SSK_EDATA;
}

/* The time of a row: for the calendar, and to be compared with that of the row ahead of it. A
 * column whose first cell is of a form that is not read here cannot be checked. */
static int csv_take_time(struct csv_table *t, int64_t row, ssk_err *err) {
  const struct csv_time time = csv_time_of(t->reader.cell);
  if (row == 0 && time.form == CSV_TIME_UNKNOWN && !csv_missing(t->d, t->reader.cell))
    t->timed = false;
  if (time.form == CSV_TIME_WRONG || (t->n_calendar && time.form != CSV_TIME_DATE) ||
      (t->timed && (time.form == CSV_TIME_UNKNOWN || (row && time.form != t->moment[0].time.form))))
    return csv_bad_time(t, &time, err);
  csv_calendar(&time, &t->d->calendar, &t->cells[(row + 1) * t->width - t->n_calendar]);
  if (t->timed)
    t->moment[row] = (struct csv_moment){.time = time, .place = csv_here(&t->reader)};
  return SSK_OK;
}

/* The time of a row is not behind that of the row ahead of it in its series. */
static int csv_bad_order(struct csv_table *t, int64_t before, int64_t row, ssk_err *err) {
  const struct csv_moment *a = &t->moment[before], *b = &t->moment[row];
  const char *series = *t->d->series ? t->series[row] : "";
  const bool twice = csv_time_order(&a->time, &b->time) == 0;
  char earlier[48], name[64];
  snprintf(earlier, sizeof earlier, "%.40s", csv_again(&t->reader, a->place));
  snprintf(name, sizeof name, *series ? "series '%.40s'" : "a series", series);
  const char *text = csv_again(&t->reader, b->place);
  struct ssk_pos pos = csv_pos(&t->reader);
  if (twice)
    ssk_err_at(err, SSK_EDATA, &pos,
               "the time '%.40s' stands in line %d, too: %s has one row for each time", text,
               a->place.line, name);
  else
    ssk_err_at(err, SSK_EDATA, &pos,
               "the time '%.40s' is before '%s' in line %d: the rows of %s stand in the order of "
               "time",
               text, earlier, a->place.line, name);
  ssk_err_hint(err, "%s%s; " CSV_AS_THEY_STAND, twice ? "keep one of them" : "sort them by time",
               *series ? ""
                       : ", or, where there are several series, name the column that tells them "
                         "apart under 'series'");
  return SSK_EDATA;
}

/* Names repeat from row to row: remember the latest only, sorting brings equal ones together. */
static int csv_take_series(struct csv_table *t, int64_t row, ssk_err *err) {
  if (row > 0 && strcmp(t->series[row - 1], t->reader.cell) == 0) {
    t->series[row] = t->series[row - 1];
    return SSK_OK;
  }
  if (t->n_names == t->capacity_names) {
    int64_t capacity = t->capacity_names ? 2 * t->capacity_names : 64;
    char **grown = realloc(t->names, (size_t)capacity * sizeof *grown);
    if (!grown)
      return csv_no_memory(t, err);
    t->names = grown;
    t->capacity_names = capacity;
  }
  char *copy = strdup(t->reader.cell);
  if (!copy)
    return csv_no_memory(t, err);
  t->series[row] = t->names[t->n_names++] = copy;
  return SSK_OK;
}

static int csv_grow(struct csv_table *t, ssk_err *err) {
  if (t->n_rows < t->capacity)
    return SSK_OK;
  int64_t n = t->capacity ? 2 * t->capacity : 1024;
  double *cells = realloc(t->cells, (size_t)n * (size_t)(t->width + 1) * sizeof *cells);
  if (cells)
    t->cells = cells;
  signed char *split = realloc(t->split, (size_t)n);
  if (split)
    t->split = split;
  char **series = realloc(t->series, (size_t)n * sizeof *series);
  if (series)
    t->series = series;
  struct csv_moment *moment = t->timed ? realloc(t->moment, (size_t)n * sizeof *moment) : t->moment;
  if (moment)
    t->moment = moment;
  if (!cells || !split || !series || (t->timed && !moment))
    return csv_no_memory(t, err);
  t->capacity = n;
  return SSK_OK;
}

/* One record; *end is set when there is none. */
static int csv_read_row(struct csv_table *t, bool *end, ssk_err *err) {
  int code = csv_grow(t, err);
  if (code)
    return code;
  int64_t row = t->n_rows;
  enum csv_token token = CSV_CELL;
  int n = 0;
  for (; token == CSV_CELL; n++) {
    token = csv_next(&t->reader, err);
    if (token == CSV_BAD)
      return SSK_EDATA;
    if (token == CSV_END) {
      *end = true;
      return SSK_OK;
    }
    if (n >= t->n_columns || (token == CSV_LAST_CELL && n + 1 < t->n_columns)) {
      struct ssk_pos pos = csv_pos(&t->reader);
      ssk_err_at(err, SSK_EDATA, &pos, "this row has %s cells than the %d of the header",
                 n >= t->n_columns ? "more" : "fewer", t->n_columns);
      csv_hint_delimiter(t, err);
      return SSK_EDATA;
    }
    struct csv_column *column = &t->column[n];
    if (column->role <= CSV_COVARIATE)
      code = csv_take_number(t, column, &t->cells[row * t->width + column->slot], err);
    else if (column->text && ssk_files_number(t->reader.cell, &(double){0}))
      code = csv_mixed(t, column, err);
    else if (column->role == CSV_SERIES)
      code = csv_take_series(t, row, err);
    else if (column->role == CSV_SPLIT)
      code = csv_take_split(t, &t->split[row], err);
    else if (column->role == CSV_TIME)
      code = csv_take_time(t, row, err);
    if (code)
      return code;
  }
  t->n_rows++;
  return SSK_OK;
}

static void csv_table_free(struct csv_table *t) {
  for (int i = 0; i < t->n_columns; i++)
    free(t->column[i].name);
  for (int64_t i = 0; i < t->n_names; i++)
    free(t->names[i]);
  free(t->column);
  free(t->names);
  free(t->cells);
  free(t->series);
  free(t->split);
  free(t->moment);
  csv_close(&t->reader);
}

#endif
