/* SPDX-License-Identifier: GPL-3.0-or-later */
/* override.h - "a.b.c=value": one value of a recipe from elsewhere, a command line or another file.
 */
#ifndef SSK_RECIPE_OVERRIDE_H
#define SSK_RECIPE_OVERRIDE_H

#include <sskit/err.h>

struct ssk_node;
struct ssk_strings;

/* `text` is "a.b.c=value", the value as YAML flow text. `key` and `value`: where these two stand in
 * a file, and what is wrong with them is diagnosed, with SSK_ERECIPE; a place that is as wide as
 * its text has it as it is, so that columns within it can be told. Without a file the text is its
 * own: file "override 'a.b.c=value'", line 1, and SSK_EUSAGE where it has not this form. */
struct ssk_override {
  const char *text;
  struct ssk_pos key, value;
};

/* The override `text` that the scalar `node` holds (NULL: none does). All is borrowed. */
struct ssk_override ssk_override_at(const char *text, const struct ssk_node *node);

/* The overrides of a recipe's list `set`, each at its place: out[set->n]. `root` is the recipe's;
 * `set` may go on behind what stands there. */
void ssk_overrides_of_set(const struct ssk_node *root, const struct ssk_strings *set,
                          struct ssk_override *out);

#endif
