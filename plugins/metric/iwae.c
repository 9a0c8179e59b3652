/* SPDX-License-Identifier: GPL-3.0-or-later */
/* iwae.c - the importance-weighted likelihood, and the two figures that say how far it can be
 * trusted. It ranks models where bounds do not: a bound's gap is the encoder's and the transition's
 * own, this one's closes as the paths become many.
 *
 *   log p(x) ~ log mean_i exp( log p(x, z_i) - log q(z_i | x) ),   z_i ~ q
 *
 * Burda, Grosse, Salakhutdinov: Importance weighted autoencoders, ICLR 2016, equation 8. */
#include "ratio.h"

static double iwae_value(const void *self, const struct ssk_case *c) {
  (void)self;
  return c->likelihood_length < 1 ? NAN : c->log_likelihood / c->likelihood_length;
}

static void iwae_definition(const void *self, char *text, size_t n) {
  (void)self;
  snprintf(text, n,
           "log of the mean importance weight of paths of the encoder, exact transition density, "
           "data's own units, sum over steps / number of steps (oracle: log-likelihood)");
}

static const char *const iwae_beside[] = {"iwae_ess", "iwae_khat", NULL};

static const struct ssk_metric_ops iwae_ops = {.size = sizeof(struct ssk_metric_ops),
                                               .needs = SSK_NEEDS_LIKELIHOOD,
                                               .value = iwae_value,
                                               .definition = iwae_definition,
                                               .better = +1,
                                               .unit = "nats/step",
                                               .beside = iwae_beside};

static const struct ssk_component iwae_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_METRIC,
    .name = "iwae",
    .summary = "importance-weighted log-likelihood in nats a step, higher is better",
    .doc = "log mean_i exp(log p(x, z_i) - log q(z_i | x)) / steps over evaluate.likelihood_paths\n"
           "paths z_i of the encoder: a lower bound on the log-likelihood in expectation, which\n"
           "closes as paths become many. The transition's density is exact: of a Gaussian or a\n"
           "mixture in closed form, of a diffusion by its probability flow. iwae_ess and\n"
           "iwae_khat are shown beside it: where few paths count, or the weights' tail is heavy,\n"
           "the figure is too low.\n"
           "\n"
           "Source: Burda et al. 2016, equation 8.",
    .self_size = sizeof(char),
    .ops = &iwae_ops,
};

static bool pooled_terms(const void *self, const struct ssk_case *c, double *terms) {
  (void)self;
  if (c->likelihood_length < 1)
    return false;
  terms[0] = c->log_likelihood;
  terms[1] = c->likelihood_length;
  return true;
}

static void pooled_definition(const void *self, char *text, size_t n) {
  (void)self;
  snprintf(text, n,
           "log of the mean importance weight of paths of the encoder, exact transition density, "
           "data's own units, sum over all series and steps / number of all steps (oracle: "
           "log-likelihood)");
}

static const struct ssk_metric_ops pooled_ops = {.size = sizeof(struct ssk_metric_ops),
                                                 .needs = SSK_NEEDS_LIKELIHOOD,
                                                 .definition = pooled_definition,
                                                 .better = +1,
                                                 .unit = "nats/step",
                                                 .beside = iwae_beside,
                                                 .terms = 2,
                                                 .accumulate = pooled_terms,
                                                 .finish = ratio_of_sums};

static const struct ssk_component pooled_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_METRIC,
    .name = "iwae_pooled",
    .summary = "importance-weighted log-likelihood in nats a step of all series together, higher "
               "is better",
    .doc =
        "The estimates of `iwae` summed over all series, over the number of all steps. Published "
        "figures of polyphonic music are of this kind, with the sign turned.",
    .self_size = sizeof(char),
    .ops = &pooled_ops,
};

static double ess_value(const void *self, const struct ssk_case *c) {
  (void)self;
  return c->effective_paths;
}

static void ess_definition(const void *self, char *text, size_t n) {
  (void)self;
  snprintf(text, n, "effective sample size (sum w)^2 / sum w^2 of the weights of iwae");
}

static const struct ssk_metric_ops ess_ops = {.size = sizeof(struct ssk_metric_ops),
                                              .needs = SSK_NEEDS_LIKELIHOOD,
                                              .value = ess_value,
                                              .definition = ess_definition,
                                              .better = +1,
                                              .unit = "paths"};

static const struct ssk_component ess_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_METRIC,
    .name = "iwae_ess",
    .summary = "how many paths of the metric iwae count",
    .doc = "(sum w)^2 / sum w^2 of the importance weights, from 1 (one path decides) to the number "
           "of paths (Kong 1992).",
    .self_size = sizeof(char),
    .ops = &ess_ops,
};

static double khat_value(const void *self, const struct ssk_case *c) {
  (void)self;
  return c->pareto_k;
}

static void khat_definition(const void *self, char *text, size_t n) {
  (void)self;
  snprintf(text, n, "Pareto shape of the largest min(n/5, 3 sqrt n) weights of iwae");
}

static const struct ssk_metric_ops khat_ops = {.size = sizeof(struct ssk_metric_ops),
                                               .needs = SSK_NEEDS_LIKELIHOOD,
                                               .value = khat_value,
                                               .definition = khat_definition,
                                               .better = -1,
                                               .unit = "1"};

static const struct ssk_component khat_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_METRIC,
    .name = "iwae_khat",
    .summary = "how heavy the tail of the weights of the metric iwae is",
    .doc = "Shape of the generalised Pareto distribution fitted to the largest importance weights: "
           "under 0.5 the estimate is good, above 0.7 it is not to be trusted (Vehtari et al. "
           "2024, Pareto smoothed importance sampling).",
    .self_size = sizeof(char),
    .ops = &khat_ops,
};

SSK_PLUGIN(&iwae_component, &pooled_component, &ess_component, &khat_component)
