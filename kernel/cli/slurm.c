/* SPDX-License-Identifier: GPL-3.0-or-later */
/* slurm.c - the script. Options of a cluster's own (partition, account) are for the command line of
 * sbatch, which goes before those in the script. */
#include "cli/slurm.h"
#include "cli/training.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Names of jobs are plain words. */
static void add_name(struct ssk_text *out, const char *name) {
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
  for (; *name; name++)
    ssk_text_printf(out, "%c", strchr(plain, *name) ? *name : '-');
}

static void add_head(const struct ssk_cli *cli, const struct ssk_slurm_how *how,
                     struct ssk_text *out) {
  ssk_text_add(out, "#!/bin/bash\n#SBATCH --job-name=");
  add_name(out, how->name);
  ssk_text_printf(
      out,
      "\n#SBATCH --array=0-%d                # workers; %%4 behind it: four at a time\n"
      "#SBATCH --nodes=1\n"
      "#SBATCH --ntasks=1\n"
      "#SBATCH --cpus-per-task=%d\n"
      "#SBATCH --time=%s\n"
      "#SBATCH --requeue                    # when its machine fails\n"
      "#SBATCH --open-mode=append\n"
      "#SBATCH --signal=TERM@120            # two minutes before the end: save and stop\n"
      "#SBATCH --output=%%x-%%A_%%a.log\n",
      how->jobs - 1, cli->threads ? cli->threads : 1, how->time);
}

/* A word of the command on a line of its own, or two of them. */
static void add_words(struct ssk_text *out, const char *option, const char *word) {
  ssk_text_printf(out, " \\\n  %s%s", option, *option && word ? " " : "");
  if (word)
    ssk_cli_quote(out, word);
}

int ssk_slurm_script(const struct ssk_cli *cli, const struct ssk_slurm_how *how,
                     struct ssk_text *out, ssk_err *err) {
  char *here = getcwd(NULL, 0);
  if (!here)
    return ssk_err_set(err, SSK_EIO, "the working directory is not known: %s", strerror(errno));
  add_head(cli, how, out);
  ssk_text_add(
      out, "\n# Each task is one worker. They meet in the storage and in the directory, which all "
           "machines must\n# see; submit the script again to go on where a time limit stopped "
           "them.\ncd ");
  ssk_cli_quote(out, here);
  ssk_text_add(out, " || exit\nexec srun --mpi=none --cpus-per-task=\"$SLURM_CPUS_PER_TASK\" "
                    "--cpu-bind=cores --kill-on-bad-exit=1 \\\n  sskit sweep ");
  ssk_cli_quote(out, cli->words[0]);
  for (int i = 0; i < cli->n_over; i++)
    add_words(out, "", cli->over[i]);
  for (int i = 0; i < cli->n_folders; i++)
    add_words(out, "--plugin-dir", cli->folders[i]);
  add_words(out, "--storage", how->storage);
  add_words(out, "-o", how->folder);
  ssk_text_add(out, " \\\n  --quiet --jobs 1 --threads \"$SLURM_CPUS_PER_TASK\"\n");
  free(here);
  return out->failed ? ssk_err_set(err, SSK_ENOMEM, "no memory for the script") : SSK_OK;
}
