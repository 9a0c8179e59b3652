/* SPDX-License-Identifier: GPL-3.0-or-later */
/* check.h - whether the recipes of a sweep's trials are right, before any is trained. */
#ifndef SSK_SWEEP_CHECK_H
#define SSK_SWEEP_CHECK_H

#include "sweep/recipe.h"

/* Read the base recipe and try the axes on it; fill column, better, ideal and identity of the
 * sweep, all else of which is there. `section`: the rows of struct ssk_sweep_section. What is wrong
 * with an axis is diagnosed at its place in the sweep's recipe. */
int ssk_sweep_check(struct ssk_sweep *sweep, const struct ssk_param *section,
                    struct ssk_registry *registry, ssk_err *err);

#endif
