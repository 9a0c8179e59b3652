/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run.h - train a recipe into a directory, continue such a run, open a trained model. */
#ifndef SSK_REPORT_RUN_H
#define SSK_REPORT_RUN_H

#include "model/model.h"
#include "train/loop.h"

/* A training after one of its steps; all is borrowed for the call. */
struct ssk_run_view {
  const struct ssk_experiment *experiment;
  const struct ssk_data *data;
  const struct ssk_model *model;
  ssk_real *values; /* the averaged weights */
  struct ssk_pool *pool;
  int64_t step;
};
/* Who looks at a training from outside, and may stop it. */
struct ssk_run_watcher {
  void *state;
  /* After each step of the process that leads: SSK_SAVE_AND_STOP ends the run as a signal would,
   * with *status (static text) as its status instead of "interrupted". A code other than SSK_OK
   * ends it as failed. */
  int (*stepped)(void *state, const struct ssk_run_view *view, enum ssk_request *request,
                 const char **status, ssk_err *err);
};

struct ssk_run_options {
  int threads;                   /* 0: as many as processors; no influence on the result */
  struct ssk_ranks *ranks;       /* who shares the training; NULL: this process alone */
  struct ssk_registry *registry; /* for environment.json and for reading the recipe of a run */
  const char *command;           /* for command.txt; NULL: unknown */
  FILE *progress;                /* where progress is shown; NULL: nowhere */
  const char *label;             /* before its lines: which of several trainings; NULL: the one */
  const struct ssk_run_watcher *watcher; /* NULL: none */
};

/* How a training ended. */
struct ssk_run_summary {
  struct ssk_counters counters; /* with the latest and the best validation */
  bool path_loss;               /* the validation is no bound (ssk_measure_name) */
  double seconds;               /* of this call's training */
};

/* Train the recipe into the directory `path`, which must not exist (or be empty): see run.c for
 * what it holds. SIGINT and SIGTERM save the state and end with SSK_EINTERRUPTED, SIGUSR1 only
 * saves. `summary` may be NULL. With several ranks all of them make this call; rank 0 alone uses
 * the directory and shows progress, and all return the same code. */
int ssk_run_train(const struct ssk_experiment *experiment, const char *path,
                  const struct ssk_run_options *options, struct ssk_run_summary *summary,
                  ssk_err *err);
/* Whether the recipe can be trained and then evaluated as it says: its data are read and its model
 * is built, nothing is trained or written. */
int ssk_run_try(const struct ssk_experiment *experiment, const struct ssk_run_options *options,
                ssk_err *err);
/* Continue the run in `path` from its latest checkpoint, or from the start where it has none, to
 * the bits it would have had without the interruption, also with other numbers of threads and
 * ranks. A finished run is left as it is. */
int ssk_run_resume(const char *path, const struct ssk_run_options *options,
                   struct ssk_run_summary *summary, ssk_err *err);

/* malloc'ed: the latest checkpoint of a run directory, or `path` itself where it is a file. */
int ssk_run_checkpoint(const char *path, char **out, ssk_err *err);

/* A trained model. */
struct ssk_run {
  struct ssk_experiment *experiment;
  struct ssk_data *data;
  struct ssk_model *model;
  ssk_real *values; /* the averaged weights, model->layout.total entries */
  struct ssk_counters counters;
};
/* Open the latest checkpoint of a run directory, or a checkpoint file. Recipe overrides (a.b=c) may
 * change what is not part of the weights, such as evaluate.samples. */
int ssk_run_open(const char *path, int n_overrides, const char *const *overrides,
                 struct ssk_registry *registry, struct ssk_run **out, ssk_err *err);
/* The same without the data that it was trained on, which need not be there: run->data has their
 * sizes and units, and no series. A checkpoint of an earlier version does not tell these, so that
 * its data are read all the same. */
int ssk_run_open_alone(const char *path, int n_overrides, const char *const *overrides,
                       struct ssk_registry *registry, struct ssk_run **out, ssk_err *err);
void ssk_run_free(struct ssk_run *run);

#endif
