/* SPDX-License-Identifier: GPL-3.0-or-later */
/* jsd.c - how far the one-step forecast is from the true predictive distribution.
 *
 * The Jensen-Shannon divergence, base e, of the histogram of forecast samples from the bin masses
 * of the oracle's predictive given the true last latent. It lies in [0, ln 2]; samples of the truth
 * itself do not reach 0: with 300 bins and 1024 samples of `bimodal`, 0.0056 is left. */
#include "histogram.h"

static const struct ssk_param jsd_params[] = {
    SSK_PARAM_INT(struct histogram, bins, "300", 2, HISTOGRAM_MAX_BINS, "bins",
                  "Bins of the histogram."),
    SSK_PARAM_REAL(
        struct histogram, range, "10", 1e-6, 1e6, "data",
        "The bins divide [-range, range] about the predictive's centre; the outermost two "
        "reach to infinity."),
    SSK_PARAM_END,
};

struct jsd_reference {
  const struct ssk_case *c;
  int dim;
  double centre;
};

static double jsd_cdf(const void *state, double edge) {
  const struct jsd_reference *r = state;
  return r->c->oracle->predictive_cdf(r->c->oracle_self, r->c->z_last, r->dim, r->centre + edge);
}

static double jsd_value(const void *self, const struct ssk_case *c) {
  if (!c->oracle->predictive_cdf || !c->oracle->predictive_centre || c->horizon < 1)
    return NAN;
  double sum = 0;
  for (int k = 0; k < c->D; k++) {
    struct jsd_reference r = {.c = c, .dim = k};
    r.centre = c->oracle->predictive_centre(c->oracle_self, c->z_last, k);
    sum += histogram_jsd(self, c->paths + k, c->samples, c->horizon * c->D, r.centre, jsd_cdf, &r);
  }
  return sum / c->D;
}

static void jsd_definition(const void *self, char *text, size_t n) {
  const struct histogram *h = self;
  snprintf(text, n,
           "Jensen-Shannon divergence, nats, of the first step's sample histogram (%d bins on "
           "[-%g, %g] about the true centre, outermost open, floor %g) from the true predictive "
           "given the true latent; mean over dimensions",
           (int)h->bins, h->range, h->range, HISTOGRAM_FLOOR);
}

static const struct ssk_metric_ops jsd_ops = {.size = sizeof(struct ssk_metric_ops),
                                              .needs = SSK_NEEDS_SAMPLES | SSK_NEEDS_ORACLE,
                                              .value = jsd_value,
                                              .definition = jsd_definition,
                                              .better = -1,
                                              .unit = "nats"};

static const struct ssk_component jsd_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_METRIC,
    .name = "jsd",
    .summary = "divergence of the one-step forecast from the true predictive distribution",
    .doc =
        "JSD(p, q) = KL(p, m)/2 + KL(q, m)/2 with m = (p + q)/2, of the samples' histogram p and "
        "the oracle's bin masses q. Between 0 and ln 2. Needs a data set with an oracle.",
    .self_size = sizeof(struct histogram),
    .params = jsd_params,
    .ops = &jsd_ops,
};

SSK_PLUGIN(&jsd_component)
