/* SPDX-License-Identifier: GPL-3.0-or-later */
/* measure.c - one metric, on the validation series, as the recipe of the trial evaluates else. */
#include "sweep/measure.h"
#include "report/run_score.h"
#include <math.h>
#include <sskit/plugin.h>
#include <stdlib.h>

/* The evaluation of the sweep's metric alone; *column: of its columns. `one` is kept in it. */
static int section_of(const struct ssk_sweep *sweep, const struct ssk_experiment *e,
                      struct ssk_instance **one, struct ssk_evaluate_section *how, int *column,
                      ssk_err *err) {
  const int n = ssk_metric_column_count(&e->evaluate);
  struct ssk_metric_column *columns = calloc((size_t)n + 1, sizeof *columns);
  if (!columns)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the metrics");
  ssk_metric_columns(&e->evaluate, columns);
  const struct ssk_metric_column wanted = columns[sweep->column < n ? sweep->column : 0];
  *how = e->evaluate;
  how->split = SSK_VALID;
  for (int i = 0; i < e->evaluate.metrics.n; i++)
    if (e->evaluate.metrics.items[i] == wanted.metric)
      *one = e->evaluate.metrics.items[i];
  how->metrics = (struct ssk_instances){.n = 1, .items = one};
  const int left = ssk_metric_column_count(how);
  ssk_metric_columns(how, columns);
  *column = 0;
  for (int c = 0; c < left; c++)
    if (columns[c].step == wanted.step)
      *column = c;
  free(columns);
  return SSK_OK;
}

static int measure(const struct ssk_sweep *sweep, const struct ssk_run *run, struct ssk_pool *pool,
                   double *value, ssk_err *err) {
  struct ssk_evaluate_section how;
  struct ssk_instance *one = NULL;
  struct ssk_evaluation evaluation = {0};
  int column = 0;
  *value = NAN;
  int code = section_of(sweep, run->experiment, &one, &how, &column, err);
  if (!code)
    code = ssk_run_evaluate(run, &how, (uint64_t)run->experiment->seed, 0,
                            ssk_evaluated_series(&how, run->data), pool, &evaluation, err);
  if (!code)
    *value = evaluation.means[column].mean;
  ssk_evaluation_free(&evaluation);
  return code;
}

int ssk_sweep_measure(const struct ssk_sweep *sweep, const struct ssk_run_view *view, double *value,
                      ssk_err *err) {
  const struct ssk_run run = {.experiment = (struct ssk_experiment *)view->experiment,
                              .data = (struct ssk_data *)view->data,
                              .model = (struct ssk_model *)view->model,
                              .values = view->values};
  return measure(sweep, &run, view->pool, value, err);
}

int ssk_sweep_measure_bound(const struct ssk_run_view *view, double *value, ssk_err *err) {
  const struct ssk_evaluate_section *e = &view->experiment->evaluate;
  struct ssk_bound_summary bound = {0};
  int code = ssk_model_evaluate_bound(view->model, view->data, view->values, SSK_VALID, e->series,
                                      (int)e->bound_length, (int)e->bound_paths,
                                      (uint64_t)view->experiment->seed, view->pool, &bound, err);
  *value = code ? NAN : bound.total / bound.steps;
  return code;
}

int ssk_sweep_measure_run(const struct ssk_sweep *sweep, const char *path,
                          struct ssk_registry *registry, int threads, double *value, ssk_err *err) {
  struct ssk_run *run = NULL;
  struct ssk_pool *pool = NULL;
  int code = ssk_run_open(path, 0, NULL, registry, &run, err);
  if (!code)
    code = ssk_pool_new(threads, &pool, err);
  if (!code)
    code = measure(sweep, run, pool, value, err);
  ssk_pool_free(pool);
  ssk_run_free(run);
  return code;
}

/* ---- data ------------------------------------------------------------------------------------ */

static int longest_of(const struct ssk_split_data *split) {
  int longest = 0;
  for (int64_t i = 0; i < split->n; i++)
    longest = split->length[i] > longest ? split->length[i] : longest;
  return longest;
}

static int check_lengths(const struct ssk_sweep *sweep, const struct ssk_experiment *e,
                         const struct ssk_data *data, ssk_err *err) {
  struct ssk_evaluate_section how;
  struct ssk_instance *one = NULL;
  int column;
  int code = section_of(sweep, e, &one, &how, &column, err);
  const struct ssk_metric_ops *ops = one ? one->component->ops : NULL;
  const long long need = (long long)((how.context ? how.context : 1) + how.horizon);
  if (code || !ops || !(ops->needs & SSK_NEEDS_SAMPLES) ||
      longest_of(&data->split[SSK_VALID]) >= need)
    return code;
  ssk_err_set(err, SSK_EDATA,
              "no validation series is as long as a forecast needs: the longest has %d steps, "
              "evaluate.context and evaluate.horizon take %lld",
              longest_of(&data->split[SSK_VALID]), need);
  ssk_err_hint(err, "shorten them for the sweep: set: [evaluate.context=%lld]",
               (long long)longest_of(&data->split[SSK_VALID]) - (long long)how.horizon);
  return SSK_EDATA;
}

int ssk_sweep_check_data(const struct ssk_sweep *sweep, struct ssk_registry *registry,
                         ssk_err *err) {
  double *point = calloc((size_t)sweep->axes.n, sizeof *point);
  struct ssk_experiment *e = NULL;
  struct ssk_data *data = NULL;
  int code = point ? ssk_sweep_experiment(sweep, point, (uint64_t)sweep->sweep.seeds.items[0],
                                          registry, &e, err)
                   : ssk_err_set(err, SSK_ENOMEM, "no memory for a trial");
  if (!code)
    code = ssk_data_load(e, &data, err);
  if (!code && !data->split[SSK_VALID].n)
    code = ssk_err_set(err, SSK_EDATA, "the data set has no validation series to choose by");
  if (!code)
    code = check_lengths(sweep, e, data, err);
  ssk_data_free(data);
  ssk_experiment_free(e);
  free(point);
  return code;
}
