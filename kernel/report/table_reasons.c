/* SPDX-License-Identifier: GPL-3.0-or-later */
/* table_reasons.c - the footnote of a comparison: which cells have no value, and why. */
#include "report/table.h"

static bool has_gap(const struct ssk_table *table, int column) {
  for (int r = 0; r < table->n_rows; r++)
    if (table->rows[r].cells[column].reason)
      return true;
  return false;
}

static bool is_same_column(const struct ssk_table *table, int a, int b) {
  for (int r = 0; r < table->n_rows; r++)
    if (!ssk_text_same(table->rows[r].cells[a].reason, table->rows[r].cells[b].reason))
      return false;
  return true;
}

/* Whether an earlier row lacks its value for the reason that row `row` does. */
static bool is_told(const struct ssk_table *table, int row, int column) {
  for (int r = 0; r < row; r++)
    if (ssk_text_same(table->rows[r].cells[column].reason, table->rows[row].cells[column].reason))
      return true;
  return false;
}

/* " of persistence, marginal: no bound", for each reason of a column. */
static void add_rows(const struct ssk_table *table, int column, struct ssk_text *out) {
  for (int r = 0, n = 0; r < table->n_rows; r++) {
    const char *reason = table->rows[r].cells[column].reason;
    if (!reason || is_told(table, r, column))
      continue;
    ssk_text_printf(out, "%s of %s", n++ ? "," : "", table->rows[r].name);
    for (int other = r + 1; other < table->n_rows; other++)
      if (ssk_text_same(table->rows[other].cells[column].reason, reason))
        ssk_text_printf(out, ", %s", table->rows[other].name);
    ssk_text_printf(out, ": %s", reason);
  }
}

void ssk_table_reasons(const struct ssk_table *table, struct ssk_text *out) {
  for (int c = 0, next, n = 0; c < table->n_columns; c = next) {
    next = c + 1;
    if (!has_gap(table, c))
      continue;
    ssk_text_printf(out, "%s%s", n++ ? "; " : "", table->columns[c].name);
    for (; next < table->n_columns && is_same_column(table, c, next); next++)
      ssk_text_printf(out, ", %s", table->columns[next].name);
    add_rows(table, c, out);
  }
}
