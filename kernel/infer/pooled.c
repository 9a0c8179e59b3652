/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pooled.c - the linearisation of a function of means: the pseudo-values of the infinitesimal
 * jackknife (Jaeckel 1972; Efron 1982, chapter 6), whose mean is the figure and whose spread gives
 * the standard error of the delta method. */
#include "infer/pooled.h"
#include <math.h>

void ssk_pooled_values(const struct ssk_instance *metric, const double *terms, int64_t series,
                       int64_t stride, double *values) {
  const struct ssk_metric_ops *ops = metric->component->ops;
  double means[SSK_METRIC_TERMS] = {0}, gradient[SSK_METRIC_TERMS] = {0};
  int64_t n = 0, step = stride * SSK_METRIC_TERMS;
  for (int64_t i = 0; i < series; i++)
    if (!isnan(terms[i * step])) {
      for (int k = 0; k < ops->terms; k++)
        means[k] += terms[i * step + k];
      n++;
    }
  for (int k = 0; k < ops->terms; k++)
    means[k] /= n ? (double)n : 1;
  double figure = n ? ops->finish(metric->self, means, gradient) : NAN;
  for (int64_t i = 0; i < series; i++) {
    double value = isnan(terms[i * step]) ? NAN : figure;
    for (int k = 0; k < ops->terms && isfinite(value); k++) /* infinity is that of all */
      value += gradient[k] * (terms[i * step + k] - means[k]);
    values[i * stride] = value;
  }
}
