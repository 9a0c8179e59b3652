/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_folder.h - a run directory: made whole or not at all, never overwritten, used by one process
 * at a time. */
#ifndef SSK_REPORT_RUN_FOLDER_H
#define SSK_REPORT_RUN_FOLDER_H

#include <sskit/err.h>
#include <stdint.h>

/* Where the latest checkpoint lies in a run directory. */
#define SSK_RUN_LATEST "checkpoints/last.safetensors"

/* A directory that this process works in. */
struct ssk_run_folder {
  char *path;
  char *recipe, *metrics, *last, *best, *status, *command; /* files in it */
  int lock;
};

/* Make the directory with these texts, the folder of checkpoints and the status "running". What is
 * there already is an error, unless it is an empty folder. */
int ssk_run_folder_make(const char *path, const char *recipe, const char *environment,
                        const char *command, ssk_err *err);
/* Work in a directory that exists: an error when it is no run, or another process works in it. */
int ssk_run_folder_open(struct ssk_run_folder *folder, const char *path, ssk_err *err);
void ssk_run_folder_close(struct ssk_run_folder *folder);
/* Whether a process works in it at the moment. */
bool ssk_run_folder_busy(const char *path);

/* "running", "done", "interrupted", "failed: reason". */
int ssk_run_folder_set_status(const struct ssk_run_folder *folder, const char *status,
                              ssk_err *err);
/* The first line of the status; "" when it cannot be read. */
void ssk_run_folder_status(const struct ssk_run_folder *folder, char *text, size_t n);
/* Add a line to command.txt. */
int ssk_run_folder_add_command(const struct ssk_run_folder *folder, const char *command,
                               ssk_err *err);

/* malloc'ed "runs/<name>-<seed>", or the first of "-2", "-3", ... that does not exist. */
char *ssk_run_folder_default(const char *name, uint64_t seed);

#endif
