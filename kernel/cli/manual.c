/* SPDX-License-Identifier: GPL-3.0-or-later */
/* manual.c - sskit manual: manual pages from the tables that --help, recipes and 'sskit describe'
 * are made from. */
#include "cli/manual.h"
#include <string.h>

static const struct ssk_syntax syntax = {
    .doc = "Print the manual page of the program, of VERB, or the reference of recipes "
           "('recipe') or components ('components'), for man: 'sskit manual train | man -l -'. It "
           "is made from the same tables as --help, as recipes are read by, and as 'sskit "
           "describe'.",
    .max_words = 1,
};

static int write_manual(struct ssk_cli *cli, struct ssk_text *text) {
  const char *topic = cli->n_words ? cli->words[0] : NULL;
  const struct ssk_verb *verb = NULL;
  if (topic && !strcmp(topic, "recipe")) {
    ssk_manual_recipe(text);
  } else if (topic && !strcmp(topic, "components")) {
    int code = ssk_registry_open_all(cli->registry, cli->err);
    if (code)
      return code;
    ssk_manual_components(cli->registry, text);
  } else if (topic && !(verb = ssk_verb_find(topic, cli->err))) {
    return SSK_EUSAGE;
  } else {
    ssk_manual_program(verb, text);
  }
  if (text->failed)
    return ssk_err_set(cli->err, SSK_ENOMEM, "no memory for the manual");
  fputs(text->data, stdout);
  return SSK_OK;
}

int ssk_verb_manual(struct ssk_cli *cli, int argc, char **argv) {
  int code = ssk_cli_parse(cli, &syntax, NULL, argc, argv);
  struct ssk_text text = {0};
  if (!code)
    code = write_manual(cli, &text);
  ssk_text_free(&text);
  return code;
}
