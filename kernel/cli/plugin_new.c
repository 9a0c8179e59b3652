/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plugin_new.c - sskit plugin new: the files of plugins/template, which the program carries, with
 * the word `example` replaced by the name and @KIND@ by the kind. */
#include "cli/plugin.h"
#include "core/file.h"
#include "core/text.h"
#include "registry/registry.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
  const char *name;
  const char *const *lines;
} skeletons[] = {
#include "skeletons.inc"
};
enum { N_SKELETONS = sizeof skeletons / sizeof skeletons[0] };

/* There is one of each kind, which the tests hold. */
static const char *const *find(const char *name) {
  for (int i = 0; i < N_SKELETONS; i++)
    if (!strcmp(skeletons[i].name, name))
      return skeletons[i].lines;
  return NULL;
}

/* A name that recipes can use, and that no component of the kind has yet. */
static int check_name(struct ssk_cli *cli, int kind, const char *name) {
  int code = ssk_contract_name(name, ssk_kind_name(kind), cli->err);
  if (code)
    return SSK_EUSAGE;
  code = ssk_registry_open_all(cli->registry, cli->err);
  const struct ssk_component *component;
  const char *file;
  for (int i = 0; !code && (component = ssk_registry_at(cli->registry, i, &file)); i++)
    if ((int)component->kind == kind && !strcmp(component->name, name)) {
      ssk_err_set(cli->err, SSK_EUSAGE, "there is a %s '%s' already, in '%s'", ssk_kind_name(kind),
                  name, file);
      ssk_err_hint(cli->err, "two of one name cannot be told apart in recipes: take another");
      return SSK_EUSAGE;
    }
  return code;
}

/* One line of a skeleton with the words replaced. */
static void add_line(struct ssk_text *out, const char *line, const char *kind, const char *name) {
  while (*line) {
    const char *example = strstr(line, "example"), *place = strstr(line, "@KIND@");
    const bool first = example && (!place || example < place);
    const char *at = first ? example : place;
    if (!at) {
      ssk_text_add(out, line);
      return;
    }
    ssk_text_printf(out, "%.*s%s", (int)(at - line), line, first ? name : kind);
    line = at + strlen(first ? "example" : "@KIND@");
  }
}

/* A recipe of kind KIND is in KIND.yaml, and so on: written to folder/file. */
static int write_file(struct ssk_cli *cli, const char *folder, const char *skeleton,
                      const char *file, const char *kind, const char *name) {
  struct ssk_text text = {0};
  char *path = ssk_path_join(folder, file);
  for (const char *const *line = find(skeleton); *line; line++)
    add_line(&text, *line, kind, name);
  int code = !path || text.failed ? ssk_err_set(cli->err, SSK_ENOMEM, "no memory for a file")
                                  : ssk_file_write(path, text.data, text.length, cli->err);
  free(path);
  ssk_text_free(&text);
  return code;
}

static int is_visible(const struct dirent *item) {
  return item->d_name[0] != '.';
}

/* The folder is new, which *made tells, or there is nothing in it but hidden files, as in a new
 * repository: then it is used as it is, for it may be the working folder. */
static int take_folder(struct ssk_cli *cli, const char *folder, bool *made) {
  struct dirent **items;
  const int n = scandir(folder, &items, is_visible, NULL);
  *made = n < 0 && errno == ENOENT;
  if (*made)
    return ssk_folder_claim(folder, cli->err);
  if (n == 0) {
    free(items);
    return SSK_OK;
  }
  ssk_err_set(cli->err, SSK_EIO, "cannot write into '%s': %s", folder,
              n < 0 ? strerror(errno) : "it holds files, and none is replaced");
  ssk_err_hint(cli->err, "name a folder that is new or empty: -o DIR");
  for (int i = 0; i < n; i++)
    free(items[i]);
  if (n > 0)
    free(items);
  return SSK_EIO;
}

/* All files, or none. */
static int write_all(struct ssk_cli *cli, const char *folder, const char *kind, const char *name) {
  char source[80], recipe[80], c[64], yaml[64];
  bool made;
  snprintf(source, sizeof source, "%s.c", name);
  snprintf(recipe, sizeof recipe, "%s.yaml", name);
  snprintf(c, sizeof c, "%s.c", kind);
  snprintf(yaml, sizeof yaml, "%s.yaml", kind);
  const char *const files[][2] = {
      {c, source}, {yaml, recipe}, {"skeleton.mk", "Makefile"}, {"skeleton.md", "README.md"}};
  int code = take_folder(cli, folder, &made), written = 0;
  if (code)
    return code;
  for (; written < 4 && !code; written += !code)
    code = write_file(cli, folder, files[written][0], files[written][1], kind, name);
  for (int i = 0; i < written && code; i++) {
    char *path = ssk_path_join(folder, files[i][1]);
    if (path)
      unlink(path);
    free(path);
  }
  if (code && made)
    rmdir(folder);
  return code;
}

int ssk_plugin_new(struct ssk_cli *cli) {
  const char *kind = cli->words[1], *name = cli->words[2];
  const char *folder = cli->output ? cli->output : name;
  const int number = ssk_cli_kind(kind, cli->err);
  int code = number < 0 ? SSK_EUSAGE : check_name(cli, number, name);
  if (!code)
    code = write_all(cli, folder, kind, name);
  if (code)
    return code;
  if (cli->json)
    return ssk_cli_print_json(
        cli, json_pack("{s:s, s:s, s:s}", "kind", kind, "name", name, "folder", folder));
  if (cli->quiet)
    return SSK_OK;
  const bool here = !strcmp(folder, ".");
  printf("%s: %s.c, %s.yaml, Makefile, README.md\nnext: %s%s%smake && make check && make train\n",
         folder, name, name, here ? "" : "cd ", here ? "" : folder, here ? "" : " && ");
  return SSK_OK;
}
