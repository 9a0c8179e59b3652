/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fill.h - the state of filling a struct from a recipe, and what schema.c takes from
 * schema_value.c. */
#ifndef SSK_RECIPE_FILL_H
#define SSK_RECIPE_FILL_H

#include "recipe/schema.h"

struct ssk_fill {
  const struct ssk_maker *maker;
  struct ssk_arena *arena;
  ssk_err *err;
  int code;      /* of the first error */
  int errors;    /* so far */
  int depth;     /* of nested components */
  bool may_lack; /* in an optional section that is absent: required keys may lack */
};

/* Count an error; returns the code, to hand to ssk_err_at. */
int ssk_fill_failing(struct ssk_fill *f, int code);
/* Diagnose that there is no memory; NULL. */
void *ssk_fill_no_memory(struct ssk_fill *f);
/* Where to point for a node as a whole: a map or list begins at its key, not at its first item. */
const struct ssk_pos *ssk_fill_place(const struct ssk_node *node);
/* "path.key", or the key alone under the root; NULL without memory. */
const char *ssk_fill_join(struct ssk_fill *f, const char *path, const char *key);

/* The value is not what the row expects, of another type or out of range: false, diagnosed. */
bool ssk_fill_unexpected(struct ssk_fill *f, const struct ssk_param *row,
                         const struct ssk_node *node);
/* No row has this key: diagnose it, with the nearest key that there is. */
void ssk_fill_unknown_key(struct ssk_fill *f, const struct ssk_param *rows,
                          const struct ssk_node *node, const char *path, const char *const *also);

/* Single values: false when they were diagnosed. */
bool ssk_fill_real(struct ssk_fill *f, const struct ssk_param *row, const struct ssk_node *node,
                   double *value);
bool ssk_fill_int(struct ssk_fill *f, const struct ssk_param *row, const struct ssk_node *node,
                  int64_t *value);
bool ssk_fill_bool(struct ssk_fill *f, const struct ssk_param *row, const struct ssk_node *node,
                   bool *value);
bool ssk_fill_string(struct ssk_fill *f, const struct ssk_param *row, const struct ssk_node *node,
                     const char **value);
bool ssk_fill_path(struct ssk_fill *f, const struct ssk_param *row, const struct ssk_node *node,
                   const char **value);
bool ssk_fill_enum(struct ssk_fill *f, const struct ssk_param *row, const struct ssk_node *node,
                   int *value);

#endif
