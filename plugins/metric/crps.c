/* SPDX-License-Identifier: GPL-3.0-or-later */
/* crps.c - the continuous ranked probability score of each dimension; see crps_score.h. */
#include "crps_score.h"

static double crps_value(const void *self, const struct ssk_case *c) {
  return samples_mean_score(self, c, crps_score);
}

static void crps_definition(const void *self, char *text, size_t n) {
  (void)self;
  snprintf(text, n,
           "continuous ranked probability score, fair sample estimator, mean over observed entries "
           "of the horizon");
}

static const struct ssk_metric_ops crps_ops = {.size = sizeof(struct ssk_metric_ops),
                                               .needs = SSK_NEEDS_SAMPLES,
                                               .value = crps_value,
                                               .definition = crps_definition,
                                               .better = -1,
                                               .unit = "data"};

static const struct ssk_component crps_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_METRIC,
    .name = "crps",
    .summary = "continuous ranked probability score, a dimension at a time",
    .doc = "E|X - y| - E|X - X'|/2 by the fair estimator (Ferro 2014), unbiased for any number of "
           "samples of 2 or more; mean over the observed entries. A point forecast scores its "
           "absolute error.",
    .self_size = sizeof(char),
    .ops = &crps_ops,
};

SSK_PLUGIN(&crps_component)
