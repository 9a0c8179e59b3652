/* SPDX-License-Identifier: GPL-3.0-or-later */
/* observations.h - observations from a stream, one a line, with the covariates of their step behind
 * them: cells with a delimiter between, with or without a line of names ahead, or lines of JSON
 * ([1, null] or {"a": 1}). No more than a line is in memory. */
#ifndef SSK_CLI_OBSERVATIONS_H
#define SSK_CLI_OBSERVATIONS_H

#include "core/text.h"
#include "model/data.h"
#include "model/experiment.h"
#include <stdio.h>

struct ssk_observations {
  FILE *stream;
  const char *name; /* of the stream, in messages */
  const struct ssk_instance
      *data; /* the recipe's data set: its columns, delimiter, missing values */
  int D, V;  /* dimensions, and covariates */
  char delimiter;
  int line;
  char *text; /* of the line */
  size_t room;
  int cells;           /* of a line; 0: not known yet */
  int *place;          /* [D + V] the cell of each value */
  double *value;       /* [D + V] */
  const char **wanted; /* [D + V] their names, or NULL where neither the recipe nor
                           the files of the training have any */
};

/* `data` is borrowed. Close also after a failure. */
int ssk_observations_open(struct ssk_observations *in, FILE *stream, const char *name,
                          const struct ssk_data *data, ssk_err *err);
/* SSK_EDATA where a line can't have all covariates, for the data set makes some of them. */
int ssk_observations_check(const struct ssk_observations *in, ssk_err *err);
void ssk_observations_close(struct ssk_observations *in);
/* Wait for a line with something in it; *end where there is none. */
int ssk_observations_wait(struct ssk_observations *in, bool *end, ssk_err *err);
/* What the line says, x[D], NaN where missing, and u[V], in the data's own units; *header where it
 * has names instead. SSK_EDATA, with its place, where it is neither, or a covariate is missing. */
int ssk_observations_read(struct ssk_observations *in, double *x, double *u, bool *header,
                          ssk_err *err);

#endif
