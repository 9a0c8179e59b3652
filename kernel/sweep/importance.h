/* SPDX-License-Identifier: GPL-3.0-or-later */
/* importance.h - how much of the differences among trials goes with each axis by itself. */
#ifndef SSK_SWEEP_IMPORTANCE_H
#define SSK_SWEEP_IMPORTANCE_H

#include "sweep/trials.h"

/* Into share[axes]: epsilon squared (Kelley 1935) of a one-way analysis of variance of the ranks of
 * the finished trials' losses, grouped by the axis's values, or by quantile bins of it: the share
 * of the variance of the ranks that the groups explain beyond what groups by chance would; 0 where
 * it is less. Ranks, because some trials are far worse than all others. Main effects only: what
 * axes do together is in none of them. NaN with fewer than ten finished trials, or a single group.
 */
void ssk_sweep_importance(const struct ssk_sweep *sweep, const struct ssk_trials *trials,
                          double *share);

#endif
