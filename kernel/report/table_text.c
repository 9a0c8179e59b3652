/* SPDX-License-Identifier: GPL-3.0-or-later */
/* table_text.c - a comparison for people: aligned text and Markdown. */
#include "report/table.h"
#include <math.h>
#include <string.h>

#define LINE_WIDTH 100

const char *ssk_table_number(char buffer[48], double mean, double se) {
  if (isnan(mean)) {
    snprintf(buffer, 48, "-");
  } else if (!isfinite(mean) || !isfinite(se) || se <= 5e-6 * fabs(mean)) {
    snprintf(buffer, 48, "%.*g", isfinite(se) && se > 1e-12 * fabs(mean) ? 6 : 4, mean);
  } else {
    /* se in one digit: 0.0096 rounds to 0.01, so the rounded value tells the decimals */
    int power = (int)floor(log10(se));
    double unit = pow(10, power);
    if (round(se / unit) >= 10)
      power++;
    int decimals = power >= 0 ? 0 : power < -9 ? 9 : -power;
    if (fabs(mean) < 1e15 && se < 1e15)
      snprintf(buffer, 48, "%.*f \u00b1 %.*f", decimals, mean, decimals, se);
    else /* digits that nobody would count */
      snprintf(buffer, 48, "%.4g \u00b1 %.1g", mean, se);
  }
  return buffer;
}

/* Columns on a terminal: bytes that do not continue a UTF-8 character. */
static int width_of(const char *text) {
  int n = 0;
  for (; *text; text++)
    n += ((unsigned char)*text & 0xC0) != 0x80;
  return n;
}

static void pad(struct ssk_text *out, int n) {
  for (; n > 0; n--)
    ssk_text_add(out, " ");
}

/* One cell as text; `best` says whether it is marked. Column -1: evaluations. */
typedef const char *cell_text(const struct ssk_table *table, int row, int column, char buffer[80],
                              bool *best);

static const char *value_text(const struct ssk_table *table, int row, int column, char buffer[80],
                              bool *best) {
  const struct ssk_table_cell *cell = &table->rows[row].cells[column];
  char number[48];
  *best = cell->best;
  snprintf(buffer, 80, "%s", ssk_table_number(number, cell->value.mean, cell->value.se));
  return buffer;
}

/* How sure the test is that the difference is none of chance. */
static const char *stars_of(double p) {
  return p < 0.001 ? " ***" : p < 0.01 ? " ** " : p < 0.05 ? " *  " : "    ";
}

static const char *difference_text(const struct ssk_table *table, int row, int column,
                                   char buffer[80], bool *best) {
  const struct ssk_difference *d = &table->rows[row].cells[column].difference;
  *best = false;
  if (isnan(d->mean) || isnan(d->low))
    snprintf(buffer, 80, "-");
  else
    snprintf(buffer, 80, "%+.3g [%.3g, %.3g]%s", d->mean, d->low, d->high, stars_of(d->test.p));
  return buffer;
}

static int column_width(const struct ssk_table *table, int column, cell_text *text) {
  char buffer[80];
  bool best;
  int widest = width_of(table->columns[column].name);
  for (int r = 0; r < table->n_rows; r++) {
    int width = width_of(text(table, r, column, buffer, &best));
    widest = width > widest ? width : widest;
  }
  return widest;
}

/* Blocks of as many columns as fit; each cell is right-aligned, its mark stands in the gap. */
static void write_blocks(const struct ssk_table *table, cell_text *text, int skip_row,
                         struct ssk_text *out) {
  int names = 0;
  for (int r = 0; r < table->n_rows; r++) {
    int width = width_of(table->rows[r].name);
    names = width > names ? width : names;
  }
  for (int from = 0, to; from < table->n_columns; from = to) {
    int total = names;
    for (to = from; to < table->n_columns; to++) {
      int width = 2 + column_width(table, to, text);
      if (to > from && total + width + 1 > LINE_WIDTH)
        break;
      total += width;
    }
    if (from > 0)
      ssk_text_add(out, "\n");
    for (int r = -1; r < table->n_rows; r++) {
      const char *name = r < 0 ? "" : table->rows[r].name;
      bool marked = false, last_marked = false;
      char buffer[80];
      if (r >= 0 && r == skip_row)
        continue;
      ssk_text_add(out, name);
      pad(out, names - width_of(name));
      for (int c = from; c < to; c++) {
        const char *cell = r < 0 ? table->columns[c].name : text(table, r, c, buffer, &marked);
        ssk_text_add(out, last_marked ? "*" : " ");
        pad(out, 1 + column_width(table, c, text) - width_of(cell));
        ssk_text_add(out, cell);
        last_marked = r >= 0 && marked;
      }
      while (!last_marked && out->length && out->data[out->length - 1] == ' ')
        out->data[--out->length] = 0;
      ssk_text_add(out, last_marked ? "*\n" : "\n");
    }
  }
}

static const char *direction(const struct ssk_metric_column *column, char buffer[48]) {
  if (column->better == 0)
    snprintf(buffer, 48, "best is %g", column->ideal);
  else
    snprintf(buffer, 48, "%s is better", column->better < 0 ? "lower" : "higher");
  return buffer;
}

/* Words, wrapped and indented. */
static void write_wrapped(const char *text, int indent, struct ssk_text *out) {
  int at = indent;
  while (*text) {
    size_t n = strcspn(text, " ");
    char word[256];
    snprintf(word, sizeof word, "%.*s", (int)n, text);
    if (at > indent && at + 1 + width_of(word) > LINE_WIDTH) {
      ssk_text_add(out, "\n");
      at = 0;
    }
    if (at == 0 || at == indent)
      pad(out, indent);
    else
      ssk_text_add(out, " ");
    at = (at == 0 ? indent : at == indent ? indent : at + 1) + width_of(word);
    ssk_text_add(out, word);
    text += n + strspn(text + n, " ");
  }
  ssk_text_add(out, "\n");
}

/* What the figures are over. */
static void add_counts(const struct ssk_table *table, struct ssk_text *out) {
  int seeds = 0;
  bool ceilings = false;
  for (int r = 0; r < table->n_rows; r++) {
    seeds = table->rows[r].seeds > seeds ? table->rows[r].seeds : seeds;
    ceilings = ceilings || table->rows[r].best_possible;
  }
  ssk_text_printf(out, "mean \u00b1 standard error over %s; %lld series",
                  seeds > 1 ? "seeds (rows of one seed: over series)" : "series",
                  table->n_rows ? (long long)table->rows[0].series : 0);
  if (seeds > 1)
    ssk_text_printf(out, ", %d seeds", seeds);
  ssk_text_printf(out, "; *: best%s",
                  ceilings ? " of the rows that do not know the generating process" : "");
}

/* Series of a row that have a value in column c. */
static int64_t series_with(const struct ssk_table *table, const struct ssk_table_row *row, int c) {
  int64_t n = 0;
  for (int64_t i = 0; row->values && i < row->series; i++)
    n += !isnan(row->values[0][i * table->n_columns + c]);
  return n;
}

/* Figures that are not over all series: of those that are long enough, or have what is asked for.
 */
static void add_gaps(const struct ssk_table *table, struct ssk_text *out) {
  int64_t before = 0;
  for (int c = 0; c < table->n_columns; c++) {
    int64_t least = INT64_MAX;
    for (int r = 0; r < table->n_rows; r++) {
      const int64_t n = series_with(table, &table->rows[r], c);
      if (n > 0 && n < table->rows[r].series && n < least)
        least = n;
    }
    if (least == INT64_MAX)
      continue;
    if (least != before)
      ssk_text_printf(out, "; over %lld series: ", (long long)least);
    ssk_text_printf(out, "%s%s", least == before ? ", " : "", table->columns[c].name);
    before = least;
  }
}

/* What a sampled step costs. */
static void add_costs(const struct ssk_table *table, struct ssk_text *out) {
  bool any = false;
  for (int r = 0; r < table->n_rows; r++)
    if (table->rows[r].evaluations > 0) {
      ssk_text_printf(out, "%s%s %lld",
                      any ? ", " : "; network evaluations a sampled step: ", table->rows[r].name,
                      (long long)table->rows[r].evaluations);
      any = true;
    }
}

/* Appended between these two, where a cell has no value. */
static void add_reasons(const struct ssk_table *table, const char *before, const char *behind,
                        struct ssk_text *out) {
  struct ssk_text reasons = {0};
  ssk_table_reasons(table, &reasons);
  if (reasons.length)
    ssk_text_printf(out, "%s%s%s", before, reasons.data, behind);
  ssk_text_free(&reasons);
}

/* A line for each key that tells rows apart, with the rows' values. */
static void write_settings(const struct ssk_table *table, struct ssk_text *out) {
  for (int k = 0; k < table->n_settings; k++) {
    struct ssk_text line = {0};
    ssk_text_printf(&line, "%s:", table->settings[k]);
    for (int r = 0; r < table->n_rows; r++)
      ssk_text_printf(&line, "%s %s %s", r ? "," : "", table->rows[r].name,
                      table->rows[r].settings[k]);
    write_wrapped(line.data ? line.data : "", 0, out);
    ssk_text_free(&line);
  }
  if (table->n_settings)
    ssk_text_add(out, "\n");
}

void ssk_table_text(const struct ssk_table *table, struct ssk_text *out) {
  char buffer[48];
  write_settings(table, out);
  write_blocks(table, value_text, -1, out);
  ssk_text_add(out, "\n");
  struct ssk_text note = {0};
  add_counts(table, &note);
  add_gaps(table, &note);
  add_costs(table, &note);
  write_wrapped(note.data ? note.data : "", 0, out);
  ssk_text_free(&note);
  note = (struct ssk_text){0};
  add_reasons(table, "without a value (-): ", "", &note);
  if (note.length)
    write_wrapped(note.data, 0, out);
  ssk_text_free(&note);
  if (*table->note)
    write_wrapped(table->note, 0, out);
  if (table->reference >= 0 && table->n_rows > 1) {
    struct ssk_text head = {0};
    ssk_text_printf(&head,
                    "paired difference from %s, %s interval, Diebold-Mariano test (*: p < 0.05, "
                    "**: 0.01, ***: 0.001)",
                    table->rows[table->reference].name,
                    table->anytime ? "anytime-valid" : "95 % bootstrap");
    ssk_text_add(out, "\n");
    write_wrapped(head.data ? head.data : "", 0, out);
    ssk_text_free(&head);
    write_blocks(table, difference_text, table->reference, out);
  }
  ssk_text_add(out, "\n");
  for (int c = 0; c < table->n_columns; c++) {
    const struct ssk_metric_column *column = &table->columns[c];
    ssk_text_printf(out, "%s (%s, %s)\n", column->name, column->unit, direction(column, buffer));
    write_wrapped(column->definition, 4, out);
  }
}

/* Vertical bars divide Markdown's cells. */
static void add_markdown(struct ssk_text *out, const char *text) {
  for (; *text; text++)
    ssk_text_printf(out, *text == '|' ? "\\%c" : "%c", *text);
}

void ssk_table_markdown(const struct ssk_table *table, struct ssk_text *out) {
  char buffer[80];
  bool best;
  ssk_text_add(out, "|  |");
  for (int k = 0; k < table->n_settings; k++)
    ssk_text_printf(out, " %s |", table->settings[k]);
  for (int c = 0; c < table->n_columns; c++)
    ssk_text_printf(out, " %s |", table->columns[c].name);
  ssk_text_add(out, " evaluations a step |\n|---|");
  for (int k = 0; k < table->n_settings; k++)
    ssk_text_add(out, "---|");
  for (int c = 0; c <= table->n_columns; c++)
    ssk_text_add(out, "---:|");
  ssk_text_add(out, "\n");
  for (int r = 0; r < table->n_rows; r++) {
    const struct ssk_table_row *row = &table->rows[r];
    ssk_text_add(out, "| ");
    add_markdown(out, row->name);
    ssk_text_add(out, " |");
    for (int k = 0; k < table->n_settings; k++) {
      ssk_text_add(out, " ");
      add_markdown(out, row->settings[k]);
      ssk_text_add(out, " |");
    }
    for (int c = 0; c < table->n_columns; c++) {
      const char *cell = value_text(table, r, c, buffer, &best);
      ssk_text_printf(out, best ? " **%s** |" : " %s |", cell);
    }
    ssk_text_printf(out, " %lld |\n", (long long)row->evaluations);
  }
  ssk_text_add(out, "\n");
  for (int c = 0; c < table->n_columns; c++) {
    const struct ssk_metric_column *column = &table->columns[c];
    ssk_text_printf(out, "- `%s` (%s, %s): ", column->name, column->unit,
                    direction(column, buffer));
    add_markdown(out, column->definition);
    ssk_text_add(out, "\n");
  }
  ssk_text_add(out, "\n");
  add_counts(table, out);
  add_gaps(table, out);
  ssk_text_add(out, "\n");
  add_reasons(table, "\nwithout a value (-): ", "\n", out);
  if (*table->note)
    ssk_text_printf(out, "\n%s\n", table->note);
}
