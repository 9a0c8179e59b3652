/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kernel_nll.c - the negative log density that the transition gives the latent that followed. Its
 * mean is the cross-entropy of the exact kernel, so no transition scores better than the oracle,
 * whose score is the kernel's entropy. */
#include <math.h>
#include <sskit/plugin.h>

static double kernel_nll_value(const void *self, const struct ssk_case *c) {
  (void)self;
  return -c->transition_log_prob;
}

static void kernel_nll_definition(const void *self, char *text, size_t n) {
  (void)self;
  snprintf(text, n,
           "negative log density, nats, of the next latent under one step of the transition from "
           "the latents before it, summed over dimensions (a diffusion's by its probability flow)");
}

static const struct ssk_metric_ops kernel_nll_ops = {.size = sizeof(struct ssk_metric_ops),
                                                     .needs = SSK_NEEDS_TRANSITION,
                                                     .value = kernel_nll_value,
                                                     .definition = kernel_nll_definition,
                                                     .better = -1,
                                                     .unit = "nats"};

static const struct ssk_component kernel_nll_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_METRIC,
    .name = "kernel_nll",
    .summary = "negative log density of the next latent under the transition alone",
    .doc = "-log p(z_t | z_{t-j:t-1}), without the emission. Where the encoder is `truth` the "
           "latents are the true ones in their own units, and the row `oracle` has the exact "
           "kernel's. Else they are one path of the model's encoder through the series up to z_t: "
           "then only rows that share a frozen encoder can be compared.",
    .self_size = sizeof(char),
    .ops = &kernel_nll_ops,
};

SSK_PLUGIN(&kernel_nll_component)
