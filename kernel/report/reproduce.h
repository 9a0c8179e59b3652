/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reproduce.h - train and evaluate a recipe, and hold what it reaches against what it expects. */
#ifndef SSK_REPORT_REPRODUCE_H
#define SSK_REPORT_REPRODUCE_H

#include "report/run.h"
#include "report/verdict.h"

struct ssk_reproduction {
  struct ssk_expectations expected;
  struct ssk_table table;
  struct ssk_found *found; /* [expected.n] */
  int failed;              /* of them */
};

/* Train the recipe or study `path` in the folder `folder`, or go on with it there
 * (study_folder.h); its `quick` version where `quick`. What is wrong with the recipe or its
 * expectations is said before the first step. A figure that is not as expected is no error here:
 * see `failed`. Free with ssk_reproduction_free, also after a failure. */
int ssk_reproduce(const char *path, bool quick, const char *folder,
                  const struct ssk_run_options *options, struct ssk_reproduction *out,
                  ssk_err *err);
void ssk_reproduction_free(struct ssk_reproduction *reproduction);

#endif
