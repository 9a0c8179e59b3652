/* SPDX-License-Identifier: GPL-3.0-or-later */
/* quantile.h - quantiles of samples as the programs of the forecasting literature take them. */
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

#endif
