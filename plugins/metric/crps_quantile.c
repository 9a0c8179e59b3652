/* SPDX-License-Identifier: GPL-3.0-or-later */
/* crps_quantile.c - the weighted quantile loss, which the forecasting literature calls CRPS, of
 * each dimension and of the sum over dimensions.
 *
 * Twice the pinball loss at levels k/(levels + 1), averaged over levels, summed over all entries of
 * all series and divided by the sum of |y|. It is GluonTS's mean_wQuantileLoss (Alexandrov et al.
 * 2020), with 19 levels as TimeGrad (Rasul et al. 2021) and CSDI (Tashiro et al. 2021) report it,
 * and of the sum its m_sum_mean_wQuantileLoss, there CRPS-sum. */
#include "quantile.h"
#include "ratio.h"

struct crps_quantile {
  int64_t levels;
  int quantile;
};

static const struct ssk_param crps_quantile_params[] = {
    SSK_PARAM_INT(struct crps_quantile, levels, "19", 1, 999, NULL,
                  "Levels k/(levels + 1): 19 are 0.05, 0.1, ..., 0.95; GluonTS's Evaluator has 9."),
    SSK_PARAM_ENUM(struct crps_quantile, quantile, "nearest", quantile_forms, QUANTILE_DOC),
    SSK_PARAM_END,
};

/* Mean over levels of twice the pinball loss. */
static double crps_quantile_loss(const struct crps_quantile *m, const double *sorted, int n,
                                 double truth) {
  double sum = 0;
  for (int64_t k = 1; k <= m->levels; k++) {
    double p = (double)k / (double)(m->levels + 1);
    double q = quantile_of(m->quantile, sorted, n, p);
    sum += 2 * fabs((q - truth) * ((truth <= q) - p));
  }
  return sum / (double)m->levels;
}

static bool crps_quantile_accumulate(const void *self, const struct ssk_case *c, double *terms) {
  double *sorted = malloc((size_t)c->samples * sizeof *sorted);
  int n = 0;
  terms[0] = terms[1] = 0;
  for (int e = 0; e < c->horizon * c->D && sorted; e++) {
    if (c->truth_mask[e] == 0)
      continue;
    quantile_sort(c, e, sorted);
    terms[0] += crps_quantile_loss(self, sorted, c->samples, c->truth[e]);
    terms[1] += fabs(c->truth[e]);
    n++;
  }
  free(sorted);
  return n > 0;
}

/* The sum over dimensions of D numbers. */
static double crps_sum_over(const double *x, int D) {
  double sum = 0;
  for (int k = 0; k < D; k++)
    sum += x[k];
  return sum;
}

static bool crps_sum_accumulate(const void *self, const struct ssk_case *c, double *terms) {
  double *sorted = malloc((size_t)c->samples * sizeof *sorted);
  int n = 0;
  terms[0] = terms[1] = 0;
  for (int t = 0; t < c->horizon && sorted; t++) {
    bool whole = true;
    for (int k = 0; k < c->D; k++)
      whole = whole && c->truth_mask[t * c->D + k] != 0;
    if (!whole)
      continue;
    for (int s = 0; s < c->samples; s++)
      sorted[s] = crps_sum_over(
          c->paths + ((size_t)s * (size_t)c->horizon + (size_t)t) * (size_t)c->D, c->D);
    qsort(sorted, (size_t)c->samples, sizeof *sorted, samples_order);
    double truth = crps_sum_over(c->truth + t * c->D, c->D);
    terms[0] += crps_quantile_loss(self, sorted, c->samples, truth);
    terms[1] += fabs(truth);
    n++;
  }
  free(sorted);
  return n > 0;
}

static void crps_quantile_define(const struct crps_quantile *m, const char *what, char *text,
                                 size_t n) {
  snprintf(text, n,
           "weighted quantile loss %s: mean over the %d levels k/%d of twice the pinball loss at "
           "the samples' quantiles (%s), summed, over the sum of |y|",
           what, (int)m->levels, (int)m->levels + 1, quantile_forms[m->quantile]);
}

static void crps_quantile_definition(const void *self, char *text, size_t n) {
  crps_quantile_define(self, "of the observed entries", text, n);
}

static void crps_sum_definition(const void *self, char *text, size_t n) {
  crps_quantile_define(self, "of the sum over dimensions at steps observed in all", text, n);
}

static const struct ssk_metric_ops crps_quantile_ops = {.size = sizeof(struct ssk_metric_ops),
                                                        .needs = SSK_NEEDS_SAMPLES,
                                                        .definition = crps_quantile_definition,
                                                        .better = -1,
                                                        .unit = "1",
                                                        .terms = 2,
                                                        .accumulate = crps_quantile_accumulate,
                                                        .finish = ratio_of_sums};

static const struct ssk_metric_ops crps_sum_ops = {.size = sizeof(struct ssk_metric_ops),
                                                   .needs = SSK_NEEDS_SAMPLES,
                                                   .definition = crps_sum_definition,
                                                   .better = -1,
                                                   .unit = "1",
                                                   .terms = 2,
                                                   .accumulate = crps_sum_accumulate,
                                                   .finish = ratio_of_sums};

static const struct ssk_component crps_quantile_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_METRIC,
    .name = "crps_quantile",
    .summary = "weighted quantile loss as GluonTS and CSDI report it, there called CRPS",
    .doc =
        "2 sum |(q - y)(1[y <= q] - p)| / sum |y|, the mean over levels p, with q the samples'\n"
        "quantile at p; sums over all observed entries of all series. GluonTS's\n"
        "mean_wQuantileLoss is {levels: 9, quantile: nearest}; TimeGrad's figures have 19 levels,\n"
        "CSDI's {levels: 19, quantile: linear}. It has no units, and unlike crps it is biased for\n"
        "few samples and levels.",
    .self_size = sizeof(struct crps_quantile),
    .params = crps_quantile_params,
    .ops = &crps_quantile_ops,
};

static const struct ssk_component crps_sum_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_METRIC,
    .name = "crps_sum",
    .summary = "the same of the sum over dimensions: CRPS-sum",
    .doc = "crps_quantile of y_1 + ... + y_D, normalised by the sum of |y_1 + ... + y_D|: "
           "GluonTS's m_sum_mean_wQuantileLoss. Steps with a missing dimension are left out.",
    .self_size = sizeof(struct crps_quantile),
    .params = crps_quantile_params,
    .ops = &crps_sum_ops,
};

SSK_PLUGIN(&crps_quantile_component, &crps_sum_component)
