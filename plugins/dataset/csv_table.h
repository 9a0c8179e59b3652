/* SPDX-License-Identifier: GPL-3.0-or-later */
/* csv_table.h - a CSV file as a table of numbers: its columns, and which plays which role. */
#ifndef SSK_CSV_TABLE_H
#define SSK_CSV_TABLE_H

#include "csv_calendar.h"
#include "csv_reader.h"
#include <math.h>

struct csv {
  struct ssk_files files;
  const char *delimiter, *series, *time, *split_column; /* parameters */
  struct ssk_strings columns, covariates, calendar;
  bool wide, header;
  int time_order;
};

enum { CSV_ASCENDING, CSV_ANY_ORDER }; /* of time_order */

enum csv_role { CSV_VALUE, CSV_COVARIATE, CSV_SERIES, CSV_TIME, CSV_SPLIT, CSV_UNUSED };

struct csv_column {
  char *name;
  enum csv_role role;
  bool named;   /* asked for by the recipe: a cell that is no number is an error */
  bool numeric; /* some cell is a number */
  bool text;    /* some is none, so that the column, which nobody asked for, is no data */
  struct csv_place first_text;
  int slot; /* of values and covariates, in their order */
};

/* When a row was, and the cell that says so. */
struct csv_moment {
  struct csv_time time;
  struct csv_place place;
};

/* A file being read. */
struct csv_table {
  struct csv *d;
  const char *path;
  struct csv_reader reader;
  struct csv_column *column;
  int n_columns, width, n_calendar; /* width: values, covariates, and the calendar behind them */
  int64_t n_rows, capacity;
  double *cells; /* [n_rows, width]: by slot */
  char **series; /* [n_rows] names, shared by rows; NULL when there is one series */
  signed char *split;
  bool timed;                /* the rows have times that can be compared */
  struct csv_moment *moment; /* [n_rows] then */
  char **names;              /* all distinct allocations of `series` */
  int64_t n_names, capacity_names;
};

static int csv_no_memory(const struct csv_table *t, ssk_err *err) {
  return ssk_err_set(err, SSK_ENOMEM, "no memory for the table '%s'", t->path);
}

static bool csv_listed(const struct ssk_strings *list, const char *name) {
  for (int i = 0; i < list->n; i++)
    if (strcmp(list->items[i], name) == 0)
      return true;
  return false;
}

/* The columns that are observed: those of the recipe, or else those of the first file, for
 * all files behind it; none in that: all with numbers are. */
static const struct ssk_strings *csv_observed(const struct csv *d) {
  return d->columns.n ? &d->columns : ssk_files_kept_names(&d->files);
}

/* The role of a column of this name. */
static enum csv_role csv_role_of(const struct csv *d, const char *name) {
  const struct ssk_strings *observed = csv_observed(d);
  bool value = csv_listed(observed, name);
  enum csv_role role = strcmp(name, d->series) == 0         ? CSV_SERIES
                       : strcmp(name, d->split_column) == 0 ? CSV_SPLIT
                       : csv_listed(&d->covariates, name)   ? CSV_COVARIATE
                       : value                              ? CSV_VALUE
                       : strcmp(name, d->time) == 0         ? CSV_TIME
                       : observed->n == 0                   ? CSV_VALUE
                                                            : CSV_UNUSED;
  /* "" as a role means none */
  return *name == '\0' && role != CSV_VALUE ? CSV_UNUSED : role;
}

static int csv_add_column(struct csv_table *t, const char *name, ssk_err *err) {
  const struct csv *d = t->d;
  for (int i = 0; i < t->n_columns; i++)
    if (strcmp(t->column[i].name, name) == 0 && (*name || csv_listed(csv_observed(d), name))) {
      struct ssk_pos pos = csv_pos(&t->reader);
      return ssk_err_at(err, SSK_EDATA, &pos, "a second column '%s'", name);
    }
  struct csv_column *grown = realloc(t->column, ((size_t)t->n_columns + 1) * sizeof *t->column);
  char *copy = strdup(name);
  if (grown)
    t->column = grown;
  if (!grown || !copy) {
    free(copy);
    return csv_no_memory(t, err);
  }
  bool value = csv_listed(csv_observed(d), name);
  enum csv_role role = csv_role_of(d, name);
  t->column[t->n_columns++] =
      (struct csv_column){.name = copy, .role = role, .named = value || role == CSV_COVARIATE};
  if ((value && role != CSV_VALUE) || (*name && !strcmp(name, d->time) && role != CSV_TIME)) {
    struct ssk_pos pos = csv_pos(&t->reader);
    return ssk_err_at(err, SSK_EDATA, &pos, "column '%s' has two roles", name);
  }
  return SSK_OK;
}

static bool csv_missing(const struct csv *d, const char *text) {
  char trimmed[64];
  text += strspn(text, " \t");
  size_t length = strlen(text);
  while (length && strchr(" \t", text[length - 1]))
    length--;
  if (length < sizeof trimmed && text[length]) {
    snprintf(trimmed, sizeof trimmed, "%.*s", (int)length, text);
    text = trimmed;
  }
  return *text == '\0' || !strcmp(text, "NA") || !strcmp(text, "NaN") || !strcmp(text, "nan") ||
         ssk_files_missing(&d->files, text);
}

/* The names that the recipe asks for, or else x1, x2, ..., as an example of a header. */
static void csv_example(const struct csv *d, int n, char *out, size_t room) {
  const char *const roles[] = {d->series, d->time, d->split_column};
  size_t used = 0;
  for (int i = 0; i < 3; i++)
    if (*roles[i] && used < room)
      used += (size_t)snprintf(out + used, room - used, "%s%c", roles[i], *d->delimiter);
  for (int i = 0; i < (d->columns.n ? d->columns.n : n) && used < room; i++)
    used += d->columns.n ? (size_t)snprintf(out + used, room - used, "%s%c", d->columns.items[i],
                                            *d->delimiter)
                         : (size_t)snprintf(out + used, room - used, "x%d%c", i + 1, *d->delimiter);
  for (int i = 0; i < d->covariates.n && used < room; i++)
    used +=
        (size_t)snprintf(out + used, room - used, "%s%c", d->covariates.items[i], *d->delimiter);
  out[used < room ? used - 1 : room - 1] = '\0'; /* the last delimiter */
}

/* Does the recipe ask for a column of this name? */
static bool csv_asked_for(const struct csv *d, const char *name) {
  return csv_listed(&d->columns, name) || csv_listed(&d->covariates, name) ||
         (*name &&
          (!strcmp(name, d->series) || !strcmp(name, d->time) || !strcmp(name, d->split_column)));
}

/* What a cell of the first line looks like. */
enum csv_first { CSV_NAME, CSV_NOTHING, CSV_DATE, CSV_WHOLE, CSV_FRACTION };

static enum csv_first csv_first_cell(const struct csv *d, const char *cell) {
  double value;
  if (ssk_files_number(cell, &value))
    return value == floor(value) && !strpbrk(cell, ".eE") ? CSV_WHOLE : CSV_FRACTION;
  return ssk_files_comma_number(cell)              ? CSV_FRACTION
         : csv_missing(d, cell)                    ? CSV_NOTHING
         : csv_time_of(cell).form == CSV_TIME_DATE ? CSV_DATE
                                                   : CSV_NAME;
}

/* A first line of numbers, with dates among them or not, is an observation that would be lost as a
 * line of names, unless the recipe asks for columns of such names; and so is one with a name beside
 * a number that is not whole (a year may be a name). */
static int csv_check_header(struct csv_table *t, ssk_err *err) {
  enum csv_token token = CSV_CELL;
  char found[64] = "", example[256];
  int n = 0, count[CSV_FRACTION + 1] = {0};
  for (size_t used = 0; token == CSV_CELL; n++) {
    token = csv_next(&t->reader, err);
    if (token == CSV_BAD)
      return SSK_EDATA;
    const char *cell = t->reader.cell;
    if (token == CSV_END || csv_asked_for(t->d, cell)) {
      csv_rewind(&t->reader);
      return SSK_OK;
    }
    count[csv_first_cell(t->d, cell)]++;
    if (used < sizeof found)
      used += (size_t)snprintf(found + used, sizeof found - used, "%s%s", n ? ", " : "", cell);
  }
  csv_rewind(&t->reader);
  if (!count[CSV_FRACTION] && (count[CSV_NAME] || !count[CSV_WHOLE]))
    return SSK_OK;
  struct ssk_pos pos = {.file = t->path, .line = t->reader.cell_line, .column = 1};
  csv_example(t->d, n, example, sizeof example);
  ssk_err_at(err, SSK_EDATA, &pos, "the names of columns are expected here, found %s", found);
  ssk_err_hint(err, "a first line of %s; give the file one, e.g. %s%s",
               count[CSV_NAME]   ? "values is no header"
               : count[CSV_DATE] ? "dates and numbers is no header"
                                 : "numbers alone is no header",
               example, t->d->columns.n ? "" : ", or say 'header: false' in the recipe");
  return SSK_EDATA;
}

/* The names of the columns: of the first line, or, without such a line, their numbers from 1. */
static int csv_read_header(struct csv_table *t, ssk_err *err) {
  enum csv_token token;
  int code = t->d->header ? csv_check_header(t, err) : SSK_OK;
  if (code)
    return code;
  do {
    char number[16];
    token = csv_next(&t->reader, err);
    if (token == CSV_BAD)
      return SSK_EDATA;
    if (token == CSV_END)
      return ssk_err_set(err, SSK_EDATA, "'%s' is empty", t->path);
    snprintf(number, sizeof number, "%d", t->n_columns + 1);
    code = csv_add_column(t, t->d->header ? t->reader.cell : number, err);
  } while (!code && token == CSV_CELL);
  if (!t->d->header)
    csv_rewind(&t->reader);
  t->reader.single = t->n_columns == 1;
  return code;
}

/* One column whose name holds what often divides columns: a hint beside the error. */
static void csv_hint_delimiter(const struct csv_table *t, ssk_err *err) {
  const char *found = t->n_columns == 1 ? strpbrk(t->column[0].name, ";\t|,") : NULL;
  if (found && *found == *t->d->delimiter)
    return; /* within quotes */
  if (found && *found == '\t')
    ssk_err_hint(err, "its columns are divided by tabs: say 'delimiter: \"\\t\"' in the recipe");
  else if (found)
    ssk_err_hint(err, "its columns are divided by '%c': say 'delimiter: \"%c\"' in the recipe",
                 *found, *found);
}

/* Each column that the recipe names must be there. */
static int csv_check_named(struct csv_table *t, const char *key, const char *name, ssk_err *err) {
  for (int i = 0; i < t->n_columns; i++)
    if (*name == '\0' || strcmp(t->column[i].name, name) == 0)
      return SSK_OK;
  const char **names = calloc((size_t)t->n_columns + 1, sizeof *names);
  if (!names)
    return csv_no_memory(t, err);
  for (int i = 0; i < t->n_columns; i++)
    names[i] = t->column[i].name;
  struct ssk_pos pos = {.file = t->path, .line = 1, .column = 1};
  ssk_files_no_column(&pos, name, key, names, t->n_columns, err);
  csv_hint_delimiter(t, err);
  free(names);
  return SSK_EDATA;
}

/* No column twice. */
static int csv_check_once(const struct csv_table *t, const char *key,
                          const struct ssk_strings *list, ssk_err *err) {
  for (int i = 0; i < list->n; i++)
    for (int k = 0; k < i; k++)
      if (strcmp(list->items[i], list->items[k]) == 0)
        return ssk_err_set(err, SSK_EDATA, "'%s': '%s' names the column '%s' twice", t->path, key,
                           list->items[i]);
  return SSK_OK;
}

static int csv_check_columns(struct csv_table *t, ssk_err *err) {
  const struct csv *d = t->d;
  int code = csv_check_named(t, "series", d->series, err);
  code = code ? code : csv_check_named(t, "time", d->time, err);
  code = code ? code : csv_check_named(t, "split_column", d->split_column, err);
  const struct ssk_strings *observed = csv_observed(d);
  code = code ? code : csv_check_once(t, "columns", observed, err);
  code = code ? code : csv_check_once(t, "covariates", &d->covariates, err);
  for (int i = 0; i < observed->n && !code; i++)
    code = csv_check_named(t, d->columns.n ? "columns" : NULL, observed->items[i], err);
  for (int i = 0; i < d->covariates.n && !code; i++)
    code = csv_check_named(t, "covariates", d->covariates.items[i], err);
  if (d->calendar.n && !*d->time)
    code = code ? code
                : ssk_err_set(err, SSK_EDATA, "'%s': the calendar needs the column of times (time)",
                              t->path);
  for (int i = 0; i < t->n_columns; i++) {
    if (t->column[i].role <= CSV_COVARIATE)
      t->column[i].slot = t->width++;
    if (t->column[i].role == CSV_TIME)
      t->timed = d->time_order == CSV_ASCENDING;
  }
  t->n_calendar = 2 * d->calendar.n;
  t->width += t->n_calendar;
  return code;
}

#endif
