/* SPDX-License-Identifier: GPL-3.0-or-later */
/* contract_rows.c - are the parameter rows of a component sane? Each member lies within its struct,
 * is aligned and belongs to one row; keys are well-formed and unique; ranges, choices and texts are
 * there; and each default is accepted by the very code that reads recipes. */
#include "recipe/schema.h"
#include "registry/contract.h"
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

enum { max_rows = 256, max_depth = 8 };

/* Size and alignment of the member that a type fills; a section's size is not known. */
static const struct {
  size_t size, alignment;
} members[] = {
#define MEMBER(type, ctype) [type] = {sizeof(ctype), alignof(ctype)}
    MEMBER(SSK_T_BOOL, bool),
    MEMBER(SSK_T_INT, int64_t),
    MEMBER(SSK_T_REAL, double),
    MEMBER(SSK_T_STRING, const char *),
    MEMBER(SSK_T_PATH, const char *),
    MEMBER(SSK_T_ENUM, int),
    MEMBER(SSK_T_REALS, struct ssk_reals),
    MEMBER(SSK_T_STRINGS, struct ssk_strings),
    MEMBER(SSK_T_COMPONENT, struct ssk_instance *),
    MEMBER(SSK_T_COMPONENTS, struct ssk_instances),
    [SSK_T_SECTION] = {1, 1},
#undef MEMBER
};
enum { n_types = sizeof members / sizeof members[0] };

static bool is_key(const char *key) {
  static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
  return *key && !strchr("0123456789_", *key) && strspn(key, allowed) == strlen(key) &&
         strlen(key) < 64;
}

static bool is_number(enum ssk_type type) {
  return type == SSK_T_INT || type == SSK_T_REAL || type == SSK_T_REALS;
}

static const char *check_choices(const char *const *choices) {
  if (!choices || !choices[0])
    return "it has no choices";
  for (int i = 0; choices[i]; i++) {
    if (!*choices[i])
      return "one of its choices is empty";
    for (int k = 0; k < i; k++)
      if (strcmp(choices[k], choices[i]) == 0)
        return "two of its choices are the same";
  }
  return NULL;
}

/* What is wrong with a row by itself, or NULL. */
static const char *check_row(const struct ssk_param *row, size_t size) {
  if ((int)row->type < 0 || (int)row->type >= n_types)
    return "its type is unknown";
  if (row->offset >= size || members[row->type].size > size - row->offset)
    return "its member lies outside of the component's struct";
  if (row->offset % members[row->type].alignment != 0)
    return "its member is not aligned";
  if (!row->doc || !*row->doc)
    return "its doc is missing";
  if (is_number(row->type) && !(row->min <= row->max))
    return "its range is empty";
  if (row->type == SSK_T_ENUM || (row->type == SSK_T_STRINGS && row->choices))
    return check_choices(row->choices);
  if ((row->type == SSK_T_COMPONENT || row->type == SSK_T_COMPONENTS) &&
      ((int)row->kind < 0 || row->kind >= SSK_KIND_COUNT))
    return "its kind is unknown";
  if (row->type == SSK_T_SECTION && !row->rows)
    return "its rows are missing";
  return NULL;
}

/* What is wrong with a row beside those before it, or NULL. */
static const char *check_beside(const struct ssk_param *rows, const struct ssk_param *row) {
  for (const struct ssk_param *other = rows; other < row; other++) {
    if (strcmp(other->name, row->name) == 0)
      return "another parameter has the same name";
    if (other->offset == row->offset && other->type != SSK_T_SECTION && row->type != SSK_T_SECTION)
      return "another parameter has the same member";
  }
  return NULL;
}

/* Read the default as if it stood in a recipe. Components are left out, because the plugins that
 * provide them may not be loaded yet, and paths, because they may name environment variables. */
static int check_default(const struct ssk_param *row, const char *who, ssk_err *err) {
  if (!row->default_text || row->type == SSK_T_COMPONENT || row->type == SSK_T_COMPONENTS ||
      row->type == SSK_T_PATH || row->type == SSK_T_SECTION)
    return SSK_OK;
  struct ssk_param table[2] = {*row, SSK_PARAM_END};
  table[0].check = NULL;
  table[0].offset = 0;
  struct ssk_arena arena = {0};
  ssk_err *inner = ssk_err_new();
  void *self = calloc(1, members[row->type].size);
  int code = !self || !inner ? SSK_ENOMEM : SSK_OK;
  if (code)
    ssk_err_set(err, code, "%s: no memory to check its parameters", who);
  else if (ssk_schema_fill(table, self, NULL, "", NULL, NULL, &arena, inner))
    code = ssk_err_set(err, SSK_EPLUGIN, "%s: %s", who, ssk_err_message(inner, 0));
  ssk_arena_free(&arena);
  free(self);
  ssk_err_free(inner);
  return code;
}

static int check_table(const struct ssk_param *rows, size_t size, const char *who, int depth,
                       ssk_err *err) {
  if (depth > max_depth)
    return ssk_err_set(err, SSK_EPLUGIN, "%s: its sections are nested too deeply", who);
  for (const struct ssk_param *row = rows; row->name; row++) {
    if (row - rows >= max_rows) {
      ssk_err_set(err, SSK_EPLUGIN, "%s: it has more than %d parameters", who, max_rows);
      ssk_err_hint(err, "end the table with SSK_PARAM_END");
      return SSK_EPLUGIN;
    }
    if (!is_key(row->name) || strcmp(row->name, "use") == 0)
      return ssk_err_set(err, SSK_EPLUGIN, "%s: a parameter has the invalid name '%.64s'", who,
                         row->name);
    const char *reason = check_row(row, size);
    if (!reason)
      reason = check_beside(rows, row);
    if (reason)
      return ssk_err_set(err, SSK_EPLUGIN, "%s: parameter '%s': %s", who, row->name, reason);
    int code = check_default(row, who, err);
    if (!code && row->type == SSK_T_SECTION)
      code = check_table(row->rows, size - row->offset, who, depth + 1, err);
    if (code)
      return code;
  }
  return SSK_OK;
}

int ssk_contract_rows(const struct ssk_param *rows, size_t size, const char *who, ssk_err *err) {
  return check_table(rows, size, who, 0, err);
}
