/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_folder.c - run directories. A new one is filled under a temporary name beside its place and
 * renamed: a process killed at any moment leaves no directory, or one that can be resumed. */
#include "report/run_folder.h"

#include "core/file.h"
#include "core/text.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static int no_memory(const char *path, ssk_err *err) {
  return ssk_err_set(err, SSK_ENOMEM, "no memory for the run '%s'", path);
}

/* ---- making --------------------------------------------------------------------------------- */

struct content {
  const char *name, *text; /* text NULL: a folder */
};

static int write_content(const char *folder, const struct content *content, ssk_err *err) {
  char *path = ssk_path_join(folder, content->name);
  if (!path)
    return no_memory(folder, err);
  int code = content->text ? ssk_file_write(path, content->text, strlen(content->text), err)
                           : ssk_folder_make(path, err);
  free(path);
  return code;
}

static void remove_content(const char *folder, const struct content *content) {
  char *path = ssk_path_join(folder, content->name);
  if (path && unlink(path))
    rmdir(path);
  free(path);
}

/* A path without slashes at its end, so that a name can be added to it. */
static char *without_slashes(const char *path) {
  size_t n = strlen(path);
  while (n > 1 && path[n - 1] == '/')
    n--;
  return strndup(path, n);
}

static int rename_into_place(const char *temporary, const char *path, ssk_err *err) {
  if (rename(temporary, path) == 0)
    return SSK_OK;
  if (errno != EEXIST && errno != ENOTEMPTY && errno != ENOTDIR)
    return ssk_err_set(err, SSK_EIO, "cannot make the run directory '%s': %s", path,
                       strerror(errno));
  ssk_err_set(err, SSK_EIO, "'%s' exists already, and a run never overwrites", path);
  ssk_err_hint(err, "name another directory, or continue a run with 'sskit resume %s'", path);
  return SSK_EIO;
}

int ssk_run_folder_make(const char *path, const char *recipe, const char *environment,
                        const char *command, ssk_err *err) {
  const struct content contents[] = {{"recipe.yaml", recipe},  {"environment.json", environment},
                                     {"command.txt", command}, {"metrics.jsonl", ""},
                                     {"status", "running\n"},  {"checkpoints", NULL}};
  enum { n_contents = sizeof contents / sizeof contents[0] };
  char *place = without_slashes(path);
  struct ssk_text temporary = {0};
  ssk_text_printf(&temporary, "%s.new%ld", place ? place : "", (long)getpid());
  int code =
      place && !temporary.failed ? ssk_folder_claim(temporary.data, err) : no_memory(path, err);
  if (!code) {
    for (int i = 0; i < n_contents && !code; i++)
      code = write_content(temporary.data, &contents[i], err);
    if (!code)
      code = rename_into_place(temporary.data, place, err);
    if (code) {
      for (int i = 0; i < n_contents; i++)
        remove_content(temporary.data, &contents[i]);
      rmdir(temporary.data);
    }
  }
  ssk_text_free(&temporary);
  free(place);
  return code;
}

char *ssk_run_folder_default(const char *name, uint64_t seed) {
  struct ssk_text path = {0};
  for (int n = 1;; n++) {
    ssk_text_printf(&path, "runs/%s-%" PRIu64, name, seed);
    if (n > 1)
      ssk_text_printf(&path, "-%d", n);
    if (path.failed) {
      ssk_text_free(&path);
      return NULL;
    }
    for (char *c = path.data + strlen("runs/"); *c; c++) /* one folder, whatever the name */
      if (*c == '/')
        *c = '_';
    if (!ssk_file_exists(path.data))
      return path.data;
    ssk_text_free(&path);
    path = (struct ssk_text){0};
  }
}

/* ---- working in one ------------------------------------------------------------------------- */

static int lock_folder(struct ssk_run_folder *folder, ssk_err *err) {
  folder->lock = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder->lock < 0)
    return ssk_err_set(err, SSK_EIO, "cannot open the run '%s': %s", folder->path, strerror(errno));
  if (flock(folder->lock, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
    return ssk_err_set(err, SSK_EIO, "another process works in the run '%s'", folder->path);
  return SSK_OK;
}

bool ssk_run_folder_busy(const char *path) {
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool busy = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  if (fd >= 0)
    close(fd);
  return busy;
}

int ssk_run_folder_open(struct ssk_run_folder *folder, const char *path, ssk_err *err) {
  *folder = (struct ssk_run_folder){.path = without_slashes(path), .lock = -1};
  const struct {
    char **file;
    const char *name;
  } files[] = {{&folder->recipe, "recipe.yaml"}, {&folder->metrics, "metrics.jsonl"},
               {&folder->last, SSK_RUN_LATEST},  {&folder->best, "checkpoints/best.safetensors"},
               {&folder->status, "status"},      {&folder->command, "command.txt"}};
  int code = folder->path ? SSK_OK : no_memory(path, err);
  for (size_t i = 0; i < sizeof files / sizeof files[0] && !code; i++)
    if (!(*files[i].file = ssk_path_join(folder->path, files[i].name)))
      code = no_memory(path, err);
  if (!code)
    code = lock_folder(folder, err);
  if (!code && !ssk_file_exists(folder->recipe))
    code = ssk_err_set(err, SSK_EIO, "'%s' is no run directory: it has no recipe.yaml", path);
  if (code)
    ssk_run_folder_close(folder);
  return code;
}

void ssk_run_folder_close(struct ssk_run_folder *folder) {
  if (folder->lock >= 0)
    close(folder->lock);
  free(folder->path);
  free(folder->recipe);
  free(folder->metrics);
  free(folder->last);
  free(folder->best);
  free(folder->status);
  free(folder->command);
  *folder = (struct ssk_run_folder){.lock = -1};
}

int ssk_run_folder_set_status(const struct ssk_run_folder *folder, const char *status,
                              ssk_err *err) {
  const struct ssk_piece pieces[] = {{status, strlen(status)}, {"\n", 1}};
  return ssk_file_write_pieces(folder->status, pieces, 2, err);
}

void ssk_run_folder_status(const struct ssk_run_folder *folder, char *text, size_t n) {
  char *bytes = NULL;
  size_t size = 0;
  text[0] = 0;
  if (ssk_file_read(folder->status, 65536, &bytes, &size, NULL) == SSK_OK)
    snprintf(text, n, "%.*s", (int)strcspn(bytes, "\n"), bytes);
  free(bytes);
}

int ssk_run_folder_add_command(const struct ssk_run_folder *folder, const char *command,
                               ssk_err *err) {
  FILE *file = fopen(folder->command, "ae");
  const bool fine = file && fputs(command, file) >= 0;
  if ((file && fclose(file)) || !fine)
    return ssk_err_set(err, SSK_EIO, "cannot write '%s': %s", folder->command, strerror(errno));
  return SSK_OK;
}
