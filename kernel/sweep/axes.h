/* SPDX-License-Identifier: GPL-3.0-or-later */
/* axes.h - what a sweep varies: each axis is a recipe key with the values that it may have, laid
 * out over the unit interval, so that samplers need know nothing of keys, units and choices. */
#ifndef SSK_SWEEP_AXES_H
#define SSK_SWEEP_AXES_H

#include "core/text.h"
#include "recipe/tree.h"
#include <stdint.h>

enum ssk_axis_kind {
  SSK_AXIS_UNIFORM,     /* real, low to high */
  SSK_AXIS_LOGUNIFORM,  /* real, its logarithm uniform */
  SSK_AXIS_INT,         /* all whole numbers, low to high */
  SSK_AXIS_GRID,        /* n equidistant numbers, low to high */
  SSK_AXIS_LIST,        /* these values, in an order that means something */
  SSK_AXIS_CATEGORICAL, /* these values, in no order */
};

struct ssk_axis {
  const char *key; /* of the trial's recipe: "training.learning_rate.transition" */
  enum ssk_axis_kind kind;
  double low, high;             /* of ranges */
  int64_t n;                    /* how many values; 0: as many as there are numbers */
  const char **values;          /* [n] of list and categorical, as YAML in one line */
  const struct ssk_node *node;  /* the key's */
  const struct ssk_node *items; /* the first of the values or limits */
};

struct ssk_axes {
  int n;
  struct ssk_axis *items;
};

/* Read the map `axes` of a sweep; what is wrong is diagnosed at its place, all of it. Memory hangs
 * on the arena, and nodes are those of the map. SSK_ERECIPE, SSK_ENOMEM. */
int ssk_axes_read(const struct ssk_node *map, struct ssk_arena *arena, struct ssk_axes *out,
                  ssk_err *err);

/* "loguniform", ... */
const char *ssk_axis_kind_name(enum ssk_axis_kind kind);
/* Which of the n values a point of [0, 1] is; of axes with n > 0. */
int64_t ssk_axis_index(const struct ssk_axis *axis, double point);
/* The middle of the part of [0, 1] that this value has. */
double ssk_axis_point(const struct ssk_axis *axis, int64_t index);
/* Move a point to the middles: what has the same values is the same point. */
void ssk_axes_snap(const struct ssk_axes *axes, double *point);
/* Append the value at a point of [0, 1], as it would stand in a recipe; reals have six significant
 * digits. */
void ssk_axis_value(const struct ssk_axis *axis, double point, struct ssk_text *out);
/* The same as a number, for figures: of list and categorical the index. */
double ssk_axis_number(const struct ssk_axis *axis, double point);

#endif
