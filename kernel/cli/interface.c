/* SPDX-License-Identifier: GPL-3.0-or-later */
/* interface.c - asking the verbs for their syntax. */
#include "cli/interface.h"
#include <string.h>

#define SSK_VERB(name, args, help) {#name, args, help, ssk_verb_##name},
const struct ssk_verb ssk_verbs[] = {
#include "cli/verbs.def"
};
#undef SSK_VERB
const int ssk_n_verbs = sizeof ssk_verbs / sizeof ssk_verbs[0];

const struct ssk_verb *ssk_verb_find(const char *name, ssk_err *err) {
  struct ssk_nearest nearest = {.wanted = name};
  for (int i = 0; i < ssk_n_verbs; i++) {
    if (strcmp(ssk_verbs[i].name, name) == 0)
      return &ssk_verbs[i];
    ssk_nearest_offer(&nearest, ssk_verbs[i].name);
  }
  ssk_err_set(err, SSK_EUSAGE, "there is no verb '%s'", name);
  if (nearest.best)
    ssk_err_hint(err, "did you mean '%s'?", nearest.best);
  else
    ssk_err_hint(err, "'sskit --help' lists the verbs");
  return NULL;
}

const char ssk_exit_statuses[] =
    "  0  success\n"
    "  1  a failure that no other status describes; of reproduce: a figure that was not reached\n"
    "  2  the command line is wrong\n"
    "  3  a recipe is wrong: syntax, key, type, range\n"
    "  4  a plugin is missing, was refused, or failed to initialise\n"
    "  5  data are missing, malformed, or do not fit the recipe\n"
    "  6  the operating system refused a file operation\n"
    "  7  too many non-finite steps, or a value that must be finite is not\n"
    "  8  no memory\n"
    "  9  stopped by a signal; the state was saved and can be resumed\n";

const char ssk_environment[] =
    "  SSKIT_PLUGIN_PATH  folders of plugins, separated by ':'\n"
    "  SSKIT_PLUGIN_DIR   instead of the installed folder of plugins; empty: none\n"
    "  SSKIT_RECIPE_PATH  more folders of base recipes, separated by ':'\n"
    "  SSKIT_DATA         folder of public series: $SSKIT_DATA/... in recipes\n"
    "  NO_COLOR           when set and not empty: no colours\n";

const struct ssk_syntax *ssk_verb_syntax(const struct ssk_verb *verb) {
  char name[] = "sskit";
  char *argv[] = {name, NULL};
  struct ssk_cli cli = {.err = ssk_err_new(), .asked = true};
  verb->run(&cli, 1, argv);
  ssk_err_free(cli.err);
  return cli.syntax;
}

static void each_of(const struct argp_option *options, ssk_option_seen *each, void *user) {
  for (; options && (options->name || options->key || options->doc); options++)
    if (options->name && !(options->flags & OPTION_HIDDEN))
      each(user, options);
}

void ssk_verb_options(const struct ssk_verb *verb, ssk_option_seen *each, void *user) {
  struct argp_option shared[SSK_CLI_SHARED];
  if (verb) {
    const struct ssk_syntax *syntax = ssk_verb_syntax(verb);
    each_of(syntax->options, each, user);
    ssk_cli_shared_options(syntax, shared);
    each_of(shared, each, user);
  }
  each_of(ssk_cli_globals.options, each, user);
}
