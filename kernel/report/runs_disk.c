/* SPDX-License-Identifier: GPL-3.0-or-later */
/* runs_disk.c - finding run directories, and removing them. Symbolic links are not followed. */
#define _GNU_SOURCE /* nftw */
#include "core/file.h"
#include "report/run_folder.h"
#include "report/runs.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { deepest = 8 }; /* folders under the one that is searched */

static bool is_folder(const char *path) {
  struct stat info;
  return lstat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static int not_hidden(const struct dirent *entry) {
  return entry->d_name[0] != '.';
}

/* Call `visit` on `path` and, unless it is a run or `visit` says *inside = false, on the folders in
 * it, in the order of their names. */
typedef int visitor(void *user, const char *path, bool *inside, ssk_err *err);
static int walk(const char *path, int depth, visitor *visit, void *user, ssk_err *err) {
  bool inside = true;
  int code = visit(user, path, &inside, err);
  struct dirent **entries = NULL;
  int n = !code && inside && depth < deepest ? scandir(path, &entries, not_hidden, alphasort) : 0;
  for (int i = 0; i < n; i++) {
    char *child = code ? NULL : ssk_path_join(path, entries[i]->d_name);
    if (!code && !child)
      code = ssk_err_set(err, SSK_ENOMEM, "no memory for a path");
    if (child && is_folder(child))
      code = walk(child, depth + 1, visit, user, err);
    free(child);
    free(entries[i]);
  }
  free(entries);
  return code;
}

static int add_run(void *user, const char *path, bool *inside, ssk_err *err) {
  if (!ssk_is_run(path))
    return SSK_OK;
  *inside = false;
  return ssk_runs_add(user, path, err);
}

int ssk_runs_scan(struct ssk_runs *runs, const char *folder, ssk_err *err) {
  return walk(folder, 0, add_run, runs, err);
}

/* ---- removing -------------------------------------------------------------------------------- */

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *place) {
  (void)info, (void)type, (void)place;
  return remove(path);
}

static int remove_all(const char *path, ssk_err *err) {
  if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT))
    return ssk_err_set(err, SSK_EIO, "cannot remove '%s': %s", path, strerror(errno));
  return SSK_OK;
}

/* `path` has no slash at its end, which would follow a link. */
static int remove_run(const char *path, ssk_err *err) {
  if (!is_folder(path) || !ssk_is_run(path))
    return ssk_err_set(err, SSK_EIO, "'%s' is no run directory: it is not removed", path);
  struct ssk_run_folder folder;
  int code = ssk_run_folder_open(&folder, path, err);
  if (!code) {
    code = remove_all(path, err);
    ssk_run_folder_close(&folder);
  }
  return code;
}

int ssk_run_remove(const char *path, ssk_err *err) {
  size_t n = strlen(path);
  while (n > 1 && path[n - 1] == '/')
    n--;
  char *place = strndup(path, n);
  int code = place ? remove_run(place, err) : ssk_err_set(err, SSK_ENOMEM, "no memory for a path");
  free(place);
  return code;
}

/* ---- garbage --------------------------------------------------------------------------------- */

/* A run is made as NAME.newPID and then renamed (run_folder.c): with no such process, it was left.
 */
static bool is_left(const char *path) {
  const char *mark = NULL;
  for (const char *at = path; (at = strstr(at, ".new")); at++)
    mark = at;
  if (!mark)
    return false;
  char *end;
  long process = strtol(mark + 4, &end, 10);
  return process > 0 && end > mark + 4 && !*end && kill((pid_t)process, 0) && errno == ESRCH;
}

static bool has_checkpoint(const char *path) {
  char *file = ssk_path_join(path, SSK_RUN_LATEST);
  bool has = file && ssk_file_exists(file);
  free(file);
  return has;
}

struct search {
  ssk_garbage_found *found;
  void *user;
};

static int judge(void *user, const char *path, bool *inside, ssk_err *err) {
  const struct search *search = user;
  if (is_left(path)) {
    *inside = false;
    return search->found(search->user, path, "unfinished", err);
  }
  if (!ssk_is_run(path))
    return SSK_OK;
  *inside = false;
  return has_checkpoint(path) || ssk_run_folder_busy(path)
             ? SSK_OK
             : search->found(search->user, path, "no checkpoint", err);
}

int ssk_runs_garbage(const char *folder, ssk_garbage_found *found, void *user, ssk_err *err) {
  struct search search = {.found = found, .user = user};
  return walk(folder, 0, judge, &search, err);
}

int ssk_garbage_remove(const char *path, ssk_err *err) {
  return is_left(path) ? remove_all(path, err) : ssk_run_remove(path, err);
}
