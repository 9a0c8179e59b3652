/* SPDX-License-Identifier: GPL-3.0-or-later */
/* slurm.h - a sweep as an array of Slurm jobs. */
#ifndef SSK_CLI_SLURM_H
#define SSK_CLI_SLURM_H

#include "cli/cli.h"
#include "core/text.h"

struct ssk_slurm_how {
  const char *name;    /* of the sweep */
  const char *folder;  /* its directory, from the working directory */
  const char *storage; /* that all machines reach */
  int jobs;            /* workers: tasks of the array */
  const char *time;    /* limit of a task, as sbatch takes it */
};
/* Append the script for sbatch: each task of the array runs one worker of the sweep that the
 * command line `cli` is of. SSK_EIO where the working directory is not known. */
int ssk_slurm_script(const struct ssk_cli *cli, const struct ssk_slurm_how *how,
                     struct ssk_text *out, ssk_err *err);

#endif
