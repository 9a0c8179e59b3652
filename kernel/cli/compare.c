/* SPDX-License-Identifier: GPL-3.0-or-later */
/* compare.c - sskit compare: run a study and print its table. */
#include "report/compare.h"
#include "cli/training.h"
#include "report/run_folder.h"
#include <stdlib.h>
#include <string.h>

enum { KEY_SEQUENTIAL = 0x2000 };

static const struct argp_option options[] = {
    {"sequential", KEY_SEQUENTIAL, NULL, 0,
     "evaluate on more and more series, and stop when the differences are decided", 0},
    {0}};

struct input {
  bool sequential;
};

static error_t parse(int key, char *arg, struct argp_state *state) {
  (void)arg;
  if (key != KEY_SEQUENTIAL)
    return ARGP_ERR_UNKNOWN;
  struct input *input = state->input;
  input->sequential = true;
  return 0;
}

static const struct ssk_syntax syntax = {
    .doc = "Train each model row of the study RECIPE (a recipe with 'compare:') once with each "
           "seed, evaluate all rows on the same series, and print the table: mean and standard "
           "error over seeds (over series for baselines, and with one seed). The directory holds a "
           "run for each training, and the table as text, Markdown, CSV and JSON. Overrides "
           "compare.KEY=VALUE change the study, all others every row's recipe.",
    .min_words = 1,
    .max_words = 1,
    .overrides = true,
    .threads = true,
    .options = options,
    .parser = parse,
    .output = "the study's directory, which must not exist (default: runs/NAME-1)",
};

static int compare(struct ssk_cli *cli, const struct input *input, const char *command) {
  struct ssk_study *study;
  int code = ssk_study_load(cli->words[0], cli->n_over, cli->over, cli->registry, &study, cli->err);
  if (code)
    return code;
  study->compare.sequential = study->compare.sequential || input->sequential;
  char *folder = cli->output ? strdup(cli->output) : ssk_run_folder_default(study->name, 1);
  const struct ssk_run_options how = ssk_cli_run_options(cli, command);
  struct ssk_table table = {0};
  code = folder ? ssk_compare_run(study, cli->words[0], folder, &how, NULL, &table, cli->err)
                : ssk_err_set(cli->err, SSK_ENOMEM, "no memory for a file name");
  struct ssk_text text = {0};
  if (!code) {
    (cli->json ? ssk_table_json : ssk_table_text)(&table, &text);
    if (text.failed)
      code = ssk_err_set(cli->err, SSK_ENOMEM, "no memory for the table");
    else
      fputs(text.data, stdout);
    if (!cli->json && !code)
      printf("\nreport: %s/table.md\n", folder);
  }
  ssk_text_free(&text);
  ssk_table_free(&table);
  free(folder);
  ssk_study_free(study);
  return code;
}

int ssk_verb_compare(struct ssk_cli *cli, int argc, char **argv) {
  struct input input = {0};
  char *command = ssk_cli_command(argc, argv);
  int code = ssk_cli_parse(cli, &syntax, &input, argc, argv);
  if (!code)
    code = compare(cli, &input, command);
  free(command);
  return code;
}
