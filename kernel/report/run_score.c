/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_score.c - the metrics of a trained run. */
#include "report/run_score.h"
#include "infer/model_forecast.h"

int ssk_run_evaluate(const struct ssk_run *run, const struct ssk_evaluate_section *how,
                     uint64_t seed, int64_t first, int64_t count, struct ssk_pool *pool,
                     struct ssk_evaluation *out, ssk_err *err) {
  struct ssk_forecaster forecaster;
  how = how ? how : &run->experiment->evaluate;
  int code = ssk_model_forecaster(run->model, run->values, run->experiment->name,
                                  ssk_pool_threads(pool), how, &forecaster, err);
  if (code)
    return code;
  code = ssk_evaluate_range(&forecaster, run->data, how, first, count, seed, pool, out, err);
  ssk_forecaster_free(&forecaster);
  return code;
}

int ssk_run_table(const struct ssk_run *run, struct ssk_pool *pool, struct ssk_table *table,
                  ssk_err *err) {
  struct ssk_evaluation evaluation = {0};
  const struct ssk_difference_how how = {.lags = -1};
  int code = ssk_run_evaluate(run, NULL, (uint64_t)run->experiment->seed, 0,
                              ssk_evaluated_series(&run->experiment->evaluate, run->data), pool,
                              &evaluation, err);
  if (!code)
    code = ssk_table_init(table, &run->experiment->evaluate, err);
  if (!code)
    code = ssk_table_add(table, run->experiment->name, false, 1, NULL, &evaluation, err);
  if (!code)
    code = ssk_table_finish(table, &how, err);
  ssk_evaluation_free(&evaluation);
  return code;
}
