/* SPDX-License-Identifier: GPL-3.0-or-later */
/* model_prior.h - series drawn from a model that has seen none. */
#ifndef SSK_INFER_MODEL_PRIOR_H
#define SSK_INFER_MODEL_PRIOR_H

#include "model/model.h"

/* Draw `samples` paths of `length` steps, at least the order, from the initial prior, the
 * transition and the emission: latents z[samples, length, d], and x[samples, length, D] in the
 * data's own units. Covariates, where the model has any, are those of a series of the split that
 * has so many steps; else `series` only names the random numbers. SSK_EDATA for other lengths. */
int ssk_model_draw(const struct ssk_model *model, ssk_real *values, const struct ssk_data *data,
                   enum ssk_split split, int64_t series, int length, int samples, uint64_t seed,
                   double *z, double *x, ssk_err *err);

#endif
