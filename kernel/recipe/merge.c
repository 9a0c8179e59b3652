/* SPDX-License-Identifier: GPL-3.0-or-later */
/* merge.c - one tree over another: maps key by key, the rest replaced, `key+` appended, and each
 * node that replaced one remembers it in `under`. Nodes are copied where they change; what does not
 * change is shared. */
#include "recipe/node.h"
#include <string.h>

struct merge {
  struct ssk_arena *arena;
  ssk_err *err;
  bool failed;
};

static struct ssk_node *merge_node(struct merge *m, struct ssk_node *base, struct ssk_node *over);

static struct ssk_node *copy(struct merge *m, const struct ssk_node *node) {
  struct ssk_node *same = ssk_arena_alloc(m->arena, sizeof *same);
  if (!same) {
    m->failed = true;
    ssk_err_set(m->err, SSK_ENOMEM, "no memory to merge recipes");
    return NULL;
  }
  *same = *node;
  same->next = NULL;
  return same;
}

static bool is_append(const char *key) {
  size_t n = key ? strlen(key) : 0;
  return n > 1 && key[n - 1] == '+';
}

/* The child `key+` of a map. */
static struct ssk_node *get_append(const struct ssk_node *map, const char *key) {
  size_t n = strlen(key);
  for (struct ssk_node *child = map->first; child; child = child->next)
    if (is_append(child->key) && strlen(child->key) == n + 1 && !strncmp(child->key, key, n))
      return child;
  return NULL;
}

/* "a.yaml, line 3", for hints. */
static void hint_place(struct merge *m, const char *what, const struct ssk_node *node) {
  ssk_err_hint(m->err, "%s %s, line %d", what, node->pos.file, node->pos.line);
}

/* Without a base, `key+` has nothing to append to: find all that are left. */
static void refuse_appends(struct merge *m, const struct ssk_node *node) {
  for (const struct ssk_node *child = node->first; child; child = child->next) {
    if (is_append(child->key)) {
      m->failed = true;
      ssk_err_at(m->err, SSK_ERECIPE, &child->key_pos, "no base gives a list for '%s' to append to",
                 child->key);
      ssk_err_hint(m->err, "'%.*s' sets the list", (int)strlen(child->key) - 1, child->key);
    }
    refuse_appends(m, child);
  }
}

static const char *use_of(const struct ssk_node *node) {
  const struct ssk_node *use = node->type == SSK_NODE_MAP ? ssk_node_get(node, "use") : node;
  return use && use->type == SSK_NODE_SCALAR ? use->text : NULL;
}

/* base's items, then those of over. */
static struct ssk_node *append(struct merge *m, struct ssk_node *base, struct ssk_node *over) {
  struct ssk_node *list = copy(m, over);
  if (!list)
    return NULL;
  list->key = base->key;
  list->under = base;
  const bool is_one = base->type == SSK_NODE_SCALAR || use_of(base); /* which is a list of one */
  if (over->type != SSK_NODE_LIST || (base->type == SSK_NODE_MAP && !is_one)) {
    m->failed = true;
    ssk_err_at(m->err, SSK_ERECIPE, &over->key_pos, "'%s' appends a list to a list, not %s",
               over->key,
               over->type == SSK_NODE_LIST  ? "to a map"
               : over->type == SSK_NODE_MAP ? "a map"
                                            : "a single value");
    hint_place(m, "the base's value is in", base);
    return list;
  }
  refuse_appends(m, over);
  struct ssk_node **tail = &list->first, *single = NULL;
  if (is_one) {
    single = *tail = copy(m, base);
    if (single) {
      single->key = NULL;
      tail = &single->next;
    }
  }
  struct ssk_node *const parts[] = {base->type == SSK_NODE_LIST ? base->first : NULL, over->first};
  for (int i = 0; i < 2; i++)
    for (struct ssk_node *item = parts[i]; item; item = item->next) {
      if (!(*tail = copy(m, item)))
        return NULL;
      tail = &(*tail)->next;
    }
  return list;
}

/* `name` as the map {use: name}. */
static struct ssk_node *as_component(struct merge *m, const struct ssk_node *scalar) {
  struct ssk_node *map = copy(m, scalar), *use = copy(m, scalar);
  if (!map || !use)
    return NULL;
  use->key = "use";
  use->key_pos = scalar->pos;
  use->under = NULL;
  map->type = SSK_NODE_MAP;
  map->text = NULL;
  map->quoted = false;
  map->first = use;
  return map;
}

/* The child of the result for a key of the base. */
static struct ssk_node *merge_child(struct merge *m, struct ssk_node *base,
                                    const struct ssk_node *over_map) {
  struct ssk_node *over = ssk_node_get(over_map, base->key);
  struct ssk_node *more = get_append(over_map, base->key);
  if (over && more) {
    m->failed = true;
    ssk_err_at(m->err, SSK_ERECIPE, &more->key_pos, "both '%s' and '%s' are given", base->key,
               more->key);
  }
  if (more)
    return append(m, base, more);
  return over ? merge_node(m, base, over) : copy(m, base);
}

static struct ssk_node *merge_maps(struct merge *m, struct ssk_node *base, struct ssk_node *over) {
  struct ssk_node *map = copy(m, over);
  if (!map)
    return NULL;
  if (!over->folder) { /* an override changes a map; the map still stands in its file */
    *map = *base;
    map->next = NULL;
  }
  map->under = base;
  map->first = NULL;
  struct ssk_node **tail = &map->first;
  for (struct ssk_node *child = base->first; child; child = child->next) {
    if (!(*tail = merge_child(m, child, over)))
      return NULL;
    tail = &(*tail)->next;
  }
  for (struct ssk_node *child = over->first; child; child = child->next) {
    if (ssk_node_get(map, child->key))
      continue;
    char *plain = ssk_arena_strdup(m->arena, child->key);
    if (plain && is_append(plain)) {
      plain[strlen(plain) - 1] = 0;
      if (ssk_node_get(base, plain))
        continue; /* was appended */
    }
    struct ssk_node alone = {.type = SSK_NODE_MAP, .first = copy(m, child)};
    if (!alone.first || !plain)
      return NULL;
    refuse_appends(m, &alone);
    *tail = alone.first;
    tail = &(*tail)->next;
  }
  return map;
}

static struct ssk_node *merge_node(struct merge *m, struct ssk_node *base, struct ssk_node *over) {
  const char *base_use = use_of(base), *over_use = use_of(over);
  bool is_base_map = base->type == SSK_NODE_MAP, is_over_map = over->type == SSK_NODE_MAP;
  bool is_same = !over_use || (base_use && strcmp(base_use, over_use) == 0);
  if (is_base_map && is_over_map && (is_same || !base_use))
    return merge_maps(m, base, over);
  if (is_base_map != is_over_map && base_use && is_same && over->type != SSK_NODE_LIST) {
    struct ssk_node *lower = is_base_map ? base : as_component(m, base);
    struct ssk_node *upper = is_over_map ? over : as_component(m, over);
    return lower && upper ? merge_maps(m, lower, upper) : NULL;
  }
  struct ssk_node *node = copy(m, over);
  if (node)
    node->under = base;
  refuse_appends(m, over);
  return node;
}

struct ssk_node *ssk_node_merge(struct ssk_arena *arena, struct ssk_node *base,
                                struct ssk_node *over, ssk_err *err) {
  struct merge m = {.arena = arena, .err = err};
  if (!base)
    refuse_appends(&m, over);
  struct ssk_node *node = base ? merge_node(&m, base, over) : over;
  return m.failed ? NULL : node;
}
