/* SPDX-License-Identifier: GPL-3.0-or-later */
/* imputation.c - how well what was held out is filled in: imputation_rmse and imputation_crps.
 *
 * They look at entries that were observed and are hidden from the model by the recipe's section
 * `missing`; what was missing from the start has no truth to be scored by. */
#include "crps_score.h"

/* ---- imputation_rmse ------------------------------------------------------------------------- */

static double rmse_value(const void *self, const struct ssk_case *c) {
  const struct ssk_smoothing *s = c->smoothing;
  const int entries = s->hidden ? s->length * c->D : 0;
  double squares = 0;
  int n = 0;
  (void)self;
  for (int e = 0; e < entries; e++)
    if (s->hidden[e] != 0) {
      squares += (s->mean[e] - s->x[e]) * (s->mean[e] - s->x[e]);
      n++;
    }
  return n ? sqrt(squares / n) : NAN;
}

static void rmse_definition(const void *self, char *text, size_t n) {
  (void)self;
  snprintf(text, n,
           "root mean squared error of the posterior mean over the entries held out, taken per "
           "series");
}

static const struct ssk_metric_ops rmse_ops = {.size = sizeof rmse_ops,
                                               .needs = SSK_NEEDS_POSTERIOR,
                                               .value = rmse_value,
                                               .definition = rmse_definition,
                                               .better = -1,
                                               .unit = "data"};

static const struct ssk_component rmse_component = {
    .size = sizeof rmse_component,
    .kind = SSK_METRIC,
    .name = "imputation_rmse",
    .summary = "root mean squared error of what is imputed, per series",
    .doc = "sqrt(mean over the entries held out (section `missing`) of (posterior mean - truth)^2) "
           "of each series; the mean of these roots is reported. The posterior sees the whole "
           "series, what comes after an entry too. A series without such entries has no value.",
    .self_size = sizeof(char),
    .ops = &rmse_ops,
};

/* ---- imputation_crps ------------------------------------------------------------------------- */

static double crps_value(const void *self, const struct ssk_case *c) {
  const struct ssk_smoothing *s = c->smoothing;
  return s->hidden ? samples_mean_over(self, s->paths, c->samples, s->length * c->D, s->x,
                                       s->hidden, crps_score)
                   : NAN;
}

static void crps_definition(const void *self, char *text, size_t n) {
  (void)self;
  snprintf(text, n,
           "continuous ranked probability score of posterior samples, fair estimator, mean over "
           "the entries held out");
}

static const struct ssk_metric_ops crps_ops = {.size = sizeof crps_ops,
                                               .needs = SSK_NEEDS_POSTERIOR,
                                               .value = crps_value,
                                               .definition = crps_definition,
                                               .better = -1,
                                               .unit = "data"};

static const struct ssk_component crps_component = {
    .size = sizeof crps_component,
    .kind = SSK_METRIC,
    .name = "imputation_crps",
    .summary = "continuous ranked probability score of what is imputed",
    .doc = "E|X - y| - E|X - X'|/2 of posterior samples X of each entry y that was held out "
           "(section `missing`), by the fair estimator (Ferro 2014); mean over these entries.",
    .self_size = sizeof(char),
    .ops = &crps_ops,
};

SSK_PLUGIN(&rmse_component, &crps_component)
