/* SPDX-License-Identifier: GPL-3.0-or-later */
/* outside.h - series that are not of the data set that a model was trained on, in the units of its
 * training: somebody's own file, or arrays. They stand in the split `test` of a struct ssk_data of
 * their own, so that all that takes one takes them. */
#ifndef SSK_MODEL_OUTSIDE_H
#define SSK_MODEL_OUTSIDE_H

#include "model/data.h"

/* n series of at most `room` steps, all missing yet, with the sizes and units of `like`, which must
 * outlive them. Free with ssk_data_free. */
int ssk_outside_make(const struct ssk_data *like, int64_t n, int64_t room, struct ssk_data **out,
                     ssk_err *err);
/* Series i: x[length, D] in the data's own units, NaN where missing; covariates u[length, V] and
 * s[E], or NULL where the model has none. Copies. SSK_EDATA where a value is infinite, or a
 * covariate is not finite. */
int ssk_outside_put(struct ssk_data *data, int64_t i, int length, const double *x, const double *u,
                    const double *s, ssk_err *err);

/* A file as the data set of the recipe reads it. */
struct ssk_outside {
  struct ssk_data *data; /* the whole series */
  int *history;          /* [series] their steps up to where a forecast begins */
  int64_t *first;        /* [series] the number of their first step in the file */
  struct ssk_instance *reader;
  struct ssk_tree *tree; /* of its parameters; NULL: they are the recipe's */
  struct ssk_arena arena;
};
/* Read the series of the file `path`, each as a whole, with the data set of the recipe where that
 * reads files (its columns, missing values, ...; how it splits does not matter), else by the ending
 * of the name (csv where it tells nothing). Where the model has covariates a forecast begins behind
 * the last step that has an observation, and what follows are the covariates of its horizon; else
 * behind the last step. SSK_EDATA where the file does not fit the model. */
int ssk_outside_read(const struct ssk_experiment *experiment, struct ssk_registry *registry,
                     const struct ssk_data *like, const char *path, struct ssk_outside *out,
                     ssk_err *err);
/* Forget all but the last `steps` of the history of each series. */
void ssk_outside_keep(struct ssk_outside *outside, int steps);
/* The name of series i in its file. Borrowed. */
const char *ssk_outside_name(const struct ssk_outside *outside, int64_t i);
void ssk_outside_free(struct ssk_outside *outside);

#endif
