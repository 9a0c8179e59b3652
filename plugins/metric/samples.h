/* SPDX-License-Identifier: GPL-3.0-or-later */
/* samples.h - the forecast samples of one entry of the truth, sorted: what the metrics of marginal
 * distributions share. */
#ifndef SSK_METRIC_SAMPLES_H
#define SSK_METRIC_SAMPLES_H

#include <math.h>
#include <sskit/plugin.h>
#include <stdlib.h>

/* The score of n sorted samples against the truth. */
typedef double samples_score(const void *self, const double *sorted, int n, double truth);

static int samples_order(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Mean of the score of paths[samples, entries] over the entries of the truth that count, those with
 * mask 1; NaN when there are none. */
static inline double samples_mean_over(const void *self, const double *paths, int samples,
                                       int entries, const double *truth, const double *mask,
                                       samples_score *score) {
  double *sorted = malloc((size_t)samples * sizeof *sorted);
  int n = 0;
  double sum = 0;
  for (int e = 0; e < entries && sorted; e++) {
    if (mask[e] == 0)
      continue;
    for (int s = 0; s < samples; s++)
      sorted[s] = paths[(size_t)s * (size_t)entries + (size_t)e];
    qsort(sorted, (size_t)samples, sizeof *sorted, samples_order);
    sum += score(self, sorted, samples, truth[e]);
    n++;
  }
  free(sorted);
  return n ? sum / n : NAN;
}

/* The same over the observed entries of the forecast. */
static inline double samples_mean_score(const void *self, const struct ssk_case *c,
                                        samples_score *score) {
  return samples_mean_over(self, c->paths, c->samples, c->horizon * c->D, c->truth, c->truth_mask,
                           score);
}

#endif
