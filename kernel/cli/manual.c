/* SPDX-License-Identifier: GPL-3.0-or-later */
/* manual.c - sskit manual: manual pages from the tables that --help is made from. */
#include "cli/interface.h"

static const struct ssk_syntax syntax = {
    .doc = "Print the manual page of the program, or of VERB, for man: 'sskit manual train | man "
           "-l -'. It is made from the same tables as --help.",
    .max_words = 1,
};

static int write_manual(struct ssk_cli *cli) {
  const struct ssk_verb *verb = cli->n_words ? ssk_verb_find(cli->words[0], cli->err) : NULL;
  if (cli->n_words && !verb)
    return SSK_EUSAGE;
  struct ssk_text text = {0};
  ssk_manual_write(verb, &text);
  int code = text.failed ? ssk_err_set(cli->err, SSK_ENOMEM, "no memory for the manual") : SSK_OK;
  if (!code)
    fputs(text.data, stdout);
  ssk_text_free(&text);
  return code;
}

int ssk_verb_manual(struct ssk_cli *cli, int argc, char **argv) {
  int code = ssk_cli_parse(cli, &syntax, NULL, argc, argv);
  return code ? code : write_manual(cli);
}
