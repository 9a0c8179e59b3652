/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kernel_weights.c - how far the transition's mass in the region of each mode of the exact kernel
 * is from the mode's weight. A forecast may have all modes and weigh them wrongly. */
#include "modes.h"

struct kernel_weights {
  struct modes_how how;
};

/* P([from, upto)) of the exact kernel, from its cdf where it has one, else from its draws. */
static double exact_weight(const struct ssk_case *c, int dim, double from, double upto) {
  const struct ssk_oracle *o = c->oracle;
  struct column kernel = column_of(c->kernel, c, dim);
  if (!o->transition_cdf)
    return column_share(&kernel, from, upto);
  double below = isinf(from) ? 0 : o->transition_cdf(c->oracle_self, c->z_last, dim, from);
  return (isinf(upto) ? 1 : o->transition_cdf(c->oracle_self, c->z_last, dim, upto)) - below;
}

static double kernel_weights_value(const void *self, const struct ssk_case *c) {
  const struct kernel_weights *m = self;
  double sum = 0;
  int n = 0;
  for (int k = 0; c->kernel && k < c->latents; k++) {
    struct modes kernel;
    struct column drawn = column_of(c->transition, c, k);
    double bandwidth, worst = 0;
    if (!modes_of_kernel(&m->how, c, k, &bandwidth, &kernel))
      return NAN;
    for (int i = 0; i < kernel.n; i++) {
      double from = i ? kernel.upto[i - 1] : -INFINITY, upto = kernel.upto[i];
      worst = fmax(worst, fabs(column_share(&drawn, from, upto) - exact_weight(c, k, from, upto)));
    }
    if (kernel.n > 1)
      sum += worst, n++;
  }
  return n ? sum / n : NAN;
}

static void kernel_weights_definition(const void *self, char *text, size_t n) {
  const struct kernel_weights *m = self;
  snprintf(text, n,
           "largest absolute deviation of the transition's mass in the region of a mode of the "
           "exact kernel from the mode's weight, one step from the true latents; mean over the "
           "dimensions in which the kernel has several modes (density estimate of bandwidth %g "
           "deviations of the kernel, peaks %g times as high as the valley, %g of the draws)",
           m->how.bandwidth, m->how.ratio, m->how.mass);
}

static const struct ssk_param kernel_weights_params[] = {MODES_PARAMS(struct kernel_weights),
                                                         SSK_PARAM_END};

static const struct ssk_metric_ops kernel_weights_ops = {.size = sizeof(struct ssk_metric_ops),
                                                         .needs = SSK_NEEDS_TRANSITION |
                                                                  SSK_NEEDS_ORACLE,
                                                         .value = kernel_weights_value,
                                                         .definition = kernel_weights_definition,
                                                         .better = -1,
                                                         .unit = "1"};

static const struct ssk_component kernel_weights_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_METRIC,
    .name = "kernel_weights",
    .summary = "deviation of the mass in each mode of the exact kernel from the mode's weight",
    .doc = "The regions are those between the valleys of the exact kernel's density estimate, "
           "dimension by dimension (see kernel_modes); their exact weights come from the oracle's "
           "cdf where it has one, else from draws of it. A broad Gaussian can score well: read it "
           "beside kernel_modes. Needs the true latents (encoder truth) and an oracle.",
    .self_size = sizeof(struct kernel_weights),
    .params = kernel_weights_params,
    .ops = &kernel_weights_ops,
};

SSK_PLUGIN(&kernel_weights_component)
