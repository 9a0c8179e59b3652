/* SPDX-License-Identifier: GPL-3.0-or-later */
/* resume.c - sskit resume: continue a run that was stopped. */
#include "cli/training.h"
#include <stdlib.h>

static const struct ssk_syntax syntax = {
    .doc = "Continue the run in DIR from its latest checkpoint, or from the start where it has "
           "none. It ends with the same bits as a run that was never stopped. A finished run is "
           "left as it is.",
    .min_words = 1,
    .max_words = 1,
    .threads = SSK_CLI_THREADS,
    .ranks = true,
};

int ssk_verb_resume(struct ssk_cli *cli, int argc, char **argv) {
  char *command = ssk_cli_command(argc, argv);
  int code = ssk_cli_parse(cli, &syntax, NULL, argc, argv);
  if (!code) {
    const struct ssk_run_options how = ssk_cli_run_options(cli, command);
    struct ssk_run_summary summary = {0};
    code = ssk_run_resume(cli->words[0], &how, &summary, cli->err);
    code = ssk_cli_print_run(cli, cli->words[0], code, &summary);
  }
  free(command);
  return code;
}
