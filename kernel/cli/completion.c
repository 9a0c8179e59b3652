/* SPDX-License-Identifier: GPL-3.0-or-later */
/* completion.c - sskit completion: completion scripts from the tables that --help is made from. */
#include "cli/interface.h"
#include <string.h>

static const struct ssk_syntax syntax = {
    .doc =
        "Print a script that completes verbs, options, the names of components and (bash) the keys "
        "of the recipe or run on the command line: 'source <(sskit completion bash)', or 'sskit "
        "completion zsh' into a file _sskit on zsh's "
        "fpath.",
    .min_words = 1,
    .max_words = 1,
};

static int write_script(struct ssk_cli *cli) {
  struct ssk_text text = {0};
  if (!strcmp(cli->words[0], "bash"))
    ssk_completion_bash(&text);
  else if (!strcmp(cli->words[0], "zsh"))
    ssk_completion_zsh(&text);
  else
    return ssk_err_set(cli->err, SSK_EUSAGE, "there is completion for bash and zsh, not for '%s'",
                       cli->words[0]);
  int code = text.failed ? ssk_err_set(cli->err, SSK_ENOMEM, "no memory for the script") : SSK_OK;
  if (!code)
    fputs(text.data, stdout);
  ssk_text_free(&text);
  return code;
}

int ssk_verb_completion(struct ssk_cli *cli, int argc, char **argv) {
  int code = ssk_cli_parse(cli, &syntax, NULL, argc, argv);
  return code ? code : write_script(cli);
}
