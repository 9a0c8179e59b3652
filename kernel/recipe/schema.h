/* SPDX-License-Identifier: GPL-3.0-or-later */
/* schema.h - from tree to typed structs by tables of rows, and back. */
#ifndef SSK_RECIPE_SCHEMA_H
#define SSK_RECIPE_SCHEMA_H

#include "core/text.h"
#include "recipe/tree.h"
#include <sskit/params.h>

struct ssk_component;
struct ssk_instance;

/* "dataset", "summary", ...; and back, -1 when there is no such kind. */
const char *ssk_kind_name(enum ssk_kind kind);
int ssk_kind_by_name(const char *name);

/* How nested components are made; the registry provides it. All must be set. */
struct ssk_maker {
  void *state;
  /* The component of that kind and name, or NULL with a diagnostic at pos (nearest name as hint).
   */
  const struct ssk_component *(*find)(void *state, enum ssk_kind kind, const char *name,
                                      const struct ssk_pos *pos, ssk_err *err);
};

/* Fill `self` (zeroed by the caller) from `map` (NULL: an empty map) by `rows`. `path` is the
 * dotted path of the section ("" for the root), used for instance paths and messages. Unknown keys,
 * wrong types, values out of range, missing required keys and failing checks are diagnosed at their
 * place, all of them in one pass. `also` names keys that are allowed and skipped (NULL-terminated;
 * may be NULL). What it allocates hangs on `arena`; instances made are freed with ssk_schema_free.
 */
int ssk_schema_fill(const struct ssk_param *rows, void *self, const struct ssk_node *map,
                    const char *path, const char *const *also, const struct ssk_maker *maker,
                    struct ssk_arena *arena, ssk_err *err);
/* Call `done` of all nested instances whose init succeeded, and forget them. */
void ssk_schema_free(const struct ssk_param *rows, void *self);

/* A fresh instance with parameters from `map` (its `use` key aside), init called; NULL on failure.
 */
struct ssk_instance *ssk_schema_instance(const struct ssk_component *component,
                                         const struct ssk_node *map, const char *path,
                                         const struct ssk_maker *maker, struct ssk_arena *arena,
                                         ssk_err *err);
void ssk_schema_instance_free(struct ssk_instance *instance);

/* Write the struct as YAML with every default explicit, indented by `indent` spaces. Reading it
 * back gives the same struct. */
void ssk_schema_dump(const struct ssk_param *rows, const void *self, int indent,
                     struct ssk_text *out);
/* One row as text for `describe`: "levels  int  [1, 4096]  128  number of ...". */
void ssk_schema_describe(const struct ssk_param *row, struct ssk_text *out);
/* A value as text, as `explain` shows it. */
void ssk_schema_value(const struct ssk_param *row, const void *self, struct ssk_text *out);
/* "int", "real", "transition component", ... */
const char *ssk_type_name(const struct ssk_param *row, char buffer[48]);

#endif
