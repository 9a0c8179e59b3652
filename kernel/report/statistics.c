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

static bool same_seeds(struct ssk_sample row, struct ssk_sample reference) {
  bool same = true;
  for (int k = 0; k < row.seeds && row.seed && reference.seed; k++)
    same = same && row.seed[k] == reference.seed[k];
  return same;
}

/* How many seeds pair; 0: they do not. */
static int paired_seeds(struct ssk_sample row, struct ssk_sample reference) {
  int seeds = row.seeds > reference.seeds ? row.seeds : reference.seeds;
  bool paired = row.series == reference.series && (row.seeds == seeds || row.seeds == 1) &&
                (reference.seeds == seeds || reference.seeds == 1) &&
                (row.seeds != reference.seeds || seeds == 1 || same_seeds(row, reference));
  return paired ? seeds : 0;
}

static double difference_of(struct ssk_sample row, struct ssk_sample reference, int k, int64_t i) {
  return row.values[row.seeds == 1 ? 0 : k][i * row.stride] -
         reference.values[reference.seeds == 1 ? 0 : k][i * reference.stride];
}

int64_t ssk_series_differences(struct ssk_sample row, struct ssk_sample reference, double *d) {
  int seeds = paired_seeds(row, reference);
  int64_t n = 0;
  for (int64_t i = 0; seeds && i < row.series; i++) {
    double sum = 0, count = 0;
    for (int k = 0; k < seeds; k++) {
      double difference = difference_of(row, reference, k, i);
      if (!isnan(difference))
        count++, sum += difference;
    }
    if (count > 0)
      d[n++] = sum / count;
  }
  return n;
}

static void bootstrap(const double *difference, int seeds, int64_t series, int64_t *drawn,
                      double *means, const struct ssk_difference_how *how,
                      struct ssk_difference *out) {
  int64_t n = 0;
  for (int64_t r = 0; r < how->resamples; r++) {
    ssk_rng rng = ssk_rng_open(how->seed, "report.difference", "bootstrap", (uint32_t)r, 0);
    double mean = resampled_mean(difference, seeds, series, drawn, rng);
    if (!isnan(mean))
      means[n++] = mean;
  }
  if (n == 0)
    return;
  qsort(means, (size_t)n, sizeof *means, ascending);
  out->low = quantile(means, n, 0.025);
  out->high = quantile(means, n, 0.975);
}

int ssk_paired_difference(struct ssk_sample row, struct ssk_sample reference,
                          const struct ssk_difference_how *how, struct ssk_difference *out,
                          ssk_err *err) {
  *out = (struct ssk_difference){.mean = NAN, .low = NAN, .high = NAN, .test = {NAN, NAN}};
  int seeds = paired_seeds(row, reference);
  int64_t series = row.series;
  if (!seeds)
    return SSK_OK;
  double *difference = malloc((size_t)seeds * (size_t)series * sizeof *difference);
  double *means = malloc((size_t)(how->resamples + 1) * sizeof *means);
  double *by_series = malloc((size_t)series * sizeof *by_series);
  int64_t *drawn = malloc((size_t)series * sizeof *drawn);
  int code = SSK_OK;
  if (!difference || !means || !by_series || !drawn) {
    code = ssk_err_set(err, SSK_ENOMEM, "no memory for the paired differences");
  } else {
    for (int k = 0; k < seeds; k++)
      for (int64_t i = 0; i < series; i++)
        difference[k * series + i] = difference_of(row, reference, k, i);
    out->mean = ssk_mean_of(difference, seeds * series, 1).mean;
    int64_t n = ssk_series_differences(row, reference, by_series);
    struct ssk_mean m = ssk_mean_of(by_series, n, 1);
    out->test = ssk_diebold_mariano(by_series, n, how->lags);
    if (how->anytime && n > 1) {
      double radius =
          ssk_anytime_radius(m.se * sqrt((double)n), n, how->anytime_look, how->anytime_alpha);
      out->low = m.mean - radius;
      out->high = m.mean + radius;
    } else if (!isnan(out->mean)) {
      bootstrap(difference, seeds, series, drawn, means, how, out);
    }
  }
  free(difference);
  free(means);
  free(by_series);
  free(drawn);
  return code;
}
