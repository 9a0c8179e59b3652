/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ratio.h - the figure of a pooled metric that is the ratio of two sums. */
#ifndef SSK_METRIC_RATIO_H
#define SSK_METRIC_RATIO_H

#include <math.h>
#include <sskit/plugin.h>

/* finish of a metric with two terms: the first's sum over the second's. */
static inline double ratio_of_sums(const void *self, const double *means, double *gradient) {
  (void)self;
  if (means[1] <= 0)
    return NAN;
  double ratio = means[0] / means[1];
  gradient[0] = 1 / means[1];
  gradient[1] = -ratio / means[1];
  return ratio;
}

#endif
