/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_stamp.c - stat of the files of a run. */
#include "report/run_stamp.h"
#include "core/file.h"
#include "report/run_folder.h"
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

static int64_t nanoseconds(struct timespec time) {
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

void ssk_run_stamp_take(struct ssk_run_stamp *stamp, const char *path) {
  static const char *const names[] = {"recipe.yaml",      "status",      "metrics.jsonl",
                                      "environment.json", "command.txt", SSK_RUN_LATEST};
  *stamp = (struct ssk_run_stamp){0};
  for (size_t f = 0; f < sizeof names / sizeof names[0]; f++) {
    struct stat info;
    char *file = ssk_path_join(path, names[f]);
    if (file && !stat(file, &info))
      stamp->files[f] =
          (struct ssk_file_stamp){(int64_t)info.st_dev, (int64_t)info.st_ino, (int64_t)info.st_size,
                                  nanoseconds(info.st_mtim), nanoseconds(info.st_ctim)};
    free(file);
  }
}

int64_t ssk_run_stamp_latest(const struct ssk_run_stamp *stamp) {
  int64_t latest = 0;
  for (size_t f = 0; f < sizeof stamp->files / sizeof stamp->files[0]; f++)
    latest = stamp->files[f].modified > latest ? stamp->files[f].modified : latest;
  return latest / 1000000000;
}

bool ssk_run_stamp_fresh(const struct ssk_run_stamp *stamp) {
  const int64_t coarsest = 2000000000;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  const int64_t late = nanoseconds(now) - coarsest;
  bool fresh = false;
  for (size_t f = 0; f < sizeof stamp->files / sizeof stamp->files[0]; f++)
    fresh = fresh || stamp->files[f].modified > late || stamp->files[f].changed > late;
  return fresh;
}
