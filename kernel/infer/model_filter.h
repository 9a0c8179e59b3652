/* SPDX-License-Identifier: GPL-3.0-or-later */
/* model_filter.h - filtering with a trained model, one observation at a time, in memory that does
 * not grow: a bootstrap particle filter, whose particles move by the model's transition and are
 * weighted by its emission (Gordon, Salmond and Smith 1993). The encoder, which may read the
 * future, takes no part in it, so that what comes out is the model's own p(z_t | x_{1:t}), for
 * every model that goes step by step, whether its transition has a density or not. */
#ifndef SSK_INFER_MODEL_FILTER_H
#define SSK_INFER_MODEL_FILTER_H

#include "model/model.h"

struct ssk_filter;

/* What is known after an observation, in the data's own units. Arrays are the filter's, and hold
 * until it is fed again. */
struct ssk_filtered {
  int64_t step;       /* of the observation, from 0 */
  double log_density; /* log p(x_t | x_{1:t-1}) over its observed entries, in nats; 0 where there
                         are none, -inf where no particle explains it (the weights then stay) */
  double effective;   /* effective number of particles after it */
  const double *mean,
      *sd; /* [D] of E[x_t | z_t], the observation without its noise, given x_{1:t} */
  /* The observation after it, given x_{1:t}; of a model with covariates, which are not known of the
   * next step, this one, given x_{1:t-1} and its covariates: its mean [D], and weighted draws. */
  const double *predicted_mean;
  int n;
  const double *predicted; /* [n, D] */
  const double *weight;    /* [n], sum to 1 */
};

/* `data` gives the units. The random numbers are named by seed, series and step. SSK_EDATA for a
 * model of which there is no filter: one whose transition is a prior of whole paths, or whose
 * emission does not model observations. */
int ssk_filter_open(const struct ssk_model *model, ssk_real *values, const struct ssk_data *data,
                    int particles, uint64_t seed, struct ssk_filter **out, ssk_err *err);
void ssk_filter_free(struct ssk_filter *filter);
/* Begin a series, from the initial prior; `series` names its random numbers. To be called first. */
int ssk_filter_begin(struct ssk_filter *filter, int64_t series, ssk_err *err);
/* The next observation x[D], NaN where it is missing, in the data's own units, and the covariates
 * u[V] of its step, in those of the model as struct ssk_split_data has them; without: not read. */
int ssk_filter_feed(struct ssk_filter *filter, const double *x, const double *u,
                    struct ssk_filtered *out, ssk_err *err);
/* The quantile of dimension k of what is predicted at a level, from the weighted draws. */
double ssk_filtered_quantile(struct ssk_filter *filter, int k, double level);

#endif
