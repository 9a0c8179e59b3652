/* SPDX-License-Identifier: GPL-3.0-or-later */
/* describe.c - sskit describe: a component's text and its parameters, from its descriptor. */
#include "cli/cli.h"
#include "cli/page.h"
#include "registry/registry.h"
#include <string.h>

static const struct ssk_syntax syntax = {
    .doc = "Explain the component NAME: what it is, and its parameters with type, range, unit and "
           "default. Without KIND, all components of that name are explained. With --json, the "
           "result is a list of objects.",
    .min_words = 1,
    .max_words = 2,
};

static const char *file_of(const struct ssk_registry *registry,
                           const struct ssk_component *component) {
  const struct ssk_component *other;
  const char *file;
  for (int i = 0; (other = ssk_registry_at(registry, i, &file)); i++)
    if (other == component)
      return file;
  return "";
}

/* Rows of sections appear with dotted keys, as overrides name them. */
static void add_rows(struct ssk_text *out, const struct ssk_param *rows, const char *prefix) {
  for (; rows && rows->name; rows++) {
    struct ssk_text key = {0};
    ssk_text_printf(&key, "%s%s", prefix, rows->name);
    ssk_text_printf(out, "  %s: ", key.data ? key.data : rows->name);
    ssk_page_type(out, rows);
    ssk_text_add(out, "\n");
    ssk_page_prose(out, rows->doc ? rows->doc : "", 6);
    if (rows->type == SSK_T_SECTION) {
      ssk_text_add(&key, ".");
      add_rows(out, rows->rows, key.data ? key.data : "");
    }
    ssk_text_free(&key);
  }
}

static int print_text(struct ssk_cli *cli, const struct ssk_component *component) {
  struct ssk_text out = {0};
  ssk_text_printf(&out, "%s%s %s%s - %s\n", ssk_cli_bold(cli), ssk_kind_name(component->kind),
                  component->name, ssk_cli_plain(cli), component->summary);
  if (cli->verbose)
    ssk_text_printf(&out, "  from %s\n", file_of(cli->registry, component));
  ssk_text_add(&out, "\n");
  ssk_page_prose(&out, component->doc, 2);
  if (component->params && component->params->name) {
    ssk_text_printf(&out, "\n%sParameters%s\n", ssk_cli_bold(cli), ssk_cli_plain(cli));
    add_rows(&out, component->params, "");
  } else {
    ssk_text_add(&out, "\nIt has no parameters.\n");
  }
  int code = out.failed ? ssk_err_set(cli->err, SSK_ENOMEM, "no memory for the text") : SSK_OK;
  if (!code)
    fputs(out.data, stdout);
  ssk_text_free(&out);
  return code;
}

static json_t *as_json(const struct ssk_cli *cli, const struct ssk_component *component) {
  return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "kind", ssk_kind_name(component->kind), "name",
                   component->name, "summary", component->summary, "doc", component->doc, "file",
                   file_of(cli->registry, component), "parameters",
                   ssk_page_rows_json(component->params));
}

/* The components that the command line means: at most one a kind. */
static int find_all(struct ssk_cli *cli, const struct ssk_component **found, int *n) {
  const char *name = cli->words[cli->n_words - 1];
  const struct ssk_component *component;
  bool present[SSK_KIND_COUNT] = {false};
  *n = 0;
  if (cli->n_words == 2) {
    int kind = ssk_kind_by_name(cli->words[0]);
    if (kind < 0) {
      ssk_err_set(cli->err, SSK_EUSAGE, "there is no kind '%s'", cli->words[0]);
      ssk_err_hint(cli->err, "'sskit list' shows the kinds");
      return SSK_EUSAGE;
    }
    present[kind] = true;
  } else {
    bool any = false;
    for (int i = 0; (component = ssk_registry_at(cli->registry, i, NULL)); i++)
      if (strcmp(component->name, name) == 0)
        any = present[component->kind] = true;
    if (!any)
      return ssk_registry_explain_missing(cli->registry, SSK_KIND_COUNT, name, NULL, cli->err);
  }
  for (int kind = 0; kind < SSK_KIND_COUNT; kind++) {
    if (!present[kind])
      continue;
    found[*n] = ssk_registry_find(cli->registry, kind, name, NULL, cli->err);
    if (!found[(*n)++])
      return SSK_EPLUGIN;
  }
  return SSK_OK;
}

int ssk_verb_describe(struct ssk_cli *cli, int argc, char **argv) {
  const struct ssk_component *found[SSK_KIND_COUNT];
  int n, code = ssk_cli_parse(cli, &syntax, NULL, argc, argv);
  if (!code)
    code = ssk_registry_open_all(cli->registry, cli->err);
  if (!code)
    code = find_all(cli, found, &n);
  if (code)
    return code;
  if (cli->json) {
    json_t *array = json_array();
    for (int i = 0; i < n; i++)
      json_array_append_new(array, as_json(cli, found[i]));
    return ssk_cli_print_json(cli, array);
  }
  for (int i = 0; !code && i < n; i++) {
    if (i > 0)
      putchar('\n');
    code = print_text(cli, found[i]);
  }
  return code;
}
