/* SPDX-License-Identifier: GPL-3.0-or-later */
/* coverage_quantile.c - how often the truth is at or under a quantile of the samples: Coverage[p]
 * as GluonTS defines it. */
#include "quantile.h"

struct coverage_quantile {
  double level;
  int quantile;
};

static const struct ssk_param coverage_quantile_params[] = {
    SSK_PARAM_REAL(struct coverage_quantile, level, "0.9", 0.001, 0.999, "1",
                   "Level p of the quantile."),
    SSK_PARAM_ENUM(struct coverage_quantile, quantile, "nearest", quantile_forms, QUANTILE_DOC),
    SSK_PARAM_END,
};

static double coverage_quantile_score(const void *self, const double *sorted, int n, double truth) {
  const struct coverage_quantile *m = self;
  return truth <= quantile_of(m->quantile, sorted, n, m->level);
}

static double coverage_quantile_value(const void *self, const struct ssk_case *c) {
  return samples_mean_score(self, c, coverage_quantile_score);
}

static double coverage_quantile_target(const void *self) {
  const struct coverage_quantile *m = self;
  return m->level;
}

static void coverage_quantile_definition(const void *self, char *text, size_t n) {
  const struct coverage_quantile *m = self;
  snprintf(text, n,
           "fraction of observed entries of the horizon at or under the samples' quantile at %g "
           "(%s)",
           m->level, quantile_forms[m->quantile]);
}

static const struct ssk_metric_ops coverage_quantile_ops = {.size = sizeof(struct ssk_metric_ops),
                                                            .needs = SSK_NEEDS_SAMPLES,
                                                            .value = coverage_quantile_value,
                                                            .definition =
                                                                coverage_quantile_definition,
                                                            .better = 0,
                                                            .ideal = 0.9,
                                                            .unit = "1",
                                                            .target = coverage_quantile_target};

static const struct ssk_component coverage_quantile_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_METRIC,
    .name = "coverage_quantile",
    .summary = "how often the truth is at or under a quantile; best is its level",
    .doc = "Mean of 1[y <= q], with q the samples' quantile at the level: GluonTS's Coverage[p]. "
           "The metric coverage is of central intervals, and unbiased for few samples.",
    .self_size = sizeof(struct coverage_quantile),
    .params = coverage_quantile_params,
    .ops = &coverage_quantile_ops,
};

SSK_PLUGIN(&coverage_quantile_component)
