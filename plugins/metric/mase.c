/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mase.c - scaled errors, as GluonTS and the M4 competition define them: mase of the median
 * (Hyndman and Koehler 2006), msis of an interval (Gneiting and Raftery 2007; Makridakis et al.
 * 2020). An item is one dimension of one series. */
#include "ratio.h"
#include "seasonal.h"

struct mase {
  int64_t seasonality;
  int quantile;
};

struct msis {
  int64_t seasonality;
  double alpha;
  int quantile;
};

#define SEASONALITY_DOC                                                                            \
  "Steps m of the seasonal naive forecast whose error |y_t - y_{t-m}| within the history is the "  \
  "scale; 1 where the history is no longer than m."

static const struct ssk_param mase_params[] = {
    SSK_PARAM_INT(struct mase, seasonality, "1", 1, 1e6, "steps", SEASONALITY_DOC),
    SSK_PARAM_ENUM(struct mase, quantile, "nearest", quantile_forms, QUANTILE_DOC),
    SSK_PARAM_END,
};

static const struct ssk_param msis_params[] = {
    SSK_PARAM_INT(struct msis, seasonality, "1", 1, 1e6, "steps", SEASONALITY_DOC),
    SSK_PARAM_REAL(struct msis, alpha, "0.05", 1e-6, 0.999, "1",
                   "The interval is the central one of probability 1 - alpha."),
    SSK_PARAM_ENUM(struct msis, quantile, "nearest", quantile_forms, QUANTILE_DOC),
    SSK_PARAM_END,
};

static double mase_score(const void *self, const double *sorted, int n, double truth) {
  const struct mase *m = self;
  return fabs(truth - quantile_of(m->quantile, sorted, n, 0.5));
}

static double msis_score(const void *self, const double *sorted, int n, double truth) {
  const struct msis *m = self;
  double low = quantile_of(m->quantile, sorted, n, m->alpha / 2);
  double high = quantile_of(m->quantile, sorted, n, 1 - m->alpha / 2);
  double outside = truth < low ? low - truth : truth > high ? truth - high : 0;
  return high - low + 2 / m->alpha * outside;
}

static bool mase_accumulate(const void *self, const struct ssk_case *c, double *terms) {
  const struct mase *m = self;
  return seasonal_accumulate(self, c, (int)m->seasonality, mase_score, terms);
}

static bool msis_accumulate(const void *self, const struct ssk_case *c, double *terms) {
  const struct msis *m = self;
  return seasonal_accumulate(self, c, (int)m->seasonality, msis_score, terms);
}

static void mase_definition(const void *self, char *text, size_t n) {
  const struct mase *m = self;
  snprintf(text, n,
           "absolute error of the samples' median (%s) over the history's mean |y_t - y_{t-%d}|, "
           "mean over items (dimensions of series) with a positive scale",
           quantile_forms[m->quantile], (int)m->seasonality);
}

static void msis_definition(const void *self, char *text, size_t n) {
  const struct msis *m = self;
  snprintf(text, n,
           "interval score of the samples' central %g interval (quantiles %s) over the history's "
           "mean |y_t - y_{t-%d}|, mean over items (dimensions of series) with a positive scale",
           1 - m->alpha, quantile_forms[m->quantile], (int)m->seasonality);
}

static const struct ssk_metric_ops mase_ops = {.size = sizeof(struct ssk_metric_ops),
                                               .needs = SSK_NEEDS_SAMPLES,
                                               .definition = mase_definition,
                                               .better = -1,
                                               .unit = "1",
                                               .terms = 2,
                                               .accumulate = mase_accumulate,
                                               .finish = ratio_of_sums};

static const struct ssk_metric_ops msis_ops = {.size = sizeof(struct ssk_metric_ops),
                                               .needs = SSK_NEEDS_SAMPLES,
                                               .definition = msis_definition,
                                               .better = -1,
                                               .unit = "1",
                                               .terms = 2,
                                               .accumulate = msis_accumulate,
                                               .finish = ratio_of_sums};

static const struct ssk_component mase_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_METRIC,
    .name = "mase",
    .summary = "absolute error of the median over that of the seasonal naive forecast",
    .doc = "mean_t |y_t - median| / mean |y_t - y_{t-m}| of the history, for each dimension of "
           "each series, then the mean. Items whose history does not move are left out.",
    .self_size = sizeof(struct mase),
    .params = mase_params,
    .ops = &mase_ops,
};

static const struct ssk_component msis_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_METRIC,
    .name = "msis",
    .summary = "width of the forecast interval with a penalty for misses, scaled as mase",
    .doc = "mean_t [u - l + 2/alpha (l - y) 1[y < l] + 2/alpha (y - u) 1[y > u]] over the scale of "
           "mase, with l and u the samples' quantiles at alpha/2 and 1 - alpha/2.",
    .self_size = sizeof(struct msis),
    .params = msis_params,
    .ops = &msis_ops,
};

SSK_PLUGIN(&mase_component, &msis_component)
