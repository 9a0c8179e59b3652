/* SPDX-License-Identifier: GPL-3.0-or-later */
/* statistics.h - means, standard errors and paired differences over seeds and series. */
#ifndef SSK_REPORT_STATISTICS_H
#define SSK_REPORT_STATISTICS_H

#include "infer/evaluate.h"
#include "report/decide.h"

/* The values of one row of a comparison in one metric: seed k has values[k][0], [stride], ..., one
 * a series; NaN: no value. All seeds have the same series. */
struct ssk_sample {
  int seeds;
  int64_t series, stride;
  const double *const *values;
  const uint64_t *seed; /* [seeds], which; NULL: those of all other samples */
};

/* With one seed: mean and standard error over series. With several: mean and standard error over
 * the seeds' means; n counts the seeds. */
struct ssk_mean ssk_mean_over_seeds(struct ssk_sample row);

/* The differences row - reference of each series, averaged over seeds, without series that have
 * none: into d[series]; how many there are. Paired by seed and series; a side with one seed is
 * paired with all seeds of the other. 0 where the two cannot be paired: other series, other seeds.
 */
int64_t ssk_series_differences(struct ssk_sample row, struct ssk_sample reference, double *d);

/* Mean of row - reference with an interval, and Diebold and Mariano's test (decide.h) of the
 * series' differences. NaN where there is none. */
struct ssk_difference {
  double mean, low, high;
  struct ssk_test test;
};

/* How differences are judged. */
struct ssk_difference_how {
  int64_t resamples;    /* of the bootstrap, whose central 95 % are the interval; 0: no interval */
  uint64_t seed;        /* of the bootstrap */
  int lags;             /* of the test's variance; -1: those of the metric (horizon - 1) */
  bool anytime;         /* instead of the bootstrap the anytime-valid interval (decide.h) */
  int64_t anytime_look; /* narrowest at so many series */
  double anytime_alpha; /* of each interval */
};

/* A resample of the bootstrap draws seeds, and series, with replacement; the drawn series serve all
 * drawn seeds, because seeds share the data. The anytime-valid interval and the test are of the
 * series with these very seeds. how->lags is 0 or more here. */
int ssk_paired_difference(struct ssk_sample row, struct ssk_sample reference,
                          const struct ssk_difference_how *how, struct ssk_difference *out,
                          ssk_err *err);

#endif
