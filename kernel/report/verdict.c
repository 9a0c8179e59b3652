/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verdict.c - a table held against what a recipe expects of it. */
#include "report/verdict.h"
#include <stdlib.h>
#include <string.h>

/* What a table is made of. */
struct frame {
  int n_rows, n_columns;
  const char *const *rows;
  const struct ssk_metric_column *columns;
};

/* The name is not one of the table's: with the nearest that is. */
static int not_there(const struct frame *frame, const struct ssk_expect *expect, bool row,
                     ssk_err *err) {
  struct ssk_nearest nearest = {.wanted = row ? expect->row : expect->metric};
  for (int i = 0; i < (row ? frame->n_rows : frame->n_columns); i++)
    ssk_nearest_offer(&nearest, row ? frame->rows[i] : frame->columns[i].name);
  if (row && !*expect->row) {
    ssk_err_at(err, SSK_ERECIPE, &expect->pos, "the table has several rows: name one");
    ssk_err_hint(err, "row: %s", frame->rows[0]);
    return SSK_ERECIPE;
  }
  ssk_err_at(err, SSK_ERECIPE, &expect->pos, "the table has no %s '%s'", row ? "row" : "metric",
             nearest.wanted);
  if (nearest.best)
    ssk_err_hint(err, "did you mean '%s'?", nearest.best);
  return SSK_ERECIPE;
}

static int find(const struct frame *frame, const struct ssk_expect *expect, int *row, int *column,
                ssk_err *err) {
  *row = *column = 0;
  while (*row < frame->n_rows && strcmp(frame->rows[*row], expect->row) != 0)
    ++*row;
  if (!*expect->row && frame->n_rows == 1)
    *row = 0;
  if (*row == frame->n_rows)
    return not_there(frame, expect, true, err);
  while (*column < frame->n_columns && strcmp(frame->columns[*column].name, expect->metric) != 0)
    ++*column;
  if (*column == frame->n_columns)
    return not_there(frame, expect, false, err);
  const char *id = frame->columns[*column].id;
  if (!strcmp(id, expect->definition))
    return SSK_OK;
  ssk_err_at(err, SSK_ERECIPE, &expect->pos, "%s is another figure than the one expected, %s", id,
             expect->definition);
  ssk_err_hint(err, "give the metric these parameters in evaluate.metrics; docs/metrics.md");
  return SSK_ERECIPE;
}

int ssk_expectations_fit(const struct ssk_expectations *expected, int n_rows,
                         const char *const *rows, int n_columns,
                         const struct ssk_metric_column *columns, ssk_err *err) {
  const struct frame frame = {n_rows, n_columns, rows, columns};
  int code = SSK_OK, row, column;
  for (int i = 0; i < expected->n; i++) {
    int failure = find(&frame, &expected->items[i], &row, &column, err);
    code = code ? code : failure;
  }
  return code;
}

int ssk_expectations_judge(const struct ssk_expectations *expected, const struct ssk_table *table,
                           struct ssk_found *found, int *failed, ssk_err *err) {
  const char **rows = calloc((size_t)table->n_rows + 1, sizeof *rows);
  const struct frame frame = {table->n_rows, table->n_columns, rows, table->columns};
  int code = rows ? SSK_OK : ssk_err_set(err, SSK_ENOMEM, "no memory for the figures");
  *failed = 0;
  for (int r = 0; rows && r < table->n_rows; r++)
    rows[r] = table->rows[r].name;
  for (int i = 0, row, column; i < expected->n && !code; i++) {
    code = find(&frame, &expected->items[i], &row, &column, err);
    if (code)
      break;
    found[i].value = table->rows[row].cells[column].value;
    found[i].met = ssk_expect_met(&expected->items[i], found[i].value.mean);
    *failed += !found[i].met;
  }
  free(rows);
  return code;
}
