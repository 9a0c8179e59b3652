/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kernel_wasserstein.c - the Wasserstein distance of order one between the draws of a transition
 * and as many of the exact kernel, dimension by dimension: the mean distance of the sorted draws.
 * It needs no density, so it serves processes that can only be simulated. */
#include "samples.h"

static double kernel_wasserstein_value(const void *self, const struct ssk_case *c) {
  (void)self;
  size_t n = (size_t)c->draws, d = (size_t)c->latents;
  double *a = c->kernel ? malloc(2 * n * sizeof *a) : NULL, *b = a ? a + n : NULL, sum = 0;
  if (!a)
    return NAN;
  for (size_t k = 0; k < d; k++) {
    for (size_t i = 0; i < n; i++) {
      a[i] = c->transition[i * d + k];
      b[i] = c->kernel[i * d + k];
    }
    qsort(a, n, sizeof *a, samples_order);
    qsort(b, n, sizeof *b, samples_order);
    for (size_t i = 0; i < n; i++)
      sum += fabs(a[i] - b[i]) / (double)n;
  }
  free(a);
  return sum / (double)d;
}

static void kernel_wasserstein_definition(const void *self, char *text, size_t n) {
  (void)self;
  snprintf(text, n,
           "Wasserstein distance of order 1 between draws of the transition and as many of the "
           "exact kernel, one step from the true latents; mean over dimensions");
}

static const struct ssk_metric_ops kernel_wasserstein_ops = {
    .size = sizeof(struct ssk_metric_ops),
    .needs = SSK_NEEDS_TRANSITION | SSK_NEEDS_ORACLE,
    .value = kernel_wasserstein_value,
    .definition = kernel_wasserstein_definition,
    .better = -1,
    .unit = "latent"};

static const struct ssk_component kernel_wasserstein_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_METRIC,
    .name = "kernel_wasserstein",
    .summary = "distance of the transition's draws from those of the exact kernel",
    .doc = "W_1 = integral of |F - G| of the empirical distributions F and G: the mean of "
           "|a_(i) - b_(i)| over the sorted draws. In the units of the true latent. The row "
           "`oracle` shows what is left between two samples of the kernel itself. Needs the true "
           "latents (encoder truth) and an oracle.",
    .self_size = sizeof(char),
    .ops = &kernel_wasserstein_ops,
};

SSK_PLUGIN(&kernel_wasserstein_component)
