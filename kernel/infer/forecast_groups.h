/* SPDX-License-Identifier: GPL-3.0-or-later */
/* forecast_groups.h - the paths of one series' forecast, shared out among threads. */
#ifndef SSK_INFER_FORECAST_GROUPS_H
#define SSK_INFER_FORECAST_GROUPS_H

#include "core/pool.h"
#include "infer/forecaster.h"

/* What forecaster->forecast does, in equal groups of at most 64 paths, each with random numbers of
 * its own; up to 64 paths are one group with those of `seed`. The groups do not depend on the pool,
 * so neither do the paths. The forecaster is usable by as many threads as the pool has (NULL: one).
 */
int ssk_forecast_groups(const struct ssk_forecaster *forecaster, struct ssk_pool *pool,
                        const struct ssk_data *data, enum ssk_split split, int64_t series,
                        int context, int horizon, int samples, uint64_t seed, double *paths,
                        ssk_err *err);

#endif
