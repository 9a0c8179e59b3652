/* SPDX-License-Identifier: GPL-3.0-or-later */
/* study_folder.c - a comparison that was stopped, or has more rows or seeds than before, goes on:
 * what was trained for it stays. A run belongs to it when its recipe is the same text. */
#include "report/study_folder.h"
#include "core/file.h"
#include "report/runs.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const size_t file_limit = (size_t)1 << 24;

static int no_memory(ssk_err *err) {
  return ssk_err_set(err, SSK_ENOMEM, "no memory for the study");
}

/* The commands so far and this one. */
static int write_commands(const char *file, const char *command, ssk_err *err) {
  char *before = NULL;
  size_t size = 0;
  int code = ssk_file_exists(file) ? ssk_file_read(file, file_limit, &before, &size, err) : SSK_OK;
  if (!code) {
    const struct ssk_piece pieces[] = {{before, size}, {command, strlen(command)}};
    code = ssk_file_write_pieces(file, pieces, 2, err);
  }
  free(before);
  return code;
}

int ssk_study_folder_take(const char *folder, const char *command, ssk_err *err) {
  char *file = ssk_path_join(folder, "command.txt");
  int code = file ? SSK_OK : no_memory(err);
  if (!code && (ssk_is_run(folder) || !ssk_file_exists(file))) { /* a run has such a file, too */
    rmdir(folder); /* one that is empty is as good as none, as for a run */
    code = ssk_folder_claim(folder, err);
    if (code && ssk_file_exists(folder))
      ssk_err_hint(err, "a comparison goes on in its own directory only: name another one");
  }
  if (!code)
    code = write_commands(file, command ? command : "", err);
  free(file);
  return code;
}

/* A line without its newline and indentation, as much of it as a message has room for. */
static int line_at(const char **line) {
  *line += strspn(*line, " ");
  const size_t length = strcspn(*line, "\n");
  return (int)(length < 80 ? length : 80);
}

const char *ssk_recipe_difference(char buffer[256], const char *there, const char *here) {
  size_t same = 0;
  while (there[same] && there[same] == here[same])
    same++;
  while (same > 0 && there[same - 1] != '\n')
    same--;
  there += same;
  here += same;
  const int n_there = line_at(&there), n_here = line_at(&here);
  snprintf(buffer, 256, "'%.*s' there, '%.*s' here", n_there, there, n_here, here);
  return buffer;
}

static int refuse(const char *path, const char *there, const char *here, ssk_err *err) {
  char difference[256];
  ssk_err_set(err, SSK_ERECIPE, "'%s' is a run of another recipe: %s", path,
              ssk_recipe_difference(difference, there, here));
  ssk_err_hint(err, "name another directory, or remove that run with 'sskit runs rm %s'", path);
  return SSK_ERECIPE;
}

int ssk_study_run_check(const struct ssk_experiment *experiment, const char *path, ssk_err *err) {
  if (!ssk_is_run(path))
    return SSK_OK;
  char *file = ssk_path_join(path, "recipe.yaml"), *here = ssk_experiment_dump(experiment);
  char *there = NULL;
  size_t size;
  int code = file && here ? ssk_file_read(file, file_limit, &there, &size, err) : no_memory(err);
  if (!code && strcmp(there, here) != 0)
    code = refuse(path, there, here, err);
  free(there);
  free(here);
  free(file);
  return code;
}

int ssk_study_run_train(const struct ssk_experiment *experiment, const char *path,
                        const struct ssk_run_options *options, ssk_err *err) {
  return ssk_is_run(path) ? ssk_run_resume(path, options, NULL, err)
                          : ssk_run_train(experiment, path, options, NULL, err);
}
