/* SPDX-License-Identifier: GPL-3.0-or-later */
/* histogram.h - the Jensen-Shannon divergence of forecast samples from known bin masses: what the
 * metrics jsd and jsd_paper share.
 *
 * The bins divide [-range, range] evenly; the outermost two reach to infinity, so that samples and
 * mass outside are counted and both sides sum to 1. */
#ifndef SSK_METRIC_HISTOGRAM_H
#define SSK_METRIC_HISTOGRAM_H

#include <math.h>
#include <sskit/plugin.h>
#include <stdlib.h>

#define HISTOGRAM_MAX_BINS 10000
#define HISTOGRAM_FLOOR    1e-12

struct histogram {
  int64_t bins;
  double range;
};

/* P(X - centre <= edge) of the reference. */
typedef double histogram_cdf(const void *state, double edge);

static double histogram_jsd(const struct histogram *h, const double *samples, int n, int stride,
                            double centre, histogram_cdf *cdf, const void *state) {
  int bins = (int)h->bins;
  int *count = calloc((size_t)bins, sizeof *count);
  if (!count)
    return NAN;
  for (int s = 0; s < n; s++) {
    double place = (samples[(size_t)s * (size_t)stride] - centre + h->range) / (2 * h->range);
    double bin = floor(place * bins);
    count[bin < 0 ? 0 : bin < bins ? (int)bin : bins - 1]++;
  }
  double divergence = 0, below = 0;
  for (int b = 0; b < bins; b++) {
    double edge = h->range * (2.0 * (b + 1) / bins - 1);
    double upto = b == bins - 1 ? 1 : cdf(state, edge);
    double p = fmax((double)count[b] / n, HISTOGRAM_FLOOR);
    double q = fmax(upto - below, HISTOGRAM_FLOOR), m = 0.5 * (p + q);
    divergence += 0.5 * (p * log(p / m) + q * log(q / m));
    below = upto;
  }
  free(count);
  return divergence;
}

#endif
