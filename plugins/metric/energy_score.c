/* SPDX-License-Identifier: GPL-3.0-or-later */
/* energy_score.c - the CRPS of vectors, which also sees how the dimensions depend on each other.
 *
 *   ES(F, y) = E|X - y| - E|X - X'|/2   with the Euclidean norm
 *
 * (Gneiting and Raftery 2007, eq. 22), per step over the observed dimensions, by the fair
 * estimator: the mean over distinct pairs of samples. All pairs are taken: S^2 D / 2 operations a
 * step, but in one dimension, where it is the CRPS, one sort. */
#include "samples.h"

/* Mean distance of distinct pairs of the n points x[n, m]. */
static double energy_pairs(const double *x, int n, int m) {
  double sum = 0;
  if (m == 1) { /* sorted */
    for (int i = 0; i < n; i++)
      sum += (2.0 * i - n + 1) * x[i];
    return 2 * sum / ((double)n * (n - 1));
  }
  for (int i = 1; i < n; i++)
    for (int j = 0; j < i; j++) {
      double square = 0;
      for (int k = 0; k < m; k++) {
        double difference = x[i * m + k] - x[j * m + k];
        square += difference * difference;
      }
      sum += sqrt(square);
    }
  return 2 * sum / ((double)n * (n - 1));
}

static double energy_score_value(const void *self, const struct ssk_case *c) {
  (void)self;
  if (c->samples < 2)
    return NAN;
  double *x = malloc((size_t)c->samples * (size_t)c->D * sizeof *x), sum = 0;
  int steps = 0;
  for (int h = 0; h < c->horizon && x; h++) {
    int m = 0; /* errors of the observed dimensions, side by side */
    for (int k = 0; k < c->D; k++)
      m += c->truth_mask[h * c->D + k] != 0;
    if (m == 0)
      continue;
    double error = 0;
    for (int s = 0; s < c->samples; s++) {
      const double *sample = c->paths + ((size_t)s * (size_t)c->horizon + (size_t)h) * (size_t)c->D;
      double square = 0;
      for (int k = 0, at = 0; k < c->D; k++)
        if (c->truth_mask[h * c->D + k] != 0) {
          double e = sample[k] - c->truth[h * c->D + k];
          x[(size_t)s * (size_t)m + (size_t)at++] = e;
          square += e * e;
        }
      error += sqrt(square);
    }
    if (m == 1)
      qsort(x, (size_t)c->samples, sizeof *x, samples_order);
    sum += error / c->samples - 0.5 * energy_pairs(x, c->samples, m);
    steps++;
  }
  free(x);
  return steps ? sum / steps : NAN;
}

static void energy_score_definition(const void *self, char *text, size_t n) {
  (void)self;
  snprintf(text, n,
           "energy score of the observed dimensions, fair sample estimator over all pairs, mean "
           "over steps of the horizon");
}

static const struct ssk_metric_ops energy_score_ops = {.size = sizeof(struct ssk_metric_ops),
                                                       .needs = SSK_NEEDS_SAMPLES,
                                                       .value = energy_score_value,
                                                       .definition = energy_score_definition,
                                                       .better = -1,
                                                       .unit = "data"};

static const struct ssk_component energy_score_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_METRIC,
    .name = "energy_score",
    .summary = "the CRPS of vectors: sees the dependence of the dimensions",
    .doc = "E|X - y| - E|X - X'|/2 with the Euclidean norm, per step, by the fair estimator over "
           "all pairs of samples.",
    .self_size = sizeof(char),
    .ops = &energy_score_ops,
};

SSK_PLUGIN(&energy_score_component)
