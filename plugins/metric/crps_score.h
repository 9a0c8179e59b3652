/* SPDX-License-Identifier: GPL-3.0-or-later */
/* crps_score.h - the continuous ranked probability score of samples.
 *
 *   CRPS(F, y) = E|X - y| - E|X - X'|/2,   X, X' ~ F independent
 *
 * (Gneiting and Raftery 2007, eq. 21), by the estimator that is unbiased whatever the number of
 * samples: the mean over distinct pairs ("fair": Ferro 2014). The pairs cost one sort:
 * sum_{i<j} (x_(j) - x_(i)) = sum_i (2i - n + 1) x_(i), i from 0. For a Gaussian forecast and e =
 * (y - m)/s it is s (e (2 Phi(e) - 1) + 2 phi(e) - 1/sqrt(pi)). */
#ifndef SSK_METRIC_CRPS_SCORE_H
#define SSK_METRIC_CRPS_SCORE_H

#include "samples.h"

/* A samples_score; NaN of fewer than two samples. */
static inline double crps_score(const void *self, const double *sorted, int n, double truth) {
  (void)self;
  if (n < 2)
    return NAN;
  double error = 0, spread = 0;
  for (int i = 0; i < n; i++) {
    error += fabs(sorted[i] - truth);
    spread += (2.0 * i - n + 1) * (sorted[i] - truth);
  }
  return error / n - spread / ((double)n * (n - 1));
}

#endif
