/* SPDX-License-Identifier: GPL-3.0-or-later */
/* statistics.c - means over seeds, and the paired bootstrap (Efron 1979; with seeds and series as
 * crossed factors, each resampled: Owen 2007, the pigeonhole bootstrap). */
#include "report/statistics.h"
#include <math.h>
#include <sskit/rng.h>
#include <stdlib.h>

struct ssk_mean ssk_mean_over_seeds(struct ssk_sample row) {
  if (row.seeds == 1)
    return ssk_mean_of(row.values[0], row.series, row.stride);
  double *means = malloc((size_t)row.seeds * sizeof *means);
  struct ssk_mean out = {.mean = NAN, .se = NAN};
  if (!means)
    return out;
  for (int k = 0; k < row.seeds; k++)
    means[k] = ssk_mean_of(row.values[k], row.series, row.stride).mean;
  out = ssk_mean_of(means, row.seeds, 1);
  free(means);
  return out;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Linear between order statistics (Hyndman and Fan 1996, type 7). */
static double quantile(const double *sorted, int64_t n, double p) {
  double place = p * (double)(n - 1);
  int64_t below = (int64_t)place;
  if (below >= n - 1)
    return sorted[n - 1];
  return sorted[below] + (place - (double)below) * (sorted[below + 1] - sorted[below]);
}

/* The mean of the differences of drawn seeds and series; NaN if all are. */
static double resampled_mean(const double *difference, int seeds, int64_t series, int64_t *drawn,
                             ssk_rng rng) {
  double sum = 0, n = 0;
  for (int64_t i = 0; i < series; i++)
    drawn[i] = (int64_t)ssk_rng_below(&rng, (uint64_t)series);
  for (int k = 0; k < seeds; k++) {
    const double *of_seed = difference + (int64_t)ssk_rng_below(&rng, (uint64_t)seeds) * series;
    for (int64_t i = 0; i < series; i++)
      if (!isnan(of_seed[drawn[i]]))
        n++, sum += of_seed[drawn[i]];
  }
  return n > 0 ? sum / n : NAN;
}

int ssk_paired_difference(struct ssk_sample row, struct ssk_sample reference, int64_t resamples,
                          uint64_t seed, struct ssk_difference *out, ssk_err *err) {
  *out = (struct ssk_difference){.mean = NAN, .low = NAN, .high = NAN};
  int seeds = row.seeds > reference.seeds ? row.seeds : reference.seeds;
  int64_t series = row.series;
  if (series != reference.series || (row.seeds != seeds && row.seeds != 1) ||
      (reference.seeds != seeds && reference.seeds != 1))
    return SSK_OK; /* not paired */
  double *difference = malloc((size_t)seeds * (size_t)series * sizeof *difference);
  double *means = malloc((size_t)(resamples + 1) * sizeof *means);
  int64_t *drawn = malloc((size_t)series * sizeof *drawn), n = 0;
  int code = SSK_OK;
  if (!difference || !means || !drawn) {
    code = ssk_err_set(err, SSK_ENOMEM, "no memory for the paired differences");
  } else {
    for (int k = 0; k < seeds; k++)
      for (int64_t i = 0; i < series; i++)
        difference[k * series + i] =
            row.values[row.seeds == 1 ? 0 : k][i * row.stride] -
            reference.values[reference.seeds == 1 ? 0 : k][i * reference.stride];
    out->mean = ssk_mean_of(difference, seeds * series, 1).mean;
    for (int64_t r = 0; r < resamples && !isnan(out->mean); r++) {
      ssk_rng rng = ssk_rng_open(seed, "report.difference", "bootstrap", (uint32_t)r, 0);
      double mean = resampled_mean(difference, seeds, series, drawn, rng);
      if (!isnan(mean))
        means[n++] = mean;
    }
    if (n > 0) {
      qsort(means, (size_t)n, sizeof *means, ascending);
      out->low = quantile(means, n, 0.025);
      out->high = quantile(means, n, 0.975);
    }
  }
  free(difference);
  free(means);
  free(drawn);
  return code;
}
