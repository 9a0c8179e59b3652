/* SPDX-License-Identifier: GPL-3.0-or-later */
/* smoothing.h - one series' smoothing as the metrics see it. */
#ifndef SSK_INFER_SMOOTHING_H
#define SSK_INFER_SMOOTHING_H

#include "infer/forecaster.h"

/* Buffers for the longest series, one a thread. */
struct ssk_smoothing_work {
  double *paths, *mean, *signal, *exact;
};
int ssk_smoothing_open(struct ssk_smoothing_work *work, const struct ssk_data *data, int samples,
                       ssk_err *err);
void ssk_smoothing_free(struct ssk_smoothing_work *work);

/* Draw `samples` paths given all of the series (the forecaster has a posterior), and put what is
 * known of the truth beside them. The arrays of *out are those of work and of data. */
int ssk_smoothing_of(const struct ssk_forecaster *forecaster, const struct ssk_data *data,
                     enum ssk_split split, int64_t series, int samples, uint64_t seed, int thread,
                     struct ssk_smoothing_work *work, struct ssk_smoothing *out, ssk_err *err);

#endif
