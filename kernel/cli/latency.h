/* SPDX-License-Identifier: GPL-3.0-or-later */
/* latency.h - how long things took, any number of them in constant memory: a histogram whose bins
 * are 1 % wide, from 100 ns to 1000 s. */
#ifndef SSK_CLI_LATENCY_H
#define SSK_CLI_LATENCY_H

#include <gsl/gsl_histogram.h>
#include <math.h>
#include <stdbool.h>

struct ssk_latency {
  gsl_histogram *histogram;
  double longest, total, n; /* seconds */
};

/* False without memory. Free with gsl_histogram_free(latency.histogram). */
static inline bool ssk_latency_begin(struct ssk_latency *latency) {
  enum { bins = 2314 };
  double edge[bins + 1];
  for (int i = 0; i <= bins; i++)
    edge[i] = 1e-7 * pow(1.01, i);
  *latency = (struct ssk_latency){.histogram = gsl_histogram_alloc(bins)};
  if (latency->histogram)
    gsl_histogram_set_ranges(latency->histogram, edge, bins + 1);
  return latency->histogram;
}

static inline void ssk_latency_add(struct ssk_latency *latency, double seconds) {
  const double least = 1.005e-7, most = 900;
  gsl_histogram_increment(latency->histogram, fmin(fmax(seconds, least), most));
  latency->longest = fmax(latency->longest, seconds);
  latency->total += seconds;
  latency->n++;
}

/* The time that this share of them did not exceed, to 1 %. */
static inline double ssk_latency_quantile(const struct ssk_latency *latency, double level) {
  double below = 0, low, high = 0;
  for (size_t i = 0; i < latency->histogram->n; i++) {
    below += gsl_histogram_get(latency->histogram, i);
    gsl_histogram_get_range(latency->histogram, i, &low, &high);
    if (below >= level * latency->n)
      break;
  }
  return fmin(high, latency->longest);
}

#endif
