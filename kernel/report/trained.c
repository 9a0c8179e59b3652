/* SPDX-License-Identifier: GPL-3.0-or-later */
/* trained.c - a trained model for other programs: see sskit/sskit.h. */
#include "infer/forecast_groups.h"
#include "infer/model_forecast.h"
#include "model/outside.h"
#include "report/run.h"
#include <sskit/sskit.h>
#include <stdlib.h>

struct ssk_trained {
  struct ssk_registry *registry;
  struct ssk_run *run;
  struct ssk_forecaster forecaster;
  struct ssk_data *data; /* the series; NULL: none yet */
  int steps;
};

static int open_all(ssk_trained *model, const char *path, ssk_err *err) {
  model->registry = ssk_registry_new(err);
  if (!model->registry)
    return SSK_ENOMEM;
  int code = ssk_registry_add_default(model->registry, err);
  if (!code)
    code = ssk_run_open_alone(path, 0, NULL, model->registry, &model->run, err);
  if (!code)
    code = ssk_model_forecaster(model->run->model, model->run->values, model->run->experiment->name,
                                1, &model->run->experiment->evaluate, &model->forecaster, err);
  if (!code && !model->forecaster.forecast)
    code = ssk_err_set(err, SSK_EDATA, "the emission '%s' does not model observations",
                       model->run->experiment->model.emission->component->name);
  return code;
}

int ssk_trained_open(const char *path, ssk_trained **out, ssk_err *err) {
  *out = NULL;
  ssk_trained *model = calloc(1, sizeof *model);
  if (!model)
    return ssk_err_set(err, SSK_ENOMEM, "no memory to open '%s'", path);
  int code = open_all(model, path, err);
  if (code)
    ssk_trained_free(model);
  else
    *out = model;
  return code;
}

void ssk_trained_free(ssk_trained *model) {
  if (!model)
    return;
  ssk_data_free(model->data);
  ssk_forecaster_free(&model->forecaster);
  ssk_run_free(model->run);
  ssk_registry_free(model->registry);
  free(model);
}

struct ssk_trained_sizes ssk_trained_sizes(const ssk_trained *model) {
  const struct ssk_data_shape *shape = &model->run->data->shape;
  return (struct ssk_trained_sizes){
      .dimensions = shape->D, .covariates = shape->V, .statics = shape->E};
}

/* x[steps] with what is known behind it: missing. NULL without memory. */
static double *extend(const double *x, int steps, int length, int D) {
  double *out = malloc(((size_t)length * (size_t)D + 1) * sizeof *out);
  for (int64_t k = 0; out && k < (int64_t)length * D; k++)
    out[k] = k < (int64_t)steps * D ? x[k] : NAN;
  return out;
}

int ssk_trained_condition(ssk_trained *model, const struct ssk_trained_series *series,
                          ssk_err *err) {
  const struct ssk_data *like = model->run->data;
  ssk_data_free(model->data);
  model->data = NULL;
  const bool inputs = like->shape.V > 0;
  const int length = inputs ? series->known : series->steps;
  if (series->steps < 1 || length < series->steps || !series->x || (inputs && !series->u) ||
      (like->shape.E && !series->s))
    return ssk_err_set(err, SSK_EUSAGE,
                       "a series has at least one step, and known covariates of each of them");
  double *x = extend(series->x, series->steps, length, like->shape.D);
  int code = x ? ssk_outside_make(like, 1, length, &model->data, err)
               : ssk_err_set(err, SSK_ENOMEM, "no memory for a series of %d steps", length);
  if (!code)
    code = ssk_outside_put(model->data, 0, length, x, series->u, series->s, err);
  if (!code)
    code =
        ssk_data_check_values(model->data, model->run->experiment->model.emission, SSK_TEST, err);
  free(x);
  model->steps = series->steps;
  if (code) {
    ssk_data_free(model->data);
    model->data = NULL;
  }
  return code;
}

int ssk_trained_forecast(ssk_trained *model, int horizon, int samples, uint64_t seed, double *paths,
                         ssk_err *err) {
  if (!model->data)
    return ssk_err_set(err, SSK_EUSAGE, "the model is conditioned on no series");
  if (horizon < 1 || samples < 1)
    return ssk_err_set(err, SSK_EUSAGE, "a forecast has at least one step and one sample");
  return ssk_forecast_groups(&model->forecaster, NULL, model->data, SSK_TEST, 0, model->steps,
                             horizon, samples, seed ? seed : (uint64_t)model->run->experiment->seed,
                             paths, err);
}
