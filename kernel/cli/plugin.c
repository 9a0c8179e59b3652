/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plugin.c - sskit plugin: begin a plugin, check a plugin. */
#include "cli/plugin.h"
#include <string.h>

enum { KEY_RECIPE = 0x2000, KEY_LIMIT };
enum { LIMIT = 120 }; /* seconds; a check takes one */

static const struct argp_option options[] = {
    {"recipe", KEY_RECIPE, "RECIPE", 0,
     "with check: put the component into this recipe, which names it", 0},
    {"limit", KEY_LIMIT, "SECONDS", 0,
     "with check: end a check that takes longer (default: 120; 0: none)", 0},
    {0}};

struct input {
  const char *recipe;
  int limit; /* -1: not given */
};

static error_t parse(int key, char *arg, struct argp_state *state) {
  struct input *input = state->input;
  switch (key) {
  case KEY_RECIPE:
    input->recipe = arg;
    return 0;
  case KEY_LIMIT:
    input->limit = (int)ssk_cli_int(state, "--limit", arg, 0, 1000000);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct ssk_syntax syntax = {
    .doc =
        "Begin a plugin of your own, or check one.\n\n"
        "new KIND NAME: write a small component that works, with a Makefile, a recipe that trains "
        "with it and a README, into the folder NAME, or that of -o. KIND is any that 'sskit list' "
        "shows. The folder must be new, or hold nothing but hidden files.\n"
        "check FILE|DIR: load the plugin FILE, or each *.so in and under DIR, in a process of its "
        "own, and print a line for each check: of what every plugin must keep to; then of each "
        "component in a small model: does it run at several sizes, is its gradient that of the "
        "loss, are its bits the same twice and in two threads, does what it draws have the density "
        "that it gives, is its forecast finite, is memory left. A check that goes on for longer "
        "than --limit has failed. KEY=VALUE changes that model's "
        "recipe: 'model.transition.width=8' sets a parameter that has no default. The exit status "
        "is 0 if no check failed, 4 if a plugin could not be loaded or does not keep to the "
        "contract, and 1 if another check failed.",
    .min_words = 1,
    .max_words = 3,
    .overrides = true,
    .output = "folder for 'new'; default: NAME",
    .options = options,
    .parser = parse,
};

int ssk_verb_plugin(struct ssk_cli *cli, int argc, char **argv) {
  struct input input = {.limit = -1};
  int code = ssk_cli_parse(cli, &syntax, &input, argc, argv);
  if (code)
    return code;
  const bool new = !strcmp(cli->words[0], "new"), check = !strcmp(cli->words[0], "check");
  if (!new && !check)
    ssk_err_set(cli->err, SSK_EUSAGE, "'sskit plugin' has no action '%s'", cli->words[0]);
  else if (cli->n_words != (new ? 3 : 2))
    ssk_err_set(cli->err, SSK_EUSAGE, "'sskit plugin %s' takes %s", cli->words[0],
                new ? "a kind and a name" : "a file or a folder");
  else if (new && (cli->n_over || input.recipe || input.limit >= 0))
    ssk_err_set(cli->err, SSK_EUSAGE,
                "'sskit plugin new' takes neither overrides, nor a recipe, nor a limit");
  else if (check && cli->output)
    ssk_err_set(cli->err, SSK_EUSAGE, "'sskit plugin check' writes no files: it takes no -o");
  else
    return new ? ssk_plugin_new(cli)
               : ssk_plugin_check(cli, input.recipe, input.limit < 0 ? LIMIT : input.limit);
  ssk_err_hint(cli->err, "usage: sskit plugin %s", cli->args);
  return SSK_EUSAGE;
}
