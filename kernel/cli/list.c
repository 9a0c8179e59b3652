/* SPDX-License-Identifier: GPL-3.0-or-later */
/* list.c - sskit list: the kinds, and the components that were found. */
#include "cli/cli.h"
#include "core/log.h"
#include "registry/registry.h"
#include <string.h>

static const struct argp_option options[] = {
    {"names", SSK_CLI_FLAG, NULL, 0, "kinds and components as words only, one a line", 0}, {0}};

static const struct ssk_syntax syntax = {
    .doc = "List the components that plugins provide, by kind, or those of one KIND. With -v, say "
           "which file each comes from. Plugins that were refused are named as warnings.",
    .max_words = 1,
    .options = options,
    .parser = ssk_cli_parse_flag,
};

static int print_json(struct ssk_cli *cli, int only) {
  const struct ssk_component *component;
  const char *file, *reason;
  json_t *components = json_array(), *refused = json_array();
  for (int i = 0; (component = ssk_registry_at(cli->registry, i, &file)); i++)
    if (only < 0 || (int)component->kind == only)
      json_array_append_new(components,
                            json_pack("{s:s, s:s, s:s, s:s}", "kind",
                                      ssk_kind_name(component->kind), "name", component->name,
                                      "summary", component->summary, "file", file));
  for (int i = 0; ssk_registry_refused(cli->registry, i, &file, &reason); i++)
    json_array_append_new(refused, json_pack("{s:s, s:s}", "file", file, "reason", reason));
  return ssk_cli_print_json(cli,
                            json_pack("{s:o, s:o}", "components", components, "refused", refused));
}

/* The widest name of all, so that the summaries stand in one column. */
static int name_width(const struct ssk_registry *registry) {
  const struct ssk_component *component;
  int width = 0;
  for (int i = 0; (component = ssk_registry_at(registry, i, NULL)); i++)
    if ((int)strlen(component->name) > width)
      width = (int)strlen(component->name);
  return width;
}

static void print_kind(const struct ssk_cli *cli, int kind, int width) {
  const struct ssk_component *component;
  const char *file;
  int n = 0;
  printf("%s%s%s\n", ssk_cli_bold(cli), ssk_kind_name(kind), ssk_cli_plain(cli));
  for (int i = 0; (component = ssk_registry_at(cli->registry, i, &file)); i++) {
    if ((int)component->kind != kind)
      continue;
    printf("  %-*s  %s\n", width, component->name, component->summary);
    if (cli->verbose)
      printf("  %-*s  (%s)\n", width, "", file);
    n++;
  }
  if (n == 0)
    puts("  (none)");
}

/* Of one kind: its components; of all (-1): the kinds too. */
static int print_names(const struct ssk_cli *cli, int only) {
  const struct ssk_component *component;
  for (int kind = 0; kind < SSK_KIND_COUNT && only < 0; kind++)
    puts(ssk_kind_name(kind));
  for (int i = 0; (component = ssk_registry_at(cli->registry, i, NULL)); i++)
    if (only < 0 || (int)component->kind == only)
      puts(component->name);
  return SSK_OK;
}

int ssk_verb_list(struct ssk_cli *cli, int argc, char **argv) {
  bool names = false;
  int code = ssk_cli_parse(cli, &syntax, &names, argc, argv), only = -1;
  if (code)
    return code;
  if (cli->n_words == 1 && (only = ssk_cli_kind(cli->words[0], cli->err)) < 0)
    return SSK_EUSAGE;
  code = ssk_registry_open_all(cli->registry, cli->err);
  if (code)
    return code;
  if (names)
    return print_names(cli, only);
  const char *file, *reason;
  for (int i = 0; ssk_registry_refused(cli->registry, i, &file, &reason); i++)
    ssk_say(SSK_LOG_WARNING, "'%s' was refused: %s", file, reason);
  if (cli->json)
    return print_json(cli, only);
  int width = name_width(cli->registry);
  for (int kind = 0; kind < SSK_KIND_COUNT; kind++)
    if (only < 0 || kind == only)
      print_kind(cli, kind, width);
  return SSK_OK;
}
