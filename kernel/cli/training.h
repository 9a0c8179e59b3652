/* SPDX-License-Identifier: GPL-3.0-or-later */
/* training.h - what the verbs train and resume share. */
#ifndef SSK_CLI_TRAINING_H
#define SSK_CLI_TRAINING_H

#include "cli/cli.h"
#include "core/text.h"
#include "report/run.h"

/* Append a word as the shell reads it: in single quotes, where it would see anything special. */
void ssk_cli_quote(struct ssk_text *text, const char *word);
/* The command line as a shell would read it, with a newline; malloc'ed. */
char *ssk_cli_command(int argc, char **argv);
/* How the training is run: progress goes to standard error, unless --quiet. */
struct ssk_run_options ssk_cli_run_options(const struct ssk_cli *cli, const char *command);
/* Tell where the run is and what it reached; as JSON also when it was stopped. */
int ssk_cli_print_run(struct ssk_cli *cli, const char *folder, int code,
                      const struct ssk_run_summary *summary);

#endif
