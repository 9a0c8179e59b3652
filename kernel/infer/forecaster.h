/* SPDX-License-Identifier: GPL-3.0-or-later */
/* forecaster.h - what can forecast a series: a trained model, a baseline, the oracle. Rows of a
 * comparison are forecasters, evaluated by one loop (evaluate.h). */
#ifndef SSK_INFER_FORECASTER_H
#define SSK_INFER_FORECASTER_H

#include "model/data.h"

/* The bound on one series, in nats of the data's own units, summed over `length` steps. An exact
 * log-likelihood is -distortion with zero rates. */
struct ssk_series_bound {
  int length;
  double distortion, rate_initial, rate_transition;
};

/* An estimate of the log-likelihood of one series' first `length` steps, in nats of the data's own
 * units. The last two are NaN where it is not importance-weighted. */
struct ssk_series_likelihood {
  int length;
  double log_likelihood;
  double effective_paths, pareto_k; /* see importance.h */
};

/* One step of a transition alone: what it draws for the latent after the first `context` steps of a
 * series, given those before. Where `truth` is set, these are the true latents of the data, in
 * their own units, else the row's own. */
struct ssk_series_transition {
  double *draws;   /* [draws, latents], to be filled */
  double *next;    /* [latents], to be filled: the latent that followed */
  double log_prob; /* log p(next | those before), in nats; NaN where there is no density */
  bool truth;
};

/* What is inferred of one series from all that is observed of it, in the data's own units. The
 * caller's arrays; `samples` paths. */
struct ssk_series_posterior {
  double *x;    /* [samples, length, D] observations drawn given what was seen; also of entries that
                   were seen, which are drawn anew */
  double *mean; /* [length, D] posterior mean of the observation without its noise */
  double *z; /* [samples, length, latents] the latents, in the model's units; NULL: not wanted. Of
                a model alone */
};

/* A vtable with its state. Slots are called from several threads at once, each with its own
 * `thread` number (0 <= thread < the pool's threads, for workspaces) and its own err. The result
 * must depend on (seed, split, series) and the arguments only: never on thread, nor on earlier
 * calls. */
struct ssk_forecaster {
  const char *name; /* borrowed */
  void *self;
  /* Draw `samples` paths of the steps [context, context + horizon) of a series given its first
   * `context` steps: paths[samples, horizon, D], in the data's own units. 1 <= context, and context
   * + horizon is at most the series' length. NULL: cannot forecast. */
  int (*forecast)(void *self, const struct ssk_data *data, enum ssk_split split, int64_t series,
                  int context, int horizon, int samples, uint64_t seed, int thread, double *paths,
                  ssk_err *err);
  /* [optional] The bound over the first `length` steps; `length` is at most the series' length. */
  int (*bound)(void *self, const struct ssk_data *data, enum ssk_split split, int64_t series,
               int length, uint64_t seed, int thread, struct ssk_series_bound *out, ssk_err *err);
  /* [optional] The likelihood of the first `length` steps, as well as it can be estimated. */
  int (*likelihood)(void *self, const struct ssk_data *data, enum ssk_split split, int64_t series,
                    int length, uint64_t seed, int thread, struct ssk_series_likelihood *out,
                    ssk_err *err);
  /* [optional] The transition alone; context is less than the series' length. */
  int (*transition)(void *self, const struct ssk_data *data, enum ssk_split split, int64_t series,
                    int context, int draws, uint64_t seed, int thread,
                    struct ssk_series_transition *out, ssk_err *err);
  /* [optional] Smoothing and imputation: paths given the whole series. `length` is that of the
   * series. */
  int (*posterior)(void *self, const struct ssk_data *data, enum ssk_split split, int64_t series,
                   int samples, uint64_t seed, int thread, const struct ssk_series_posterior *out,
                   ssk_err *err);
  int history;              /* the shortest `context` that it forecasts from; 0: as 1 */
  int latents;              /* dimension of the latents that these two give */
  int64_t evaluations;      /* network evaluations a sampled latent step; 0: no network */
  void (*free)(void *self); /* [optional] */
};

static inline void ssk_forecaster_free(struct ssk_forecaster *forecaster) {
  if (forecaster->free)
    forecaster->free(forecaster->self);
  *forecaster = (struct ssk_forecaster){0};
}

static inline int ssk_forecaster_history(const struct ssk_forecaster *forecaster) {
  return forecaster->history > 1 ? forecaster->history : 1;
}

/* The steps that a series of `length` is forecast from: `wanted` or, where that is 0, all before
 * its last `horizon`; 0 where it is too short for that, or for the row. */
static inline int ssk_forecaster_context(const struct ssk_forecaster *forecaster, int64_t wanted,
                                         int64_t horizon, int length) {
  const int64_t context = wanted ? wanted : length - horizon;
  return context >= ssk_forecaster_history(forecaster) && context + horizon <= length ? (int)context
                                                                                      : 0;
}

#endif
