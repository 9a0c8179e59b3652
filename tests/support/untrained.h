/* SPDX-License-Identifier: GPL-3.0-or-later */
/* untrained.h - for tests: the exact likelihood under a linear model that was not trained. With one
 * latent, an identity emission of logvar_start -0.7, the standard prior and a transition of
 * logvar_start -1 it is z_1 ~ N(0, 1), z_t = z_{t-1} + N(0, e^{-1}), x = z + N(0, e^{-0.7}). */
#ifndef TESTS_UNTRAINED_H
#define TESTS_UNTRAINED_H

#include "infer/kalman.h"
#include "model/data.h"
#include "support/instances.h"
#include <math.h>

/* log p(x) of series i of a split of series of `steps` steps. */
static inline double untrained_likelihood(struct kit *kit, const struct ssk_split_data *split,
                                          int64_t i, int steps) {
  const double zero = 0, one = 1, q = exp(-1), r = exp(-0.7);
  const struct ssk_linear_gaussian same = {.size = sizeof same,
                                           .d = 1,
                                           .D = 1,
                                           .m0 = &zero,
                                           .P0 = &one,
                                           .A = &one,
                                           .Q = &q,
                                           .C = &one,
                                           .R = &r};
  struct ssk_kalman exact;
  cr_assert_eq(ssk_kalman_filter(&same, steps, split->x + i * steps, split->mask + i * steps,
                                 &exact, kit->err),
               SSK_OK);
  const double log_likelihood = exact.log_likelihood;
  ssk_kalman_free(&exact);
  return log_likelihood;
}

#endif
