/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kernel_modes.c - mode coverage: does the transition have all modes of the exact kernel?
 *
 * Both samples are judged by the same statistic (modes.h) at the same bandwidth. A mode of the
 * kernel is covered when a mode of the transition lies in its region: a Gaussian broad enough to
 * have mass everywhere has one mode and covers one. */
#include "modes.h"

struct kernel_modes {
  struct modes_how how;
};

static bool covered(const struct modes *kernel, const struct modes *found) {
  for (int i = 0; i < kernel->n; i++) {
    double from = i ? kernel->upto[i - 1] : -INFINITY;
    bool hit = false;
    for (int k = 0; k < found->n; k++)
      hit = hit || (found->at[k] >= from && found->at[k] < kernel->upto[i]);
    if (!hit)
      return false;
  }
  return true;
}

static double kernel_modes_value(const void *self, const struct ssk_case *c) {
  const struct kernel_modes *m = self;
  double sum = 0;
  int n = 0;
  for (int k = 0; c->kernel && k < c->latents; k++) {
    struct modes kernel, found;
    struct column drawn = column_of(c->transition, c, k);
    double bandwidth;
    if (!modes_of_kernel(&m->how, c, k, &bandwidth, &kernel))
      return NAN;
    if (kernel.n < 2)
      continue;
    if (!modes_find(&m->how, bandwidth, &drawn, &found))
      return NAN;
    sum += covered(&kernel, &found);
    n++;
  }
  return n ? sum / n : NAN;
}

static void kernel_modes_definition(const void *self, char *text, size_t n) {
  const struct kernel_modes *m = self;
  snprintf(text, n,
           "mode coverage of one step of the transition: share of the latent dimensions in which "
           "the exact kernel has several modes where the transition has one in the region of each "
           "(density estimate of bandwidth %g deviations of the kernel, peaks %g times as high as "
           "the valley, %g of the draws); no value where the kernel has one mode",
           m->how.bandwidth, m->how.ratio, m->how.mass);
}

static const struct ssk_param kernel_modes_params[] = {MODES_PARAMS(struct kernel_modes),
                                                       SSK_PARAM_END};

static const struct ssk_metric_ops kernel_modes_ops = {.size = sizeof(struct ssk_metric_ops),
                                                       .needs =
                                                           SSK_NEEDS_TRANSITION | SSK_NEEDS_ORACLE,
                                                       .value = kernel_modes_value,
                                                       .definition = kernel_modes_definition,
                                                       .better = +1,
                                                       .unit = "1"};

static const struct ssk_component kernel_modes_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_METRIC,
    .name = "kernel_modes",
    .summary = "share of the steps in which the transition has all modes of the exact kernel",
    .doc = "Mode coverage, one step from the true latents, dimension by dimension. Peaks of a "
           "kernel density estimate count as modes when they stand out from the valleys beside "
           "them and hold enough of the draws; the same statistic at the same bandwidth is taken "
           "of the exact kernel's draws and of the transition's. Needs the true latents (encoder "
           "truth) and an oracle.",
    .self_size = sizeof(struct kernel_modes),
    .params = kernel_modes_params,
    .ops = &kernel_modes_ops,
};

SSK_PLUGIN(&kernel_modes_component)
