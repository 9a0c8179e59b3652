/* SPDX-License-Identifier: GPL-3.0-or-later */
/* page.c - documentation as text and as JSON, from the rows that declare it. */
#include "cli/page.h"
#include "cli/cli.h"
#include "recipe/schema.h"
#include <math.h>
#include <string.h>

enum { page_width = 80 };

/* Characters of UTF-8 text, so that Greek letters do not break lines too early. */
static int characters(const char *text, size_t n) {
  int count = 0;
  for (size_t i = 0; i < n; i++)
    count += ((unsigned char)text[i] & 0xc0) != 0x80;
  return count;
}

static void add_spaces(struct ssk_text *out, int n) {
  ssk_text_printf(out, "%*s", n, "");
}

/* The words of one line of the source, going on at `column` (0: at the start of a line). */
static int add_words(struct ssk_text *out, const char *line, size_t n, int indent, int column) {
  for (size_t i = 0; i < n;) {
    size_t word = strcspn(line + i, " \n");
    if (word > n - i)
      word = n - i;
    int wide = characters(line + i, word);
    if (column > 0 && column + 1 + wide > page_width) {
      ssk_text_add(out, "\n");
      column = 0;
    }
    if (column == 0) {
      add_spaces(out, indent);
      column = indent;
    } else {
      ssk_text_add(out, " ");
      column++;
    }
    ssk_text_printf(out, "%.*s", (int)word, line + i);
    column += wide;
    i += word;
    i += strspn(line + i, " ");
  }
  return column;
}

void ssk_page_prose(struct ssk_text *out, const char *prose, int indent) {
  int column = 0;
  while (*prose) {
    size_t n = strcspn(prose, "\n");
    bool kept = n == 0 || *prose == ' ';
    if (kept && column > 0) {
      ssk_text_add(out, "\n");
      column = 0;
    }
    if (n == 0) {
      ssk_text_add(out, "\n");
    } else if (kept) {
      add_spaces(out, indent);
      ssk_text_printf(out, "%.*s\n", (int)n, prose);
    } else {
      column = add_words(out, prose, n, indent, column);
    }
    prose += n + (prose[n] == '\n');
  }
  if (column > 0)
    ssk_text_add(out, "\n");
}

/* ---- rows -------------------------------------------------------------------------------------
 */

static bool is_number(const struct ssk_param *row) {
  return row->type == SSK_T_INT || row->type == SSK_T_REAL || row->type == SSK_T_REALS;
}

static void add_range(struct ssk_text *out, const struct ssk_param *row) {
  char lo[32], hi[32];
  bool open_below = isinf(row->min), open_above = isinf(row->max);
  if (!open_below && !open_above)
    ssk_text_printf(out, " in [%s, %s]", ssk_text_double(lo, row->min),
                    ssk_text_double(hi, row->max));
  else if (!open_below)
    ssk_text_printf(out, " >= %s", ssk_text_double(lo, row->min));
  else if (!open_above)
    ssk_text_printf(out, " <= %s", ssk_text_double(hi, row->max));
}

void ssk_page_type(struct ssk_text *out, const struct ssk_param *row) {
  char name[48];
  ssk_text_add(out, ssk_type_name(row, name));
  if (is_number(row))
    add_range(out, row);
  for (int i = 0; row->choices && row->choices[i]; i++)
    ssk_text_printf(out, "%s%s", i ? ", " : ": ", row->choices[i]);
  if (row->unit && strcmp(row->unit, "1") != 0) /* "1": a pure number */
    ssk_text_printf(out, ", %s", row->unit);
  if (row->type == SSK_T_SECTION)
    return;
  if (row->default_text)
    ssk_text_printf(out, "%s %s", row->choices ? "; default" : ", default",
                    *row->default_text ? row->default_text : "\"\"");
  else
    ssk_text_add(out, row->optional ? ", optional" : ", required");
}

json_t *ssk_page_row_json(const struct ssk_param *row) {
  char name[48];
  json_t *object = json_pack("{s:s, s:s, s:s?, s:b, s:s}", "name", row->name, "type",
                             ssk_type_name(row, name), "default", row->default_text, "required",
                             !row->default_text && !row->optional && row->type != SSK_T_SECTION,
                             "doc", row->doc ? row->doc : "");
  if (is_number(row)) {
    json_object_set_new(object, "min", ssk_cli_real(row->min));
    json_object_set_new(object, "max", ssk_cli_real(row->max));
  }
  if (row->unit)
    json_object_set_new(object, "unit", json_string(row->unit));
  if (row->type == SSK_T_COMPONENT || row->type == SSK_T_COMPONENTS)
    json_object_set_new(object, "kind", json_string(ssk_kind_name(row->kind)));
  if (row->choices) {
    json_t *choices = json_array();
    for (int i = 0; row->choices[i]; i++)
      json_array_append_new(choices, json_string(row->choices[i]));
    json_object_set_new(object, "choices", choices);
  }
  if (row->type == SSK_T_SECTION)
    json_object_set_new(object, "parameters", ssk_page_rows_json(row->rows));
  return object;
}

json_t *ssk_page_rows_json(const struct ssk_param *rows) {
  json_t *array = json_array();
  for (; rows && rows->name; rows++)
    json_array_append_new(array, ssk_page_row_json(rows));
  return array;
}
