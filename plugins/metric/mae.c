/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mae.c - the absolute error of the median, which is the point forecast that minimises it. */
#include "samples.h"

static double mae_score(const void *self, const double *sorted, int n, double truth) {
  (void)self;
  return fabs(0.5 * (sorted[(n - 1) / 2] + sorted[n / 2]) - truth);
}

static double mae_value(const void *self, const struct ssk_case *c) {
  return samples_mean_score(self, c, mae_score);
}

static void mae_definition(const void *self, char *text, size_t n) {
  (void)self;
  snprintf(text, n,
           "absolute error of the samples' median, mean over observed entries of the horizon");
}

static const struct ssk_metric_ops mae_ops = {.size = sizeof(struct ssk_metric_ops),
                                              .needs = SSK_NEEDS_SAMPLES,
                                              .value = mae_value,
                                              .definition = mae_definition,
                                              .better = -1,
                                              .unit = "data"};

static const struct ssk_component mae_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_METRIC,
    .name = "mae",
    .summary = "mean absolute error of the median forecast",
    .doc = "|median of the samples - truth|, mean over the observed entries.",
    .self_size = sizeof(char),
    .ops = &mae_ops,
};

SSK_PLUGIN(&mae_component)
