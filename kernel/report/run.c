/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run.c - runs. A run directory holds
 *     recipe.yaml       the resolved recipe, every default explicit
 *     command.txt       the command lines that made and continued it
 *     environment.json  versions, processor, data and plugin hashes
 *     metrics.jsonl     the course of the training (run_metrics.h)
 *     checkpoints/      last.safetensors and best.safetensors (by validation bound)
 *     status            running, done, interrupted, or "failed: reason"
 * and at every moment either no checkpoint, or one from which the rest follows bit by bit.
 *
 * With several ranks, rank 0 leads: it alone has the directory open. What one rank can fail in
 * alone ends with an agreement, so that all go on or all leave. */
#include "report/run.h"

#include "core/clock.h"
#include "core/err_place.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/log.h"
#include "infer/evaluate.h"
#include "model/units.h"
#include "report/environment.h"
#include "report/health_text.h"
#include "report/progress.h"
#include "report/run_folder.h"
#include "report/run_metrics.h"
#include "report/run_signals.h"
#include "report/runs.h"
#include "report/times_log.h"
#include "train/loop.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const size_t recipe_limit = (size_t)1 << 24;

/* One training in its directory. */
struct job {
  const struct ssk_experiment *experiment;
  struct ssk_data *data;
  struct ssk_model *model;
  struct ssk_ranks *ranks;
  struct ssk_pool *pool;
  struct ssk_trainer *trainer;
  struct ssk_run_folder folder;
  struct ssk_metrics_log metrics;
  struct ssk_progress progress;
  char *units; /* of the data, as text */
  struct ssk_origin origin;
  const struct ssk_run_watcher *watcher; /* or NULL */
  enum ssk_request wish;                 /* its wish after this step... */
  const char *wished_status;             /* ... and the status that goes with it, or NULL */
};

/* ---- what the loop tells -------------------------------------------------------------------- */

/* Let the watcher look. */
static int show(struct job *s, const struct ssk_trainer *trainer, ssk_err *err) {
  const struct ssk_run_view view = {.experiment = s->experiment,
                                    .data = s->data,
                                    .model = s->model,
                                    .values = ssk_trainer_optimiser(trainer)->average,
                                    .pool = s->pool,
                                    .step = ssk_trainer_counters(trainer)->step};
  return s->watcher->stepped(s->watcher->state, &view, &s->wish, &s->wished_status, err);
}

static int on_step(void *state, const struct ssk_trainer *trainer,
                   const struct ssk_step_record *record, bool due, ssk_err *err) {
  struct job *s = state;
  ssk_progress_step(&s->progress, record, due);
  int code =
      due ? ssk_metrics_step(&s->metrics, record, ssk_trainer_counters(trainer), err) : SSK_OK;
  return code || !s->watcher ? code : show(s, trainer, err);
}

static int on_profile(void *state, const struct ssk_trainer *trainer,
                      const struct ssk_profile *profiles, int n, ssk_err *err) {
  struct job *s = state;
  return ssk_times_log(&s->metrics, ssk_trainer_counters(trainer)->step, profiles, n, err);
}

static int on_validation(void *state, const struct ssk_trainer *trainer, bool best, ssk_err *err) {
  struct job *s = state;
  const struct ssk_counters *counters = ssk_trainer_counters(trainer);
  ssk_progress_validation(&s->progress, counters, best);
  int code = ssk_metrics_validation(&s->metrics, counters, best, err);
  if (!code && best)
    code = ssk_checkpoint_save(s->folder.best, ssk_trainer_optimiser(trainer), counters, &s->origin,
                               err);
  return code;
}

static int on_examination(void *state, const struct ssk_trainer *trainer,
                          const struct ssk_health *health, ssk_err *err) {
  struct job *s = state;
  const int64_t step = ssk_trainer_counters(trainer)->step;
  ssk_progress_health(&s->progress, step, health);
  return ssk_health_log(&s->metrics, step, health, err);
}

/* Metrics before the checkpoint: resuming cuts them back to its step, and never misses one. */
static int on_save(void *state, const struct ssk_trainer *trainer, ssk_err *err) {
  struct job *s = state;
  int code = ssk_metrics_sync(&s->metrics, err);
  if (!code)
    code = ssk_checkpoint_save(s->folder.last, ssk_trainer_optimiser(trainer),
                               ssk_trainer_counters(trainer), &s->origin, err);
  return code;
}

/* Of a rank that follows: it has no watcher. */
static enum ssk_request on_poll(void *state) {
  (void)state;
  return ssk_run_signals_take();
}

static enum ssk_request on_leader_poll(void *state) {
  const struct job *s = state;
  const enum ssk_request signalled = ssk_run_signals_take();
  return signalled > s->wish ? signalled : s->wish;
}

/* ---- one call ------------------------------------------------------------------------------ */

static void job_end(struct job *s) {
  ssk_metrics_close(&s->metrics);
  ssk_trainer_free(s->trainer);
  ssk_pool_free(s->pool);
  ssk_model_free(s->model);
  ssk_data_free(s->data);
  free(s->units);
  ssk_run_folder_close(&s->folder);
}

static int threads_of(const struct ssk_run_options *options) {
  return options->threads > 0 ? options->threads : ssk_ranks_threads(options->ranks);
}

/* Everything that can fail for the recipe's sake, before there is a directory. */
static int job_prepare(struct job *s, const struct ssk_experiment *experiment, const char *recipe,
                       const struct ssk_run_options *options, ssk_err *err) {
  *s = (struct job){.experiment = experiment,
                    .ranks = options->ranks,
                    .watcher = options->watcher,
                    .folder = {.lock = -1},
                    .metrics = {.fd = -1}};
  int code = recipe ? SSK_OK : ssk_err_set(err, SSK_ENOMEM, "no memory for the resolved recipe");
  if (!code)
    code = ssk_data_load(experiment, &s->data, err);
  if (!code)
    ssk_data_warn(s->data);
  if (!code && !(s->units = ssk_units_write(s->data)))
    code = ssk_err_set(err, SSK_ENOMEM, "no memory for the units of the data");
  if (!code)
    code = ssk_model_build(experiment, s->data, &s->model, err);
  if (!code)
    code = ssk_pool_new(threads_of(options), &s->pool, err);
  if (!code)
    code = ssk_trainer_new(experiment, s->data, s->model, s->pool, s->ranks, &s->trainer, err);
  code = ssk_ranks_agree(s->ranks, code, err);
  if (!code)
    code = ssk_ranks_compare(s->ranks, ssk_hash_text(0, recipe), "the recipe", err);
  if (!code)
    code = ssk_ranks_compare(s->ranks, s->data->fingerprint, "the data set", err);
  return code;
}

static void set_final_status(struct job *s, int code, ssk_err *err) {
  char text[512] = "done";
  if (code == SSK_EINTERRUPTED) {
    snprintf(text, sizeof text, "%s", s->wished_status ? s->wished_status : "interrupted");
    ssk_err_hint(err, "continue with 'sskit resume %s'", s->folder.path);
  } else if (code) {
    const int n = ssk_err_count(err);
    snprintf(text, sizeof text, "failed: %s",
             ssk_err_message(err, (n < SSK_ERR_MAX ? n : SSK_ERR_MAX) - 1));
  }
  /* A status that cannot be written must not hide why the training ended. */
  const int failure = ssk_run_folder_set_status(&s->folder, text, code ? NULL : err);
  if (failure && code)
    ssk_say(SSK_LOG_WARNING, "cannot write the status of the run '%s'", s->folder.path);
}

static int open_log(struct job *s, ssk_err *err) {
  const int64_t step = ssk_trainer_counters(s->trainer)->step;
  int code = ssk_metrics_open(&s->metrics, s->folder.metrics, step,
                              ssk_gives_path_loss(s->experiment), err);
  if (!code)
    code = ssk_run_folder_set_status(&s->folder, "running", err);
  return code;
}

/* Train in the open folder from where the trainer stands. */
static int job_run(struct job *s, const char *recipe, const struct ssk_run_options *options,
                   struct ssk_run_summary *summary, ssk_err *err) {
  static const struct ssk_observer follower = {.poll = on_poll};
  const struct ssk_observer leader = {.state = s,
                                      .stepped = on_step,
                                      .profiled = on_profile,
                                      .validated = on_validation,
                                      .examined = on_examination,
                                      .save = on_save,
                                      .poll = on_leader_poll};
  const bool lead = ssk_ranks_lead(s->ranks);
  const struct ssk_counters *counters = ssk_trainer_counters(s->trainer);
  s->origin =
      (struct ssk_origin){recipe, (uint64_t)s->experiment->seed, s->data->fingerprint, s->units};
  int code = ssk_ranks_agree(s->ranks, lead ? open_log(s, err) : SSK_OK, err);
  if (code)
    return code;
  const double started = ssk_clock();
  struct ssk_run_signals signals;
  ssk_run_signals_catch(&signals);
  ssk_progress_start(&s->progress, lead ? options->progress : NULL, options->label, counters->step,
                     s->experiment->training.steps, ssk_gives_path_loss(s->experiment));
  code = ssk_trainer_run(s->trainer, lead ? &leader : &follower, err);
  ssk_progress_end(&s->progress);
  ssk_run_signals_restore(&signals);
  if (lead)
    set_final_status(s, code, err);
  if (summary)
    *summary = (struct ssk_run_summary){*counters, ssk_gives_path_loss(s->experiment),
                                        ssk_clock() - started};
  return code;
}

/* ---- training and resuming ------------------------------------------------------------------ */

static int make_folder(struct job *s, const char *path, const char *recipe,
                       const struct ssk_run_options *options, ssk_err *err) {
  char *environment =
      ssk_environment_text(s->data, options->registry, threads_of(options), s->ranks);
  if (!environment)
    return ssk_err_set(err, SSK_ENOMEM, "no memory to describe the environment");
  int code =
      ssk_run_folder_make(path, recipe, environment, options->command ? options->command : "", err);
  free(environment);
  return code ? code : ssk_run_folder_open(&s->folder, path, err);
}

/* The weights that the recipe has from another training. */
static int begin_with(struct job *s, ssk_err *err) {
  const char *start = s->experiment->training.start;
  if (!*start)
    return SSK_OK;
  char *file;
  struct ssk_checkpoint checkpoint = {0};
  int code = ssk_run_checkpoint(start, &file, err);
  if (!code)
    code = ssk_checkpoint_open(&checkpoint, file, err);
  if (!code)
    code = ssk_trainer_start(s->trainer, &checkpoint, err);
  ssk_checkpoint_close(&checkpoint);
  free(file);
  if (code)
    ssk_err_context(err, "training.start");
  return code;
}

int ssk_run_train(const struct ssk_experiment *experiment, const char *path,
                  const struct ssk_run_options *options, struct ssk_run_summary *summary,
                  ssk_err *err) {
  struct job s;
  char *recipe = ssk_experiment_dump(experiment);
  int code = job_prepare(&s, experiment, recipe, options, err);
  if (!code)
    code = ssk_ranks_agree(s.ranks, begin_with(&s, err), err);
  if (!code) {
    const bool lead = ssk_ranks_lead(s.ranks);
    code = lead ? make_folder(&s, path, recipe, options, err) : SSK_OK;
    code = ssk_ranks_agree(s.ranks, code, err);
  }
  if (!code)
    code = job_run(&s, recipe, options, summary, err);
  job_end(&s);
  free(recipe);
  return code;
}

/* A series that is too short is so for the horizon. */
static int check_evaluation(const struct job *s, ssk_err *err) {
  const struct ssk_node *node = ssk_node_find(s->experiment->tree->root, "evaluate.horizon");
  const int before = ssk_err_count(err);
  const struct ssk_forecaster self = {.name = s->experiment->name, .history = s->model->dims.j};
  const int code = ssk_evaluate_check(&self, s->data, &s->experiment->evaluate, err);
  if (node)
    ssk_err_place(err, before, &node->pos);
  return code;
}

int ssk_run_try(const struct ssk_experiment *experiment, const struct ssk_run_options *options,
                ssk_err *err) {
  struct job s;
  char *recipe = ssk_experiment_dump(experiment);
  int code = job_prepare(&s, experiment, recipe, options, err);
  if (!code)
    code = check_evaluation(&s, err);
  job_end(&s);
  free(recipe);
  return code;
}

/* Bring the trainer to the latest checkpoint, where there is one. */
static int restore(struct job *s, const char *recipe, ssk_err *err) {
  if (!ssk_file_exists(s->folder.last))
    return begin_with(s, err);
  struct ssk_checkpoint checkpoint;
  int code = ssk_checkpoint_open(&checkpoint, s->folder.last, err);
  if (!code && strcmp(checkpoint.origin.recipe, recipe) != 0)
    code = ssk_err_set(err, SSK_ERECIPE, "'%s' is not the recipe that '%s' was trained with",
                       s->folder.recipe, s->folder.last);
  if (!code)
    code = ssk_trainer_restore(s->trainer, &checkpoint, err);
  ssk_checkpoint_close(&checkpoint);
  return code;
}

/* What the leader alone does before a run goes on. */
static int take_up(struct job *s, const char *recipe, const struct ssk_run_options *options,
                   ssk_err *err) {
  int code = restore(s, recipe, err);
  if (!code)
    ssk_environment_compare(s->folder.path, options->registry);
  if (!code && options->command)
    code = ssk_run_folder_add_command(&s->folder, options->command, err);
  return code;
}

/* A finished run: only tell how it ended. */
static int recall(const struct ssk_run_folder *folder, struct ssk_run_summary *summary,
                  ssk_err *err) {
  struct ssk_checkpoint checkpoint;
  int code = ssk_checkpoint_open(&checkpoint, folder->last, err);
  struct ssk_runs logged = {0};
  if (!code)
    code = ssk_runs_add(&logged, folder->path, err);
  if (!code && summary)
    *summary = (struct ssk_run_summary){.counters = checkpoint.counters,
                                        .path_loss = logged.items[0].path_loss};
  ssk_runs_free(&logged);
  ssk_checkpoint_close(&checkpoint);
  return code;
}

/* `name` of the recipe's file is for messages. */
static int resume_in(struct ssk_run_folder *folder, const char *name, const char *recipe,
                     size_t size, const struct ssk_run_options *options,
                     struct ssk_run_summary *summary, ssk_err *err) {
  struct ssk_experiment *experiment = NULL;
  int code = ssk_experiment_parse(name, recipe, size, 0, NULL, options->registry, &experiment, err);
  code = ssk_ranks_agree(options->ranks, code, err);
  if (code) {
    ssk_experiment_free(experiment);
    return code;
  }
  struct job s;
  code = job_prepare(&s, experiment, recipe, options, err);
  s.folder = *folder; /* the job closes it */
  *folder = (struct ssk_run_folder){.lock = -1};
  if (!code) {
    code = ssk_ranks_lead(s.ranks) ? take_up(&s, recipe, options, err) : SSK_OK;
    code = ssk_ranks_agree(s.ranks, code, err);
  }
  if (!code) {
    ssk_trainer_share(s.trainer);
    code = job_run(&s, recipe, options, summary, err);
  }
  job_end(&s);
  ssk_experiment_free(experiment);
  return code;
}

/* The recipe of a run that is not done; one that is done is recalled, and leaves *recipe NULL. */
static int open_run(struct ssk_run_folder *folder, const char *path, char **recipe, size_t *size,
                    struct ssk_run_summary *summary, ssk_err *err) {
  int code = ssk_run_folder_open(folder, path, err);
  if (code)
    return code;
  char status[16];
  ssk_run_folder_status(folder, status, sizeof status);
  return strcmp(status, "done") == 0
             ? recall(folder, summary, err)
             : ssk_file_read(folder->recipe, recipe_limit, recipe, size, err);
}

int ssk_run_resume(const char *path, const struct ssk_run_options *options,
                   struct ssk_run_summary *summary, ssk_err *err) {
  struct ssk_run_folder folder = {.lock = -1};
  char *recipe = NULL;
  size_t size = 0;
  int code = SSK_OK;
  if (ssk_ranks_lead(options->ranks))
    code = open_run(&folder, path, &recipe, &size, summary, err);
  code = ssk_ranks_agree(options->ranks, code, err);
  if (!code)
    code = ssk_ranks_share_text(options->ranks, &recipe, &size, err);
  if (!code && recipe)
    code = resume_in(&folder, folder.recipe ? folder.recipe : path, recipe, size, options, summary,
                     err);
  free(recipe);
  ssk_run_folder_close(&folder);
  return code;
}
