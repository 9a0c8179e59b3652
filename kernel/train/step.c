/* SPDX-License-Identifier: GPL-3.0-or-later */
/* step.c - one training step: draw a batch, run its shards, add up, update. */
#include "train/trainer.h"

#include "model/notes.h"
#include "model/segments.h"
#include "tensor/profile.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Mean of a tensor, summed in double. */
static double mean_of(const ssk_tensor *x) {
  double sum = 0;
  for (size_t i = 0; i < x->count; i++)
    sum += (double)x->data[i];
  return x->count ? sum / (double)x->count : NAN;
}

/* Steps of a window within its series. */
static int steps_of(const struct ssk_trainer *t, const struct ssk_window *window) {
  const int left = t->data->split[SSK_TRAIN].length[window->series] - window->start;
  return left < t->data->window_length ? left : t->data->window_length;
}

static double mean_steps(const struct ssk_trainer *t, const struct ssk_window *windows) {
  double steps = 0;
  for (int i = 0; i < t->shard_batch; i++)
    steps += steps_of(t, &windows[i]);
  return steps / t->shard_batch;
}

/* The steps that a shard is computed for: those of its longest window, more than the history of the
 * transition, in whole units: each shape of a product has code of its own, and there are to be few.
 */
static int steps_needed(const struct ssk_trainer *t, const struct ssk_window *windows) {
  enum { unit = 8 };
  int most = t->model->dims.j + 1;
  for (int i = 0; i < t->shard_batch; i++) {
    const int steps = steps_of(t, &windows[i]);
    most = steps > most ? steps : most;
  }
  most = (most + unit - 1) / unit * unit;
  return most < t->data->window_length ? most : t->data->window_length;
}

static void note_data(struct ssk_notes *notes, const struct ssk_observed *observed) {
  ssk_notes_add(notes, observed->x, "data/x");
  ssk_notes_add(notes, observed->mask, "data/mask");
}

static void note_bound(struct ssk_notes *notes, const struct ssk_bound *bound,
                       const ssk_tensor *loss) {
  ssk_notes_add(notes, bound->distortion, "bound/distortion");
  ssk_notes_add(notes, bound->initial, "bound/initial");
  ssk_notes_add(notes, bound->transition, "bound/transition");
  ssk_notes_add(notes, loss, "bound/loss");
}

/* Mean loss of the shard on the tape, and the sums it adds to the record. */
static ssk_tensor *shard_loss(const struct ssk_trainer *t, struct ssk_pass *pass,
                              const struct ssk_bound *bound, const struct ssk_window *windows,
                              double *sums) {
  ssk_tensor *loss = ssk_objective_loss(&pass->ctx, bound);
  if (pass->weights.notes)
    note_bound(pass->weights.notes, bound, loss);
  const double share = pass->ctx.share;
  sums[SSK_SUM_LOSS] = share * mean_of(loss);
  sums[SSK_SUM_DISTORTION] = share * (mean_of(bound->distortion) - bound->log_jacobian);
  sums[SSK_SUM_INITIAL] = share * mean_of(bound->initial);
  sums[SSK_SUM_TRANSITION] = share * mean_of(bound->transition);
  sums[SSK_SUM_STEPS] = share * mean_steps(t, windows);
  return ssk_mean_all(pass->ctx.tape, loss);
}

static void note_error(struct ssk_trainer *t, int shard, int code, const char *message) {
  struct ssk_shard_error *error = &t->errors[shard];
  error->code = code;
  t->sums[(size_t)shard * SSK_SUMS + SSK_SUM_FAILED] = code != SSK_OK;
  if (code)
    snprintf(error->message, sizeof error->message, "%s", message);
}

/* The shard's sums and gradient; with training.segment, in segments. */
static int shard_gradient(const struct ssk_trainer *t, struct ssk_pass *pass, int shard,
                          ssk_real *gradient) {
  const struct ssk_window *windows = t->windows + shard * t->shard_batch;
  const int64_t segment = t->experiment->training.segment;
  ssk_tape *tape = pass->ctx.tape;
  ssk_tape_scope(tape, "data");
  const struct ssk_observed observed = ssk_observe(pass, t->data, SSK_TRAIN, windows);
  ssk_ctx_leave(&pass->ctx);
  if (pass->weights.notes)
    note_data(pass->weights.notes, &observed);
  struct ssk_walk walk;
  struct ssk_bound bound;
  if (segment) {
    ssk_walk_begin(&walk, pass, &observed, ssk_segment_length(pass, segment));
    bound = ssk_walk_bound(&walk, gradient);
  } else {
    bound = ssk_model_bound(pass, &observed);
  }
  ssk_tensor *loss = shard_loss(t, pass, &bound, windows, t->sums + (size_t)shard * SSK_SUMS);
  int code = ssk_tape_code(tape);
  if (!code)
    code = ssk_backward(tape, loss, (ssk_real)pass->ctx.share);
  if (!code && segment)
    ssk_walk_backward(&walk);
  return ssk_tape_code(tape);
}

/* How much of the training is done when a step begins. */
static double progress_at(const struct ssk_trainer *t, int64_t step) {
  return (double)step / (double)t->experiment->training.steps;
}

static void run_shard(int task, int thread, void *state) {
  struct ssk_trainer *t = state;
  const int shard = t->first_shard + task;
  struct ssk_pass *pass = &t->passes[thread];
  ssk_real *gradient = t->gradients[shard];
  ssk_tape_scope(pass->ctx.tape, "reduction"); /* whose sums begin at zero */
  memset(gradient, 0, t->model->layout.total * sizeof *gradient);
  ssk_err_clear(pass->err);
  ssk_pass_begin(pass, steps_needed(t, t->windows + shard * t->shard_batch), t->shard_batch,
                 (int)t->experiment->model.paths,
                 t->experiment->training.segment ? NULL : gradient);
  pass->ctx.training = true;
  pass->ctx.progress = progress_at(t, t->counters.step);
  pass->ctx.share = 1.0 / t->shards;
  pass->ctx.step = (uint32_t)t->counters.step;
  pass->ctx.shard = (uint32_t)shard;
  int code = shard_gradient(t, pass, shard, gradient);
  ssk_tape_scope(pass->ctx.tape, "waiting");
  note_error(t, shard, code, ssk_err_message(pass->err, 0));
}

/* For a profile: what the first thread, which the trainer runs on, does outside the shards. */
static void set_scope(const struct ssk_trainer *t, const char *scope) {
  ssk_tape_scope(t->passes[0].ctx.tape, scope);
}

static int draw_batch(struct ssk_trainer *t) {
  const int64_t batch = t->experiment->training.batch;
  int code = SSK_OK;
  for (int64_t i = 0; i < batch && !code; i++)
    code = ssk_data_draw(t->data, (uint64_t)t->experiment->seed,
                         (uint64_t)(t->counters.step * batch + i), &t->order, &t->windows[i]);
  return code;
}

/* This rank's shards. Whatever happens, the other ranks are met afterwards. */
static void run_shards(struct ssk_trainer *t) {
  set_scope(t, "data");
  const int code = draw_batch(t), n = t->end_shard - t->first_shard;
  set_scope(t, "waiting");
  if (!code)
    ssk_pool_run(t->pool, n, run_shard, t);
  for (int i = t->first_shard; code && i < t->end_shard; i++)
    note_error(t, i, code, "no memory for the order of the training windows");
}

/* The first shard's error, so that the message does not depend on threads and ranks. */
static int shard_error(struct ssk_trainer *t, ssk_err *err) {
  ssk_ranks_gather(t->ranks, t->errors, t->shards, sizeof *t->errors);
  for (int i = 0; i < t->shards; i++)
    if (t->errors[i].code)
      return ssk_err_set(err, t->errors[i].code, "training step %" PRId64 ": %s",
                         t->counters.step + 1, t->errors[i].message);
  return SSK_OK;
}

/* Count a step that gave no usable gradient; an error when there are too many in a row. */
static int skip(struct ssk_trainer *t, const struct ssk_step_record *record, ssk_err *err) {
  struct ssk_counters *c = &t->counters;
  c->skipped++;
  c->skipped_in_row++;
  if (c->skipped_in_row < t->experiment->training.skip_limit)
    return SSK_OK;
  const char *culprit =
      ssk_gradient_culprit(&t->model->layout, t->gradients[0], t->optimiser.trained);
  if (culprit)
    ssk_err_set(err, SSK_ENUMERIC,
                "%" PRId64 " steps in a row were not finite: at step %" PRId64
                " the gradient of '%s' is the first that is not",
                c->skipped_in_row, record->step, culprit);
  else
    ssk_err_set(err, SSK_ENUMERIC,
                "%" PRId64 " steps in a row were not finite: the loss of step %" PRId64 " is %g",
                c->skipped_in_row, record->step, record->loss);
  ssk_err_hint(err, "a lower training.learning_rate, a longer training.warmup or a smaller "
                    "training.clip may help");
  return SSK_ENUMERIC;
}

/* Before the update: of the multiplier that the step's loss had. */
static double lambda_of(const struct ssk_trainer *t) {
  const struct ssk_instance *objective = t->experiment->objective;
  const struct ssk_objective_ops *ops = objective->component->ops;
  struct ssk_ctx ctx = t->passes[0].ctx;
  ctx.weights = &t->passes[0].weights;
  ctx.path = objective->path;
  ctx.step = (uint32_t)t->counters.step;
  ctx.progress = progress_at(t, t->counters.step);
  return ops->lambda ? ops->lambda(objective->self, &ctx) : NAN;
}

/* What a step trains: of the parts that the recipe does not freeze those of the objective. */
static struct ssk_phase phase_of(const struct ssk_trainer *t, int64_t step) {
  const struct ssk_instance *objective = t->experiment->objective;
  const struct ssk_objective_ops *ops = objective->component->ops;
  const double progress = progress_at(t, step);
  const unsigned parts = ops->trains ? ops->trains(objective->self, progress) : SSK_PARTS_ALL;
  return (struct ssk_phase){.parts = parts & ssk_training_parts(&t->experiment->training),
                            .progress = progress};
}

static int choose_trained(struct ssk_trainer *t, ssk_err *err) {
  const int64_t step = t->counters.step;
  const struct ssk_phase now = phase_of(t, step), before = phase_of(t, step - 1);
  if (!now.parts) {
    ssk_err_set(err, SSK_ERECIPE, "training step %" PRId64 " has nothing to train", step + 1);
    ssk_err_hint(err, "training.freeze names all parts that the objective '%s' trains then",
                 t->experiment->objective->component->name);
    return SSK_ERECIPE;
  }
  ssk_optimiser_choose(&t->optimiser, &now, step > 0 ? &before : NULL);
  return SSK_OK;
}

int ssk_trainer_step(struct ssk_trainer *t, struct ssk_step_record *record, ssk_err *err) {
  int code = choose_trained(t, err);
  if (code)
    return code;
  run_shards(t);
  set_scope(t, "reduction");
  ssk_reduce_rows(t->ranks, t->sums, t->shards, SSK_SUMS);
  if (t->sums[SSK_SUM_FAILED] > 0)
    return shard_error(t, err);
  ssk_reduce_vectors(t->reducer);

  set_scope(t, "optimiser");
  const struct ssk_gradient_norms norms =
      ssk_gradient_norms(&t->model->layout, t->gradients[0], t->optimiser.trained);
  const double loss = t->sums[SSK_SUM_LOSS];
  *record = (struct ssk_step_record){
      .step = t->counters.step + 1,
      .loss = loss,
      .distortion = t->sums[SSK_SUM_DISTORTION],
      .initial = t->sums[SSK_SUM_INITIAL],
      .transition = t->sums[SSK_SUM_TRANSITION],
      .steps = t->sums[SSK_SUM_STEPS],
      .lambda = lambda_of(t),
      .rate_factor = ssk_rate_factor(&t->experiment->training, t->counters.step),
      .gradient = norms,
      .skipped = !norms.finite || !isfinite(loss),
  };
  if (record->skipped) {
    code = skip(t, record, err);
  } else {
    ssk_optimiser_step(&t->optimiser, t->gradients[0], norms.total, t->counters.step);
    t->counters.updates = t->optimiser.updates;
    t->counters.skipped_in_row = 0;
  }
  t->counters.step++;
  set_scope(t, NULL);
  return code;
}
