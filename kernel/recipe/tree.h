/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tree.h - a recipe as a tree of nodes, each with its place in its file: read, merged, overridden.
 *
 * YAML events (libyaml) become nodes; scalars stay text until the schema types them. What YAML
 * allows and recipes do not (anchors, aliases, merge keys, tags, duplicate keys, second documents,
 * nesting beyond 32, files over 1 MiB, control characters, empty values) is an error at its place.
 * `base:` files (one name or a list; searched beside the file, then in the recipe path) are read
 * first and merged under the file:
 *   - maps merge key by key; lists and scalars are replaced; `key+: [..]` appends to the base's
 * list;
 *   - a map whose `use` differs from the base's replaces it whole;
 *   - where one side is a map and the other a scalar `name`, that is taken as `{use: name}`, unless
 * the file's scalar replaces a map without or with another `use`. */
#ifndef SSK_RECIPE_TREE_H
#define SSK_RECIPE_TREE_H

#include "core/arena.h"
#include "recipe/override.h"
#include <sskit/err.h>

enum ssk_node_type { SSK_NODE_SCALAR, SSK_NODE_LIST, SSK_NODE_MAP };

struct ssk_node {
  enum ssk_node_type type;
  struct ssk_pos pos; /* of the value */
  const char *key;    /* in a map: the key, and its place */
  struct ssk_pos key_pos;
  const char *text;       /* scalar: its source text, unquoted */
  bool quoted;            /* scalar: was quoted, so never null/bool/number by accident */
  struct ssk_node *first; /* children of lists and maps, in order */
  struct ssk_node *next;
  struct ssk_node *under; /* the node of a base (or file) that this one replaced, for `explain` */
  const char *folder;     /* of its file, where relative paths start; NULL: the working folder */
};

/* A read recipe; owns everything its nodes point to. */
struct ssk_tree {
  struct ssk_arena arena;
  struct ssk_node *root; /* a map */
  const char *path;      /* of the recipe file */
  int n_files;           /* the file and all its bases, in the order of reading */
  const char **files;
};

/* Read `path` with its bases, then apply the overrides. `search`: folders for bases, separated by
 * ':', may be NULL. On failure NULL with up to 20 diagnostics in err. */
struct ssk_tree *ssk_tree_load(const char *path, int n_overrides,
                               const struct ssk_override *overrides, const char *search,
                               ssk_err *err);
/* The same from memory; `name` stands in messages, and its folder is where bases are looked for. */
struct ssk_tree *ssk_tree_parse(const char *name, const char *text, size_t size, int n_overrides,
                                const struct ssk_override *overrides, const char *search,
                                ssk_err *err);
void ssk_tree_free(struct ssk_tree *tree);

/* The child with this key, or NULL. `map` may be NULL. */
struct ssk_node *ssk_node_get(const struct ssk_node *map, const char *key);
/* By dotted path ("model.transition.levels", list items by index: "compare.rows.0"; a value or a
 * component that stands for a list of one is item 0 of it); NULL: none. */
struct ssk_node *ssk_node_find(const struct ssk_node *root, const char *path);

#endif
