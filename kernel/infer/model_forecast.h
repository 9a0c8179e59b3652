/* SPDX-License-Identifier: GPL-3.0-or-later */
/* model_forecast.h - a trained model as a forecaster. */
#ifndef SSK_INFER_MODEL_FORECAST_H
#define SSK_INFER_MODEL_FORECAST_H

#include "infer/forecaster.h"
#include "model/model.h"

/* A forecaster over `model` with these weights (both borrowed, for as long as it lives), usable by
 * `threads` threads; bound_paths: Monte Carlo paths of its bound. Free with ssk_forecaster_free. */
int ssk_model_forecaster(const struct ssk_model *model, ssk_real *values, const char *name,
                         int threads, int bound_paths, struct ssk_forecaster *out, ssk_err *err);

#endif
