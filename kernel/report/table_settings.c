/* SPDX-License-Identifier: GPL-3.0-or-later */
/* table_settings.c - what tells rows apart beside their names, and their order by a column. */
#include "report/table.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int no_memory(ssk_err *err) {
  return ssk_err_set(err, SSK_ENOMEM, "no memory for the table");
}

int ssk_table_name_settings(struct ssk_table *table, int n, const char *const *keys, ssk_err *err) {
  table->settings = calloc((size_t)n + 1, sizeof *table->settings);
  if (!table->settings)
    return no_memory(err);
  for (int k = 0; k < n; k++, table->n_settings++)
    if (!(table->settings[k] = strdup(keys[k])))
      return no_memory(err);
  for (int r = 0; r < table->n_rows; r++)
    if (!(table->rows[r].settings = calloc((size_t)n + 1, sizeof *table->rows[r].settings)))
      return no_memory(err);
  return SSK_OK;
}

int ssk_table_set(struct ssk_table *table, int row, int setting, const char *value, ssk_err *err) {
  table->rows[row].settings[setting] = strdup(value ? value : "-");
  return table->rows[row].settings[setting] ? SSK_OK : no_memory(err);
}

void ssk_table_free_settings(struct ssk_table *table) {
  for (int r = 0; r < table->n_rows; r++) {
    for (int k = 0; table->rows[r].settings && k < table->n_settings; k++)
      free(table->rows[r].settings[k]);
    free(table->rows[r].settings);
  }
  for (int k = 0; k < table->n_settings; k++)
    free(table->settings[k]);
  free(table->settings);
}

/* How far the row is from the best there could be; infinite without a value. */
static double loss_of(const struct ssk_table *table, const struct ssk_table_row *row, int c) {
  double loss = ssk_column_loss(&table->columns[c], row->cells[c].value.mean);
  return isnan(loss) ? INFINITY : loss;
}

int ssk_table_sort(struct ssk_table *table, const char *metric, ssk_err *err) {
  struct ssk_nearest nearest = {.wanted = metric};
  int c = 0;
  for (; c < table->n_columns && strcmp(table->columns[c].name, metric) != 0; c++)
    ssk_nearest_offer(&nearest, table->columns[c].name);
  if (c == table->n_columns) {
    ssk_err_set(err, SSK_EUSAGE, "the table has no metric '%s' to sort by", metric);
    if (nearest.best)
      ssk_err_hint(err, "did you mean '%s'?", nearest.best);
    return SSK_EUSAGE;
  }
  for (int i = 1; i < table->n_rows; i++) /* insertion: equal rows keep their order */
    for (int k = i;
         k > 0 && loss_of(table, &table->rows[k], c) < loss_of(table, &table->rows[k - 1], c);
         k--) {
      struct ssk_table_row row = table->rows[k];
      table->rows[k] = table->rows[k - 1];
      table->rows[k - 1] = row;
      if (table->reference == k || table->reference == k - 1)
        table->reference = table->reference == k ? k - 1 : k;
    }
  return SSK_OK;
}
