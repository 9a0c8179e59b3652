/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pooled.h - figures of all series together, such as ratios of sums, as a value a series. */
#ifndef SSK_INFER_POOLED_H
#define SSK_INFER_POOLED_H

#include <sskit/plugin.h>

/* Of a metric with terms: values[i * stride] of series i from its terms, which stand at
 * terms[i * stride * SSK_METRIC_TERMS] (the first NaN: it has none, and no value). Their mean is
 * the figure; means, standard errors and paired differences are then those of any other metric. */
void ssk_pooled_values(const struct ssk_instance *metric, const double *terms, int64_t series,
                       int64_t stride, double *values);

#endif
