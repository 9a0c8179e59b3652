/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tree.c - a recipe file with its bases and overrides as one tree. */
#include "recipe/tree.h"
#include "core/file.h"
#include "recipe/node.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILES_LIMIT 64 /* files of one recipe: bases may name bases, a few of them each */

struct load {
  struct ssk_tree *tree;
  const char *search;
  ssk_err *err;
};

/* The files that lead to the one being read, innermost first. */
struct chain {
  const char *shown; /* as messages name it */
  const char *real;  /* as the file system knows it */
  const struct chain *up;
};

static void *no_memory(ssk_err *err) {
  ssk_err_set(err, SSK_ENOMEM, "no memory for the recipe");
  return NULL;
}

struct ssk_node *ssk_node_get(const struct ssk_node *map, const char *key) {
  if (map && map->type == SSK_NODE_MAP)
    for (struct ssk_node *child = map->first; child; child = child->next)
      if (child->key && strcmp(child->key, key) == 0)
        return child;
  return NULL;
}

struct ssk_node *ssk_node_find(const struct ssk_node *root, const char *path) {
  struct ssk_node *node = (struct ssk_node *)root;
  while (node && *path) {
    char key[128];
    size_t n = strcspn(path, ".");
    if (n == 0 || n >= sizeof key)
      return NULL;
    memcpy(key, path, n);
    key[n] = 0;
    if (node->type == SSK_NODE_LIST) {
      char *end;
      long index = strtol(key, &end, 10);
      if (*end || key[0] < '0' || key[0] > '9')
        return NULL;
      for (node = node->first; node && index > 0; index--)
        node = node->next;
    } else {
      struct ssk_node *child = ssk_node_get(node, key);
      const bool is_one = node->type == SSK_NODE_SCALAR || ssk_node_get(node, "use");
      node = child || !is_one || strcmp(key, "0") ? child : node;
    }
    path += n;
    if (*path == '.' && !*++path)
      return NULL;
  }
  return node;
}

/* ---- files and bases ------------------------------------------------------------------------ */

static struct ssk_node *load_text(struct load *load, const struct chain *here, const char *text,
                                  size_t size);

/* "folder/name" as messages show it: nothing is put before names in the working folder. */
static char *join(struct load *load, const char *folder, size_t n, const char *name) {
  if (*name == '/' || n == 0 || (n == 1 && *folder == '.'))
    return ssk_arena_strdup(&load->tree->arena, name);
  const char *slash = folder[n - 1] == '/' ? "" : "/";
  return ssk_arena_printf(&load->tree->arena, "%.*s%s%s", (int)n, folder, slash, name);
}

static const char *folder_of(struct load *load, const char *path) {
  char *folder = ssk_path_folder(path);
  const char *kept = ssk_arena_strdup(&load->tree->arena, folder);
  free(folder);
  return kept;
}

static struct ssk_node *load_file(struct load *load, const char *path, const struct chain *up) {
  struct stat info;
  if (stat(path, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > SSK_RECIPE_LIMIT) {
    ssk_err_at(load->err, SSK_ERECIPE, &(struct ssk_pos){.file = path},
               "the file is larger than 1 MiB");
    ssk_err_hint(load->err, "is this a recipe?");
    return NULL;
  }
  char *text, *real = realpath(path, NULL);
  size_t size;
  struct ssk_node *root = NULL;
  if (ssk_file_read(path, SSK_RECIPE_LIMIT, &text, &size, load->err) == SSK_OK) {
    struct chain here = {.shown = path, .real = real ? real : path, .up = up};
    root = load_text(load, &here, text, size);
    free(text);
  }
  free(real);
  return root;
}

/* Beside the file that names it, then in the folders of the search path. NULL with a diagnostic. */
static const char *find_base(struct load *load, const struct ssk_node *name) {
  const char *folder = name->folder ? name->folder : ".";
  char *beside = join(load, folder, strlen(folder), name->text), *tried = beside;
  if (!beside)
    return no_memory(load->err);
  if (ssk_file_exists(beside))
    return beside;
  for (const char *from = load->search; from && *from && *name->text != '/';) {
    size_t n = strcspn(from, ":");
    char *path = n ? join(load, from, n, name->text) : NULL;
    if (path && ssk_file_exists(path))
      return path;
    if (path)
      tried = ssk_arena_printf(&load->tree->arena, "%s, %s", tried, path);
    from += n + (from[n] == ':');
  }
  ssk_err_at(load->err, SSK_ERECIPE, &name->pos, "base '%s' not found", name->text);
  ssk_err_hint(load->err, "looked for %s", tried ? tried : beside);
  return NULL;
}

/* "a.yaml -> b.yaml -> a.yaml", from the outermost file that belongs to the cycle. */
static const char *describe_cycle(struct load *load, const struct chain *here, const char *real,
                                  const char *again) {
  const char *text = again;
  for (; here && text; here = here->up) {
    text = ssk_arena_printf(&load->tree->arena, "%s -> %s", here->shown, text);
    if (strcmp(here->real, real) == 0)
      break;
  }
  return text ? text : again;
}

static struct ssk_node *load_base(struct load *load, const struct ssk_node *name,
                                  const struct chain *here) {
  if (name->type != SSK_NODE_SCALAR || !*name->text) {
    ssk_err_at(load->err, SSK_ERECIPE, &name->pos, "'base' must be a file name or a list of them");
    return NULL;
  }
  const char *path = find_base(load, name);
  if (!path)
    return NULL;
  char *real = realpath(path, NULL);
  for (const struct chain *c = here; c && real; c = c->up)
    if (strcmp(c->real, real) == 0) {
      ssk_err_at(load->err, SSK_ERECIPE, &name->pos, "bases go in a circle: %s",
                 describe_cycle(load, here, real, path));
      free(real);
      return NULL;
    }
  free(real);
  if (load->tree->n_files >= FILES_LIMIT) {
    ssk_err_at(load->err, SSK_ERECIPE, &name->pos, "more than %d files in one recipe", FILES_LIMIT);
    return NULL;
  }
  return load_file(load, path, here);
}

/* `root` without its key `base`, over the bases that this names. */
static struct ssk_node *merge_bases(struct load *load, struct ssk_node *root,
                                    const struct chain *here) {
  struct ssk_node *base = NULL, *merged = NULL;
  for (struct ssk_node **link = &root->first; *link; link = &(*link)->next)
    if (strcmp((*link)->key, "base") == 0) {
      base = *link;
      *link = base->next;
      break;
    }
  if (!base)
    return ssk_node_merge(&load->tree->arena, NULL, root, load->err);
  bool failed = false;
  struct ssk_node *name = base->type == SSK_NODE_LIST ? base->first : base;
  for (; name; name = base->type == SSK_NODE_LIST ? name->next : NULL) {
    struct ssk_node *one = load_base(load, name, here);
    if (one && merged)
      one = ssk_node_merge(&load->tree->arena, merged, one, load->err);
    if (one)
      merged = one;
    else
      failed = true;
  }
  return failed ? NULL : ssk_node_merge(&load->tree->arena, merged, root, load->err);
}

static struct ssk_node *load_text(struct load *load, const struct chain *here, const char *text,
                                  size_t size) {
  struct ssk_tree *tree = load->tree;
  tree->files[tree->n_files++] = here->shown;
  struct ssk_source source = {
      .file = here->shown, .folder = folder_of(load, here->shown), .text = text, .size = size};
  if (!source.folder)
    return no_memory(load->err);
  struct ssk_node *root = ssk_node_parse(&tree->arena, &source, load->err);
  if (!root)
    return NULL;
  if (root->type != SSK_NODE_MAP) {
    ssk_err_at(load->err, SSK_ERECIPE, &root->pos, "a recipe is a map of keys, not %s",
               root->type == SSK_NODE_LIST ? "a list" : "a single value");
    return NULL;
  }
  return merge_bases(load, root, here);
}

/* ---- overrides ------------------------------------------------------------------------------ */

static struct ssk_node *apply_overrides(struct load *load, struct ssk_node *root, int n,
                                        const struct ssk_override *overrides) {
  bool failed = !root;
  for (int i = 0; i < n; i++) {
    struct ssk_node *over = ssk_override_read(&load->tree->arena, &overrides[i], load->err);
    struct ssk_node *merged =
        over && root ? ssk_node_merge(&load->tree->arena, root, over, load->err) : NULL;
    if (merged)
      root = merged;
    else
      failed = true;
  }
  return failed ? NULL : root;
}

/* ---- trees ---------------------------------------------------------------------------------- */

static struct ssk_tree *new_tree(const char *path, ssk_err *err) {
  struct ssk_tree *tree = calloc(1, sizeof *tree);
  if (!tree)
    return no_memory(err);
  tree->path = ssk_arena_strdup(&tree->arena, path);
  tree->files = ssk_arena_zalloc(&tree->arena, FILES_LIMIT * sizeof *tree->files);
  if (tree->path && tree->files)
    return tree;
  ssk_tree_free(tree);
  return no_memory(err);
}

static struct ssk_tree *finish(struct load *load, struct ssk_node *root, int n_overrides,
                               const struct ssk_override *overrides) {
  load->tree->root = apply_overrides(load, root, n_overrides, overrides);
  if (load->tree->root)
    return load->tree;
  ssk_tree_free(load->tree);
  return NULL;
}

struct ssk_tree *ssk_tree_load(const char *path, int n_overrides,
                               const struct ssk_override *overrides, const char *search,
                               ssk_err *err) {
  struct load load = {.tree = new_tree(path, err), .search = search, .err = err};
  if (!load.tree)
    return NULL;
  return finish(&load, load_file(&load, load.tree->path, NULL), n_overrides, overrides);
}

struct ssk_tree *ssk_tree_parse(const char *name, const char *text, size_t size, int n_overrides,
                                const struct ssk_override *overrides, const char *search,
                                ssk_err *err) {
  struct load load = {.tree = new_tree(name, err), .search = search, .err = err};
  if (!load.tree)
    return NULL;
  struct ssk_node *root = NULL;
  if (size > SSK_RECIPE_LIMIT)
    ssk_err_at(err, SSK_ERECIPE, &(struct ssk_pos){.file = name}, "the text is larger than 1 MiB");
  else {
    char *real = realpath(name, NULL);
    struct chain here = {.shown = load.tree->path, .real = real ? real : load.tree->path};
    root = load_text(&load, &here, text, size);
    free(real);
  }
  return finish(&load, root, n_overrides, overrides);
}

void ssk_tree_free(struct ssk_tree *tree) {
  if (!tree)
    return;
  ssk_arena_free(&tree->arena);
  free(tree);
}
