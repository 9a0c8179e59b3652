/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kernel_tv.c - how the transition's draws are spread over the joint modes of the exact kernel.
 *
 * Regions of the modes of each dimension (modes.h) make cells: two modes in each of d dimensions
 * give 2^d. The metric is the total variation distance of the shares of draws in the cells. A
 * transition may be right in every dimension and yet miss joint modes: of the wells (+-1, +-1) two
 * give the same marginals as four. */
#include "modes.h"

#define CELLS_MAX 4096

struct kernel_tv {
  struct modes_how how;
};

/* Add `share` for each draw to its cell. */
static void count_cells(const struct ssk_case *c, const double *draws, const struct modes *modes,
                        double share, double *cell) {
  for (int i = 0; i < c->draws; i++) {
    int at = 0;
    for (int k = 0; k < c->latents; k++) {
      int region = 0;
      while (region < modes[k].n - 1 && draws[i * c->latents + k] >= modes[k].upto[region])
        region++;
      at = at * (modes[k].n > 1 ? modes[k].n : 1) + region;
    }
    cell[at] += share;
  }
}

static double distance(const struct kernel_tv *m, const struct ssk_case *c, struct modes *modes,
                       double *cell) {
  int cells = 1;
  for (int k = 0; k < c->latents; k++) {
    double bandwidth;
    if (!modes_of_kernel(&m->how, c, k, &bandwidth, &modes[k]))
      return NAN;
    cells *= modes[k].n > 1 ? modes[k].n : 1;
    if (cells > CELLS_MAX)
      return NAN;
  }
  if (cells == 1)
    return NAN;
  count_cells(c, c->transition, modes, 1.0 / c->draws, cell);
  count_cells(c, c->kernel, modes, -1.0 / c->draws, cell);
  double sum = 0;
  for (int i = 0; i < cells; i++)
    sum += 0.5 * fabs(cell[i]);
  return sum;
}

static double kernel_tv_value(const void *self, const struct ssk_case *c) {
  struct modes *modes = c->kernel ? calloc((size_t)c->latents, sizeof *modes) : NULL;
  double *cell = modes ? calloc(CELLS_MAX, sizeof *cell) : NULL;
  double value = cell ? distance(self, c, modes, cell) : NAN;
  free(modes);
  free(cell);
  return value;
}

static void kernel_tv_definition(const void *self, char *text, size_t n) {
  const struct kernel_tv *m = self;
  snprintf(text, n,
           "total variation distance, over the joint modes of the exact kernel, of the shares of "
           "the transition's draws from those of as many of the kernel, one step from the true "
           "latents (density estimate of bandwidth %g deviations of the kernel, peaks %g times as "
           "high as the valley, %g of the draws); no value where the kernel has one mode",
           m->how.bandwidth, m->how.ratio, m->how.mass);
}

static const struct ssk_param kernel_tv_params[] = {MODES_PARAMS(struct kernel_tv), SSK_PARAM_END};

static const struct ssk_metric_ops kernel_tv_ops = {.size = sizeof(struct ssk_metric_ops),
                                                    .needs =
                                                        SSK_NEEDS_TRANSITION | SSK_NEEDS_ORACLE,
                                                    .value = kernel_tv_value,
                                                    .definition = kernel_tv_definition,
                                                    .better = -1,
                                                    .unit = "1"};

static const struct ssk_component kernel_tv_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_METRIC,
    .name = "kernel_tv",
    .summary = "distance of the weights of the joint modes from those of the exact kernel",
    .doc = "Sum over cells of |p - q|/2, in [0, 1]: the cells are products of the regions of the "
           "exact kernel's modes, dimension by dimension (see kernel_modes). The row `oracle` "
           "shows what is left between two samples of the kernel: about sqrt(cells/(pi n)) or "
           "less. No value beyond 4096 cells. Needs the true latents (encoder truth) and an "
           "oracle.",
    .self_size = sizeof(struct kernel_tv),
    .params = kernel_tv_params,
    .ops = &kernel_tv_ops,
};

SSK_PLUGIN(&kernel_tv_component)
