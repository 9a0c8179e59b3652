/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/bench_times.h"
#include "core/clock.h"
#include "infer/forecast_groups.h"
#include "infer/model_forecast.h"
#include "train/loop.h"
#include <gsl/gsl_statistics_double.h>
#include <stdlib.h>

/* What comes first is not counted, for so many seconds: memory is met for the first time, and the
 * system has yet to give every thread a processor of its own. */
static const double warm_up = 0.3;

static int time_steps(struct ssk_trainer *trainer, struct ssk_bench_times *out, ssk_err *err) {
  struct ssk_step_record record;
  int code = SSK_OK;
  for (const double start = ssk_clock(); !code && ssk_clock() - start < warm_up;)
    code = ssk_trainer_step(trainer, &record, err);
  for (int i = 0; i < out->steps && !code; i++) {
    const double since = ssk_clock();
    code = ssk_trainer_step(trainer, &record, err);
    out->step[i] = ssk_clock() - since;
  }
  return code;
}

/* How the recipe forecasts the first series of its split; *context is set. */
static int check_forecast(const struct ssk_experiment *experiment, const struct ssk_data *data,
                          int *context, ssk_err *err) {
  const struct ssk_evaluate_section *how = &experiment->evaluate;
  const struct ssk_split_data *split = &data->split[how->split];
  if (split->n < 1)
    return ssk_err_set(err, SSK_EDATA, "the split of evaluate.split has no series to forecast");
  *context = how->context ? (int)how->context : split->length[0] - (int)how->horizon;
  if (*context < 1 || *context > split->length[0])
    return ssk_err_set(err, SSK_EDATA, "the first series has %d steps, too few for a context of %d",
                       split->length[0], *context);
  return SSK_OK;
}

static int time_forecasts(const struct ssk_experiment *experiment, const struct ssk_data *data,
                          const struct ssk_model *model, ssk_real *values, struct ssk_pool *pool,
                          struct ssk_bench_times *out, ssk_err *err) {
  const struct ssk_evaluate_section *how = &experiment->evaluate;
  const int horizon = (int)how->horizon, samples = (int)how->samples;
  int context = 0;
  int code = check_forecast(experiment, data, &context, err);
  if (code)
    return code;
  double *paths = malloc((size_t)samples * (size_t)horizon * (size_t)data->shape.D * sizeof *paths);
  if (!paths)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for paths");
  struct ssk_forecaster forecaster = {0};
  code = ssk_model_forecaster(model, values, experiment->name, ssk_pool_threads(pool),
                              &experiment->evaluate, &forecaster, err);
  const double start = ssk_clock();
  for (int i = -1; i < out->forecasts && !code;
       i = i < 0 && ssk_clock() - start < warm_up ? i : i + 1) {
    const double since = ssk_clock();
    code = ssk_forecast_groups(&forecaster, pool, data, (enum ssk_split)how->split, 0, context,
                               horizon, samples, (uint64_t)experiment->seed, paths, err);
    if (i >= 0)
      out->forecast[i] = ssk_clock() - since;
  }
  ssk_forecaster_free(&forecaster);
  free(paths);
  return code;
}

int ssk_bench_times_run(struct ssk_experiment *experiment, int threads, int steps, int forecasts,
                        struct ssk_bench_times *out, ssk_err *err) {
  *out = (struct ssk_bench_times){.threads = threads < 1 ? ssk_pool_default_threads() : threads,
                                  .steps = steps,
                                  .forecasts = forecasts,
                                  .step = calloc((size_t)steps + 1, sizeof *out->step),
                                  .forecast = calloc((size_t)forecasts + 1, sizeof *out->step)};
  if (experiment->training.steps < 1000000) /* schedules must not end before */
    experiment->training.steps = 1000000;
  struct ssk_data *data = NULL;
  struct ssk_model *model = NULL;
  struct ssk_pool *pool = NULL;
  struct ssk_trainer *trainer = NULL;
  int code = out->step && out->forecast ? SSK_OK : ssk_err_set(err, SSK_ENOMEM, "no memory");
  if (!code)
    code = ssk_data_load(experiment, &data, err);
  if (!code)
    code = ssk_model_build(experiment, data, &model, err);
  if (!code)
    code = ssk_pool_new(out->threads, &pool, err);
  if (!code)
    code = ssk_trainer_new(experiment, data, model, pool, NULL, &trainer, err);
  if (!code)
    code = time_steps(trainer, out, err);
  if (!code && forecasts)
    code = time_forecasts(experiment, data, model, ssk_trainer_optimiser(trainer)->values, pool,
                          out, err);
  ssk_trainer_free(trainer);
  ssk_pool_free(pool);
  ssk_model_free(model);
  ssk_data_free(data);
  if (code)
    ssk_bench_times_free(out);
  return code;
}

void ssk_bench_times_free(struct ssk_bench_times *times) {
  free(times->step);
  free(times->forecast);
  *times = (struct ssk_bench_times){0};
}

/* ---- writing -------------------------------------------------------------------------------- */

static void add_text(const char *what, const double *seconds, int n, struct ssk_text *out) {
  if (n < 1)
    return;
  double least, most;
  gsl_stats_minmax(&least, &most, seconds, 1, (size_t)n);
  ssk_text_printf(out, "%s: mean %.3f ms, %.3f to %.3f ms, of %d\n", what,
                  1e3 * gsl_stats_mean(seconds, 1, (size_t)n), 1e3 * least, 1e3 * most, n);
}

void ssk_bench_times_text(const struct ssk_bench_times *times, struct ssk_text *out) {
  add_text("training step", times->step, times->steps, out);
  add_text("forecast", times->forecast, times->forecasts, out);
}

static json_t *numbers(const double *seconds, int n) {
  json_t *list = json_array();
  for (int i = 0; i < n; i++)
    json_array_append_new(list, json_real(seconds[i]));
  return list;
}

json_t *ssk_bench_times_json(const struct ssk_bench_times *times) {
  return json_pack("{s:i, s:o, s:o}", "threads", times->threads, "step_seconds",
                   numbers(times->step, times->steps), "forecast_seconds",
                   numbers(times->forecast, times->forecasts));
}
