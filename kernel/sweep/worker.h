/* SPDX-License-Identifier: GPL-3.0-or-later */
/* worker.h - one process that trains trials until none is left. */
#ifndef SSK_SWEEP_WORKER_H
#define SSK_SWEEP_WORKER_H

#include "sweep/recipe.h"

struct ssk_worker_how {
  const char *folder;  /* of the sweep */
  const char *storage; /* for ssk_store_open */
  int threads;         /* of each training */
  const char *command; /* for the runs' command.txt */
};

/* Take runs from the storage, train and measure them, until all have ended: a training that fails
 * is recorded, and the next one is begun. SSK_EINTERRUPTED where a signal stopped a training, whose
 * run was given back; another code where the storage cannot be used. */
int ssk_sweep_work(const struct ssk_sweep *sweep, const struct ssk_worker_how *how,
                   struct ssk_registry *registry, ssk_err *err);
/* malloc'ed: the run directory of a trial with a seed; NULL without memory. */
char *ssk_sweep_run_path(const char *folder, int64_t trial, uint64_t seed);

#endif
