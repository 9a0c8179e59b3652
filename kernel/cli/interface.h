/* SPDX-License-Identifier: GPL-3.0-or-later */
/* interface.h - the command line described for manuals and completion, from the tables that parse
 * it: verbs.def, each verb's struct ssk_syntax, and the options that all verbs take. */
#ifndef SSK_CLI_INTERFACE_H
#define SSK_CLI_INTERFACE_H

#include "cli/cli.h"
#include "core/text.h"

struct ssk_verb {
  const char *name, *args, *help;
  int (*run)(struct ssk_cli *cli, int argc, char **argv);
};
/* verbs.def, in its order. */
extern const struct ssk_verb ssk_verbs[];
extern const int ssk_n_verbs;

/* The verb of that name; NULL, with the nearest as a hint: there is none. */
const struct ssk_verb *ssk_verb_find(const char *name, ssk_err *err);

/* "  0  success\n  1  ...": and the variables that the program reads. */
extern const char ssk_exit_statuses[], ssk_environment[];

/* What the verb gives to ssk_cli_parse. It is asked for it, and does nothing else. */
const struct ssk_syntax *ssk_verb_syntax(const struct ssk_verb *verb);

/* Call `each` for every visible option of a verb (NULL: of all verbs): its own, the shared ones
 * that it takes, the common ones. */
typedef void ssk_option_seen(void *user, const struct argp_option *option);
void ssk_verb_options(const struct ssk_verb *verb, ssk_option_seen *each, void *user);

/* A completion script of bash and of zsh. */
void ssk_completion_bash(struct ssk_text *out);
void ssk_completion_zsh(struct ssk_text *out);

#endif
