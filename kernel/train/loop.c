/* SPDX-License-Identifier: GPL-3.0-or-later */
/* loop.c - setting up a training, and running it with validations and saves. */
#include "train/loop.h"

#include "recipe/tree.h"
#include "tensor/profile.h"
#include "train/trainer.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* ---- setting up ----------------------------------------------------------------------------- */

static int check_shards(const struct ssk_experiment *experiment, ssk_err *err) {
  const struct ssk_training_section *s = &experiment->training;
  if (s->shards >= 1 && s->batch >= s->shards && s->batch % s->shards == 0)
    return SSK_OK;
  const struct ssk_node *node =
      experiment->tree ? ssk_node_find(experiment->tree->root, "training.shards") : NULL;
  ssk_err_at(err, SSK_ERECIPE, node ? &node->pos : NULL,
             "training.batch (%" PRId64 ") is not a multiple of training.shards (%" PRId64 ")",
             s->batch, s->shards);
  ssk_err_hint(err, "every shard of a batch holds the same number of windows");
  return SSK_ERECIPE;
}

static int allocate(struct ssk_trainer *t, ssk_err *err) {
  const size_t shards = (size_t)t->shards;
  const size_t threads = (size_t)ssk_pool_threads(t->pool);
  t->passes = calloc(threads, sizeof *t->passes);
  t->gradients = calloc(shards, sizeof *t->gradients);
  t->sums = calloc(shards * SSK_SUMS, sizeof *t->sums);
  t->errors = calloc(shards, sizeof *t->errors);
  t->windows = calloc((size_t)t->experiment->training.batch, sizeof *t->windows);
  bool fine = t->passes && t->gradients && t->sums && t->errors && t->windows;
  for (int i = 0; i < t->shards && fine; i++)
    if (i == 0 || (i >= t->first_shard && i < t->end_shard))
      fine = (t->gradients[i] = ssk_vector_new(t->model->layout.total)) != NULL;
  if (!fine)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for %d shards of %zu weights", t->shards,
                       t->model->layout.total);
  int code = ssk_reducer_new(t->pool, t->ranks, t->gradients, t->shards, t->model->layout.total,
                             &t->reducer, err);
  if (!code)
    code = ssk_optimiser_init(&t->optimiser, &t->model->layout, &t->experiment->training, err);
  for (size_t i = 0; i < threads && !code; i++) {
    code = ssk_pass_init(&t->passes[i], t->model, t->optimiser.values);
    if (code)
      return ssk_err_set(err, code, "no memory for the workspace of thread %zu", i + 1);
    t->passes[i].weights.trained = t->optimiser.trained;
    t->n_passes++;
  }
  return code;
}

int ssk_trainer_new(const struct ssk_experiment *experiment, const struct ssk_data *data,
                    const struct ssk_model *model, struct ssk_pool *pool, struct ssk_ranks *ranks,
                    struct ssk_trainer **out, ssk_err *err) {
  *out = NULL;
  int code = check_shards(experiment, err);
  if (code)
    return code;
  if (data->n_windows < 1)
    return ssk_err_set(err, SSK_EDATA,
                       "there is no training window: the training split has %" PRId64 " series",
                       data->split[SSK_TRAIN].n);
  struct ssk_trainer *t = calloc(1, sizeof *t);
  if (!t)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the training");
  t->experiment = experiment;
  t->data = data;
  t->model = model;
  t->pool = pool;
  t->ranks = ranks;
  t->shards = (int)experiment->training.shards;
  t->shard_batch = (int)(experiment->training.batch / experiment->training.shards);
  const int self = ssk_ranks_self(ranks);
  t->first_shard = (int)ssk_ranks_first(ranks, self, t->shards);
  t->end_shard = (int)ssk_ranks_first(ranks, self + 1, t->shards);
  code = allocate(t, err);
  if (code) {
    ssk_trainer_free(t);
    return code;
  }
  ssk_layout_initialise(&model->layout, (uint64_t)experiment->seed, t->optimiser.values);
  ssk_optimiser_start(&t->optimiser);
  *out = t;
  return SSK_OK;
}

void ssk_trainer_free(struct ssk_trainer *t) {
  if (!t)
    return;
  for (int i = 0; i < t->n_passes; i++)
    ssk_pass_free(&t->passes[i]);
  for (int i = 0; t->gradients && i < t->shards; i++)
    free(t->gradients[i]);
  ssk_reducer_free(t->reducer);
  ssk_optimiser_free(&t->optimiser);
  ssk_window_order_free(&t->order);
  free(t->passes);
  free(t->gradients);
  free(t->sums);
  free(t->errors);
  free(t->windows);
  free(t);
}

int ssk_trainer_start(struct ssk_trainer *t, const struct ssk_checkpoint *checkpoint,
                      ssk_err *err) {
  const unsigned frozen = SSK_PARTS_ALL & ~ssk_training_parts(&t->experiment->training);
  int code = ssk_checkpoint_read_parts(checkpoint, SSK_VECTOR_AVERAGE, &t->model->layout, frozen,
                                       t->optimiser.values, err);
  ssk_optimiser_start(&t->optimiser);
  return code;
}

int ssk_trainer_restore(struct ssk_trainer *t, const struct ssk_checkpoint *checkpoint,
                        ssk_err *err) {
  if (checkpoint->origin.fingerprint != t->data->fingerprint)
    return ssk_err_set(
        err, SSK_EDATA,
        "checkpoint '%s' was trained on other data: their fingerprint was %016" PRIx64
        ", it is %016" PRIx64,
        checkpoint->path, checkpoint->origin.fingerprint, t->data->fingerprint);
  int code = ssk_checkpoint_restore(checkpoint, &t->optimiser, err);
  t->counters = checkpoint->counters;
  return code;
}

const struct ssk_counters *ssk_trainer_counters(const struct ssk_trainer *t) {
  return &t->counters;
}
const struct ssk_optimiser *ssk_trainer_optimiser(const struct ssk_trainer *t) {
  return &t->optimiser;
}

void ssk_trainer_profile(struct ssk_trainer *t, struct ssk_profile *profiles) {
  for (int i = 0; i < t->n_passes; i++)
    ssk_tape_profile(t->passes[i].ctx.tape, profiles ? &profiles[i] : NULL);
}

void ssk_trainer_record(struct ssk_trainer *t, struct ssk_notes *notes) {
  for (int i = 0; i < t->n_passes; i++)
    t->passes[i].weights.notes = notes;
}

size_t ssk_trainer_tape_peak(const struct ssk_trainer *t) {
  size_t bytes = 0;
  for (int i = 0; i < t->n_passes; i++)
    bytes += ssk_tape_peak(t->passes[i].ctx.tape);
  return bytes;
}

/* ---- running -------------------------------------------------------------------------------- */

static bool due(int64_t step, int64_t every, int64_t last) {
  return every > 0 && (step % every == 0 || step == last);
}

/* A finished run always has a validation, where there is anything to validate on. */
static bool validation_due(const struct ssk_trainer *t, int64_t step) {
  const struct ssk_training_section *s = &t->experiment->training;
  return step == s->steps || due(step, s->validate_every, s->steps);
}

/* The bound of the averaged weights on the validation split. */
static int validate(struct ssk_trainer *t, const struct ssk_observer *observer, ssk_err *err) {
  const struct ssk_evaluate_section *e = &t->experiment->evaluate;
  struct ssk_counters *c = &t->counters;
  int code = ssk_model_evaluate_bound(t->model, t->data, t->optimiser.average, SSK_VALID, e->series,
                                      (int)e->bound_length, (int)e->bound_paths,
                                      (uint64_t)t->experiment->seed, t->pool, &c->validation, err);
  if (code)
    return code;
  c->validated_step = c->step;
  const double total = c->validation.total;
  const bool best = isfinite(total) && (c->best_step == 0 || total < c->best);
  if (best) {
    c->best = total;
    c->best_step = c->step;
  }
  return observer->validated ? observer->validated(observer->state, t, best, err) : SSK_OK;
}

/* Is this validation one of health.every? */
static bool health_due(const struct ssk_trainer *t) {
  const int64_t step = t->counters.step, every = t->experiment->health.every;
  const int64_t between = t->experiment->training.validate_every;
  return every > 0 &&
         (step == t->experiment->training.steps || (between > 0 && step / between % every == 0));
}

/* The health of the averaged weights on the validation split. Nothing of it is state. */
static int examine(const struct ssk_trainer *t, const struct ssk_observer *observer, ssk_err *err) {
  struct ssk_health health;
  int code =
      ssk_health_measure(t->model, t->data, t->optimiser.average, SSK_VALID, t->pool, &health, err);
  if (!code)
    code = observer->examined(observer->state, t, &health, err);
  ssk_health_free(&health);
  return code;
}

/* Save, where the ranks agree on what is saved. */
static int save(struct ssk_trainer *t, const struct ssk_observer *observer, ssk_err *err) {
  int code = ssk_trainer_compare(t, err);
  if (!code && observer->save)
    code = observer->save(observer->state, t, err);
  return ssk_ranks_agree(t->ranks, code, err);
}

/* Where the step's time went, if all of it is known. */
static int tell_profiles(const struct ssk_trainer *t, const struct ssk_profile *profiles,
                         const struct ssk_observer *observer, ssk_err *err) {
  for (int i = 0; i < t->n_passes; i++)
    if (profiles[i].failed)
      return SSK_OK;
  return observer->profiled(observer->state, t, profiles, t->n_passes, err);
}

/* What follows a step (with profiles, or NULL): log, validation, save, and whether to stop. */
static int after_step(struct ssk_trainer *t, const struct ssk_step_record *record,
                      const struct ssk_profile *profiles, const struct ssk_observer *observer,
                      ssk_err *err) {
  const struct ssk_training_section *s = &t->experiment->training;
  const int64_t step = t->counters.step;
  int code = profiles ? tell_profiles(t, profiles, observer, err) : SSK_OK;
  if (!code && observer->stepped)
    code = observer->stepped(observer->state, t, record,
                             due(step, s->log_every, s->steps) || (step == 1 && s->log_every > 0),
                             err);
  if (!code && validation_due(t, step) && t->data->split[SSK_VALID].n > 0) {
    code = validate(t, observer, err);
    if (!code && observer->examined && health_due(t))
      code = examine(t, observer, err);
  }
  int request = observer->poll ? (int)observer->poll(observer->state) : SSK_GO_ON;
  code = ssk_ranks_meet(t->ranks, code, &request, err);
  if (code)
    return code;
  const bool last = step == s->steps;
  if (last || request != SSK_GO_ON || due(step, s->checkpoint_every, s->steps))
    code = save(t, observer, err);
  if (!code && request == SSK_SAVE_AND_STOP && !last)
    code = ssk_err_set(err, SSK_EINTERRUPTED,
                       "stopped by a signal after step %" PRId64 " of %" PRId64, step, s->steps);
  return code;
}

/* The clocks of one step, which change nothing that is computed. New each time, so that what they
 * have rows for does not depend on the steps before; NULL without memory, and no profile then. */
static struct ssk_profile *start_profiles(struct ssk_trainer *t) {
  struct ssk_profile *profiles = calloc((size_t)t->n_passes, sizeof *profiles);
  ssk_trainer_profile(t, profiles);
  return profiles;
}

static void free_profiles(const struct ssk_trainer *t, struct ssk_profile *profiles) {
  for (int i = 0; profiles && i < t->n_passes; i++)
    ssk_profile_free(&profiles[i]);
  free(profiles);
}

int ssk_trainer_run(struct ssk_trainer *t, const struct ssk_observer *observer, ssk_err *err) {
  int code = SSK_OK;
  while (!code && t->counters.step < t->experiment->training.steps) {
    struct ssk_step_record record;
    const bool profiled = observer->profiled && validation_due(t, t->counters.step + 1);
    struct ssk_profile *profiles = profiled ? start_profiles(t) : NULL;
    code = ssk_trainer_step(t, &record, err);
    ssk_trainer_profile(t, NULL);
    if (!code)
      code = after_step(t, &record, profiles, observer, err);
    free_profiles(t, profiles);
  }
  return code;
}
