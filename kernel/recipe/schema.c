/* SPDX-License-Identifier: GPL-3.0-or-later */
/* schema.c - fill structs from a recipe's tree by their tables of rows.
 *
 * One pass over the rows takes each value or its default, types it, and writes the member; one pass
 * over the keys finds those that no row knows. All errors are collected. A member that could not be
 * filled stays zero; checks of a table run only when all its rows are filled. */
#include "recipe/schema.h"
#include "core/err_place.h"
#include "recipe/fill.h"
#include "recipe/node.h"
#include "recipe/typing.h"
#include <sskit/plugin.h>
#include <string.h>

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
static void *new_items(struct ssk_fill *f, const struct ssk_node *node, size_t size) {
  size_t n = 0;
  for (const struct ssk_node *i = first_item(node); i; i = next_item(node, i))
    n++;
  void *items = n ? ssk_arena_zalloc(f->arena, n * size) : NULL;
  return n && !items ? ssk_fill_no_memory(f) : items;
}

static void read_reals(struct ssk_fill *f, const struct ssk_param *row, const struct ssk_node *node,
                       struct ssk_reals *list) {
  list->items = new_items(f, node, sizeof *list->items);
  for (const struct ssk_node *i = first_item(node); i && list->items; i = next_item(node, i))
    if (ssk_fill_real(f, row, i, &list->items[list->n]))
      list->n++;
}

static void read_strings(struct ssk_fill *f, const struct ssk_param *row,
                         const struct ssk_node *node, struct ssk_strings *list) {
  list->items = new_items(f, node, sizeof *list->items);
  int k;
  for (const struct ssk_node *i = first_item(node); i && list->items; i = next_item(node, i))
    if (row->choices ? ssk_fill_enum(f, row, i, &k)
                     : ssk_fill_string(f, row, i, &list->items[list->n])) {
      if (row->choices)
        list->items[list->n] = row->choices[k];
      list->n++;
    }
}

/* ---- components ----------------------------------------------------------------------------- */

static void fill_rows(struct ssk_fill *f, const struct ssk_param *rows, void *self,
                      const struct ssk_node *map, const char *path, const char *const *also,
                      const struct ssk_pos *at);

static const struct ssk_param no_rows[] = {SSK_PARAM_END};
static const char *const use_key[] = {"use", NULL};

static const struct ssk_param *rows_of(const struct ssk_component *component) {
  return component->params ? component->params : no_rows;
}

/* Run init; its messages get the component's place and name. */
static bool initialise(struct ssk_fill *f, const struct ssk_instance *i, const struct ssk_pos *at) {
  const struct ssk_component *c = i->component;
  if (!c->init)
    return true;
  int before = ssk_err_count(f->err);
  int code = c->init(i->self, f->err);
  if (!code)
    return true;
  ssk_fill_failing(f, code);
  if (ssk_err_count(f->err) == before)
    ssk_err_set(f->err, code, "it cannot be initialised with these parameters");
  ssk_err_context(f->err, "%s '%s'", ssk_kind_name(c->kind), c->name);
  ssk_err_place(f->err, before, at);
  return false;
}

static struct ssk_instance *make(struct ssk_fill *f, const struct ssk_component *component,
                                 const struct ssk_node *node, const char *path,
                                 const struct ssk_pos *at) {
  struct ssk_instance *i = ssk_arena_zalloc(f->arena, sizeof *i);
  void *self = ssk_arena_zalloc(f->arena, component->self_size ? component->self_size : 1);
  char *own_path = ssk_arena_strdup(f->arena, path);
  if (!i || !self || !own_path)
    return ssk_fill_no_memory(f);
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
static struct ssk_instance *read_component(struct ssk_fill *f, const struct ssk_param *row,
                                           const struct ssk_node *node, const char *path) {
  const struct ssk_node *name = node;
  if (node->type == SSK_NODE_MAP) {
    name = ssk_node_get(node, "use");
    if (!name) {
      ssk_err_at(f->err, ssk_fill_failing(f, SSK_ERECIPE), ssk_fill_place(node),
                 "'%s' lacks the key 'use'", row->name);
      ssk_err_hint(f->err, "write {use: name, ...}, with the name of a component of the kind %s",
                   ssk_kind_name(row->kind));
      return NULL;
    }
  }
  if (name->type != SSK_NODE_SCALAR) {
    ssk_fill_unexpected(f, row, name);
    return NULL;
  }
  if (f->depth >= SSK_DEPTH_LIMIT) {
    ssk_err_at(f->err, ssk_fill_failing(f, SSK_ERECIPE), &name->pos,
               "components are nested deeper than %d levels", SSK_DEPTH_LIMIT);
    return NULL;
  }
  const struct ssk_component *component =
      f->maker->find(f->maker->state, row->kind, name->text, &name->pos, f->err);
  if (!component) {
    ssk_fill_failing(f, SSK_EPLUGIN);
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

static void read_components(struct ssk_fill *f, const struct ssk_param *row,
                            const struct ssk_node *node, const char *path,
                            struct ssk_instances *list) {
  list->items = new_items(f, node, sizeof *list->items);
  int index = 0;
  for (const struct ssk_node *i = first_item(node); i && list->items; i = next_item(node, i)) {
    const char *item_path = ssk_arena_printf(f->arena, "%s.%d", path, index++);
    struct ssk_instance *instance =
        item_path ? read_component(f, row, i, item_path) : ssk_fill_no_memory(f);
    if (instance)
      list->items[list->n++] = instance;
  }
}

/* ---- rows ----------------------------------------------------------------------------------- */

static void read_value(struct ssk_fill *f, const struct ssk_param *row, const struct ssk_node *node,
                       const char *path, void *member) {
  switch (row->type) {
  case SSK_T_BOOL:
    ssk_fill_bool(f, row, node, member);
    break;
  case SSK_T_INT:
    ssk_fill_int(f, row, node, member);
    break;
  case SSK_T_REAL:
    ssk_fill_real(f, row, node, member);
    break;
  case SSK_T_STRING:
    ssk_fill_string(f, row, node, member);
    break;
  case SSK_T_PATH:
    ssk_fill_path(f, row, node, member);
    break;
  case SSK_T_ENUM:
    ssk_fill_enum(f, row, node, member);
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
      ssk_fill_unexpected(f, row, node);
    else
      fill_rows(f, row->rows, member, node, path, NULL, ssk_fill_place(node));
  }
}

/* A row's default as a node, at the place of the map that lacks the key. */
static struct ssk_node *default_node(struct ssk_fill *f, const struct ssk_param *row,
                                     const struct ssk_pos *at) {
  const char *text = row->default_text;
  if (strchr("[{\"'", *text) && *text) {
    const char *file = ssk_arena_printf(f->arena, "default of '%s'", row->name);
    const struct ssk_pos within = {.file = file ? file : "default",
                                   .line = 1,
                                   .column = 1,
                                   .width = (int)strlen(text),
                                   .line_text = text};
    const struct ssk_source source = {
        .file = within.file, .text = text, .size = strlen(text), .within = &within};
    struct ssk_node *node = ssk_node_parse(f->arena, &source, f->err);
    if (!node)
      ssk_fill_failing(f, SSK_EPLUGIN); /* whoever wrote the table erred */
    return node;
  }
  struct ssk_node *node = ssk_arena_zalloc(f->arena, sizeof *node);
  if (!node)
    return ssk_fill_no_memory(f);
  node->text = text;
  if (at)
    node->pos = *at;
  return node;
}

static void take_default(struct ssk_fill *f, const struct ssk_param *row, const char *path,
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

static void missing_key(struct ssk_fill *f, const struct ssk_param *row, const char *path,
                        const struct ssk_pos *at) {
  struct ssk_text expected = {0};
  ssk_typing_expected(row, &expected);
  ssk_err_at(f->err, ssk_fill_failing(f, SSK_ERECIPE), at, "missing required key '%s'", path);
  ssk_err_hint(f->err, "it must be %s", expected.data ? expected.data : "given");
  ssk_text_free(&expected);
}

static void fill_row(struct ssk_fill *f, const struct ssk_param *row, void *member,
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

static void check_rows(struct ssk_fill *f, const struct ssk_param *rows, const void *self,
                       const struct ssk_node *map, const struct ssk_pos *at) {
  for (const struct ssk_param *row = rows; row->name; row++) {
    const char *reason = row->check ? row->check(self) : NULL;
    if (!reason)
      continue;
    const struct ssk_node *node = ssk_node_get(map, row->name);
    ssk_err_at(f->err, ssk_fill_failing(f, SSK_ERECIPE), node ? ssk_fill_place(node) : at,
               "'%s': %s", row->name, reason);
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

static void fill_rows(struct ssk_fill *f, const struct ssk_param *rows, void *self,
                      const struct ssk_node *map, const char *path, const char *const *also,
                      const struct ssk_pos *at) {
  int before = f->errors;
  for (const struct ssk_node *child = map ? map->first : NULL; child; child = child->next)
    if (!is_known(rows, also, child->key))
      ssk_fill_unknown_key(f, rows, child, path, also);
  for (const struct ssk_param *row = rows; row->name; row++) {
    const char *row_path = ssk_fill_join(f, path, row->name);
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
  struct ssk_fill f = {.maker = maker, .arena = arena, .err = err};
  struct ssk_pos at = {0};
  if (map && *path)
    at = *ssk_fill_place(map);
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
  struct ssk_fill f = {.maker = maker, .arena = arena, .err = err};
  const struct ssk_node *use = ssk_node_get(map, "use");
  return make(&f, component, map, path, use ? &use->pos : map ? ssk_fill_place(map) : NULL);
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
