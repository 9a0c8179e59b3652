/* SPDX-License-Identifier: GPL-3.0-or-later */
/* coverage.c - how often the truth lies in the central interval that should hold it.
 *
 * The interval's ends are the sample quantiles at (1 -+ level)/2, at positions p (n + 1) of the
 * sorted samples (Hyndman and Fan 1996, type 6): for these, a forecast that is right covers the
 * nominal level whatever the number of samples. */
#include "samples.h"

struct coverage {
  double level;
};

static const struct ssk_param coverage_params[] = {
    SSK_PARAM_REAL(struct coverage, level, "0.9", 0.01, 0.999, "1",
                   "Nominal probability of the interval."),
    SSK_PARAM_END,
};

static double coverage_quantile(const double *sorted, int n, double p) {
  double place = p * (n + 1) - 1;
  if (place <= 0)
    return sorted[0];
  if (place >= n - 1)
    return sorted[n - 1];
  int below = (int)place;
  return sorted[below] + (place - below) * (sorted[below + 1] - sorted[below]);
}

static double coverage_score(const void *self, const double *sorted, int n, double truth) {
  const struct coverage *m = self;
  return truth >= coverage_quantile(sorted, n, 0.5 * (1 - m->level)) &&
         truth <= coverage_quantile(sorted, n, 0.5 * (1 + m->level));
}

static double coverage_value(const void *self, const struct ssk_case *c) {
  return samples_mean_score(self, c, coverage_score);
}

static double coverage_target(const void *self) {
  const struct coverage *m = self;
  return m->level;
}

static void coverage_definition(const void *self, char *text, size_t n) {
  const struct coverage *m = self;
  snprintf(text, n,
           "fraction of observed entries of the horizon within the central %g interval of the "
           "samples (quantiles of type 6)",
           m->level);
}

static const struct ssk_metric_ops coverage_ops = {.size = sizeof(struct ssk_metric_ops),
                                                   .needs = SSK_NEEDS_SAMPLES,
                                                   .value = coverage_value,
                                                   .definition = coverage_definition,
                                                   .better = 0,
                                                   .ideal = 0.9,
                                                   .unit = "1",
                                                   .target = coverage_target};

static const struct ssk_component coverage_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_METRIC,
    .name = "coverage",
    .summary = "how often the central interval holds the truth; best is its level",
    .doc = "The fraction of observed entries between the sample quantiles at (1 - level)/2 and "
           "(1 + level)/2. Below the level: too narrow; above: too wide.",
    .self_size = sizeof(struct coverage),
    .params = coverage_params,
    .ops = &coverage_ops,
};

SSK_PLUGIN(&coverage_component)
