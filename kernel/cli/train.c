/* SPDX-License-Identifier: GPL-3.0-or-later */
/* train.c - sskit train: train the model of a recipe into a run directory. */
#include "cli/training.h"
#include "model/study.h"
#include "report/run_folder.h"
#include "sweep/recipe.h"
#include "train/ranks.h"
#include <stdlib.h>
#include <string.h>

enum { KEY_SEED = 0x2000 };

static const struct argp_option options[] = {{"seed", KEY_SEED, "N", 0, "the same as seed=N", 0},
                                             {0}};

/* --seed as an override, or "". */
struct seed {
  char text[40];
};

static error_t parse(int key, char *arg, struct argp_state *state) {
  struct seed *seed = state->input;
  if (key != KEY_SEED)
    return ARGP_ERR_UNKNOWN;
  snprintf(seed->text, sizeof seed->text, "seed=%lld",
           (long long)ssk_cli_int(state, "--seed", arg, 0, 9000000000000000));
  return 0;
}

static const struct ssk_syntax syntax = {
    .doc = "Train the model that RECIPE describes, with the overrides, into a run directory: the "
           "resolved recipe, metrics.jsonl, checkpoints, status. SIGINT and SIGTERM save the state "
           "and stop (status 9); SIGUSR1 saves and goes on; 'sskit resume DIR' continues.",
    .min_words = 1,
    .max_words = 1,
    .overrides = true,
    .threads = SSK_CLI_THREADS,
    .ranks = true,
    .output = "the run directory, which must not exist (default: runs/NAME-SEED)",
    .options = options,
    .parser = parse,
};

/* The recipe with the overrides and --seed. */
static int load(struct ssk_cli *cli, const struct seed *seed, struct ssk_experiment **out) {
  *out = NULL;
  if (ssk_is_study(cli->words[0])) {
    ssk_err_set(cli->err, SSK_EUSAGE, "'%s' compares recipes, it is not one model", cli->words[0]);
    ssk_err_hint(cli->err, "run it with 'sskit compare %s'", cli->words[0]);
    return SSK_EUSAGE;
  }
  if (ssk_is_sweep_recipe(cli->words[0])) {
    ssk_err_set(cli->err, SSK_EUSAGE, "'%s' is a sweep, it is not one model", cli->words[0]);
    ssk_err_hint(cli->err, "run it with 'sskit sweep %s'", cli->words[0]);
    return SSK_EUSAGE;
  }
  const char **over = malloc(((size_t)cli->n_over + 1) * sizeof *over);
  if (!over)
    return ssk_err_set(cli->err, SSK_ENOMEM, "no memory for the overrides");
  int n = 0;
  for (; n < cli->n_over; n++)
    over[n] = cli->over[n];
  if (*seed->text)
    over[n++] = seed->text;
  int code = ssk_experiment_load(cli->words[0], n, over, cli->registry, out, cli->err);
  free(over);
  return code;
}

static int train(struct ssk_cli *cli, const struct ssk_experiment *experiment,
                 const char *command) {
  char *folder = cli->output ? strdup(cli->output)
                             : ssk_run_folder_default(experiment->name, (uint64_t)experiment->seed);
  if (!folder)
    return ssk_err_set(cli->err, SSK_ENOMEM, "no memory for a file name");
  const struct ssk_run_options how = ssk_cli_run_options(cli, command);
  struct ssk_run_summary summary = {0};
  int code = ssk_run_train(experiment, folder, &how, &summary, cli->err);
  code = ssk_cli_print_run(cli, folder, code, &summary);
  free(folder);
  return code;
}

int ssk_verb_train(struct ssk_cli *cli, int argc, char **argv) {
  struct seed seed = {0};
  char *command = ssk_cli_command(argc, argv);
  struct ssk_experiment *experiment = NULL;
  int code = ssk_cli_parse(cli, &syntax, &seed, argc, argv);
  if (!code)
    code = ssk_ranks_agree(cli->ranks, load(cli, &seed, &experiment), cli->err);
  if (!code)
    code = train(cli, experiment, command);
  ssk_experiment_free(experiment);
  free(command);
  return code;
}
