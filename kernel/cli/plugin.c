/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plugin.c - sskit plugin: begin a plugin, check a plugin. */
#include "cli/plugin.h"
#include <string.h>

enum { KEY_RECIPE = 0x2001 };

static const struct argp_option options[] = {
    {"recipe", KEY_RECIPE, "RECIPE", 0,
     "with check: put the component into this recipe, which names it", 0},
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state) {
  if (key != KEY_RECIPE)
    return ARGP_ERR_UNKNOWN;
  *(const char **)state->input = arg;
  return 0;
}

static const struct ssk_syntax syntax = {
    .doc =
        "Begin a plugin of your own, or check one.\n\n"
        "new KIND NAME: write a small component that works, with a Makefile, a recipe that trains "
        "with it and a README, into the folder NAME, or that of -o. KIND is transition, encoder, "
        "emission, summary, schedule, dataset, objective or metric. The folder must be new or "
        "empty.\n"
        "check FILE|DIR: load the plugin FILE, or each *.so in and under DIR, in a process of its "
        "own, and print a line for each check: of what every plugin must keep to; then of each "
        "component in a small model: does it run at several sizes, is its gradient that of the "
        "loss, are its bits the same twice and in two threads, does what it draws have the density "
        "that it gives, is its forecast finite, is memory left. KEY=VALUE changes that model's "
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
  const char *recipe = NULL;
  int code = ssk_cli_parse(cli, &syntax, &recipe, argc, argv);
  if (code)
    return code;
  const bool new = !strcmp(cli->words[0], "new"), check = !strcmp(cli->words[0], "check");
  if (!new && !check)
    ssk_err_set(cli->err, SSK_EUSAGE, "'sskit plugin' has no action '%s'", cli->words[0]);
  else if (cli->n_words != (new ? 3 : 2))
    ssk_err_set(cli->err, SSK_EUSAGE, "'sskit plugin %s' takes %s", cli->words[0],
                new ? "a kind and a name" : "a file or a folder");
  else if (new && (cli->n_over || recipe))
    ssk_err_set(cli->err, SSK_EUSAGE, "'sskit plugin new' takes neither overrides nor a recipe");
  else if (check && cli->output)
    ssk_err_set(cli->err, SSK_EUSAGE, "'sskit plugin check' writes no files: it takes no -o");
  else
    return new ? ssk_plugin_new(cli) : ssk_plugin_check(cli, recipe);
  ssk_err_hint(cli->err, "usage: sskit plugin %s", cli->args);
  return SSK_EUSAGE;
}
