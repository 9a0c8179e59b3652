/* SPDX-License-Identifier: GPL-3.0-or-later */
/* train.c - sskit train: train the model of a recipe into a run directory. */
#include "cli/training.h"
#include "model/experiment.h"
#include "report/run_folder.h"
#include <stdlib.h>
#include <string.h>

enum { KEY_SEED = 0x2000, KEY_THREADS };

static const struct argp_option options[] = {
    {"output", 'o', "DIR", 0, "the run directory, which must not exist (default: runs/NAME-SEED)",
     0},
    {"threads", KEY_THREADS, "N", 0,
     "threads (default: one a processor); the result does not depend on it", 0},
    {"seed", KEY_SEED, "N", 0, "the same as seed=N", 0},
    {0}};

struct input {
  const char *folder;
  int threads;
  char seed[40]; /* an override, or "" */
};

static error_t parse(int key, char *arg, struct argp_state *state) {
  struct input *input = state->input;
  switch (key) {
  case 'o':
    if (!*arg)
      argp_error(state, "--output needs the name of a directory");
    input->folder = arg;
    return 0;
  case KEY_THREADS:
    input->threads = (int)ssk_cli_int(state, "--threads", arg, 1, 1024);
    return 0;
  case KEY_SEED:
    snprintf(input->seed, sizeof input->seed, "seed=%lld",
             (long long)ssk_cli_int(state, "--seed", arg, 0, 9000000000000000));
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct ssk_syntax syntax = {
    .doc = "Train the model that RECIPE describes, with the overrides, into a run directory: the "
           "resolved recipe, metrics.jsonl, checkpoints, status. SIGINT and SIGTERM save the state "
           "and stop (status 9); SIGUSR1 saves and goes on; 'sskit resume DIR' continues.",
    .min_words = 1,
    .max_words = 1,
    .overrides = true,
    .options = options,
    .parser = parse,
};

/* The recipe with the overrides and --seed. */
static int load(struct ssk_cli *cli, const struct input *input, struct ssk_experiment **out) {
  *out = NULL;
  if (ssk_is_study(cli->words[0])) {
    ssk_err_set(cli->err, SSK_EUSAGE, "'%s' compares recipes, it is not one model", cli->words[0]);
    ssk_err_hint(cli->err, "run it with 'sskit compare %s'", cli->words[0]);
    return SSK_EUSAGE;
  }
  const char **over = malloc(((size_t)cli->n_over + 1) * sizeof *over);
  if (!over)
    return ssk_err_set(cli->err, SSK_ENOMEM, "no memory for the overrides");
  int n = 0;
  for (; n < cli->n_over; n++)
    over[n] = cli->over[n];
  if (*input->seed)
    over[n++] = input->seed;
  int code = ssk_experiment_load(cli->words[0], n, over, cli->registry, out, cli->err);
  free(over);
  return code;
}

static int train(struct ssk_cli *cli, const struct input *input,
                 const struct ssk_experiment *experiment, const char *command) {
  char *folder = input->folder
                     ? strdup(input->folder)
                     : ssk_run_folder_default(experiment->name, (uint64_t)experiment->seed);
  if (!folder)
    return ssk_err_set(cli->err, SSK_ENOMEM, "no memory for a file name");
  const struct ssk_run_options how = ssk_cli_run_options(cli, input->threads, command);
  struct ssk_run_summary summary = {0};
  int code = ssk_run_train(experiment, folder, &how, &summary, cli->err);
  code = ssk_cli_print_run(cli, folder, code, &summary);
  free(folder);
  return code;
}

int ssk_verb_train(struct ssk_cli *cli, int argc, char **argv) {
  struct input input = {0};
  char *command = ssk_cli_command(argc, argv);
  struct ssk_experiment *experiment = NULL;
  int code = ssk_cli_parse(cli, &syntax, &input, argc, argv);
  if (!code)
    code = load(cli, &input, &experiment);
  if (!code)
    code = train(cli, &input, experiment, command);
  ssk_experiment_free(experiment);
  free(command);
  return code;
}
