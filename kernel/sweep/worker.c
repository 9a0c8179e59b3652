/* SPDX-License-Identifier: GPL-3.0-or-later */
/* worker.c - from a claim to its result. A run that was begun before, by a worker that died or was
 * stopped, goes on from its latest checkpoint, to the bits that it would have had. */
#include "sweep/worker.h"
#include "core/clock.h"
#include "core/file.h"
#include "report/run.h"
#include "report/run_folder.h"
#include "report/runs.h"
#include "sweep/asha.h"
#include "sweep/measure.h"
#include "sweep/pulse.h"
#include "sweep/sampler.h"
#include "sweep/worker_name.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A worker, and the run that it has. */
struct work {
  const struct ssk_sweep *sweep;
  const struct ssk_worker_how *how;
  struct ssk_registry *registry;
  struct ssk_store *store;
  char name[SSK_WORKER_NAME];
  struct ssk_claim claim;
  struct ssk_pulse *pulse;
  char *path;
  bool pruned;
  int storage_code; /* the storage failed while the run was trained */
};

char *ssk_sweep_run_path(const char *folder, int64_t trial, uint64_t seed) {
  char name[64];
  snprintf(name, sizeof name, "trials/%04" PRId64 "-%" PRIu64, trial, seed);
  return ssk_path_join(folder, name);
}

static void doze(double seconds) {
  nanosleep(&(struct timespec){.tv_sec = (time_t)seconds,
                               .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)},
            NULL);
}

/* ---- pruning --------------------------------------------------------------------------------- */

static int at_rung(struct work *w, const struct ssk_run_view *view, bool *go_on, ssk_err *err) {
  double value;
  int code = w->sweep->sweep.prune.by ? ssk_sweep_measure_bound(view, &value, err)
                                      : ssk_sweep_measure(w->sweep, view, &value, err);
  *go_on = false;
  if (code || !isfinite(value)) /* a figure that is none is never among the best */
    return code;
  w->storage_code = ssk_store_report(w->store, &w->claim, view->step, value, go_on, err);
  return w->storage_code;
}

static int watch(void *state, const struct ssk_run_view *view, enum ssk_request *request,
                 const char **status, ssk_err *err) {
  struct work *w = state;
  const struct ssk_prune_section *prune = &w->sweep->sweep.prune;
  int code = SSK_OK;
  bool go_on = true;
  if (prune->use && view->step < view->experiment->training.steps &&
      ssk_asha_rung(view->step, prune->min, prune->factor))
    code = at_rung(w, view, &go_on, err);
  if (ssk_pulse_lost(w->pulse))
    w->claim.lost = true;
  if (!go_on && !w->claim.lost) {
    w->pruned = true;
    *status = "pruned";
  }
  if (!go_on || w->claim.lost)
    *request = SSK_SAVE_AND_STOP;
  return code;
}

/* ---- training -------------------------------------------------------------------------------- */

/* A worker that was taken for dead may still be in the directory; it leaves when it learns that. */
static int wait_for_folder(struct work *w, ssk_err *err) {
  const double until = ssk_clock() + 3 * w->sweep->sweep.lease;
  while (ssk_run_folder_busy(w->path) && ssk_clock() < until && !ssk_pulse_lost(w->pulse))
    doze(0.2);
  return ssk_run_folder_busy(w->path)
             ? ssk_err_set(err, SSK_EIO, "another process works in '%s'", w->path)
             : SSK_OK;
}

/* Whether the run there is of this recipe: the storage may be newer than the directory. */
static int check_recipe(struct work *w, const struct ssk_experiment *e, ssk_err *err) {
  char *file = ssk_path_join(w->path, "recipe.yaml"), *there = NULL;
  char *recipe = ssk_experiment_dump(e);
  size_t size;
  int code = file && recipe ? ssk_file_read(file, (size_t)1 << 24, &there, &size, err)
                            : ssk_err_set(err, SSK_ENOMEM, "no memory for a recipe");
  if (!code && strcmp(there, recipe) != 0)
    code = ssk_err_set(err, SSK_EIO, "'%s' is a run of another recipe", w->path);
  free(there);
  free(recipe);
  free(file);
  return code;
}

static bool has_failed(const char *path) {
  struct ssk_run_folder folder = {.lock = -1};
  char status[16] = "";
  if (ssk_run_folder_open(&folder, path, NULL) == SSK_OK)
    ssk_run_folder_status(&folder, status, sizeof status);
  ssk_run_folder_close(&folder);
  return !strncmp(status, "failed", 6);
}

/* All trainings of the run, also those of workers that died. */
static double seconds_of(const char *path) {
  struct ssk_runs runs = {0};
  const double seconds = ssk_runs_add(&runs, path, NULL) == SSK_OK ? runs.items[0].seconds : NAN;
  ssk_runs_free(&runs);
  return isfinite(seconds) ? seconds : 0;
}

static int train(struct work *w, ssk_err *err) {
  const struct ssk_run_watcher watcher = {.state = w, .stepped = watch};
  const struct ssk_run_options options = {.threads = w->how->threads,
                                          .registry = w->registry,
                                          .command = w->how->command,
                                          .watcher = &watcher};
  struct ssk_experiment *e = NULL;
  int code = ssk_sweep_experiment(w->sweep, w->claim.point, w->claim.seed, w->registry, &e, err);
  bool there = !code && ssk_is_run(w->path);
  if (there)
    code = wait_for_folder(w, err);
  if (!code && there && has_failed(w->path)) { /* tried again: from the start */
    code = ssk_run_remove(w->path, err);
    there = false;
  }
  if (!code && there)
    code = check_recipe(w, e, err);
  if (!code)
    code = there ? ssk_run_resume(w->path, &options, NULL, err)
                 : ssk_run_train(e, w->path, &options, NULL, err);
  ssk_experiment_free(e);
  return code;
}

static int train_and_measure(struct work *w, double *value, ssk_err *err) {
  int code = train(w, err);
  if (!code)
    code = ssk_sweep_measure_run(w->sweep, w->path, w->registry, w->how->threads, value, err);
  if (!code && !isfinite(*value))
    code = ssk_err_set(err, SSK_ENUMERIC, "%s has no finite value on the validation series",
                       w->sweep->sweep.metric);
  return code;
}

/* ---- one run --------------------------------------------------------------------------------- */

static int hand_in(struct work *w, int code, double value, const ssk_err *why, ssk_err *err) {
  if (w->storage_code) /* no fault of the run: it waits until this worker is found dead */
    return ssk_err_set(err, w->storage_code, "%s", ssk_err_message(why, 0));
  if (w->claim.lost)
    return SSK_OK; /* it is another's */
  if (!code)
    return ssk_store_finish(w->store, &w->claim, value, seconds_of(w->path), err);
  if (code != SSK_EINTERRUPTED)
    return ssk_store_fail(w->store, &w->claim, ssk_err_message(why, 0), err);
  if (w->pruned)
    return ssk_store_prune(w->store, &w->claim, err);
  int failure = ssk_store_release(w->store, &w->claim, err);
  return failure ? failure : ssk_err_set(err, SSK_EINTERRUPTED, "%s", ssk_err_message(why, 0));
}

static int work_on(struct work *w, ssk_err *err) {
  double value = NAN;
  ssk_err *why = ssk_err_new(); /* why a training ends is no failure of the worker */
  w->pruned = false;
  w->path = ssk_sweep_run_path(w->how->folder, w->claim.trial, w->claim.seed);
  int code = w->path && why
                 ? ssk_pulse_start(w->how->storage, w->sweep, w->name, &w->claim, &w->pulse, err)
                 : ssk_err_set(err, SSK_ENOMEM, "no memory for a run");
  if (!code) {
    const int ended = train_and_measure(w, &value, why);
    ssk_pulse_stop(w->pulse);
    w->pulse = NULL;
    code = hand_in(w, ended, value, why, err);
  }
  free(w->path);
  ssk_err_free(why);
  return code;
}

int ssk_sweep_work(const struct ssk_sweep *sweep, const struct ssk_worker_how *how,
                   struct ssk_registry *registry, ssk_err *err) {
  struct work w = {.sweep = sweep, .how = how, .registry = registry};
  enum ssk_claimed claimed = SSK_CLAIM_WAIT;
  ssk_worker_name(w.name);
  int code = ssk_store_open(how->storage, sweep, w.name, &w.store, err);
  while (!code && claimed != SSK_CLAIM_ENDED) {
    code = ssk_store_claim(w.store, ssk_sampler_propose, (void *)sweep, &w.claim, &claimed, err);
    if (!code && claimed == SSK_CLAIM_RUN)
      code = work_on(&w, err);
    else if (!code && claimed == SSK_CLAIM_WAIT)
      doze(0.5);
    ssk_claim_free(&w.claim);
  }
  ssk_store_close(w.store);
  return code;
}
