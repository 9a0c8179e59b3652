/* SPDX-License-Identifier: GPL-3.0-or-later */
/* smoothing.c - how well the series behind the noise is found: smoothing_rmse and smoothing_gap.
 *
 * Latents of two models are the same only up to a map that no data can tell, so what is compared is
 * the observation without its noise, E[x_t | z_t]: of the true latents, and its posterior mean
 * given the whole series. Where x = z + noise, that is the latent itself. */
#include <math.h>
#include <sskit/plugin.h>

/* Between the posterior mean and `wanted` over all entries of the series. */
static double distance(const struct ssk_case *c, const double *wanted) {
  const struct ssk_smoothing *s = c->smoothing;
  const int entries = s->length * c->D;
  double squares = 0;
  for (int e = 0; wanted && e < entries; e++)
    squares += (s->mean[e] - wanted[e]) * (s->mean[e] - wanted[e]);
  return wanted ? sqrt(squares / entries) : NAN;
}

/* ---- smoothing_rmse -------------------------------------------------------------------------- */

static double rmse_value(const void *self, const struct ssk_case *c) {
  (void)self;
  return distance(c, c->smoothing->signal);
}

static void rmse_definition(const void *self, char *text, size_t n) {
  (void)self;
  snprintf(text, n,
           "root mean squared error of the posterior mean of the observation without its noise, "
           "over all entries, seen or not, taken per series");
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
    .name = "smoothing_rmse",
    .summary = "root mean squared error of the smoothed series, per series",
    .doc = "sqrt(mean over all entries of (E[s_t | x_{1:T}] - s_t)^2) with s_t = E[x_t | z_t], the "
           "observation without its noise, at the true latents; the mean of the roots of all "
           "series is reported. Where x = z + noise, s is the latent. On data whose process is "
           "known. On linear and Gaussian data nothing does better than the oracle, the smoother "
           "of Rauch, Tung and Striebel 1965.",
    .self_size = sizeof(char),
    .ops = &rmse_ops,
};

/* ---- smoothing_gap --------------------------------------------------------------------------- */

static double gap_value(const void *self, const struct ssk_case *c) {
  (void)self;
  return distance(c, c->smoothing->exact);
}

static void gap_definition(const void *self, char *text, size_t n) {
  (void)self;
  snprintf(text, n,
           "root mean squared distance of the posterior mean of the observation without its noise "
           "from the Kalman smoother's, over all entries, taken per series");
}

static const struct ssk_metric_ops gap_ops = {.size = sizeof gap_ops,
                                              .needs = SSK_NEEDS_POSTERIOR,
                                              .value = gap_value,
                                              .definition = gap_definition,
                                              .better = -1,
                                              .unit = "data"};

static const struct ssk_component gap_component = {
    .size = sizeof gap_component,
    .kind = SSK_METRIC,
    .name = "smoothing_gap",
    .summary = "distance of the smoothed series from the exact smoother's, per series",
    .doc = "sqrt(mean over all entries of (E_model[s_t | x_{1:T}] - E[s_t | x_{1:T}])^2), with the "
           "exact expectation by the smoother of Rauch, Tung and Striebel 1965: on data whose "
           "process is linear and Gaussian only. Of the same s_t as smoothing_rmse, whose square "
           "exceeds the exact smoother's by the square of this, but for chance.",
    .self_size = sizeof(char),
    .ops = &gap_ops,
};

SSK_PLUGIN(&rmse_component, &gap_component)
