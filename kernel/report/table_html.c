/* SPDX-License-Identifier: GPL-3.0-or-later */
/* table_html.c - a comparison as HTML, from its JSON: a report has only that. */
#include "core/json.h"
#include "report/report_html.h"
#include "report/table.h"
#include <math.h>
#include <string.h>

static void add_value(struct ssk_text *page, const json_t *cell) {
  char number[48];
  bool best = json_is_true(json_object_get(cell, "best"));
  const char *reason = ssk_json_text(cell, "reason");
  if (*reason) {
    ssk_text_add(page, "<td>- <small>");
    ssk_html_text(page, reason);
    ssk_text_add(page, "</small></td>");
    return;
  }
  ssk_table_number(number, ssk_json_number(cell, "mean"), ssk_json_number(cell, "se"));
  ssk_text_printf(page, best ? "<td><b>%s</b></td>" : "<td>%s</td>", number);
}

static void add_difference(struct ssk_text *page, const json_t *cell) {
  const json_t *d = json_object_get(cell, "difference");
  double low = ssk_json_number(d, "low");
  if (isnan(low))
    ssk_text_add(page, "<td>-</td>");
  else
    ssk_text_printf(page, "<td>%+.3g [%.3g, %.3g]</td>", ssk_json_number(d, "mean"), low,
                    ssk_json_number(d, "high"));
}

/* Rows by metrics, beside the names the settings that tell rows apart. */
static void add_table(struct ssk_text *page, const json_t *rows,
                      void (*add_cell)(struct ssk_text *page, const json_t *cell)) {
  static const char *const groups[] = {"settings", "metrics"};
  const char *key;
  json_t *value, *row;
  size_t r;
  ssk_text_add(page, "<div class=\"wide\"><table>\n<tr><th></th>");
  for (int g = 0; g < 2; g++)
    json_object_foreach(json_object_get(json_array_get(rows, 0), groups[g]), key, value) {
      ssk_text_add(page, "<th>");
      ssk_html_text(page, key);
      ssk_text_add(page, "</th>");
    }
  ssk_text_add(page, "</tr>\n");
  json_array_foreach(rows, r, row) {
    ssk_text_add(page, "<tr><td>");
    ssk_html_text(page, ssk_json_text(row, "name"));
    ssk_text_add(page, "</td>");
    json_object_foreach(json_object_get(row, "settings"), key, value) {
      ssk_text_add(page, "<td>");
      ssk_html_text(page, json_string_value(value));
      ssk_text_add(page, "</td>");
    }
    json_object_foreach(json_object_get(row, "metrics"), key, value) add_cell(page, value);
    ssk_text_add(page, "</tr>\n");
  }
  ssk_text_add(page, "</table></div>\n");
}

void ssk_table_html(struct ssk_text *page, const json_t *table) {
  const json_t *rows = json_object_get(table, "rows");
  const char *reference = ssk_json_text(table, "reference");
  if (*ssk_json_text(table, "note")) {
    ssk_text_add(page, "<p>");
    ssk_html_text(page, ssk_json_text(table, "note"));
    ssk_text_add(page, "</p>\n");
  }
  add_table(page, rows, add_value);
  ssk_text_add(page,
               "<p>Mean \u00b1 standard error; bold: the best of the rows that do not know the "
               "generating process.</p>\n");
  if (json_array_size(rows) < 2 || !*reference)
    return;
  ssk_text_add(page, "<details><summary>Paired differences from ");
  ssk_html_text(page, reference);
  ssk_text_add(page, strcmp(ssk_json_text(table, "intervals"), "anytime") == 0
                         ? ", with anytime-valid intervals</summary>\n"
                         : ", with 95 % bootstrap intervals</summary>\n");
  add_table(page, rows, add_difference);
  ssk_text_add(page, "</details>\n");
}

void ssk_table_page(const struct ssk_table *table, struct ssk_text *out) {
  json_t *root = ssk_table_as_json(table);
  ssk_html_begin(out, "Comparison");
  ssk_table_html(out, root);
  ssk_html_end(out);
  json_decref(root);
}
