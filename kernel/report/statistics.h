/* SPDX-License-Identifier: GPL-3.0-or-later */
/* statistics.h - means, standard errors and paired differences over seeds and series. */
#ifndef SSK_REPORT_STATISTICS_H
#define SSK_REPORT_STATISTICS_H

#include "infer/evaluate.h"

/* The values of one row of a comparison in one metric: seed k has values[k][0], [stride], ..., one
 * a series; NaN: no value. All seeds have the same series. */
struct ssk_sample {
  int seeds;
  int64_t series, stride;
  const double *const *values;
};

/* With one seed: mean and standard error over series. With several: mean and standard error over
 * the seeds' means; n counts the seeds. */
struct ssk_mean ssk_mean_over_seeds(struct ssk_sample row);

/* Mean of row - reference, and the central 95 % of its bootstrap distribution. NaN where there is
 * none. */
struct ssk_difference {
  double mean, low, high;
};

/* Paired by seed and series; a side with one seed is paired with all seeds of the other. A resample
 * draws seeds, and series, with replacement; the drawn series serve all drawn seeds, because seeds
 * share the data. */
int ssk_paired_difference(struct ssk_sample row, struct ssk_sample reference, int64_t resamples,
                          uint64_t seed, struct ssk_difference *out, ssk_err *err);

#endif
