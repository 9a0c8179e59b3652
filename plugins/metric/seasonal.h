/* SPDX-License-Identifier: GPL-3.0-or-later */
/* seasonal.h - the error of the seasonal naive forecast within the history, which scaled errors are
 * divided by (Hyndman and Koehler 2006). */
#ifndef SSK_METRIC_SEASONAL_H
#define SSK_METRIC_SEASONAL_H

#include "quantile.h"

/* Mean |y_t - y_{t-m}| of dimension k over the history's pairs that were observed; a history no
 * longer than m is taken with m = 1, as GluonTS does. NaN: no pair. */
static inline double seasonal_error(const struct ssk_case *c, int k, int seasonality) {
  int m = seasonality < c->context ? seasonality : 1, n = 0;
  double sum = 0;
  for (int t = m; t < c->context; t++) {
    int now = t * c->D + k, before = (t - m) * c->D + k;
    if (c->history_mask[now] == 0 || c->history_mask[before] == 0)
      continue;
    sum += fabs(c->history[now] - c->history[before]);
    n++;
  }
  return n ? sum / n : NAN;
}

/* The error of one entry: of n sorted samples against the truth. */
typedef double seasonal_score(const void *self, const double *sorted, int n, double truth);

/* terms[0]: the sum over dimensions of (mean score over observed steps) / seasonal error; terms[1]:
 * how many dimensions have one. False: none. */
static inline bool seasonal_accumulate(const void *self, const struct ssk_case *c, int seasonality,
                                       seasonal_score *score, double *terms) {
  double *sorted = malloc((size_t)c->samples * sizeof *sorted);
  terms[0] = terms[1] = 0;
  for (int k = 0; k < c->D && sorted; k++) {
    double sum = 0, scale = seasonal_error(c, k, seasonality);
    int n = 0;
    for (int e = k; e < c->horizon * c->D; e += c->D)
      if (c->truth_mask[e] != 0) {
        quantile_sort(c, e, sorted);
        sum += score(self, sorted, c->samples, c->truth[e]);
        n++;
      }
    if (n && scale > 0) {
      terms[0] += sum / n / scale;
      terms[1]++;
    }
  }
  free(sorted);
  return terms[1] > 0;
}

#endif
