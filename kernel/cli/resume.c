/* SPDX-License-Identifier: GPL-3.0-or-later */
/* resume.c - sskit resume: continue a run that was stopped. */
#include "cli/training.h"
#include <stdlib.h>

enum { KEY_THREADS = 0x2000 };

static const struct argp_option options[] = {
    {"threads", KEY_THREADS, "N", 0,
     "threads (default: one a processor); the result does not depend on it", 0},
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state) {
  int *threads = state->input;
  if (key != KEY_THREADS)
    return ARGP_ERR_UNKNOWN;
  *threads = (int)ssk_cli_int(state, "--threads", arg, 1, 1024);
  return 0;
}

static const struct ssk_syntax syntax = {
    .doc = "Continue the run in DIR from its latest checkpoint, or from the start where it has "
           "none. It ends with the same bits as a run that was never stopped. A finished run is "
           "left as it is.",
    .min_words = 1,
    .max_words = 1,
    .options = options,
    .parser = parse,
};

int ssk_verb_resume(struct ssk_cli *cli, int argc, char **argv) {
  int threads = 0;
  char *command = ssk_cli_command(argc, argv);
  int code = ssk_cli_parse(cli, &syntax, &threads, argc, argv);
  if (!code) {
    const struct ssk_run_options how = ssk_cli_run_options(cli, threads, command);
    struct ssk_run_summary summary = {0};
    code = ssk_run_resume(cli->words[0], &how, &summary, cli->err);
    code = ssk_cli_print_run(cli, cli->words[0], code, &summary);
  }
  free(command);
  return code;
}
