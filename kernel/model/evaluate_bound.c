/* SPDX-License-Identifier: GPL-3.0-or-later */
/* evaluate_bound.c - the bound at lambda = 1, every constant included, with the change of variables
 * of the standardisation undone: what two recipes may be compared by. */
#include "model/evaluate_bound.h"
#include "core/hash.h"
#include "model/pass_tasks.h"
#include "model/segments.h"
#include <stdlib.h>

/* Series of one task: enough rows for efficient products, few enough for even shares. */
enum { CHUNK = 16 };

bool ssk_gives_path_loss(const struct ssk_experiment *experiment) {
  const struct ssk_transition_ops *ops = experiment->model.transition->component->ops;
  return ops->path_loss != NULL;
}

const char *ssk_measure_name(bool path_loss) {
  return path_loss ? "path_loss" : "bound";
}

const char *ssk_measure_unit(bool path_loss) {
  return path_loss ? "" : "nats ";
}

static double mean_of(const ssk_tensor *x, int series, int paths) {
  double sum = 0;
  for (int s = 0; s < paths; s++)
    sum += (double)x->data[series * paths + s];
  return sum / paths;
}

int ssk_pass_bound(struct ssk_pass *pass, const struct ssk_data *data, enum ssk_split which,
                   int64_t first, int n, int length, int paths, uint64_t seed,
                   struct ssk_bound_value *values, ssk_err *err) {
  const struct ssk_split_data *split = &data->split[which];
  struct ssk_window *windows = calloc((size_t)n, sizeof *windows);
  if (!windows)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the bound");
  int T = 0;
  for (int i = 0; i < n; i++) {
    windows[i].series = first + i;
    int steps = split->length[first + i];
    steps = length && length < steps ? length : steps;
    values[i].steps = steps;
    steps = ssk_pass_steps(pass->ctx.dims, steps, split->length[first + i]);
    T = steps > T ? steps : T;
  }
  ssk_pass_begin(pass, T, n, paths, NULL);
  struct ssk_ctx *ctx = &pass->ctx;
  ctx->training = false;
  ctx->progress = 1;
  ctx->share = 1;
  ctx->seed = ssk_hash_text(seed, "bound");
  ctx->step = (uint32_t)which;
  ctx->shard = (uint32_t)first;
  struct ssk_observed obs = ssk_observe(pass, data, which, windows);
  struct ssk_walk walk;
  ssk_walk_begin(&walk, pass, &obs, ssk_segment_length_forward(pass));
  struct ssk_bound bound = ssk_walk_bound(&walk, NULL);
  int code = ssk_tape_code(ctx->tape);
  if (code)
    ssk_err_set(err, code, "%s", ssk_err_message(pass->err, 0));
  for (int i = 0; i < n && !code; i++) {
    const double *mask = split->mask + (first + i) * split->room * data->shape.D;
    const bool density = !ctx->model->copies; /* else the figure is a loss */
    values[i].distortion = mean_of(bound.distortion, i, paths) -
                           (density ? ssk_data_log_jacobian(data, mask, values[i].steps) : 0);
    values[i].initial = mean_of(bound.initial, i, paths);
    values[i].transition = mean_of(bound.transition, i, paths);
  }
  free(windows);
  return code;
}

struct job {
  const struct ssk_data *data;
  enum ssk_split split;
  int64_t series;
  int length, paths;
  uint64_t seed;
  struct ssk_bound_value *values;
};

static int run_chunk(struct ssk_pass *pass, int task, void *state, ssk_err *err) {
  const struct job *job = state;
  int64_t first = (int64_t)task * CHUNK;
  int n = (int)(job->series - first < CHUNK ? job->series - first : CHUNK);
  return ssk_pass_bound(pass, job->data, job->split, first, n, job->length, job->paths, job->seed,
                        job->values + first, err);
}

static void summarise(const struct ssk_bound_value *values, int64_t n,
                      struct ssk_bound_summary *out) {
  *out = (struct ssk_bound_summary){.series = n};
  for (int64_t i = 0; i < n; i++) {
    out->steps += values[i].steps / (double)n;
    out->distortion += values[i].distortion / (double)n;
    out->initial += values[i].initial / (double)n;
    out->transition += values[i].transition / (double)n;
  }
  out->total = out->distortion + out->initial + out->transition;
  double squares = 0;
  for (int64_t i = 0; i < n; i++) {
    double total = values[i].distortion + values[i].initial + values[i].transition;
    squares += (total - out->total) * (total - out->total);
  }
  out->se = n > 1 ? sqrt(squares / (double)(n - 1) / (double)n) : 0;
}

int ssk_model_evaluate_bound(const struct ssk_model *model, const struct ssk_data *data,
                             ssk_real *values, enum ssk_split split, int64_t max_series, int length,
                             int paths, uint64_t seed, struct ssk_pool *pool,
                             struct ssk_bound_summary *out, ssk_err *err) {
  *out = (struct ssk_bound_summary){0};
  struct job job = {.data = data, .split = split, .length = length, .paths = paths, .seed = seed};
  job.series = data->split[split].n;
  if (max_series && max_series < job.series)
    job.series = max_series;
  if (!job.series)
    return SSK_OK;
  job.values = calloc((size_t)job.series, sizeof *job.values);
  if (!job.values)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the bound");
  int code = ssk_pass_tasks_run(model, values, pool, (int)((job.series + CHUNK - 1) / CHUNK),
                                run_chunk, &job, err);
  if (!code)
    summarise(job.values, job.series, out);
  free(job.values);
  return code;
}
