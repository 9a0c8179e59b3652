/* SPDX-License-Identifier: GPL-3.0-or-later */
/* schema.c - fill structs from a recipe's tree by their tables of rows.
 *
 * One pass over the rows takes each value or its default, types it, and writes the member; one pass
 * over the keys finds those that no row knows. All errors are collected. A member that could not be
 * filled stays zero; checks of a table run only when all its rows are filled. */
#include "recipe/schema.h"
#include "core/err_place.h"
#include "recipe/node.h"
#include "recipe/typing.h"
#include <sskit/plugin.h>
#include <string.h>
#include <strings.h>

struct fill {
  const struct ssk_maker *maker;
  struct ssk_arena *arena;
  ssk_err *err;
  int code;      /* of the first error */
  int errors;    /* so far */
  int depth;     /* of nested components */
  bool may_lack; /* in an optional section that is absent: required keys may lack */
};

/* Count an error; a code to hand to ssk_err_at. */
static int failing(struct fill *f, int code) {
  if (!f->code)
    f->code = code;
  f->errors++;
  return code;
}

static void *no_memory(struct fill *f) {
  ssk_err_set(f->err, failing(f, SSK_ENOMEM), "no memory for the recipe");
  return NULL;
}

/* Where to point for a node as a whole: a map or list begins at its key, not at its first item. */
static const struct ssk_pos *place_of(const struct ssk_node *node) {
  return node->type != SSK_NODE_SCALAR && node->key ? &node->key_pos : &node->pos;
}

static const char *join(struct fill *f, const char *path, const char *key) {
  const char *joined =
      *path ? ssk_arena_printf(f->arena, "%s.%s", path, key) : ssk_arena_strdup(f->arena, key);
  return joined ? joined : no_memory(f);
}

/* ---- messages ------------------------------------------------------------------------------- */

/* A number of a form that recipes do not have: 0x10, 010, 1_000, 5%. */
static bool looks_like_number(const char *text) {
  double value;
  const char *digits = text + (*text == '+' || *text == '-');
  bool is_octal = digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9';
  return *digits >= '0' && *digits <= '9' && (is_octal || !ssk_text_read_double(text, &value));
}

static void hint_for(struct fill *f, const struct ssk_param *row, const struct ssk_node *node) {
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
  } else if (row->type == SSK_T_ENUM) {
    struct ssk_nearest near = {.wanted = text};
    for (int i = 0; row->choices[i]; i++)
      ssk_nearest_offer(&near, row->choices[i]);
    if (near.best)
      ssk_err_hint(f->err, "did you mean '%s'?", near.best);
  }
}

/* The value is not what the row expects: of another type, or out of range. */
static bool unexpected(struct fill *f, const struct ssk_param *row, const struct ssk_node *node) {
  struct ssk_text expected = {0};
  ssk_typing_expected(row, &expected);
  const char *words = expected.data ? expected.data : "";
  int code = failing(f, SSK_ERECIPE);
  if (node->type == SSK_NODE_SCALAR)
    ssk_err_at(f->err, code, &node->pos, "'%s' must be %s, not %s%.40s%s%s", row->name, words,
               node->quoted ? "the text '" : "'", node->text, strlen(node->text) > 40 ? "..." : "",
               "'");
  else
    ssk_err_at(f->err, code, place_of(node), "'%s' must be %s, not %s", row->name, words,
               node->type == SSK_NODE_LIST ? "a list" : "a map");
  hint_for(f, row, node);
  ssk_text_free(&expected);
  return false;
}

/* The dotted path of a key within the nested sections of a table; *found stays as it is when no
 * section has it. */
static void find_in_sections(struct fill *f, const struct ssk_param *rows, const char *path,
                             const char *key, const char **found) {
  for (const struct ssk_param *row = rows; row->name; row++) {
    if (row->type != SSK_T_SECTION)
      continue;
    const char *here = join(f, path, row->name);
    for (const struct ssk_param *inner = row->rows; here && inner->name; inner++)
      if (strcmp(inner->name, key) == 0)
        *found = join(f, here, key);
    if (here)
      find_in_sections(f, row->rows, here, key, found);
  }
}

static void unknown_key(struct fill *f, const struct ssk_param *rows, const struct ssk_node *node,
                        const char *path, const char *const *also) {
  ssk_err_at(f->err, failing(f, SSK_ERECIPE), &node->key_pos, "unknown key '%s'", node->key);
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

static bool read_real(struct fill *f, const struct ssk_param *row, const struct ssk_node *node,
                      double *value) {
  if (node->type == SSK_NODE_SCALAR && !node->quoted && ssk_text_read_double(node->text, value) &&
      is_in_range(row, *value))
    return true;
  return unexpected(f, row, node);
}

static bool read_int(struct fill *f, const struct ssk_param *row, const struct ssk_node *node,
                     int64_t *value) {
  if (node->type == SSK_NODE_SCALAR && !node->quoted && ssk_typing_int(node->text, value) &&
      is_in_range(row, (double)*value))
    return true;
  return unexpected(f, row, node);
}

static bool read_bool(struct fill *f, const struct ssk_param *row, const struct ssk_node *node,
                      bool *value) {
  if (node->type == SSK_NODE_SCALAR && !node->quoted && ssk_typing_bool(node->text, value))
    return true;
  return unexpected(f, row, node);
}

static bool read_string(struct fill *f, const struct ssk_param *row, const struct ssk_node *node,
                        const char **value) {
  if (node->type != SSK_NODE_SCALAR ||
      (!node->quoted && (strcmp(node->text, "null") == 0 || strcmp(node->text, "~") == 0)))
    return unexpected(f, row, node);
  *value = ssk_arena_strdup(f->arena, node->text);
  return *value || no_memory(f);
}

static bool read_path(struct fill *f, const struct ssk_param *row, const struct ssk_node *node,
                      const char **value) {
  const char *reason = NULL;
  if (!read_string(f, row, node, value))
    return false;
  const char *path = ssk_typing_path(f->arena, *value, node->folder, &reason);
  if (!path)
    ssk_err_at(f->err, failing(f, SSK_ERECIPE), &node->pos, "%s", reason ? reason : "no memory");
  else
    *value = path;
  return path;
}

static bool read_enum(struct fill *f, const struct ssk_param *row, const struct ssk_node *node,
                      int *value) {
  for (int i = 0; node->type == SSK_NODE_SCALAR && row->choices[i]; i++)
    if (strcmp(row->choices[i], node->text) == 0) {
      *value = i;
      return true;
    }
  return unexpected(f, row, node);
}

/* ---- lists ---------------------------------------------------------------------------------- */

/* A single value stands for a list of one. */
static const struct ssk_node *first_item(const struct ssk_node *node) {
  return node->type == SSK_NODE_LIST ? node->first : node;
}
static const struct ssk_node *next_item(const struct ssk_node *node, const struct ssk_node *item) {
  return node->type == SSK_NODE_LIST ? item->next : NULL;
}

/* Zeroed memory for the items; NULL when there are none, or no memory (then an error is counted).
 */
static void *new_items(struct fill *f, const struct ssk_node *node, size_t size) {
  size_t n = 0;
  for (const struct ssk_node *i = first_item(node); i; i = next_item(node, i))
    n++;
  void *items = n ? ssk_arena_zalloc(f->arena, n * size) : NULL;
  return n && !items ? no_memory(f) : items;
}

static void read_reals(struct fill *f, const struct ssk_param *row, const struct ssk_node *node,
                       struct ssk_reals *list) {
  list->items = new_items(f, node, sizeof *list->items);
  for (const struct ssk_node *i = first_item(node); i && list->items; i = next_item(node, i))
    if (read_real(f, row, i, &list->items[list->n]))
      list->n++;
}

static void read_strings(struct fill *f, const struct ssk_param *row, const struct ssk_node *node,
                         struct ssk_strings *list) {
  list->items = new_items(f, node, sizeof *list->items);
  for (const struct ssk_node *i = first_item(node); i && list->items; i = next_item(node, i))
    if (read_string(f, row, i, &list->items[list->n]))
      list->n++;
}

/* ---- components ----------------------------------------------------------------------------- */

static void fill_rows(struct fill *f, const struct ssk_param *rows, void *self,
                      const struct ssk_node *map, const char *path, const char *const *also,
                      const struct ssk_pos *at);

static const struct ssk_param no_rows[] = {SSK_PARAM_END};
static const char *const use_key[] = {"use", NULL};

static const struct ssk_param *rows_of(const struct ssk_component *component) {
  return component->params ? component->params : no_rows;
}

/* Run init; its messages get the component's place and name. */
static bool initialise(struct fill *f, const struct ssk_instance *i, const struct ssk_pos *at) {
  const struct ssk_component *c = i->component;
  if (!c->init)
    return true;
  int before = ssk_err_count(f->err);
  int code = c->init(i->self, f->err);
  if (!code)
    return true;
  failing(f, code);
  if (ssk_err_count(f->err) == before)
    ssk_err_set(f->err, code, "it cannot be initialised with these parameters");
  ssk_err_context(f->err, "%s '%s'", ssk_kind_name(c->kind), c->name);
  ssk_err_place(f->err, before, at);
  return false;
}

static struct ssk_instance *make(struct fill *f, const struct ssk_component *component,
                                 const struct ssk_node *node, const char *path,
                                 const struct ssk_pos *at) {
  struct ssk_instance *i = ssk_arena_zalloc(f->arena, sizeof *i);
  void *self = ssk_arena_zalloc(f->arena, component->self_size ? component->self_size : 1);
  char *own_path = ssk_arena_strdup(f->arena, path);
  if (!i || !self || !own_path)
    return no_memory(f);
  *i = (struct ssk_instance){.component = component, .self = self, .path = own_path};
  int before = f->errors;
  const struct ssk_node *map = node && node->type == SSK_NODE_MAP ? node : NULL;
  fill_rows(f, rows_of(component), self, map, own_path, use_key, at);
  if (f->errors == before && initialise(f, i, at))
    return i;
  ssk_schema_free(rows_of(component), self);
  return NULL;
}

/* A component from `name` or `{use: name, ...}`. */
static struct ssk_instance *read_component(struct fill *f, const struct ssk_param *row,
                                           const struct ssk_node *node, const char *path) {
  const struct ssk_node *name = node;
  if (node->type == SSK_NODE_MAP) {
    name = ssk_node_get(node, "use");
    if (!name) {
      ssk_err_at(f->err, failing(f, SSK_ERECIPE), place_of(node), "'%s' lacks the key 'use'",
                 row->name);
      ssk_err_hint(f->err, "write {use: name, ...}, with the name of a component of the kind %s",
                   ssk_kind_name(row->kind));
      return NULL;
    }
  }
  if (name->type != SSK_NODE_SCALAR) {
    unexpected(f, row, name);
    return NULL;
  }
  if (f->depth >= SSK_DEPTH_LIMIT) {
    ssk_err_at(f->err, failing(f, SSK_ERECIPE), &name->pos,
               "components are nested deeper than %d levels", SSK_DEPTH_LIMIT);
    return NULL;
  }
  const struct ssk_component *component =
      f->maker->find(f->maker->state, row->kind, name->text, &name->pos, f->err);
  if (!component) {
    failing(f, SSK_EPLUGIN);
    return NULL;
  }
  f->depth++;
  struct ssk_instance *i = make(f, component, node, path, &name->pos);
  f->depth--;
  return i;
}

static bool accepts_none(const struct ssk_param *row) {
  return row->default_text && strcmp(row->default_text, "none") == 0;
}

static void read_components(struct fill *f, const struct ssk_param *row,
                            const struct ssk_node *node, const char *path,
                            struct ssk_instances *list) {
  list->items = new_items(f, node, sizeof *list->items);
  int index = 0;
  for (const struct ssk_node *i = first_item(node); i && list->items; i = next_item(node, i)) {
    const char *item_path = ssk_arena_printf(f->arena, "%s.%d", path, index++);
    struct ssk_instance *instance = item_path ? read_component(f, row, i, item_path) : no_memory(f);
    if (instance)
      list->items[list->n++] = instance;
  }
}

/* ---- rows ----------------------------------------------------------------------------------- */

static void read_value(struct fill *f, const struct ssk_param *row, const struct ssk_node *node,
                       const char *path, void *member) {
  switch (row->type) {
  case SSK_T_BOOL:
    read_bool(f, row, node, member);
    break;
  case SSK_T_INT:
    read_int(f, row, node, member);
    break;
  case SSK_T_REAL:
    read_real(f, row, node, member);
    break;
  case SSK_T_STRING:
    read_string(f, row, node, member);
    break;
  case SSK_T_PATH:
    read_path(f, row, node, member);
    break;
  case SSK_T_ENUM:
    read_enum(f, row, node, member);
    break;
  case SSK_T_REALS:
    read_reals(f, row, node, member);
    break;
  case SSK_T_STRINGS:
    read_strings(f, row, node, member);
    break;
  case SSK_T_COMPONENT:
    if (node->type != SSK_NODE_SCALAR || !accepts_none(row) || strcmp(node->text, "none") != 0)
      *(struct ssk_instance **)member = read_component(f, row, node, path);
    break;
  case SSK_T_COMPONENTS:
    read_components(f, row, node, path, member);
    break;
  case SSK_T_SECTION:
    if (node->type != SSK_NODE_MAP)
      unexpected(f, row, node);
    else
      fill_rows(f, row->rows, member, node, path, NULL, place_of(node));
  }
}

/* A row's default as a node, at the place of the map that lacks the key. */
static struct ssk_node *default_node(struct fill *f, const struct ssk_param *row,
                                     const struct ssk_pos *at) {
  const char *text = row->default_text;
  if (strchr("[{\"'", *text) && *text) {
    const char *file = ssk_arena_printf(f->arena, "default of '%s'", row->name);
    struct ssk_source source = {
        .file = file ? file : "default", .text = text, .size = strlen(text), .shown = text};
    struct ssk_node *node = ssk_node_parse(f->arena, &source, f->err);
    if (!node)
      failing(f, SSK_EPLUGIN); /* whoever wrote the table erred */
    return node;
  }
  struct ssk_node *node = ssk_arena_zalloc(f->arena, sizeof *node);
  if (!node)
    return no_memory(f);
  node->text = text;
  if (at)
    node->pos = *at;
  return node;
}

static void take_default(struct fill *f, const struct ssk_param *row, const char *path,
                         const struct ssk_pos *at, void *member) {
  struct ssk_node *node = default_node(f, row, at);
  int before = f->errors;
  if (node)
    read_value(f, row, node, path, member);
  if (f->errors > before)
    ssk_err_context(f->err, "default of '%s'", row->name);
}

/* Strings are never NULL, also where a key is absent or wrong. */
static void preset(const struct ssk_param *row, void *member) {
  if (row->type == SSK_T_STRING || row->type == SSK_T_PATH)
    *(const char **)member = "";
}

static void missing_key(struct fill *f, const struct ssk_param *row, const char *path,
                        const struct ssk_pos *at) {
  struct ssk_text expected = {0};
  ssk_typing_expected(row, &expected);
  ssk_err_at(f->err, failing(f, SSK_ERECIPE), at, "missing required key '%s'", path);
  ssk_err_hint(f->err, "it must be %s", expected.data ? expected.data : "given");
  ssk_text_free(&expected);
}

static void fill_row(struct fill *f, const struct ssk_param *row, void *member,
                     const struct ssk_node *node, const char *path, const struct ssk_pos *at) {
  preset(row, member);
  if (node)
    read_value(f, row, node, path, member);
  else if (row->default_text)
    take_default(f, row, path, at, member);
  else if (row->type == SSK_T_SECTION) {
    bool outside = f->may_lack;
    f->may_lack = outside || row->optional;
    fill_rows(f, row->rows, member, NULL, path, NULL, at);
    f->may_lack = outside;
  } else if (!row->optional && !f->may_lack)
    missing_key(f, row, path, at);
}

static void check_rows(struct fill *f, const struct ssk_param *rows, const void *self,
                       const struct ssk_node *map, const struct ssk_pos *at) {
  for (const struct ssk_param *row = rows; row->name; row++) {
    const char *reason = row->check ? row->check(self) : NULL;
    if (!reason)
      continue;
    const struct ssk_node *node = ssk_node_get(map, row->name);
    ssk_err_at(f->err, failing(f, SSK_ERECIPE), node ? place_of(node) : at, "'%s': %s", row->name,
               reason);
  }
}

static bool is_known(const struct ssk_param *rows, const char *const *also, const char *key) {
  for (const struct ssk_param *row = rows; row->name; row++)
    if (strcmp(row->name, key) == 0)
      return true;
  for (int i = 0; also && also[i]; i++)
    if (strcmp(also[i], key) == 0)
      return true;
  return false;
}

static void fill_rows(struct fill *f, const struct ssk_param *rows, void *self,
                      const struct ssk_node *map, const char *path, const char *const *also,
                      const struct ssk_pos *at) {
  int before = f->errors;
  for (const struct ssk_node *child = map ? map->first : NULL; child; child = child->next)
    if (!is_known(rows, also, child->key))
      unknown_key(f, rows, child, path, also);
  for (const struct ssk_param *row = rows; row->name; row++) {
    const char *row_path = join(f, path, row->name);
    if (row_path)
      fill_row(f, row, (char *)self + row->offset, ssk_node_get(map, row->name), row_path, at);
  }
  if (f->errors == before && !f->may_lack)
    check_rows(f, rows, self, map, at);
}

/* ---- public --------------------------------------------------------------------------------- */

int ssk_schema_fill(const struct ssk_param *rows, void *self, const struct ssk_node *map,
                    const char *path, const char *const *also, const struct ssk_maker *maker,
                    struct ssk_arena *arena, ssk_err *err) {
  struct fill f = {.maker = maker, .arena = arena, .err = err};
  struct ssk_pos at = {0};
  if (map && *path)
    at = *place_of(map);
  else if (map) /* something that the whole file lacks has no line */
    at.file = map->pos.file;
  fill_rows(&f, rows, self, map, path, also, map ? &at : NULL);
  if (f.code)
    ssk_schema_free(rows, self);
  return f.code;
}

struct ssk_instance *ssk_schema_instance(const struct ssk_component *component,
                                         const struct ssk_node *map, const char *path,
                                         const struct ssk_maker *maker, struct ssk_arena *arena,
                                         ssk_err *err) {
  struct fill f = {.maker = maker, .arena = arena, .err = err};
  const struct ssk_node *use = ssk_node_get(map, "use");
  return make(&f, component, map, path, use ? &use->pos : map ? place_of(map) : NULL);
}

void ssk_schema_instance_free(struct ssk_instance *instance) {
  if (!instance || !instance->self)
    return;
  if (instance->component->done)
    instance->component->done(instance->self);
  ssk_schema_free(rows_of(instance->component), instance->self);
  instance->self = NULL;
}

void ssk_schema_free(const struct ssk_param *rows, void *self) {
  for (const struct ssk_param *row = rows; row->name; row++) {
    void *member = (char *)self + row->offset;
    if (row->type == SSK_T_SECTION)
      ssk_schema_free(row->rows, member);
    else if (row->type == SSK_T_COMPONENT) {
      struct ssk_instance **one = member;
      ssk_schema_instance_free(*one);
      *one = NULL;
    } else if (row->type == SSK_T_COMPONENTS) {
      struct ssk_instances *list = member;
      for (int i = 0; i < list->n; i++)
        ssk_schema_instance_free(list->items[i]);
      *list = (struct ssk_instances){0};
    }
  }
}
