/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bench.c - measuring training steps. The forms that the result is written in are in
 * bench_write.c. */
#include "report/bench.h"
#include "core/clock.h"
#include "core/text.h"
#include "report/times_log.h"
#include "train/loop.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { warm_up = 3 }; /* steps before both kinds of measured ones */

/* Everything that training in memory needs, and the measurements. */
struct bench {
  struct ssk_data *data;
  struct ssk_model *model;
  struct ssk_pool *pool;
  struct ssk_trainer *trainer;
  struct ssk_gemm_bench square;
  struct ssk_profile *profiles; /* one a thread */
  double *seconds;              /* [measures, steps] */
  struct ssk_bench *out;
};
enum measure { STEP, STEP_CPU, PROFILED, PROFILED_CPU, SQUARE, MEASURES };

static int no_memory(ssk_err *err) {
  return ssk_err_set(err, SSK_ENOMEM, "no memory for the measurements");
}

/* ---- rows ----------------------------------------------------------------------------------- */

static void write_shape(const struct ssk_profile_key *key, char shape[80]) {
  size_t n = (size_t)snprintf(shape, 80, "%d -> [", key->inner);
  for (int i = 0; i < key->ndim; i++)
    n += (size_t)snprintf(shape + n, 80 - n, i ? ", %d" : "%d", key->shape[i]);
  snprintf(shape + n, 80 - n, "]");
}

/* The row for what a profile tells; made when it is the first of its kind. NULL without memory. */
static struct ssk_bench_row *row_of(struct ssk_bench *out, const struct ssk_profile_key *key) {
  const char *component = ssk_profile_component(key);
  char shape[80] = "";
  if (out->options.shapes && key->ndim)
    write_shape(key, shape);
  for (int i = 0; i < out->n_rows; i++) {
    struct ssk_bench_row *row = &out->rows[i];
    if (ssk_text_same(row->component, component) && ssk_text_same(row->name, key->name) &&
        strcmp(row->shape, shape) == 0)
      return row;
  }
  struct ssk_bench_row *rows = realloc(out->rows, ((size_t)out->n_rows + 1) * sizeof *rows);
  if (!rows)
    return NULL;
  out->rows = rows;
  struct ssk_bench_row *row = &rows[out->n_rows++];
  *row = (struct ssk_bench_row){
      .component = strdup(component),
      .name = key->name ? strdup(key->name) : NULL,
      .seconds = calloc((size_t)out->options.steps * SSK_WAYS, sizeof *row->seconds)};
  memcpy(row->shape, shape, sizeof shape);
  return row->component && row->seconds && !row->name == !key->name ? row : NULL;
}

/* Add what the threads' profiles tell of a step. */
static int collect(struct bench *b, int step, ssk_err *err) {
  for (int thread = 0; thread < ssk_pool_threads(b->pool); thread++) {
    const struct ssk_profile *profile = &b->profiles[thread];
    if (profile->failed)
      return no_memory(err);
    for (int i = 0; i < profile->n; i++) {
      const struct ssk_profile_row *from = &profile->rows[i];
      struct ssk_bench_row *row = row_of(b->out, &from->key);
      if (!row)
        return no_memory(err);
      for (int way = 0; way < SSK_WAYS; way++) {
        row->seconds[step * SSK_WAYS + way] += from->way[way].seconds;
        row->way[way].calls += from->way[way].calls;
        row->way[way].flops += from->way[way].flops;
        row->way[way].bytes += from->way[way].bytes;
      }
    }
  }
  return SSK_OK;
}

/* ---- measuring ------------------------------------------------------------------------------ */

/* One step; its seconds, and those on processors. */
static int timed_step(struct bench *b, double *seconds, double *cpu, ssk_err *err) {
  struct ssk_step_record record;
  const double since = ssk_clock(), cpu_since = ssk_process_clock();
  int code = ssk_trainer_step(b->trainer, &record, err);
  *cpu = ssk_process_clock() - cpu_since;
  *seconds = ssk_clock() - since;
  return code;
}

static int measure(struct bench *b, int step, ssk_err *err) {
  const int steps = b->out->options.steps;
  double *at = b->seconds + step;
  int code = timed_step(b, at + STEP * steps, at + STEP_CPU * steps, err);
  if (code)
    return code;
  for (int thread = 0; thread < ssk_pool_threads(b->pool); thread++)
    ssk_profile_start(&b->profiles[thread]);
  ssk_trainer_profile(b->trainer, b->profiles);
  code = timed_step(b, at + PROFILED * steps, at + PROFILED_CPU * steps, err);
  ssk_trainer_profile(b->trainer, NULL);
  const double since = ssk_thread_clock();
  ssk_gemm_bench_run(&b->square, SSK_LARGE_SQUARE, SSK_LARGE_SQUARE, SSK_LARGE_SQUARE);
  at[SQUARE * steps] = ssk_thread_clock() - since;
  return code;
}

static int compare(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median_of(double *values, int n) {
  qsort(values, (size_t)n, sizeof *values, compare);
  return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

static struct ssk_bench_spread spread_of(double *values, int n) {
  const double median = median_of(values, n);
  return (struct ssk_bench_spread){median, values[0], values[n - 1]};
}

/* ---- summing up ----------------------------------------------------------------------------- */

static double booked(const struct ssk_bench *out, int step) {
  double sum = 0;
  for (int i = 0; i < out->n_rows; i++)
    for (int way = 0; way < SSK_WAYS; way++)
      sum += out->rows[i].seconds[step * SSK_WAYS + way];
  return sum;
}

/* Figures a step: rows are means over the faster half of the profiled steps, in which least was
 * disturbed from outside; their sums are those of the steps. Calls, arithmetic and traffic are the
 * same in all of them. */
static void average(struct ssk_bench *out, double *memory) {
  const int steps = out->options.steps;
  for (int step = 0; step < steps; step++)
    memory[step] = booked(out, step);
  const double limit = median_of(memory, steps);
  out->counted = 0;
  out->flops = 0;
  for (int step = 0; step < steps; step++) {
    if (booked(out, step) > limit)
      continue;
    out->counted++;
    for (int i = 0; i < out->n_rows; i++)
      for (int way = 0; way < SSK_WAYS; way++)
        out->rows[i].way[way].seconds += out->rows[i].seconds[step * SSK_WAYS + way];
  }
  for (int i = 0; i < out->n_rows; i++)
    for (int way = 0; way < SSK_WAYS; way++) {
      struct ssk_profile_cost *cost = &out->rows[i].way[way];
      cost->seconds /= out->counted;
      cost->calls /= steps;
      cost->flops /= steps;
      cost->bytes /= steps;
      out->flops += cost->flops;
    }
}

static double row_seconds(const struct ssk_bench_row *row) {
  return row->way[SSK_FORWARD].seconds + row->way[SSK_BACKWARD].seconds;
}

/* By falling time of the component, then of the row; by name where times are equal. */
static int compare_rows(const void *a, const void *b) {
  const struct ssk_bench_row *x = a, *y = b;
  if (x->of_component != y->of_component)
    return x->of_component < y->of_component ? 1 : -1;
  const int order = strcmp(x->component, y->component);
  const double of_x = row_seconds(x), of_y = row_seconds(y);
  return order ? order : (of_x < of_y) - (of_x > of_y);
}

static void sort(struct ssk_bench *out) {
  for (int i = 0; i < out->n_rows; i++) {
    struct ssk_bench_row *row = &out->rows[i];
    for (int k = 0; k < out->n_rows; k++)
      if (strcmp(row->component, out->rows[k].component) == 0)
        row->of_component += row_seconds(&out->rows[k]);
  }
  if (out->n_rows > 0)
    qsort(out->rows, (size_t)out->n_rows, sizeof *out->rows, compare_rows);
}

static void sum_up(struct bench *b) {
  struct ssk_bench *out = b->out;
  const int steps = out->options.steps;
  out->step = spread_of(b->seconds + STEP * steps, steps);
  out->step_cpu = spread_of(b->seconds + STEP_CPU * steps, steps);
  out->profiled = spread_of(b->seconds + PROFILED * steps, steps);
  out->profiled_cpu = spread_of(b->seconds + PROFILED_CPU * steps, steps);
  out->square = spread_of(b->seconds + SQUARE * steps, steps);
  out->weights = b->model->layout.trained;
  out->tape_bytes = ssk_trainer_tape_peak(b->trainer);
  average(out, b->seconds);
  sort(out);
}

/* ---- one call ------------------------------------------------------------------------------- */

static int prepare(struct bench *b, const struct ssk_experiment *experiment, ssk_err *err) {
  struct ssk_bench_options *options = &b->out->options;
  if (options->threads < 1)
    options->threads = ssk_pool_default_threads();
  int code = ssk_data_load(experiment, &b->data, err);
  if (!code)
    code = ssk_model_build(experiment, b->data, &b->model, err);
  if (!code)
    code = ssk_pool_new(options->threads, &b->pool, err);
  if (!code)
    code = ssk_trainer_new(experiment, b->data, b->model, b->pool, NULL, &b->trainer, err);
  if (code)
    return code;
  b->profiles = calloc((size_t)options->threads, sizeof *b->profiles);
  b->seconds = calloc((size_t)options->steps * MEASURES, sizeof *b->seconds);
  if (!b->profiles || !b->seconds ||
      ssk_gemm_bench_new(SSK_LARGE_SQUARE, SSK_LARGE_SQUARE, SSK_LARGE_SQUARE, &b->square))
    return no_memory(err);
  return SSK_OK;
}

static void end(struct bench *b) {
  for (int i = 0; b->profiles && i < ssk_pool_threads(b->pool); i++)
    ssk_profile_free(&b->profiles[i]);
  free(b->profiles);
  free(b->seconds);
  ssk_gemm_bench_free(&b->square);
  ssk_trainer_free(b->trainer);
  ssk_pool_free(b->pool);
  ssk_model_free(b->model);
  ssk_data_free(b->data);
}

int ssk_bench_run(struct ssk_experiment *experiment, const struct ssk_bench_options *options,
                  struct ssk_bench *out, ssk_err *err) {
  *out = (struct ssk_bench){.recipe = experiment->name,
                            .options = *options,
                            .batch = (int)experiment->training.batch,
                            .shards = (int)experiment->training.shards,
                            .paths = (int)experiment->model.paths};
  struct bench b = {.out = out};
  /* Schedules must not end before the measurements do. */
  const int64_t steps = 2 * (int64_t)(warm_up + options->steps);
  if (experiment->training.steps < steps)
    experiment->training.steps = steps;
  int code = prepare(&b, experiment, err);
  for (int i = 0; i < warm_up && !code; i++)
    code = measure(&b, 0, err);
  for (int i = 0; i < options->steps && !code; i++) {
    code = measure(&b, i, err);
    if (!code)
      code = collect(&b, i, err);
  }
  if (!code) {
    out->T = b.data->window_length;
    sum_up(&b);
  }
  end(&b);
  if (code)
    ssk_bench_free(out);
  return code;
}

void ssk_bench_free(struct ssk_bench *bench) {
  for (int i = 0; i < bench->n_rows; i++) {
    free(bench->rows[i].component);
    free(bench->rows[i].name);
    free(bench->rows[i].seconds);
  }
  free(bench->rows);
  *bench = (struct ssk_bench){0};
}
