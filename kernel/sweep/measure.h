/* SPDX-License-Identifier: GPL-3.0-or-later */
/* measure.h - what a trial is worth: the sweep's metric on the validation series. */
#ifndef SSK_SWEEP_MEASURE_H
#define SSK_SWEEP_MEASURE_H

#include "report/run.h"
#include "sweep/recipe.h"

/* Whether the metric can be had on the validation series of the base recipe's data: SSK_EDATA where
 * there are none, or none is as long as a forecast needs. */
int ssk_sweep_check_data(const struct ssk_sweep *sweep, struct ssk_registry *registry,
                         ssk_err *err);
/* The metric of a training as it stands; NaN where it has no value. */
int ssk_sweep_measure(const struct ssk_sweep *sweep, const struct ssk_run_view *view, double *value,
                      ssk_err *err);
/* The negative bound of the same, in nats a step. */
int ssk_sweep_measure_bound(const struct ssk_run_view *view, double *value, ssk_err *err);
/* The metric of a finished run. */
int ssk_sweep_measure_run(const struct ssk_sweep *sweep, const char *path,
                          struct ssk_registry *registry, int threads, double *value, ssk_err *err);

#endif
