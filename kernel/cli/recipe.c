/* SPDX-License-Identifier: GPL-3.0-or-later */
/* recipe.c - the recipe that a verb's command line names. */
#include "cli/cli.h"
#include "model/experiment.h"

int ssk_cli_load(struct ssk_cli *cli, struct ssk_experiment **out) {
  return ssk_experiment_load(cli->words[0], cli->n_over, cli->over, cli->registry, out, cli->err);
}
