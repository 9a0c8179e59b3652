/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rmse.c - the root of the mean squared error of the mean forecast, for each series.
 *
 * The root is taken per series, over its observed entries, and the table shows the mean of the
 * roots: that is at most the root of the mean over all series, which has no standard error of its
 * own. */
#include <math.h>
#include <sskit/plugin.h>

static double rmse_value(const void *self, const struct ssk_case *c) {
  int entries = c->horizon * c->D, n = 0;
  double squares = 0;
  (void)self;
  for (int e = 0; e < entries; e++) {
    if (c->truth_mask[e] == 0)
      continue;
    double sum = 0;
    for (int s = 0; s < c->samples; s++)
      sum += c->paths[(size_t)s * (size_t)entries + (size_t)e];
    double error = sum / c->samples - c->truth[e];
    squares += error * error;
    n++;
  }
  return n ? sqrt(squares / n) : NAN;
}

static void rmse_definition(const void *self, char *text, size_t n) {
  (void)self;
  snprintf(text, n,
           "root mean squared error of the samples' mean over observed entries of the horizon, "
           "taken per series");
}

static const struct ssk_metric_ops rmse_ops = {.size = sizeof(struct ssk_metric_ops),
                                               .needs = SSK_NEEDS_SAMPLES,
                                               .value = rmse_value,
                                               .definition = rmse_definition,
                                               .better = -1,
                                               .unit = "data"};

static const struct ssk_component rmse_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_METRIC,
    .name = "rmse",
    .summary = "root mean squared error of the mean forecast, per series",
    .doc =
        "sqrt(mean over observed entries of (mean of the samples - truth)^2) of each series; the "
        "mean of these roots is reported, not the root over all series.",
    .self_size = sizeof(char),
    .ops = &rmse_ops,
};

SSK_PLUGIN(&rmse_component)
