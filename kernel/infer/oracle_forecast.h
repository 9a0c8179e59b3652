/* SPDX-License-Identifier: GPL-3.0-or-later */
/* oracle_forecast.h - forecasts by the generating process itself. */
#ifndef SSK_INFER_ORACLE_FORECAST_H
#define SSK_INFER_ORACLE_FORECAST_H

#include "infer/forecaster.h"

/* `gaussian`: forecast a Gaussian with the oracle's mean and covariance at each step. */
int ssk_oracle_forecaster(const char *name, bool gaussian, const struct ssk_data *data,
                          int64_t particles, struct ssk_forecaster *out, ssk_err *err);
/* The same of a linear-Gaussian process that is not the data's own, such as a fitted one, whose
 * oracle has `linear`, `transition` and `emission`. Takes `process`, which `release` frees, also
 * when it fails. */
int ssk_linear_forecaster(const char *name, const struct ssk_oracle *oracle, void *process,
                          void (*release)(void *process), struct ssk_forecaster *out, ssk_err *err);

#endif
