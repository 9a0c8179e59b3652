/* SPDX-License-Identifier: GPL-3.0-or-later */
/* schema_dump.c - structs back to text: the resolved recipe, single values, and rows described.
 *
 * What is written reads back to the same struct: numbers in their shortest exact form, texts quoted
 * unless they are plainly words, paths absolute. Rows without a default that are absent stay
 * absent. */
#include "recipe/schema.h"
#include "recipe/typing.h"
#include <ctype.h>
#include <sskit/plugin.h>
#include <string.h>

static const void *member_of(const struct ssk_param *row, const void *self) {
  return (const char *)self + row->offset;
}

static const struct ssk_param no_rows[] = {SSK_PARAM_END};
static const struct ssk_param *rows_of(const struct ssk_instance *i) {
  return i->component->params ? i->component->params : no_rows;
}

/* ---- scalars -------------------------------------------------------------------------------- */

/* Words that need no quotes wherever a text may stand. */
static bool is_plain_word(const char *text) {
  static const char *const taken[] = {"true", "false", "null", "yes", "no", "on", "off", NULL};
  if (!isalpha((unsigned char)*text) && *text != '/')
    return false;
  for (const char *c = text; *c; c++)
    if (!isalnum((unsigned char)*c) && !strchr("_-./", *c))
      return false;
  for (int i = 0; taken[i]; i++)
    if (strcmp(text, taken[i]) == 0)
      return false;
  return true;
}

static void add_string(struct ssk_text *out, const char *text) {
  if (is_plain_word(text)) {
    ssk_text_add(out, text);
    return;
  }
  ssk_text_add(out, "\"");
  for (const char *c = text; *c; c++) {
    if (*c == '"' || *c == '\\')
      ssk_text_printf(out, "\\%c", *c);
    else if (*c == '\n')
      ssk_text_add(out, "\\n");
    else if (*c == '\t')
      ssk_text_add(out, "\\t");
    else
      ssk_text_printf(out, "%c", *c);
  }
  ssk_text_add(out, "\"");
}

static void add_real(struct ssk_text *out, double value) {
  char buffer[32];
  ssk_text_add(out, ssk_text_double(buffer, value));
}

/* All types that fit in one line without nesting; false for the others. */
static bool add_scalar(const struct ssk_param *row, const void *member, struct ssk_text *out) {
  switch (row->type) {
  case SSK_T_BOOL:
    ssk_text_add(out, *(const bool *)member ? "true" : "false");
    return true;
  case SSK_T_INT:
    ssk_text_printf(out, "%lld", (long long)*(const int64_t *)member);
    return true;
  case SSK_T_REAL:
    add_real(out, *(const double *)member);
    return true;
  case SSK_T_STRING:
  case SSK_T_PATH: {
    const char *text = *(const char *const *)member;
    add_string(out, text ? text : "");
    return true;
  }
  case SSK_T_ENUM:
    ssk_text_add(out, row->choices[*(const int *)member]);
    return true;
  case SSK_T_REALS: {
    const struct ssk_reals *list = member;
    ssk_text_add(out, "[");
    for (int i = 0; i < list->n; i++) {
      ssk_text_add(out, i ? ", " : "");
      add_real(out, list->items[i]);
    }
    ssk_text_add(out, "]");
    return true;
  }
  case SSK_T_STRINGS: {
    const struct ssk_strings *list = member;
    ssk_text_add(out, "[");
    for (int i = 0; i < list->n; i++) {
      ssk_text_add(out, i ? ", " : "");
      add_string(out, list->items[i]);
    }
    ssk_text_add(out, "]");
    return true;
  }
  default:
    return false;
  }
}

/* Whether a row without a default holds nothing: it was absent, and is left out again. */
static bool is_absent(const struct ssk_param *row, const void *self);

/* A section is absent when it may be, and all that it requires is. */
static bool is_section_absent(const struct ssk_param *section, const void *self) {
  bool requires = false;
  for (const struct ssk_param *row = section->rows; row->name; row++)
    if (!row->default_text && !row->optional && row->type != SSK_T_SECTION) {
      requires = true;
      if (!is_absent(row, self))
        return false;
    }
  return section->optional && requires;
}

static bool is_absent(const struct ssk_param *row, const void *self) {
  const void *member = member_of(row, self);
  if (row->type == SSK_T_SECTION)
    return is_section_absent(row, member);
  if (row->default_text)
    return false;
  switch (row->type) {
  case SSK_T_BOOL:
    return !*(const bool *)member;
  case SSK_T_INT:
    return *(const int64_t *)member == 0;
  case SSK_T_REAL:
    return *(const double *)member == 0;
  case SSK_T_ENUM:
    return *(const int *)member == 0;
  case SSK_T_STRING:
  case SSK_T_PATH: {
    const char *text = *(const char *const *)member;
    return !text || !*text;
  }
  case SSK_T_REALS:
    return ((const struct ssk_reals *)member)->n == 0;
  case SSK_T_STRINGS:
    return ((const struct ssk_strings *)member)->n == 0;
  case SSK_T_COMPONENTS:
    return ((const struct ssk_instances *)member)->n == 0;
  default:
    return *(struct ssk_instance *const *)member == NULL;
  }
}

/* Required rows are written even when they hold zero: zero was what the recipe said. */
static bool is_left_out(const struct ssk_param *row, const void *self) {
  return row->optional && is_absent(row, self);
}

/* ---- one line ------------------------------------------------------------------------------- */

static void add_flow(const struct ssk_param *row, const void *self, struct ssk_text *out);

/* "a: 1, b: [2]" */
static void add_flow_rows(const struct ssk_param *rows, const void *self, bool is_first,
                          struct ssk_text *out) {
  for (const struct ssk_param *row = rows; row->name; row++) {
    if (is_left_out(row, self))
      continue;
    ssk_text_printf(out, "%s%s: ", is_first ? "" : ", ", row->name);
    add_flow(row, self, out);
    is_first = false;
  }
}

static void add_flow_instance(const struct ssk_instance *i, struct ssk_text *out) {
  if (!i) {
    ssk_text_add(out, "none");
    return;
  }
  ssk_text_printf(out, "{use: %s", i->component->name);
  add_flow_rows(rows_of(i), i->self, false, out);
  ssk_text_add(out, "}");
}

static void add_flow(const struct ssk_param *row, const void *self, struct ssk_text *out) {
  const void *member = member_of(row, self);
  if (add_scalar(row, member, out))
    return;
  if (row->type == SSK_T_SECTION) {
    ssk_text_add(out, "{");
    add_flow_rows(row->rows, member, true, out);
    ssk_text_add(out, "}");
  } else if (row->type == SSK_T_COMPONENT)
    add_flow_instance(*(struct ssk_instance *const *)member, out);
  else {
    const struct ssk_instances *list = member;
    ssk_text_add(out, "[");
    for (int i = 0; i < list->n; i++) {
      ssk_text_add(out, i ? ", " : "");
      add_flow_instance(list->items[i], out);
    }
    ssk_text_add(out, "]");
  }
}

void ssk_schema_value(const struct ssk_param *row, const void *self, struct ssk_text *out) {
  add_flow(row, self, out);
}

/* ---- a whole recipe ------------------------------------------------------------------------- */

static void dump_instance(const struct ssk_instance *i, const char *lead, int indent,
                          struct ssk_text *out) {
  ssk_text_printf(out, "%suse: %s\n", lead, i->component->name);
  ssk_schema_dump(rows_of(i), i->self, indent, out);
}

static void dump_nested(const struct ssk_param *row, const void *member, int indent,
                        struct ssk_text *out) {
  if (row->type == SSK_T_COMPONENT) {
    const struct ssk_instance *i = *(struct ssk_instance *const *)member;
    if (!i) {
      ssk_text_add(out, " none\n");
      return;
    }
    ssk_text_printf(out, "\n%*s", indent + 2, "");
    dump_instance(i, "", indent + 2, out);
    return;
  }
  const struct ssk_instances *list = member;
  ssk_text_add(out, list->n ? "\n" : " []\n");
  for (int i = 0; i < list->n; i++) {
    ssk_text_printf(out, "%*s", indent + 2, "");
    dump_instance(list->items[i], "- ", indent + 4, out);
  }
}

void ssk_schema_dump(const struct ssk_param *rows, const void *self, int indent,
                     struct ssk_text *out) {
  for (const struct ssk_param *row = rows; row->name; row++) {
    const void *member = member_of(row, self);
    if (is_left_out(row, self))
      continue;
    ssk_text_printf(out, "%*s%s:", indent, "", row->name);
    if (row->type == SSK_T_SECTION) {
      struct ssk_text body = {0};
      ssk_schema_dump(row->rows, member, indent + 2, &body);
      ssk_text_add(out, body.length ? "\n" : " {}\n");
      ssk_text_add(out, body.data ? body.data : "");
      out->failed |= body.failed;
      ssk_text_free(&body);
    } else if (row->type == SSK_T_COMPONENT || row->type == SSK_T_COMPONENTS)
      dump_nested(row, member, indent, out);
    else {
      ssk_text_add(out, " ");
      add_scalar(row, member, out);
      ssk_text_add(out, "\n");
    }
  }
}

/* ---- descriptions --------------------------------------------------------------------------- */

const char *ssk_type_name(const struct ssk_param *row, char buffer[48]) {
  static const char *const names[] = {
      [SSK_T_BOOL] = "bool",           [SSK_T_INT] = "int",
      [SSK_T_REAL] = "real",           [SSK_T_STRING] = "string",
      [SSK_T_PATH] = "path",           [SSK_T_ENUM] = "enum",
      [SSK_T_REALS] = "list of reals", [SSK_T_STRINGS] = "list of strings",
      [SSK_T_SECTION] = "section"};
  if (row->type == SSK_T_COMPONENT)
    snprintf(buffer, 48, "%s component", ssk_kind_name(row->kind));
  else if (row->type == SSK_T_COMPONENTS)
    snprintf(buffer, 48, "list of %s components", ssk_kind_name(row->kind));
  else
    snprintf(buffer, 48, "%s", names[row->type]);
  return buffer;
}

void ssk_schema_describe(const struct ssk_param *row, struct ssk_text *out) {
  char type[48];
  struct ssk_text range = {0};
  ssk_typing_range(row, &range);
  for (int i = 0; row->choices && row->choices[i]; i++)
    ssk_text_printf(&range, "%s%s", i ? "|" : "", row->choices[i]);
  const char *standard = row->default_text                             ? row->default_text
                         : row->optional || row->type == SSK_T_SECTION ? "-"
                                                                       : "required";
  ssk_text_printf(out, "%-16s  %-8s  %-14s  %-10s  %s", row->name, ssk_type_name(row, type),
                  range.data ? range.data : "", *standard ? standard : "\"\"",
                  row->doc ? row->doc : "");
  out->failed |= range.failed;
  ssk_text_free(&range);
}
