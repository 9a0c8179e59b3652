/* SPDX-License-Identifier: GPL-3.0-or-later */
/* table_data.c - a comparison for programs: CSV (a line a figure) and JSON; and all forms as files.
 */
#include "core/file.h"
#include "report/table.h"
#include <math.h>
#include <stdlib.h>

/* A number, or nothing where there is none. */
static void add_number(struct ssk_text *out, double value) {
  char buffer[32];
  ssk_text_add(out, ",");
  if (!isnan(value))
    ssk_text_add(out, ssk_text_double(buffer, value));
}

void ssk_table_csv(const struct ssk_table *table, struct ssk_text *out) {
  ssk_text_add(out, "row,metric,mean,se,n,seeds,series,best,best_possible,difference,low,high,dm,p,"
                    "evaluations,seconds,unit,id,definition,reason");
  for (int k = 0; k < table->n_settings; k++) {
    ssk_text_add(out, ",");
    ssk_text_quote(out, table->settings[k]);
  }
  ssk_text_add(out, "\n");
  for (int r = 0; r < table->n_rows; r++) {
    const struct ssk_table_row *row = &table->rows[r];
    for (int c = 0; c < table->n_columns; c++) {
      const struct ssk_table_cell *cell = &row->cells[c];
      ssk_text_quote(out, row->name);
      ssk_text_printf(out, ",%s", table->columns[c].name);
      add_number(out, cell->value.mean);
      add_number(out, cell->value.se);
      ssk_text_printf(out, ",%lld,%d,%lld,%d,%d", (long long)cell->value.n, row->seeds,
                      (long long)row->series, cell->best, row->best_possible);
      add_number(out, cell->difference.mean);
      add_number(out, cell->difference.low);
      add_number(out, cell->difference.high);
      add_number(out, cell->difference.test.statistic);
      add_number(out, cell->difference.test.p);
      ssk_text_printf(out, ",%lld", (long long)row->evaluations);
      add_number(out, row->seconds);
      ssk_text_printf(out, ",%s,", table->columns[c].unit);
      ssk_text_quote(out, table->columns[c].id);
      ssk_text_add(out, ",");
      ssk_text_quote(out, table->columns[c].definition);
      ssk_text_add(out, ",");
      if (cell->reason)
        ssk_text_quote(out, cell->reason);
      for (int k = 0; k < table->n_settings; k++) {
        ssk_text_add(out, ",");
        ssk_text_quote(out, row->settings[k]);
      }
      ssk_text_add(out, "\n");
    }
  }
}

/* JSON has neither NaN nor infinity. */
static json_t *number(double value) {
  return isfinite(value) ? json_real(value) : json_null();
}

static json_t *cell_json(const struct ssk_table *table, const struct ssk_table_row *row, int c) {
  const struct ssk_table_cell *cell = &row->cells[c];
  const struct ssk_metric_column *column = &table->columns[c];
  json_t *out = json_object();
  json_object_set_new(out, "mean", number(cell->value.mean));
  json_object_set_new(out, "se", number(cell->value.se));
  if (cell->reason)
    json_object_set_new(out, "reason", json_string(cell->reason));
  json_object_set_new(out, "n", json_integer(cell->value.n));
  json_object_set_new(out, "over", json_string(row->seeds > 1 ? "seeds" : "series"));
  json_object_set_new(out, "best", json_boolean(cell->best));
  json_object_set_new(out, "id", json_string(column->id));
  json_object_set_new(out, "definition", json_string(column->definition));
  json_object_set_new(out, "unit", json_string(column->unit));
  json_object_set_new(out, "better",
                      column->better == 0 ? json_real(column->ideal)
                                          : json_string(column->better < 0 ? "lower" : "higher"));
  if (!isnan(cell->difference.mean)) {
    json_t *difference = json_object();
    json_object_set_new(difference, "mean", number(cell->difference.mean));
    json_object_set_new(difference, "low", number(cell->difference.low));
    json_object_set_new(difference, "high", number(cell->difference.high));
    json_object_set_new(difference, "dm", number(cell->difference.test.statistic));
    json_object_set_new(difference, "p", number(cell->difference.test.p));
    json_object_set_new(out, "difference", difference);
  }
  return out;
}

json_t *ssk_table_as_json(const struct ssk_table *table) {
  json_t *root = json_object(), *rows = json_array();
  for (int r = 0; r < table->n_rows; r++) {
    const struct ssk_table_row *row = &table->rows[r];
    json_t *object = json_object(), *metrics = json_object();
    for (int c = 0; c < table->n_columns; c++)
      json_object_set_new(metrics, table->columns[c].name, cell_json(table, row, c));
    json_object_set_new(object, "name", json_string(row->name));
    json_object_set_new(object, "best_possible", json_boolean(row->best_possible));
    json_object_set_new(object, "seeds", json_integer(row->seeds));
    json_object_set_new(object, "series", json_integer(row->series));
    json_object_set_new(object, "evaluations", json_integer(row->evaluations));
    json_object_set_new(object, "seconds", number(row->seconds));
    json_object_set_new(object, "metrics", metrics);
    json_t *settings = json_object();
    for (int k = 0; k < table->n_settings; k++)
      json_object_set_new(settings, table->settings[k], json_string(row->settings[k]));
    json_object_set_new(object, "settings", settings);
    json_array_append_new(rows, object);
  }
  json_object_set_new(root, "rows", rows);
  json_object_set_new(root, "intervals", json_string(table->anytime ? "anytime" : "bootstrap"));
  if (*table->note)
    json_object_set_new(root, "note", json_string(table->note));
  if (table->reference >= 0)
    json_object_set_new(root, "reference", json_string(table->rows[table->reference].name));
  return root;
}

void ssk_table_json(const struct ssk_table *table, struct ssk_text *out) {
  json_t *root = ssk_table_as_json(table);
  char *text = json_dumps(root, JSON_INDENT(2));
  if (text) {
    ssk_text_add(out, text);
    ssk_text_add(out, "\n");
  } else {
    out->failed = true;
  }
  free(text);
  json_decref(root);
}

int ssk_table_write(const struct ssk_table *table, const char *folder, ssk_err *err) {
  static const struct {
    const char *name;
    void (*form)(const struct ssk_table *table, struct ssk_text *out);
  } files[] = {{"table.txt", ssk_table_text},  {"table.md", ssk_table_markdown},
               {"table.tex", ssk_table_latex}, {"table.html", ssk_table_page},
               {"table.csv", ssk_table_csv},   {"table.json", ssk_table_json}};
  int code = SSK_OK;
  for (size_t i = 0; i < sizeof files / sizeof files[0] && !code; i++) {
    struct ssk_text text = {0};
    files[i].form(table, &text);
    char *path = ssk_path_join(folder, files[i].name);
    code = path && !text.failed ? ssk_file_write(path, text.data, text.length, err)
                                : ssk_err_set(err, SSK_ENOMEM, "no memory for the table");
    free(path);
    ssk_text_free(&text);
  }
  return code;
}
