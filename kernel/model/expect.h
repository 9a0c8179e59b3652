/* SPDX-License-Identifier: GPL-3.0-or-later */
/* expect.h - what a recipe says that its training reaches: `expect`, and `quick` with a reduced
 * version of the recipe and what that reaches. They are no part of what is trained: a recipe is
 * read for them by itself, and they are skipped where it is read for training. */
#ifndef SSK_MODEL_EXPECT_H
#define SSK_MODEL_EXPECT_H

#include "recipe/schema.h"

enum ssk_expect_sense { SSK_EXPECT_NEAR, SSK_EXPECT_AT_MOST, SSK_EXPECT_AT_LEAST };
/* "near", "at_most", "at_least", ended by NULL. */
extern const char *const ssk_expect_senses[];

struct ssk_expect {
  const char *row;        /* of a comparison; "": the only row */
  const char *metric;     /* column: "crps", "crps_h1" */
  const char *definition; /* its id: "coverage(level=0.9)" */
  double value, tolerance;
  int sense;          /* enum ssk_expect_sense */
  const char *source; /* who says so */
  struct ssk_pos pos; /* where it stands; not from rows */
};

struct ssk_expectations {
  int n;
  struct ssk_expect *items;
  struct ssk_strings set; /* overrides of the quick version */
  struct ssk_tree *tree;  /* owned */
  struct ssk_arena arena;
};

extern const struct ssk_param ssk_expect_rows[];
extern const struct ssk_param ssk_quick_rows[];
/* The keys of a recipe and of a study that its reader skips, ended by NULL. */
extern const char *const ssk_recipe_skipped[];

/* Read the expectations of a recipe or a study: those at its top, or (quick) those of its section
 * `quick` with that version's overrides. SSK_ERECIPE where there are none. Free with
 * ssk_expectations_free, also after a failure. */
int ssk_expectations_load(const char *path, bool quick, struct ssk_expectations *out, ssk_err *err);
void ssk_expectations_free(struct ssk_expectations *expectations);
/* Diagnose what is wrong with `expect` and `quick` of a recipe that is read for another purpose;
 * none of them need be there. */
int ssk_expectations_check(const struct ssk_tree *tree, ssk_err *err);

/* Whether the figure is as expected: no NaN is. */
bool ssk_expect_met(const struct ssk_expect *expect, double figure);

#endif
