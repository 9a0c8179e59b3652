/* SPDX-License-Identifier: GPL-3.0-or-later */
/* crew.h - the worker processes of a sweep on this machine, and its directory. */
#ifndef SSK_SWEEP_CREW_H
#define SSK_SWEEP_CREW_H

#include "sweep/store.h"

/* Make the directory of a sweep, with its text in sweep.yaml and a folder for trials, or find it
 * there. SSK_EIO where it is something else, SSK_ERECIPE where it is of another sweep. */
int ssk_sweep_folder(const char *folder, const struct ssk_sweep *sweep, ssk_err *err);
/* malloc'ed: where the trials are kept: the recipe's storage, or a file in the folder. */
char *ssk_sweep_storage(const char *folder, const struct ssk_sweep *sweep);

struct ssk_crew_how {
  int jobs;
  char *const *command;    /* of a worker, ended by NULL; run as the program that this process is */
  FILE *progress;          /* or NULL */
  struct ssk_store *store; /* to look at */
};
/* Start the workers and wait until they are through. One that a signal killed is replaced, so that
 * its run goes on; one that ends with an error ends them all, and its status is returned. SIGINT
 * and SIGTERM stop all workers after a step: SSK_EINTERRUPTED. */
int ssk_crew_run(const struct ssk_crew_how *how, const struct ssk_sweep *sweep, ssk_err *err);

#endif
