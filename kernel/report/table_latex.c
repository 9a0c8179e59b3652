/* SPDX-License-Identifier: GPL-3.0-or-later */
/* table_latex.c - a comparison as a tabular of LaTeX with the package booktabs. */
#include "report/table.h"
#include <math.h>
#include <string.h>

static void add_escaped(struct ssk_text *out, const char *text) {
  for (; *text; text++)
    switch (*text) {
    case '\\':
      ssk_text_add(out, "\\textbackslash{}");
      break;
    case '~':
      ssk_text_add(out, "\\textasciitilde{}");
      break;
    case '^':
      ssk_text_add(out, "\\textasciicircum{}");
      break;
    default:
      ssk_text_printf(out, strchr("&%$#_{}", *text) ? "\\%c" : "%c", *text);
    }
}

static void add_cell(struct ssk_text *out, const struct ssk_table_cell *cell) {
  static const char plus_minus[] = " \u00b1 ";
  char number[48];
  ssk_table_number(number, cell->value.mean, cell->value.se);
  if (isnan(cell->value.mean)) {
    ssk_text_add(out, " & --");
    return;
  }
  char *sign = strstr(number, plus_minus);
  ssk_text_add(out, cell->best ? " & $\\mathbf{" : " & $");
  if (sign) {
    *sign = 0;
    ssk_text_printf(out, "%s%s\\pm %s$", number, cell->best ? "}" : "", sign + strlen(plus_minus));
  } else {
    ssk_text_printf(out, "%s%s$", number, cell->best ? "}" : "");
  }
}

void ssk_table_latex(const struct ssk_table *table, struct ssk_text *out) {
  ssk_text_add(out, "\\begin{tabular}{l");
  for (int k = 0; k < table->n_settings; k++)
    ssk_text_add(out, "l");
  for (int c = 0; c < table->n_columns; c++)
    ssk_text_add(out, "r");
  ssk_text_add(out, "}\n\\toprule\n");
  for (int k = 0; k < table->n_settings; k++) {
    ssk_text_add(out, " & ");
    add_escaped(out, table->settings[k]);
  }
  for (int c = 0; c < table->n_columns; c++) {
    ssk_text_add(out, " & ");
    add_escaped(out, table->columns[c].name);
  }
  ssk_text_add(out, " \\\\\n\\midrule\n");
  for (int r = 0; r < table->n_rows; r++) {
    const struct ssk_table_row *row = &table->rows[r];
    add_escaped(out, row->name);
    for (int k = 0; k < table->n_settings; k++) {
      ssk_text_add(out, " & ");
      add_escaped(out, row->settings[k]);
    }
    for (int c = 0; c < table->n_columns; c++)
      add_cell(out, &row->cells[c]);
    ssk_text_add(out, " \\\\\n");
  }
  ssk_text_add(out, "\\bottomrule\n\\end{tabular}\n");
  for (int c = 0; c < table->n_columns; c++)
    ssk_text_printf(out, "%% %s: %s\n", table->columns[c].name, table->columns[c].definition);
  struct ssk_text reasons = {0};
  ssk_table_reasons(table, &reasons);
  if (reasons.length)
    ssk_text_printf(out, "%% without a value (--): %s\n", reasons.data);
  ssk_text_free(&reasons);
}
