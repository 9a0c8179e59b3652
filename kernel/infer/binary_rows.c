/* SPDX-License-Identifier: GPL-3.0-or-later */
/* binary_rows.c - the baselines bernoulli and markov: one chain for each dimension, without memory
 * in the first. Their likelihood is exact; what is missing is summed out. */
#include "infer/binary_rows.h"
#include <math.h>
#include <stdlib.h>

/* Probabilities of a 1: at the first step, and after a 0 and a 1. */
struct chain {
  double first, after[2];
};

struct row {
  int D;
  struct chain chain[]; /* [D] */
};

/* The probability of a 1, a step after it was p. */
static double step(const struct chain *chain, double p) {
  return chain->after[0] + p * (chain->after[1] - chain->after[0]);
}

static double share(double ones, double all) {
  return (ones + 0.5) / (all + 1);
}

/* All that is fitted to, or scored. */
static int check_binary(const struct ssk_data *data, ssk_err *err) {
  const int D = data->shape.D;
  for (int s = 0; s < SSK_SPLIT_COUNT; s++) {
    const struct ssk_split_data *split = &data->split[s];
    for (int64_t i = 0; i < split->n; i++)
      for (int64_t at = 0; at < (int64_t)split->length[i] * D; at++) {
        const int64_t entry = i * split->room * D + at;
        const double x = split->x[entry];
        if (split->mask[entry] != 0 && x != 0 && x != 1)
          return ssk_err_set(err, SSK_EDATA,
                             "dimension %lld of series %lld (%s) is %g at step %lld: this baseline "
                             "is for data of 0 and 1",
                             (long long)(at % D), (long long)i, ssk_split_name(s), x,
                             (long long)(at / D));
      }
  }
  return SSK_OK;
}

static void fit_chain(const struct ssk_data *data, int k, bool memory, struct chain *chain) {
  const struct ssk_split_data *train = &data->split[SSK_TRAIN];
  const int D = data->shape.D;
  double all = 0, ones = 0, from[2] = {0}, to_one[2] = {0};
  for (int64_t i = 0; i < train->n; i++)
    for (int t = 0, last = -1; t < train->length[i]; t++) {
      const int64_t at = (i * train->room + t) * D + k;
      const double x = train->x[at];
      if (train->mask[at] == 0) {
        last = -1;
        continue;
      }
      all++;
      ones += x;
      if (last >= 0) {
        from[last]++;
        to_one[last] += x;
      }
      last = x != 0;
    }
  chain->first = share(ones, all);
  for (int v = 0; v < 2; v++)
    chain->after[v] = memory ? share(to_one[v], from[v]) : chain->first;
}

/* Moves the chain of dimension k over the first `length` steps, for the log-likelihood of what was
 * observed of them; *next: the probability of a 1 at the step behind them. */
static double run(const struct row *row, const struct ssk_data *data, enum ssk_split split,
                  int64_t series, int length, int k, double *next) {
  const struct ssk_split_data *from = &data->split[split];
  const struct chain *chain = &row->chain[k];
  double p = chain->first, log_likelihood = 0;
  for (int t = 0; t < length; t++) {
    const int64_t at = (series * from->room + t) * row->D + k;
    if (from->mask[at] != 0) {
      log_likelihood += log(from->x[at] != 0 ? p : 1 - p);
      p = from->x[at];
    }
    p = step(chain, p);
  }
  *next = p;
  return log_likelihood;
}

static double log_likelihood_of(const struct row *row, const struct ssk_data *data,
                                enum ssk_split split, int64_t series, int length) {
  double sum = 0, next;
  for (int k = 0; k < row->D; k++)
    sum += run(row, data, split, series, length, k, &next);
  return sum;
}

static int row_bound(void *self, const struct ssk_data *data, enum ssk_split split, int64_t series,
                     int length, uint64_t seed, int thread, struct ssk_series_bound *out,
                     ssk_err *err) {
  (void)seed, (void)thread, (void)err;
  *out = (struct ssk_series_bound){
      .length = length, .distortion = -log_likelihood_of(self, data, split, series, length)};
  return SSK_OK;
}

static int row_likelihood(void *self, const struct ssk_data *data, enum ssk_split split,
                          int64_t series, int length, uint64_t seed, int thread,
                          struct ssk_series_likelihood *out, ssk_err *err) {
  (void)seed, (void)thread, (void)err;
  *out = (struct ssk_series_likelihood){.length = length,
                                        .log_likelihood =
                                            log_likelihood_of(self, data, split, series, length),
                                        .effective_paths = NAN,
                                        .pareto_k = NAN};
  return SSK_OK;
}

static int row_forecast(void *self, const struct ssk_data *data, enum ssk_split split,
                        int64_t series, int context, int horizon, int samples, uint64_t seed,
                        int thread, double *paths, ssk_err *err) {
  const struct row *row = self;
  (void)thread, (void)err;
  ssk_rng rng = ssk_rng_open(seed, "infer.binary", "draw", split, (uint32_t)series);
  for (int k = 0; k < row->D; k++) {
    double next;
    run(row, data, split, series, context, k, &next);
    for (int s = 0; s < samples; s++) {
      double p = next;
      for (int h = 0; h < horizon; h++) {
        const bool one = ssk_rng_uniform(&rng) < p;
        paths[((int64_t)s * horizon + h) * row->D + k] = one;
        p = row->chain[k].after[one];
      }
    }
  }
  return SSK_OK;
}

int ssk_binary_row(const char *name, bool memory, const struct ssk_data *data,
                   struct ssk_forecaster *out, ssk_err *err) {
  const int D = data->shape.D;
  struct row *row = malloc(sizeof *row + (size_t)D * sizeof *row->chain);
  if (!row)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for a baseline");
  const int code = check_binary(data, err);
  if (code) {
    free(row);
    return code;
  }
  row->D = D;
  for (int k = 0; k < D; k++)
    fit_chain(data, k, memory, &row->chain[k]);
  *out = (struct ssk_forecaster){.name = name,
                                 .self = row,
                                 .forecast = row_forecast,
                                 .bound = row_bound,
                                 .likelihood = row_likelihood,
                                 .free = free};
  return SSK_OK;
}
