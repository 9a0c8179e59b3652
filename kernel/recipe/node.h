/* SPDX-License-Identifier: GPL-3.0-or-later */
/* node.h - what reading, merging and typing share of nodes; see tree.h for what they are. */
#ifndef SSK_RECIPE_NODE_H
#define SSK_RECIPE_NODE_H

#include "recipe/tree.h"

#define SSK_RECIPE_LIMIT (1u << 20) /* bytes of a file */
#define SSK_DEPTH_LIMIT  32         /* of nesting: of maps and lists, and of components */

/* A text to read. Strings are borrowed for the life of the arena. */
struct ssk_source {
  const char *file;   /* stands in messages */
  const char *folder; /* for the nodes' relative paths; NULL: the working folder */
  const char *text;   /* borrowed for the call only */
  size_t size;
  /* Where the text stands, when it is a piece of a line of another file; NULL: it is a file. As
   * wide as the text: it stands there as it is, and columns within it can be told. */
  const struct ssk_pos *within;
};

/* One YAML document as a node; NULL with its diagnostics in err when anything in it is wrong. */
struct ssk_node *ssk_node_parse(struct ssk_arena *arena, const struct ssk_source *source,
                                ssk_err *err);

/* An override as nested maps; NULL with its diagnostics in err. Strings are copied. */
struct ssk_node *ssk_override_read(struct ssk_arena *arena, const struct ssk_override *override,
                                   ssk_err *err);

/* `over` merged over `base` (NULL: nothing) by the rules of tree.h, `key+` resolved. The inputs
 * stay as they are, and parts of them are shared. NULL with diagnostics in err. */
struct ssk_node *ssk_node_merge(struct ssk_arena *arena, struct ssk_node *base,
                                struct ssk_node *over, ssk_err *err);

#endif
