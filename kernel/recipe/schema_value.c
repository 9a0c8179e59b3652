/* SPDX-License-Identifier: GPL-3.0-or-later */
/* schema_value.c - single values of a recipe for the schema: typed and checked against their row,
 * and the messages for those that do not fit. */
#include "recipe/fill.h"
#include "recipe/typing.h"
#include <string.h>
#include <strings.h>

/* Count an error; a code to hand to ssk_err_at. */
int ssk_fill_failing(struct ssk_fill *f, int code) {
  if (!f->code)
    f->code = code;
  f->errors++;
  return code;
}

void *ssk_fill_no_memory(struct ssk_fill *f) {
  ssk_err_set(f->err, ssk_fill_failing(f, SSK_ENOMEM), "no memory for the recipe");
  return NULL;
}

/* Where to point for a node as a whole: a map or list begins at its key, not at its first item. */
const struct ssk_pos *ssk_fill_place(const struct ssk_node *node) {
  return node->type != SSK_NODE_SCALAR && node->key ? &node->key_pos : &node->pos;
}

const char *ssk_fill_join(struct ssk_fill *f, const char *path, const char *key) {
  const char *joined =
      *path ? ssk_arena_printf(f->arena, "%s.%s", path, key) : ssk_arena_strdup(f->arena, key);
  return joined ? joined : ssk_fill_no_memory(f);
}

/* ---- messages ------------------------------------------------------------------------------- */

/* A number of a form that recipes do not have: 0x10, 010, 1_000, 5%. */
static bool looks_like_number(const char *text) {
  double value;
  const char *digits = text + (*text == '+' || *text == '-');
  bool is_octal = digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9';
  return *digits >= '0' && *digits <= '9' && (is_octal || !ssk_text_read_double(text, &value));
}

static void hint_for(struct ssk_fill *f, const struct ssk_param *row, const struct ssk_node *node) {
  const char *text = node->text;
  if (node->type != SSK_NODE_SCALAR)
    return;
  bool is_plain_type = row->type == SSK_T_BOOL || row->type == SSK_T_INT ||
                       row->type == SSK_T_REAL || row->type == SSK_T_REALS;
  if (node->quoted && is_plain_type)
    ssk_err_hint(f->err, "write it without quotes");
  else if (!node->quoted && (strcmp(text, "null") == 0 || strcmp(text, "~") == 0))
    ssk_err_hint(f->err, "leave the key out to get its default");
  else if (is_plain_type && row->type != SSK_T_BOOL && looks_like_number(text))
    ssk_err_hint(f->err, "write it in decimal, without leading zeros, '_' or unit");
  else if (row->type == SSK_T_BOOL) {
    static const char *const words[][2] = {{"yes", "true"}, {"on", "true"},   {"1", "true"},
                                           {"no", "false"}, {"off", "false"}, {"0", "false"}};
    struct ssk_nearest near = {.wanted = text};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
      if (strcasecmp(text, words[i][0]) == 0 || strcasecmp(text, words[i][1]) == 0) {
        ssk_err_hint(f->err, "write %s", words[i][1]);
        return;
      }
    ssk_nearest_offer(&near, "true");
    ssk_nearest_offer(&near, "false");
    if (near.best)
      ssk_err_hint(f->err, "did you mean %s?", near.best);
  } else if (row->choices) {
    struct ssk_nearest near = {.wanted = text};
    for (int i = 0; row->choices[i]; i++)
      ssk_nearest_offer(&near, row->choices[i]);
    if (near.best)
      ssk_err_hint(f->err, "did you mean '%s'?", near.best);
  }
}

/* The value is not what the row expects: of another type, or out of range. */
bool ssk_fill_unexpected(struct ssk_fill *f, const struct ssk_param *row,
                         const struct ssk_node *node) {
  struct ssk_text expected = {0};
  ssk_typing_expected(row, &expected);
  const char *words = expected.data ? expected.data : "";
  int code = ssk_fill_failing(f, SSK_ERECIPE);
  if (node->type == SSK_NODE_SCALAR)
    ssk_err_at(f->err, code, &node->pos, "'%s' must be %s, not %s%.40s%s%s", row->name, words,
               node->quoted ? "the text '" : "'", node->text, strlen(node->text) > 40 ? "..." : "",
               "'");
  else
    ssk_err_at(f->err, code, ssk_fill_place(node), "'%s' must be %s, not %s", row->name, words,
               node->type == SSK_NODE_LIST ? "a list" : "a map");
  hint_for(f, row, node);
  ssk_text_free(&expected);
  return false;
}

/* The dotted path of a key within the nested sections of a table; *found stays as it is when no
 * section has it. */
static void find_in_sections(struct ssk_fill *f, const struct ssk_param *rows, const char *path,
                             const char *key, const char **found) {
  for (const struct ssk_param *row = rows; row->name; row++) {
    if (row->type != SSK_T_SECTION)
      continue;
    const char *here = ssk_fill_join(f, path, row->name);
    for (const struct ssk_param *inner = row->rows; here && inner->name; inner++)
      if (strcmp(inner->name, key) == 0)
        *found = ssk_fill_join(f, here, key);
    if (here)
      find_in_sections(f, row->rows, here, key, found);
  }
}

void ssk_fill_unknown_key(struct ssk_fill *f, const struct ssk_param *rows,
                          const struct ssk_node *node, const char *path, const char *const *also) {
  ssk_err_at(f->err, ssk_fill_failing(f, SSK_ERECIPE), &node->key_pos, "unknown key '%s'",
             node->key);
  struct ssk_nearest near = {.wanted = node->key};
  struct ssk_text list = {0}, hint = {0};
  int n = 0;
  for (const struct ssk_param *row = rows; row->name; row++, n++) {
    ssk_nearest_offer(&near, row->name);
    ssk_text_printf(&list, "%s%s", n ? ", " : "", row->name);
  }
  for (int i = 0; also && also[i]; i++)
    ssk_nearest_offer(&near, also[i]);
  const char *elsewhere = NULL;
  find_in_sections(f, rows, path, node->key, &elsewhere);
  if (elsewhere)
    ssk_text_printf(&hint, "did you mean '%s'?", elsewhere);
  else if (near.best)
    ssk_text_printf(&hint, "did you mean '%s'?", near.best);
  if (n == 0)
    ssk_text_add(&hint, "it has no keys but `use`");
  else if (list.length <= 160)
    ssk_text_printf(&hint, "%svalid keys: %s", hint.length ? " " : "", list.data ? list.data : "");
  if (hint.length)
    ssk_err_hint(f->err, "%s", hint.data);
  ssk_text_free(&list);
  ssk_text_free(&hint);
}

/* ---- single values -------------------------------------------------------------------------- */

static bool is_in_range(const struct ssk_param *row, double value) {
  return value >= row->min && value <= row->max;
}

bool ssk_fill_real(struct ssk_fill *f, const struct ssk_param *row, const struct ssk_node *node,
                   double *value) {
  if (node->type == SSK_NODE_SCALAR && !node->quoted && ssk_text_read_double(node->text, value) &&
      is_in_range(row, *value))
    return true;
  return ssk_fill_unexpected(f, row, node);
}

bool ssk_fill_int(struct ssk_fill *f, const struct ssk_param *row, const struct ssk_node *node,
                  int64_t *value) {
  if (node->type == SSK_NODE_SCALAR && !node->quoted && ssk_typing_int(node->text, value) &&
      is_in_range(row, (double)*value))
    return true;
  return ssk_fill_unexpected(f, row, node);
}

bool ssk_fill_bool(struct ssk_fill *f, const struct ssk_param *row, const struct ssk_node *node,
                   bool *value) {
  if (node->type == SSK_NODE_SCALAR && !node->quoted && ssk_typing_bool(node->text, value))
    return true;
  return ssk_fill_unexpected(f, row, node);
}

bool ssk_fill_string(struct ssk_fill *f, const struct ssk_param *row, const struct ssk_node *node,
                     const char **value) {
  if (node->type != SSK_NODE_SCALAR ||
      (!node->quoted && (strcmp(node->text, "null") == 0 || strcmp(node->text, "~") == 0)))
    return ssk_fill_unexpected(f, row, node);
  *value = ssk_arena_strdup(f->arena, node->text);
  return *value || ssk_fill_no_memory(f);
}

bool ssk_fill_path(struct ssk_fill *f, const struct ssk_param *row, const struct ssk_node *node,
                   const char **value) {
  const char *reason = NULL;
  if (!ssk_fill_string(f, row, node, value))
    return false;
  const char *path = ssk_typing_path(f->arena, *value, node->folder, &reason);
  if (!path)
    ssk_err_at(f->err, ssk_fill_failing(f, SSK_ERECIPE), &node->pos, "%s",
               reason ? reason : "no memory");
  else
    *value = path;
  return path;
}

bool ssk_fill_enum(struct ssk_fill *f, const struct ssk_param *row, const struct ssk_node *node,
                   int *value) {
  for (int i = 0; node->type == SSK_NODE_SCALAR && row->choices[i]; i++)
    if (strcmp(row->choices[i], node->text) == 0) {
      *value = i;
      return true;
    }
  return ssk_fill_unexpected(f, row, node);
}
