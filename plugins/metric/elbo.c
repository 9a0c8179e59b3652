/* SPDX-License-Identifier: GPL-3.0-or-later */
/* elbo.c - the evidence lower bound at lambda = 1, all constants included, in nats a step of the
 * data in its own units. For the oracle it is the exact log-likelihood, or its particle estimate.
 */
#include "ratio.h"

static double elbo_value(const void *self, const struct ssk_case *c) {
  (void)self;
  if (!c->has_bound || c->bound_length < 1)
    return NAN;
  return -(c->distortion + c->rate_initial + c->rate_transition) / c->bound_length;
}

static void elbo_definition(const void *self, char *text, size_t n) {
  (void)self;
  snprintf(text, n,
           "evidence lower bound at lambda = 1 with all constants, data's own units, sum over "
           "steps / number of steps (oracle: log-likelihood)");
}

static const struct ssk_metric_ops elbo_ops = {.size = sizeof(struct ssk_metric_ops),
                                               .needs = SSK_NEEDS_BOUND,
                                               .value = elbo_value,
                                               .definition = elbo_definition,
                                               .better = +1,
                                               .unit = "nats/step"};

static const struct ssk_component elbo_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_METRIC,
    .name = "elbo",
    .summary = "evidence lower bound in nats a step, higher is better",
    .doc =
        "-(distortion + rate of the first latents + rate of the transitions) / steps, at lambda = "
        "1. Bounds of different models can be compared: no constant is left out.",
    .self_size = sizeof(char),
    .ops = &elbo_ops,
};

static bool pooled_terms(const void *self, const struct ssk_case *c, double *terms) {
  (void)self;
  if (!c->has_bound || c->bound_length < 1)
    return false;
  terms[0] = -(c->distortion + c->rate_initial + c->rate_transition);
  terms[1] = c->bound_length;
  return true;
}

static void pooled_definition(const void *self, char *text, size_t n) {
  (void)self;
  snprintf(text, n,
           "evidence lower bound at lambda = 1 with all constants, data's own units, sum over all "
           "series and steps / number of all steps (oracle: log-likelihood)");
}

static const struct ssk_metric_ops pooled_ops = {.size = sizeof(struct ssk_metric_ops),
                                                 .needs = SSK_NEEDS_BOUND,
                                                 .definition = pooled_definition,
                                                 .better = +1,
                                                 .unit = "nats/step",
                                                 .terms = 2,
                                                 .accumulate = pooled_terms,
                                                 .finish = ratio_of_sums};

static const struct ssk_component pooled_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_METRIC,
    .name = "elbo_pooled",
    .summary = "evidence lower bound in nats a step of all series together, higher is better",
    .doc = "The bound summed over all series, over the number of all steps; `elbo` is the mean of "
           "each series' own nats a step. They differ where lengths do. Published figures of "
           "polyphonic music are of this kind, with the sign turned.",
    .self_size = sizeof(char),
    .ops = &pooled_ops,
};

SSK_PLUGIN(&elbo_component, &pooled_component)
