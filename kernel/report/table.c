/* SPDX-License-Identifier: GPL-3.0-or-later */
/* table.c - building a comparison from evaluations. The forms it is written in are in
 * table_text.c and table_data.c. */
#include "report/table.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int no_memory(ssk_err *err) {
  return ssk_err_set(err, SSK_ENOMEM, "no memory for the table");
}

int ssk_table_init(struct ssk_table *table, const struct ssk_evaluate_section *evaluate,
                   ssk_err *err) {
  *table = (struct ssk_table){.n_columns = ssk_metric_column_count(evaluate), .reference = -1};
  table->columns = calloc((size_t)table->n_columns + 1, sizeof *table->columns);
  if (!table->columns)
    return no_memory(err);
  ssk_metric_columns(evaluate, table->columns);
  return SSK_OK;
}

static struct ssk_sample sample_of(const struct ssk_table *table, const struct ssk_table_row *row,
                                   const double **start, int column) {
  for (int k = 0; k < row->seeds; k++)
    start[k] = row->values[k] + column;
  return (struct ssk_sample){.seeds = row->seeds,
                             .seed = row->seed,
                             .series = row->series,
                             .stride = table->n_columns,
                             .values = start};
}

static void free_row(struct ssk_table_row *row) {
  for (int k = 0; k < row->seeds && row->values; k++)
    free(row->values[k]);
  free(row->values);
  free(row->cells);
  free(row->seed);
  free(row->name);
}

/* Figures of two definitions do not stand in one column. */
static int check_columns(const struct ssk_table *table, const char *name,
                         const struct ssk_evaluation *evaluation, ssk_err *err) {
  if (evaluation->n_metrics != table->n_columns)
    return ssk_err_set(err, SSK_EUSAGE, "'%s' has %d metrics, the table %d", name,
                       evaluation->n_metrics, table->n_columns);
  for (int c = 0; c < table->n_columns; c++) {
    const struct ssk_metric_column *own = &evaluation->columns[c], *column = &table->columns[c];
    if (!strcmp(own->name, column->name) && !strcmp(own->definition, column->definition))
      continue;
    ssk_err_set(err, SSK_EUSAGE, "'%s' defines %s otherwise than the rows before it: %s", name,
                own->name, own->definition);
    ssk_err_hint(err, "the column is: %s", column->definition);
    return SSK_EUSAGE;
  }
  return SSK_OK;
}

int ssk_table_add(struct ssk_table *table, const char *name, bool best_possible, int seeds,
                  const uint64_t *seed, const struct ssk_evaluation *evaluations, ssk_err *err) {
  struct ssk_table_row *grown =
      realloc(table->rows, ((size_t)table->n_rows + 1) * sizeof *table->rows);
  if (!grown)
    return no_memory(err);
  table->rows = grown;
  struct ssk_table_row row = {.name = strdup(name),
                              .best_possible = best_possible,
                              .seeds = seeds,
                              .seed = seed ? malloc((size_t)seeds * sizeof *row.seed) : NULL,
                              .series = evaluations[0].n_series,
                              .evaluations = evaluations[0].evaluations,
                              .cells = calloc((size_t)table->n_columns + 1, sizeof *row.cells),
                              .values = calloc((size_t)seeds, sizeof *row.values)};
  const double **start = calloc((size_t)seeds, sizeof *start);
  int code =
      row.name && row.cells && row.values && start && (row.seed || !seed) ? SSK_OK : no_memory(err);
  if (row.seed)
    memcpy(row.seed, seed, (size_t)seeds * sizeof *seed);
  size_t n = (size_t)row.series * (size_t)table->n_columns;
  for (int k = 0; k < seeds && !code; k++) {
    code = check_columns(table, name, &evaluations[k], err);
    if (code)
      break;
    if (evaluations[k].n_series != row.series)
      code = ssk_err_set(err, SSK_EUSAGE, "row '%s': its seeds were not evaluated alike", name);
    else if (!(row.values[k] = malloc((n + 1) * sizeof(double))))
      code = no_memory(err);
    else
      memcpy(row.values[k], evaluations[k].values, n * sizeof(double));
    row.seconds += evaluations[k].seconds / seeds;
  }
  for (int c = 0; c < table->n_columns && !code; c++) {
    row.cells[c].value = ssk_mean_over_seeds(sample_of(table, &row, start, c));
    row.cells[c].difference =
        (struct ssk_difference){.mean = NAN, .low = NAN, .high = NAN, .test = {NAN, NAN}};
    for (int k = 0; k < seeds && isnan(row.cells[c].value.mean) && !row.cells[c].reason; k++)
      row.cells[c].reason = evaluations[k].reasons[c];
  }
  free(start);
  if (code)
    free_row(&row);
  else
    table->rows[table->n_rows++] = row;
  return code;
}

double ssk_column_loss(const struct ssk_metric_column *column, double mean) {
  return column->better < 0 ? mean : column->better > 0 ? -mean : fabs(mean - column->ideal);
}

static void mark_best(struct ssk_table *table, int c) {
  struct ssk_table_row *best = NULL;
  for (int r = 0; r < table->n_rows; r++) {
    struct ssk_table_row *row = &table->rows[r];
    double mean = row->cells[c].value.mean;
    if (!row->best_possible && !isnan(mean) &&
        (!best || ssk_column_loss(&table->columns[c], mean) <
                      ssk_column_loss(&table->columns[c], best->cells[c].value.mean)))
      best = row;
  }
  if (best)
    best->cells[c].best = true;
}

static int order_rows(struct ssk_table *table, ssk_err *err) {
  struct ssk_table_row *sorted = malloc(((size_t)table->n_rows + 1) * sizeof *sorted);
  if (!sorted)
    return no_memory(err);
  int n = 0;
  for (int pass = 0; pass < 2; pass++)
    for (int r = 0; r < table->n_rows; r++)
      if (table->rows[r].best_possible == (pass == 0))
        sorted[n++] = table->rows[r];
  memcpy(table->rows, sorted, (size_t)n * sizeof *sorted);
  free(sorted);
  return SSK_OK;
}

int ssk_table_finish(struct ssk_table *table, const struct ssk_difference_how *how, ssk_err *err) {
  int code = order_rows(table, err), seeds = 1;
  for (int r = 0; r < table->n_rows; r++) {
    if (table->reference < 0 && !table->rows[r].best_possible)
      table->reference = r;
    seeds = table->rows[r].seeds > seeds ? table->rows[r].seeds : seeds;
  }
  for (int c = 0; c < table->n_columns; c++)
    mark_best(table, c);
  table->anytime = how->anytime;
  const double **start = calloc(2 * (size_t)seeds, sizeof *start);
  if (!code && !start)
    code = no_memory(err);
  for (int r = 0; r < table->n_rows && table->reference >= 0; r++)
    for (int c = 0; c < table->n_columns && !code && r != table->reference; c++) {
      struct ssk_difference_how own = *how;
      own.lags = how->lags < 0 ? table->columns[c].lags : how->lags;
      code =
          ssk_paired_difference(sample_of(table, &table->rows[r], start, c),
                                sample_of(table, &table->rows[table->reference], start + seeds, c),
                                &own, &table->rows[r].cells[c].difference, err);
    }
  free(start);
  return code;
}

void ssk_table_free(struct ssk_table *table) {
  ssk_table_free_settings(table);
  for (int r = 0; r < table->n_rows; r++)
    free_row(&table->rows[r]);
  free(table->rows);
  free(table->columns);
  *table = (struct ssk_table){0};
}
