/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kernel_jsd.c - how far one step of the transition is from the exact kernel p(z_t | z_{t-1}).
 *
 * The Jensen-Shannon divergence, base e, of the histogram of the transition's draws from the bin
 * masses of the oracle's one-dimensional marginals. It lies in [0, ln 2]; n draws of the kernel
 * itself score about (occupied bins - 1)/(8 n). */
#include "histogram.h"

static const struct ssk_param kernel_jsd_params[] = {
    SSK_PARAM_INT(struct histogram, bins, "300", 2, HISTOGRAM_MAX_BINS, "bins",
                  "Bins of the histogram."),
    SSK_PARAM_REAL(struct histogram, range, "10", 1e-6, 1e6, "latent",
                   "The bins divide [-range, range] about the kernel's mean; the outermost two "
                   "reach to infinity."),
    SSK_PARAM_END,
};

struct kernel_reference {
  const struct ssk_case *c;
  int dim;
  double centre;
};

static double kernel_jsd_cdf(const void *state, double edge) {
  const struct kernel_reference *r = state;
  return r->c->oracle->transition_cdf(r->c->oracle_self, r->c->z_last, r->dim, r->centre + edge);
}

static double kernel_jsd_value(const void *self, const struct ssk_case *c) {
  if (!c->kernel || !c->oracle->transition_cdf)
    return NAN;
  double sum = 0;
  for (int k = 0; k < c->latents; k++) {
    struct kernel_reference r = {.c = c, .dim = k};
    for (int i = 0; i < c->draws; i++)
      r.centre += c->kernel[i * c->latents + k] / c->draws;
    sum +=
        histogram_jsd(self, c->transition + k, c->draws, c->latents, r.centre, kernel_jsd_cdf, &r);
  }
  return sum / c->latents;
}

static void kernel_jsd_definition(const void *self, char *text, size_t n) {
  const struct histogram *h = self;
  snprintf(text, n,
           "Jensen-Shannon divergence, nats, of the histogram of the transition's draws, one step "
           "from the true latents, from the exact kernel's marginals (%d bins on [-%g, %g] about "
           "its mean, outermost open, floor %g); mean over dimensions",
           (int)h->bins, h->range, h->range, HISTOGRAM_FLOOR);
}

static const struct ssk_metric_ops kernel_jsd_ops = {.size = sizeof(struct ssk_metric_ops),
                                                     .needs =
                                                         SSK_NEEDS_TRANSITION | SSK_NEEDS_ORACLE,
                                                     .value = kernel_jsd_value,
                                                     .definition = kernel_jsd_definition,
                                                     .better = -1,
                                                     .unit = "nats"};

static const struct ssk_component kernel_jsd_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_METRIC,
    .name = "kernel_jsd",
    .summary = "divergence of one step of the transition from the exact kernel",
    .doc = "JSD(p, q) = KL(p, m)/2 + KL(q, m)/2 with m = (p + q)/2, of the draws' histogram p and "
           "the bin masses q of p(z_t | z_{t-1}), dimension by dimension. Between 0 and ln 2; the "
           "row `oracle` shows what is left for as many draws of the kernel itself. Needs the true "
           "latents (encoder truth) and an oracle that knows the cdf of its transition.",
    .self_size = sizeof(struct histogram),
    .params = kernel_jsd_params,
    .ops = &kernel_jsd_ops,
};

SSK_PLUGIN(&kernel_jsd_component)
