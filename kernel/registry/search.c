/* SPDX-License-Identifier: GPL-3.0-or-later */
/* search.c - the folders where plugins are looked for. */
#include "registry/search.h"
#include "core/file.h"
#include "registry/load.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#ifndef SSK_PLUGIN_DIR
#define SSK_PLUGIN_DIR "" /* no installed folder */
#endif

static int no_memory(ssk_err *err) {
  return ssk_err_set(err, SSK_ENOMEM, "no memory for the names of plugins");
}

static int is_plugin_name(const struct dirent *item) {
  size_t n = strlen(item->d_name);
  return item->d_name[0] != '.' && n > 3 && strcmp(item->d_name + n - 3, ".so") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b) {
  return strcmp((*a)->d_name, (*b)->d_name); /* not alphasort: that depends on the locale */
}

/* "NAME" of "NAME.so" is what a file in the folder of a kind should carry. */
static int expect_file(struct ssk_registry *registry, enum ssk_kind kind, const char *item,
                       const char *file, ssk_err *err) {
  char *name = strndup(item, strlen(item) - strlen(".so"));
  int code = name ? ssk_registry_expect(registry, kind, name, file, err) : no_memory(err);
  free(name);
  return code;
}

/* All *.so of one folder, in name order: opened, or in the folder of a kind only noted. */
static int scan_folder(struct ssk_registry *registry, const char *folder, enum ssk_kind kind,
                       ssk_err *err) {
  struct dirent **items;
  int n = scandir(folder, &items, is_plugin_name, by_name);
  if (n < 0)
    return ssk_err_set(err, SSK_EIO, "cannot list the folder '%s': %s", folder, strerror(errno));
  int code = SSK_OK;
  for (int i = 0; i < n; i++) {
    char *file = code ? NULL : ssk_path_join(folder, items[i]->d_name);
    if (!code && !file)
      code = no_memory(err);
    else if (!code)
      code = kind == SSK_KIND_COUNT ? ssk_registry_try_file(registry, file, err)
                                    : expect_file(registry, kind, items[i]->d_name, file, err);
    free(file);
    free(items[i]);
  }
  free(items);
  return code;
}

/* folder/<kind>, where it exists; an unsafe one is remembered as refused. */
static int scan_kind(struct ssk_registry *registry, const char *folder, enum ssk_kind kind,
                     ssk_err *err) {
  char *path = ssk_path_join(folder, ssk_kind_name(kind));
  ssk_err *why = ssk_err_new();
  int code = path && why ? SSK_OK : no_memory(err);
  struct stat info;
  if (!code && stat(path, &info) == 0 && S_ISDIR(info.st_mode))
    code = ssk_plugin_safe(path, true, NULL, NULL, why)
               ? ssk_registry_refuse(registry, path, why, err)
               : scan_folder(registry, path, kind, err);
  ssk_err_free(why);
  free(path);
  return code;
}

int ssk_registry_add_folder(struct ssk_registry *registry, const char *folder, ssk_err *err) {
  int code = ssk_plugin_safe(folder, true, NULL, NULL, err);
  if (code) {
    ssk_err_context(err, "folder of plugins '%s'", folder);
    return code;
  }
  code = scan_folder(registry, folder, SSK_KIND_COUNT, err);
  for (int kind = 0; !code && kind < SSK_KIND_COUNT; kind++)
    code = scan_kind(registry, folder, kind, err);
  return code;
}

/* The folders of a list separated by ':'; empty items are skipped, so that the working folder is
 * never meant by accident. */
static int add_path(struct ssk_registry *registry, const char *path, ssk_err *err) {
  int code = SSK_OK;
  while (!code && *path) {
    size_t n = strcspn(path, ":");
    char *folder = strndup(path, n);
    if (!folder)
      return no_memory(err);
    if (n > 0 && (code = ssk_registry_add_folder(registry, folder, err)) != SSK_OK)
      ssk_err_context(err, "SSKIT_PLUGIN_PATH");
    free(folder);
    path += n + (path[n] == ':');
  }
  return code;
}

int ssk_registry_add_default(struct ssk_registry *registry, ssk_err *err) {
  const char *path = getenv("SSKIT_PLUGIN_PATH");
  int code = path ? add_path(registry, path, err) : SSK_OK;
  const char *installed = getenv("SSKIT_PLUGIN_DIR");
  if (!installed)
    installed = SSK_PLUGIN_DIR;
  if (!code && *installed && ssk_file_exists(installed))
    code = ssk_registry_add_folder(registry, installed, err);
  return code;
}
