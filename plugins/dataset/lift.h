/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lift.h - a random two-layer network that lifts a small latent into D observed dimensions:
 *
 *   x = W2 tanh(W1 z + b1) + b2 + noise * eps
 *
 * W1 ~ N(0, 1/d), so that tanh sees the latent's own scale; W2, b1, b2 ~ N(0, 1). The matrices are
 * drawn from the data's seed: all splits share them. They are filled row by row, so the first rows
 * of W2 do not depend on D. */
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

#endif
