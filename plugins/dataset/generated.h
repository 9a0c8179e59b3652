/* SPDX-License-Identifier: GPL-3.0-or-later */
/* generated.h - what the generated data sets share: their sizes, and series drawn from a process
 * whose steps are those of its oracle. A data set's struct begins with a struct generated, its
 * `open` calls generated_open, and the other slots are the functions below. */
#ifndef DATASET_GENERATED_H
#define DATASET_GENERATED_H

#include <math.h>
#include <sskit/plugin.h>

#define GENERATED_LATENT_MAX 8

struct generated {
  int64_t sequences, valid, test, length, test_length; /* parameters */
  uint64_t seed;
  const char *stream;               /* names its random numbers */
  const struct ssk_oracle *process; /* generates; whether it is an oracle, too, is another thing */
  int D;
};

/* The first rows of its parameters; n_train, n_valid and n_test are the defaults, as text. */
#define GENERATED_PARAMS(n_train, n_valid, n_test)                                                 \
  SSK_PARAM_INT(struct generated, sequences, n_train, 1, 1e7, "series",                            \
                "Series of the training split."),                                                  \
      SSK_PARAM_INT(struct generated, valid, n_valid, 0, 1e7, "series",                            \
                    "Series of the validation split."),                                            \
      SSK_PARAM_INT(struct generated, test, n_test, 0, 1e7, "series",                              \
                    "Series of the test split."),                                                  \
      SSK_PARAM_INT(struct generated, length, "32", 2, 1e6, "steps",                               \
                    "Length of the training and validation series."),                              \
      SSK_PARAM_INT(struct generated, test_length, "0", 0, 1e6, "steps",                           \
                    "Length of the test series; 0: that of the others.")

static inline void generated_open(struct generated *g, uint64_t seed, const char *stream,
                                  const struct ssk_oracle *process, int D) {
  g->seed = seed;
  g->stream = stream;
  g->process = process;
  g->D = D;
  if (g->test_length == 0)
    g->test_length = g->length;
}

/* ---- slots ----------------------------------------------------------------------------------- */

static inline void generated_shape(const void *self, struct ssk_data_shape *out) {
  const struct generated *g = self;
  *out = (struct ssk_data_shape){
      .size = sizeof *out,
      .D = g->D,
      .latent = g->process->d,
      .max_length = (int)(g->test_length > g->length ? g->test_length : g->length)};
}

static inline int64_t generated_count(const void *self, enum ssk_split split) {
  const struct generated *g = self;
  return split == SSK_TRAIN ? g->sequences : split == SSK_VALID ? g->valid : g->test;
}

/* A series is a stream of random numbers named by split and number: so the splits are disjoint, and
 * a longer split begins with the series of a shorter one. */
static inline int generated_fill(const void *self, enum ssk_split split, int64_t i,
                                 struct ssk_series *out, ssk_err *err) {
  const struct generated *g = self;
  const struct ssk_oracle *process = g->process;
  ssk_rng rng = ssk_rng_open(g->seed, g->stream, "series", split, (uint32_t)i);
  double state[2][GENERATED_LATENT_MAX] = {{0}};
  (void)err;
  out->length = (int)(split == SSK_TEST ? g->test_length : g->length);
  for (int t = 0; t < out->length; t++) {
    double *z = state[t % 2];
    if (t == 0)
      process->initial(self, &rng, z);
    else
      process->transition(self, &rng, state[(t - 1) % 2], z);
    process->emission(self, &rng, z, &out->x[(size_t)t * (size_t)g->D]);
    for (int k = 0; out->z && k < process->d; k++)
      out->z[(size_t)t * (size_t)process->d + (size_t)k] = z[k];
  }
  return SSK_OK;
}

static inline const struct ssk_oracle *generated_oracle(const void *self) {
  const struct generated *g = self;
  return g->process;
}

/* ---- for processes --------------------------------------------------------------------------- */

/* log N(error; 0, deviation^2) */
static inline double generated_log_normal(double error, double deviation) {
  double e = error / deviation;
  return -0.5 * (e * e + log(2 * M_PI)) - log(deviation);
}

/* P(N(0, deviation^2) <= error) */
static inline double generated_normal_cdf(double error, double deviation) {
  return 0.5 * erfc(-error / (M_SQRT2 * deviation));
}

/* The log density of an equal mixture of N(-jump, deviation^2) and N(jump, deviation^2). */
static inline double generated_log_two_modes(double error, double jump, double deviation) {
  double near = generated_log_normal(fabs(error) - jump, deviation);
  double far = generated_log_normal(fabs(error) + jump, deviation);
  return near + log1p(exp(far - near)) - M_LN2;
}

#endif
