/* SPDX-License-Identifier: GPL-3.0-or-later */
/* baselines.c - persistence, seasonal naive and marginal, and the table of all baselines. Those
 * that know the generating process are in oracle_forecast.c, those that are fitted in kalman_row.c
 * and, for binary data, in binary_rows.c. */
#include "infer/baselines.h"
#include "core/text.h"
#include "infer/binary_rows.h"
#include "infer/kalman_row.h"
#include "infer/oracle_forecast.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MARGINAL_ENOUGH 100 /* training vectors at a step, for it to be a distribution */

/* ---- persistence and seasonal_naive -----------------------------------------------------------
 */

/* The mean of the observed training entries of a dimension: for those never seen in the history. */
static double training_mean(const struct ssk_data *data, int dim) {
  const struct ssk_split_data *train = &data->split[SSK_TRAIN];
  int64_t rows = train->n * train->room;
  double n = 0, sum = 0;
  for (int64_t r = 0; r < rows; r++)
    if (train->mask[r * data->shape.D + dim] != 0)
      n++, sum += train->x[r * data->shape.D + dim];
  return n > 0 ? sum / n : 0;
}

/* What is carried forward: the value of a season ago, or the last one (a season of one step). */
struct carried {
  int64_t season;
};

/* The last observed value of dimension k that is a whole number of seasons before step t and within
 * the history; NaN where there is none. */
static double look_back(const double *x, const double *mask, int D, int context, int t, int k,
                        int64_t season) {
  for (int64_t from = t - season; from >= 0; from -= season)
    if (from < context && mask[from * D + k] != 0)
      return x[from * D + k];
  return NAN;
}

static int carried_forecast(void *self, const struct ssk_data *data, enum ssk_split split,
                            int64_t series, int context, int horizon, int samples, uint64_t seed,
                            int thread, double *paths, ssk_err *err) {
  const struct carried *c = self;
  int D = data->shape.D;
  int64_t offset = series * data->split[split].room * D;
  const double *x = data->split[split].x + offset, *mask = data->split[split].mask + offset;
  (void)seed, (void)thread, (void)err;
  for (int h = 0; h < horizon; h++)
    for (int k = 0; k < D; k++) {
      double value = look_back(x, mask, D, context, context + h, k, c->season);
      value = isnan(value) ? look_back(x, mask, D, context, context, k, 1) : value;
      value = isnan(value) ? training_mean(data, k) : value;
      for (size_t s = 0; s < (size_t)samples; s++)
        paths[(s * (size_t)horizon + (size_t)h) * (size_t)D + (size_t)k] = value;
    }
  return SSK_OK;
}

/* The last value that was seen up to each step, that step included. */
static int persistence_posterior(void *self, const struct ssk_data *data, enum ssk_split split,
                                 int64_t series, int samples, uint64_t seed, int thread,
                                 const struct ssk_series_posterior *out, ssk_err *err) {
  const int D = data->shape.D, length = data->split[split].length[series];
  const int64_t offset = series * data->split[split].room * D;
  const double *x = data->split[split].x + offset, *mask = data->split[split].mask + offset;
  (void)self, (void)seed, (void)thread, (void)err;
  for (int k = 0; k < D; k++) {
    double last = training_mean(data, k);
    for (int t = 0; t < length; t++) {
      if (mask[t * D + k] != 0)
        last = x[t * D + k];
      out->mean[t * D + k] = last;
    }
  }
  for (int s = 0; s < samples; s++)
    memcpy(out->x + (size_t)s * (size_t)(length * D), out->mean,
           (size_t)(length * D) * sizeof *out->x);
  return SSK_OK;
}

/* ---- marginal ---------------------------------------------------------------------------------
 */

/* Training vectors whose dimensions [from, to) were all observed. */
struct pool {
  int from, to;
  int64_t n;
  const double **vector;
};

static void collect(const struct ssk_data *data, int t, struct pool *pool) {
  const struct ssk_split_data *train = &data->split[SSK_TRAIN];
  int D = data->shape.D;
  for (int64_t i = 0; i < train->n; i++) {
    int64_t at = (i * train->room + t) * D;
    bool complete = t < train->length[i];
    for (int k = pool->from; k < pool->to && complete; k++)
      complete = train->mask[at + k] != 0;
    if (complete)
      pool->vector[pool->n++] = train->x + at;
  }
}

/* The vectors of the step nearest to t (the earlier one of two) that has enough of them; of all
 * steps, when none has. */
static void collect_nearest(const struct ssk_data *data, int t, struct pool *pool) {
  const int L = data->split[SSK_TRAIN].room;
  if (t >= L)
    t = L - 1;
  for (int away = 0; away < L && data->split[SSK_TRAIN].n >= MARGINAL_ENOUGH; away++)
    for (int side = -1; side <= 1; side += 2) {
      int step = t + side * away;
      pool->n = 0;
      if (step >= 0 && step < L)
        collect(data, step, pool);
      if (pool->n >= MARGINAL_ENOUGH)
        return;
    }
  pool->n = 0;
  for (int step = 0; step < L; step++)
    collect(data, step, pool);
}

static int marginal_forecast(void *self, const struct ssk_data *data, enum ssk_split split,
                             int64_t series, int context, int horizon, int samples, uint64_t seed,
                             int thread, double *paths, ssk_err *err) {
  int D = data->shape.D;
  (void)self, (void)thread;
  size_t rows = (size_t)data->split[SSK_TRAIN].n * (size_t)data->split[SSK_TRAIN].room;
  struct pool pool = {.to = D, .vector = malloc(rows * sizeof *pool.vector)};
  if (!pool.vector)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the marginal forecast");
  ssk_rng rng = ssk_rng_open(seed, "infer.marginal", "draw", split, (uint32_t)series);
  int code = SSK_OK;
  for (int h = 0; h < horizon && !code; h++) {
    collect_nearest(data, context + h, &pool);
    if (pool.n == 0)
      code = ssk_err_set(err, SSK_EDATA, "marginal: no training step has all dimensions observed");
    for (int s = 0; s < samples && !code; s++)
      memcpy(paths + ((size_t)s * (size_t)horizon + (size_t)h) * (size_t)D,
             pool.vector[ssk_rng_below(&rng, (uint64_t)pool.n)], (size_t)D * sizeof *paths);
  }
  free(pool.vector);
  return code;
}

/* Of each dimension by itself: of the others, some are missing at most steps. */
static int marginal_posterior(void *self, const struct ssk_data *data, enum ssk_split split,
                              int64_t series, int samples, uint64_t seed, int thread,
                              const struct ssk_series_posterior *out, ssk_err *err) {
  const int D = data->shape.D, length = data->split[split].length[series];
  (void)self, (void)thread;
  size_t rows = (size_t)data->split[SSK_TRAIN].n * (size_t)data->split[SSK_TRAIN].room;
  struct pool pool = {.vector = malloc(rows * sizeof *pool.vector)};
  if (!pool.vector)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the marginal distribution");
  ssk_rng rng = ssk_rng_open(seed, "infer.marginal", "posterior", split, (uint32_t)series);
  int code = SSK_OK;
  for (int e = 0; e < length * D && !code; e++) {
    const int k = pool.from = e % D;
    pool.to = k + 1;
    collect_nearest(data, e / D, &pool);
    if (pool.n == 0)
      code = ssk_err_set(err, SSK_EDATA, "marginal: dimension %d is never seen in training", k);
    out->mean[e] = 0;
    for (int64_t i = 0; i < pool.n; i++)
      out->mean[e] += pool.vector[i][k] / (double)pool.n;
    for (int s = 0; s < samples && !code; s++)
      out->x[(size_t)s * (size_t)(length * D) + (size_t)e] =
          pool.vector[ssk_rng_below(&rng, (uint64_t)pool.n)][k];
  }
  free(pool.vector);
  return code;
}

/* ---- the table --------------------------------------------------------------------------------
 */

static int make_carried(const struct ssk_baseline *self, int64_t season, struct ssk_forecaster *out,
                        ssk_err *err) {
  struct carried *c = malloc(sizeof *c);
  if (!c)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for a baseline");
  c->season = season;
  *out = (struct ssk_forecaster){
      .name = self->name, .self = c, .forecast = carried_forecast, .free = free};
  return SSK_OK;
}

static int make_persistence(const struct ssk_baseline *self, const struct ssk_data *data,
                            const struct ssk_evaluate_section *how, struct ssk_forecaster *out,
                            ssk_err *err) {
  (void)data, (void)how;
  int code = make_carried(self, 1, out, err);
  if (!code)
    out->posterior = persistence_posterior;
  return code;
}

static int make_seasonal_naive(const struct ssk_baseline *self, const struct ssk_data *data,
                               const struct ssk_evaluate_section *how, struct ssk_forecaster *out,
                               ssk_err *err) {
  (void)data;
  if (how->season < 1)
    return ssk_err_set(err, SSK_ERECIPE,
                       "%s needs evaluate.season, the number of steps of a season", self->name);
  return make_carried(self, how->season, out, err);
}

static int make_marginal(const struct ssk_baseline *self, const struct ssk_data *data,
                         const struct ssk_evaluate_section *how, struct ssk_forecaster *out,
                         ssk_err *err) {
  (void)data, (void)how, (void)err;
  *out = (struct ssk_forecaster){
      .name = self->name, .forecast = marginal_forecast, .posterior = marginal_posterior};
  return SSK_OK;
}

static int make_oracle(const struct ssk_baseline *self, const struct ssk_data *data,
                       const struct ssk_evaluate_section *how, struct ssk_forecaster *out,
                       ssk_err *err) {
  return ssk_oracle_forecaster(self->name, false, data, how->particles, out, err);
}

static int make_oracle_gaussian(const struct ssk_baseline *self, const struct ssk_data *data,
                                const struct ssk_evaluate_section *how, struct ssk_forecaster *out,
                                ssk_err *err) {
  return ssk_oracle_forecaster(self->name, true, data, how->particles, out, err);
}

static int make_kalman_em(const struct ssk_baseline *self, const struct ssk_data *data,
                          const struct ssk_evaluate_section *how, struct ssk_forecaster *out,
                          ssk_err *err) {
  return ssk_kalman_row(self->name, data, how, out, err);
}

static int make_bernoulli(const struct ssk_baseline *self, const struct ssk_data *data,
                          const struct ssk_evaluate_section *how, struct ssk_forecaster *out,
                          ssk_err *err) {
  (void)how;
  return ssk_binary_row(self->name, false, data, out, err);
}

static int make_markov(const struct ssk_baseline *self, const struct ssk_data *data,
                       const struct ssk_evaluate_section *how, struct ssk_forecaster *out,
                       ssk_err *err) {
  (void)how;
  return ssk_binary_row(self->name, true, data, out, err);
}

const struct ssk_baseline ssk_baselines[] = {
    {"oracle", "the generating process: exact filter, or particle filter", true, make_oracle},
    {"oracle_gaussian", "a Gaussian with the oracle's mean and covariance at each step", true,
     make_oracle_gaussian},
    {"persistence", "the last observed value carried forward", false, make_persistence},
    {"seasonal_naive",
     "the observed value of the same step of an earlier season (evaluate.season), the latest there "
     "is; where the history has none, the last observed value",
     false, make_seasonal_naive},
    {"marginal",
     "training observations at that step; of the nearest step, where training series end earlier; "
     "of all steps, where fewer than 100 stand at one",
     false, make_marginal},
    {"kalman_em",
     "a linear-Gaussian model fitted to the training series by EM, with its exact filter "
     "(evaluate.kalman_latent)",
     false, make_kalman_em},
    {"bernoulli", "of data of 0 and 1: each dimension by itself, with its frequency in training",
     false, make_bernoulli},
    {"markov",
     "of data of 0 and 1: each dimension by itself, a Markov chain of first order fitted to the "
     "training series",
     false, make_markov},
    {.name = NULL}};

const struct ssk_baseline *ssk_baseline_find(const char *name) {
  for (const struct ssk_baseline *b = ssk_baselines; b->name; b++)
    if (strcmp(b->name, name) == 0)
      return b;
  return NULL;
}

int ssk_baseline_forecaster(const char *name, const struct ssk_data *data,
                            const struct ssk_evaluate_section *how, struct ssk_forecaster *out,
                            ssk_err *err) {
  *out = (struct ssk_forecaster){0};
  const struct ssk_baseline *baseline = ssk_baseline_find(name);
  if (!baseline) {
    struct ssk_nearest nearest = {.wanted = name};
    for (const struct ssk_baseline *b = ssk_baselines; b->name; b++)
      ssk_nearest_offer(&nearest, b->name);
    ssk_err_set(err, SSK_ERECIPE, "there is no baseline '%s'", name);
    if (nearest.best)
      ssk_err_hint(err, "did you mean '%s'?", nearest.best);
    return SSK_ERECIPE;
  }
  return baseline->make(baseline, data, how, out, err);
}
