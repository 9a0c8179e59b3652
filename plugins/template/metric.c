/* SPDX-License-Identifier: GPL-3.0-or-later */
/* example.c - a metric: a figure of a forecast beside the truth.
 *
 *     |mean of the samples - truth|^power, mean over the observed entries of the horizon
 *
 * The kernel takes the mean over series, with its standard error. `definition` must name every
 * setting that the figure depends on: figures are compared where definitions agree. */
#include <math.h>
#include <sskit/plugin.h>

struct own {
  double power; /* a parameter, filled by the kernel */
};

/* The figure of one series; NaN where it has none. */
static double value(const void *self, const struct ssk_case *c) {
  const struct own *s = self;
  const int entries = c->horizon * c->D;
  double sum = 0;
  int n = 0;
  for (int e = 0; e < entries; e++) {
    if (c->truth_mask[e] == 0)
      continue;
    double mean = 0;
    for (int k = 0; k < c->samples; k++)
      mean += c->paths[(size_t)k * (size_t)entries + (size_t)e] / c->samples;
    sum += pow(fabs(mean - c->truth[e]), s->power);
    n++;
  }
  return n ? sum / n : NAN;
}

static void definition(const void *self, char *text, size_t n) {
  const struct own *s = self;
  snprintf(text, n, "|samples' mean - truth|^%g, mean over observed entries of the horizon",
           s->power);
}

static const struct ssk_param params[] = {
    SSK_PARAM_REAL(struct own, power, "1", 0.1, 8, NULL, "The larger, the more outliers count."),
    SSK_PARAM_END};

static const struct ssk_metric_ops ops = {.size = sizeof ops,
                                          .needs = SSK_NEEDS_SAMPLES,
                                          .value = value,
                                          .definition = definition,
                                          .better = -1,
                                          .unit = "1"};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_METRIC,
    .name = "example",
    .summary = "error of the samples' mean, to a power",
    .doc = "|mean of the samples - truth|^power, mean over the observed entries of the horizon.",
    .self_size = sizeof(struct own),
    .params = params,
    .ops = &ops,
};

SSK_PLUGIN(&component)
