/* SPDX-License-Identifier: GPL-3.0-or-later */
/* model_forecast.h - a trained model as a forecaster. */
#ifndef SSK_INFER_MODEL_FORECAST_H
#define SSK_INFER_MODEL_FORECAST_H

#include "infer/forecaster.h"
#include "model/model.h"

/* A forecaster over `model` with these weights, usable by `threads` threads; `how` says from how
 * many paths bound and likelihood are estimated. All are borrowed for as long as it lives. Free
 * with ssk_forecaster_free. */
int ssk_model_forecaster(const struct ssk_model *model, ssk_real *values, const char *name,
                         int threads, const struct ssk_evaluate_section *how,
                         struct ssk_forecaster *out, ssk_err *err);

#endif
