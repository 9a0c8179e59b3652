/* SPDX-License-Identifier: GPL-3.0-or-later */
/* quantile.h - what the metrics of the forecasting literature share: quantiles of samples as its
 * programs take them, and ratios of sums. */
#ifndef SSK_METRIC_QUANTILE_H
#define SSK_METRIC_QUANTILE_H

#include "samples.h"

enum { QUANTILE_NEAREST, QUANTILE_LINEAR };
static const char *const quantile_forms[] = {"nearest", "linear", NULL};

#define QUANTILE_DOC                                                                               \
  "Sample quantile at p: nearest is the sorted sample of index round(p (n - 1)), halves to even, " \
  "as GluonTS takes it; linear is interpolated between its neighbours, as CSDI takes it."

static inline double quantile_of(int form, const double *sorted, int n, double p) {
  double place = p * (n - 1), below = floor(place);
  if (form == QUANTILE_NEAREST)
    return sorted[(int)nearbyint(place)];
  int i = (int)below, next = i + 1 < n ? i + 1 : i;
  return sorted[i] + (place - below) * (sorted[next] - sorted[i]);
}

/* The samples of one entry of the forecast, sorted. */
static inline void quantile_sort(const struct ssk_case *c, int entry, double *sorted) {
  size_t entries = (size_t)c->horizon * (size_t)c->D;
  for (int s = 0; s < c->samples; s++)
    sorted[s] = c->paths[(size_t)s * entries + (size_t)entry];
  qsort(sorted, (size_t)c->samples, sizeof *sorted, samples_order);
}

/* finish of a metric with two terms: the first's sum over the second's. */
static inline double quantile_ratio(const void *self, const double *means, double *gradient) {
  (void)self;
  if (means[1] <= 0)
    return NAN;
  double ratio = means[0] / means[1];
  gradient[0] = 1 / means[1];
  gradient[1] = -ratio / means[1];
  return ratio;
}

#endif
