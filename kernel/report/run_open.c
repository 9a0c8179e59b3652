/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_open.c - a trained model, rebuilt from a checkpoint: its recipe is inside. */
#include "report/run.h"

#include "core/file.h"
#include "core/log.h"
#include "model/units.h"
#include "report/environment.h"
#include "report/run_folder.h"
#include "train/checkpoint.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int ssk_run_checkpoint(const char *path, char **out, ssk_err *err) {
  struct stat info;
  *out = NULL;
  if (stat(path, &info)) {
    ssk_err_set(err, SSK_EIO, "cannot read '%s': %s", path, strerror(errno));
    ssk_err_hint(err,
                 "a run directory or a checkpoint file is expected; 'sskit runs ls' lists runs");
    return SSK_EIO;
  }
  const char *end = strrchr(path, '.');
  if (end && S_ISREG(info.st_mode) && (!strcmp(end, ".yaml") || !strcmp(end, ".yml")))
    return ssk_err_set(err, SSK_EIO,
                       "'%s' is a recipe: what is wanted is a run, which 'sskit train' makes of it",
                       path);
  const bool folder = S_ISDIR(info.st_mode);
  *out = folder ? ssk_path_join(path, SSK_RUN_LATEST) : strdup(path);
  if (!*out)
    return ssk_err_set(err, SSK_ENOMEM, "no memory to open '%s'", path);
  if (folder && !ssk_file_exists(*out)) {
    free(*out);
    *out = NULL;
    return ssk_err_set(err, SSK_EIO,
                       "'%s' has no checkpoint: it is no run, or one that was not "
                       "trained long enough",
                       path);
  }
  return SSK_OK;
}

/* The data, in the units of the training; or of them no more than their sizes and units, that the
 * checkpoint has. */
static int open_data(struct ssk_run *run, const struct ssk_checkpoint *checkpoint, bool alone,
                     ssk_err *err) {
  const char *units = checkpoint->origin.units;
  if (alone && units)
    return ssk_units_read(checkpoint->path, units, run->experiment, &run->data, err);
  const int code = ssk_data_load(run->experiment, &run->data, err);
  if (!code && checkpoint->origin.fingerprint != run->data->fingerprint)
    ssk_say(SSK_LOG_WARNING, "'%s' was trained on other data than there are now", checkpoint->path);
  return code || !units ? code : ssk_units_take(checkpoint->path, units, run->data, err);
}

static int rebuild(struct ssk_run *run, const struct ssk_checkpoint *checkpoint, bool alone,
                   int n_overrides, const char *const *overrides, struct ssk_registry *registry,
                   ssk_err *err) {
  const char *recipe = checkpoint->origin.recipe;
  int code = ssk_experiment_parse(checkpoint->path, recipe, strlen(recipe), n_overrides, overrides,
                                  registry, &run->experiment, err);
  if (!code)
    code = open_data(run, checkpoint, alone, err);
  if (!code)
    code = ssk_model_build(run->experiment, run->data, &run->model, err);
  if (code)
    return code;
  run->values = ssk_vector_new(run->model->layout.total);
  if (!run->values)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for %zu weights", run->model->layout.total);
  run->counters = checkpoint->counters;
  return ssk_checkpoint_read(checkpoint, SSK_VECTOR_AVERAGE, &run->model->layout, run->values, err);
}

static int open_run(const char *path, bool alone, int n_overrides, const char *const *overrides,
                    struct ssk_registry *registry, struct ssk_run **out, ssk_err *err) {
  *out = NULL;
  struct ssk_run *run = calloc(1, sizeof *run);
  if (!run)
    return ssk_err_set(err, SSK_ENOMEM, "no memory to open '%s'", path);
  char *file;
  int code = ssk_run_checkpoint(path, &file, err);
  if (!code) {
    struct ssk_checkpoint checkpoint;
    code = ssk_checkpoint_open(&checkpoint, file, err);
    if (!code)
      code = rebuild(run, &checkpoint, alone, n_overrides, overrides, registry, err);
    ssk_checkpoint_close(&checkpoint);
    free(file);
  }
  if (code) {
    ssk_run_free(run);
    return code;
  }
  ssk_environment_compare(path, registry); /* a checkpoint file by itself has none */
  *out = run;
  return SSK_OK;
}

int ssk_run_open(const char *path, int n_overrides, const char *const *overrides,
                 struct ssk_registry *registry, struct ssk_run **out, ssk_err *err) {
  return open_run(path, false, n_overrides, overrides, registry, out, err);
}

int ssk_run_open_alone(const char *path, int n_overrides, const char *const *overrides,
                       struct ssk_registry *registry, struct ssk_run **out, ssk_err *err) {
  return open_run(path, true, n_overrides, overrides, registry, out, err);
}

void ssk_run_free(struct ssk_run *run) {
  if (!run)
    return;
  free(run->values);
  ssk_model_free(run->model);
  ssk_data_free(run->data);
  ssk_experiment_free(run->experiment);
  free(run);
}
