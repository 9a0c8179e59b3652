/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nd.c - errors of point forecasts relative to the size of the series, as GluonTS defines them:
 * nd of the median, nrmse of the mean. */
#include "quantile.h"
#include "ratio.h"

struct nd {
  int quantile;
};

static const struct ssk_param nd_params[] = {
    SSK_PARAM_ENUM(struct nd, quantile, "nearest", quantile_forms, QUANTILE_DOC),
    SSK_PARAM_END,
};

static bool nd_accumulate(const void *self, const struct ssk_case *c, double *terms) {
  const struct nd *m = self;
  double *sorted = malloc((size_t)c->samples * sizeof *sorted);
  int n = 0;
  terms[0] = terms[1] = 0;
  for (int e = 0; e < c->horizon * c->D && sorted; e++)
    if (c->truth_mask[e] != 0) {
      quantile_sort(c, e, sorted);
      terms[0] += fabs(c->truth[e] - quantile_of(m->quantile, sorted, c->samples, 0.5));
      terms[1] += fabs(c->truth[e]);
      n++;
    }
  free(sorted);
  return n > 0;
}

static void nd_definition(const void *self, char *text, size_t n) {
  const struct nd *m = self;
  snprintf(text, n,
           "normalised deviation: sum of |y - median of the samples (%s)| over observed entries, "
           "over the sum of |y|",
           quantile_forms[m->quantile]);
}

/* An item is one dimension of one series. terms: the sum over items of the mean squared error, of
 * the mean |y|, and their number. */
static bool nrmse_accumulate(const void *self, const struct ssk_case *c, double *terms) {
  size_t entries = (size_t)c->horizon * (size_t)c->D;
  (void)self;
  terms[0] = terms[1] = terms[2] = 0;
  for (int k = 0; k < c->D; k++) {
    double squares = 0, size = 0;
    int n = 0;
    for (size_t e = (size_t)k; e < entries; e += (size_t)c->D) {
      if (c->truth_mask[e] == 0)
        continue;
      double sum = 0;
      for (size_t s = 0; s < (size_t)c->samples; s++)
        sum += c->paths[s * entries + e];
      double error = sum / c->samples - c->truth[e];
      squares += error * error;
      size += fabs(c->truth[e]);
      n++;
    }
    if (n) {
      terms[0] += squares / n;
      terms[1] += size / n;
      terms[2]++;
    }
  }
  return terms[2] > 0;
}

/* sqrt(a / n) / (b / n) = sqrt(a n) / b */
static double nrmse_finish(const void *self, const double *means, double *gradient) {
  (void)self;
  if (means[1] <= 0)
    return NAN;
  double figure = sqrt(means[0] * means[2]) / means[1];
  gradient[0] = means[0] > 0 ? figure / (2 * means[0]) : 0;
  gradient[1] = -figure / means[1];
  gradient[2] = figure / (2 * means[2]);
  return figure;
}

static void nrmse_definition(const void *self, char *text, size_t n) {
  (void)self;
  snprintf(
      text, n,
      "root of the squared error of the samples' mean over the mean of |y|, each the mean over "
      "items (dimensions of series) of the mean over observed steps");
}

static const struct ssk_metric_ops nd_ops = {.size = sizeof(struct ssk_metric_ops),
                                             .needs = SSK_NEEDS_SAMPLES,
                                             .definition = nd_definition,
                                             .better = -1,
                                             .unit = "1",
                                             .terms = 2,
                                             .accumulate = nd_accumulate,
                                             .finish = ratio_of_sums};

static const struct ssk_metric_ops nrmse_ops = {.size = sizeof(struct ssk_metric_ops),
                                                .needs = SSK_NEEDS_SAMPLES,
                                                .definition = nrmse_definition,
                                                .better = -1,
                                                .unit = "1",
                                                .terms = 3,
                                                .accumulate = nrmse_accumulate,
                                                .finish = nrmse_finish};

static const struct ssk_component nd_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_METRIC,
    .name = "nd",
    .summary = "normalised deviation of the median forecast (GluonTS's ND)",
    .doc = "sum |y - median| / sum |y| over all observed entries of all series.",
    .self_size = sizeof(struct nd),
    .params = nd_params,
    .ops = &nd_ops,
};

static const struct ssk_component nrmse_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_METRIC,
    .name = "nrmse",
    .summary =
        "root mean squared error of the mean forecast over the mean of |y| (GluonTS's NRMSE)",
    .doc = "The root is taken once, of the mean over all series: unlike rmse, which is the mean of "
           "the series' roots.",
    .self_size = sizeof(char),
    .ops = &nrmse_ops,
};

SSK_PLUGIN(&nd_component, &nrmse_component)
