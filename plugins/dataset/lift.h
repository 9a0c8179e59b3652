/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lift.h - a random two-layer network that lifts a small latent into D observed dimensions:
 *
 *   x = W2 tanh(W1 z + b1) + b2 + noise * eps
 *
 * W1 ~ N(0, 1/d), so that tanh sees the latent's own scale; W2, b1, b2 ~ N(0, 1). The matrices are
 * drawn from the data's seed: all splits share them. They are filled row by row, so the first rows
 * of W2 do not depend on D.
 *
 * A lifted data set's struct begins with a struct lifted; it brings the latent process, and takes
 * the parameters, the emission and the other slots from here. */
#ifndef DATASET_LIFT_H
#define DATASET_LIFT_H

#include "generated.h"
#include <stdlib.h>

#define LIFT_HIDDEN_MAX 16
#define LIFT_LATENT_MAX 4

struct lift {
  int d, hidden, D;
  double noise;
  double W1[LIFT_HIDDEN_MAX][LIFT_LATENT_MAX], b1[LIFT_HIDDEN_MAX];
  double *W2, *b2; /* [D, hidden], [D]; one block, that W2 owns */
};

static inline int lift_open(struct lift *l, uint64_t seed, const char *stream, ssk_err *err) {
  l->W2 = malloc(((size_t)l->hidden + 1) * (size_t)l->D * sizeof *l->W2);
  if (!l->W2)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the matrices of the lift");
  l->b2 = l->W2 + (size_t)l->hidden * (size_t)l->D;
  ssk_rng inner = ssk_rng_open(seed, stream, "lift inner", 0, 0);
  ssk_rng outer = ssk_rng_open(seed, stream, "lift outer", 0, 0);
  for (int i = 0; i < l->hidden; i++) {
    for (int k = 0; k < l->d; k++)
      l->W1[i][k] = ssk_rng_normal(&inner) / sqrt(l->d);
    l->b1[i] = ssk_rng_normal(&inner);
  }
  for (int o = 0; o < l->D; o++) {
    for (int i = 0; i < l->hidden; i++)
      l->W2[o * l->hidden + i] = ssk_rng_normal(&outer);
    l->b2[o] = ssk_rng_normal(&outer);
  }
  return SSK_OK;
}

static inline void lift_done(struct lift *l) {
  free(l->W2);
  l->W2 = NULL;
}

static inline void lift_hidden(const struct lift *l, const double *z, double *hidden) {
  for (int i = 0; i < l->hidden; i++) {
    double sum = l->b1[i];
    for (int k = 0; k < l->d; k++)
      sum += l->W1[i][k] * z[k];
    hidden[i] = tanh(sum);
  }
}

static inline double lift_output(const struct lift *l, const double *hidden, int o) {
  double sum = l->b2[o];
  for (int i = 0; i < l->hidden; i++)
    sum += l->W2[o * l->hidden + i] * hidden[i];
  return sum;
}

static inline void lift_emission(const struct lift *l, ssk_rng *rng, const double *z, double *x) {
  double hidden[LIFT_HIDDEN_MAX];
  lift_hidden(l, z, hidden);
  for (int o = 0; o < l->D; o++)
    x[o] = lift_output(l, hidden, o) + l->noise * ssk_rng_normal(rng);
}

static inline double lift_log_prob(const struct lift *l, const double *z, const double *x,
                                   const double *mask) {
  double hidden[LIFT_HIDDEN_MAX], sum = 0;
  lift_hidden(l, z, hidden);
  for (int o = 0; o < l->D; o++)
    if (mask[o] != 0)
      sum += generated_log_normal(x[o] - lift_output(l, hidden, o), l->noise);
  return sum;
}

/* ---- lifted data sets ------------------------------------------------------------------------ */

struct lifted {
  struct generated generated;
  int64_t D; /* parameters */
  double noise;
  struct lift lift;
};

/* The rows of its parameters; `dimension` is the default of D, as text. */
#define LIFTED_PARAMS(dimension)                                                                   \
  GENERATED_PARAMS("1024", "256", "1024"),                                                         \
      SSK_PARAM_INT(struct lifted, D, dimension, 1, 4096, "1", "Dimension of the observation."),   \
      SSK_PARAM_REAL(struct lifted, noise, "0.1", 1e-6, 100, "data",                               \
                     "Standard deviation of the observation noise.")

/* The lift sees the first d entries of the process's state. */
static inline int lifted_open(struct lifted *l, uint64_t seed, const char *stream,
                              const struct ssk_oracle *process, int d, int hidden, ssk_err *err) {
  generated_open(&l->generated, seed, stream, process, (int)l->D);
  l->lift = (struct lift){.d = d, .hidden = hidden, .D = (int)l->D, .noise = l->noise};
  return lift_open(&l->lift, seed, stream, err);
}

static inline void lifted_done(void *self) {
  struct lifted *l = self;
  lift_done(&l->lift);
}

static inline void lifted_emission(const void *self, ssk_rng *rng, const double *z, double *x) {
  const struct lifted *l = self;
  lift_emission(&l->lift, rng, z, x);
}

static inline void lifted_emission_mean(const void *self, const double *z, double *x) {
  const struct lifted *l = self;
  double hidden[LIFT_HIDDEN_MAX];
  lift_hidden(&l->lift, z, hidden);
  for (int o = 0; o < l->lift.D; o++)
    x[o] = lift_output(&l->lift, hidden, o);
}

static inline double lifted_emission_log_prob(const void *self, const double *z, const double *x,
                                              const double *mask) {
  const struct lifted *l = self;
  return lift_log_prob(&l->lift, z, x, mask);
}

#endif
