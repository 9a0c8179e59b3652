/* SPDX-License-Identifier: GPL-3.0-or-later */
/* override.c - reading an override, and the places of one that stands in a file. */
#include "recipe/override.h"
#include "recipe/node.h"
#include <sskit/params.h>
#include <stdio.h>
#include <string.h>

static struct ssk_node *no_memory(ssk_err *err) {
  ssk_err_set(err, SSK_ENOMEM, "no memory for the recipe");
  return NULL;
}

/* ---- places --------------------------------------------------------------------------------- */

struct ssk_override ssk_override_at(const char *text, const struct ssk_node *node) {
  struct ssk_override override = {.text = text};
  if (!node)
    return override;
  const size_t length = strlen(text), end = strcspn(text, "=");
  override.key = override.value = node->pos;
  const int column = node->pos.column + node->quoted;
  if (strncmp(node->pos.line_text + column - 1, text, length) != 0)
    return override; /* with escapes, or over several lines */
  override.key.column = column;
  override.key.width = (int)end;
  if (text[end]) {
    override.value.column = column + (int)end + 1;
    override.value.width = (int)(length - end) - 1;
  }
  return override;
}

void ssk_overrides_of_set(const struct ssk_node *root, const struct ssk_strings *set,
                          struct ssk_override *out) {
  for (int i = 0; i < set->n; i++) {
    char path[32];
    snprintf(path, sizeof path, "set.%d", i);
    out[i] = ssk_override_at(set->items[i], ssk_node_find(root, path));
  }
}

/* The places of an override that is its own file. */
static bool stand_alone(struct ssk_arena *arena, struct ssk_override *override) {
  const char *text = override->text;
  const size_t length = strlen(text), end = strcspn(text, "=");
  const char *file = ssk_arena_printf(arena, "override '%.60s%s'", text, length > 60 ? "..." : "");
  override->key = override->value =
      (struct ssk_pos){.file = file, .line = 1, .column = 1, .width = (int)end, .line_text = text};
  if (text[end]) {
    override->value.column = (int)end + 2;
    override->value.width = (int)(length - end) - 1;
  }
  return file;
}

static bool keep_place(struct ssk_arena *arena, struct ssk_pos *pos) {
  pos->file = ssk_arena_strdup(arena, pos->file);
  pos->line_text = ssk_arena_strdup(arena, pos->line_text);
  return pos->file && pos->line_text;
}

/* `width` bytes of a text from `from` on; all of the place where columns cannot be told. */
static struct ssk_pos part_of(const struct ssk_pos *place, size_t length, size_t from,
                              size_t width) {
  struct ssk_pos pos = *place;
  if ((size_t)place->width == length) {
    pos.column += (int)from;
    pos.width = width ? (int)width : 1;
  }
  return pos;
}

/* ---- reading -------------------------------------------------------------------------------- */

struct reading {
  struct ssk_arena *arena;
  struct ssk_override override; /* with places, all on the arena */
  int malformed;                /* the code of one that is none */
  ssk_err *err;
};

static struct ssk_node *malformed(struct reading *r, const struct ssk_pos *pos, const char *what) {
  ssk_err_at(r->err, r->malformed, pos, "%s", what);
  ssk_err_hint(r->err, "an override is written a.b.c=value");
  return NULL;
}

static struct ssk_node *read_value(struct reading *r, const char *text) {
  const struct ssk_source source = {.file = r->override.value.file,
                                    .text = text,
                                    .size = strlen(text),
                                    .within = &r->override.value};
  return ssk_node_parse(r->arena, &source, r->err);
}

/* "a.b.c=value" as nested maps. */
static struct ssk_node *read_maps(struct reading *r) {
  struct ssk_arena *arena = r->arena;
  const char *text = r->override.text;
  const size_t end = strcspn(text, "=");
  struct ssk_pos pos = part_of(&r->override.key, end, 0, 1);
  if (!text[end])
    return malformed(r, &pos, "no '=' in an override");
  if (strchr(text, '\n'))
    return malformed(r, &pos, "a newline in an override");
  if (strcspn(text, ".=") == 4 && strncmp(text, "base", 4) == 0)
    return malformed(r, &pos, "'base' cannot be overridden");
  struct ssk_node *root = ssk_arena_zalloc(arena, sizeof *root), *map = root;
  for (size_t from = 0, n, depth = 0; map; from += n + 1, depth++) {
    map->type = SSK_NODE_MAP;
    map->pos = map == root ? pos : map->key_pos;
    n = strcspn(text + from, ".=");
    pos = part_of(&r->override.key, end, from, n);
    if (n == 0 || n > 100)
      return malformed(r, &pos, "an empty key, or one that is too long");
    if (depth >= SSK_DEPTH_LIMIT)
      return malformed(r, &pos, "too many keys in a path");
    bool is_last = text[from + n] == '=';
    struct ssk_node *child =
        is_last ? read_value(r, text + end + 1) : ssk_arena_zalloc(arena, sizeof *child);
    char *key = ssk_arena_printf(arena, "%.*s", (int)n, text + from);
    if (is_last && !child)
      return NULL; /* diagnosed */
    if (!child || !key)
      break;
    child->key = key;
    child->key_pos = pos;
    map->first = child;
    if (is_last)
      return root;
    map = child;
  }
  return no_memory(r->err);
}

struct ssk_node *ssk_override_read(struct ssk_arena *arena, const struct ssk_override *override,
                                   ssk_err *err) {
  struct reading r = {.arena = arena,
                      .override = *override,
                      .malformed = override->key.file ? SSK_ERECIPE : SSK_EUSAGE,
                      .err = err};
  r.override.text = ssk_arena_strdup(arena, override->text);
  const bool placed =
      r.override.text && (override->key.file ? keep_place(arena, &r.override.key) &&
                                                   keep_place(arena, &r.override.value)
                                             : stand_alone(arena, &r.override));
  return placed ? read_maps(&r) : no_memory(err);
}
