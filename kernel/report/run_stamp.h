/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_stamp.h - what tells, without reading them, whether the files of a run were changed. */
#ifndef SSK_REPORT_RUN_STAMP_H
#define SSK_REPORT_RUN_STAMP_H

#include <stdbool.h>
#include <stdint.h>

/* All zero: there is no such file. The inode shows a file that was put in place of another, the
 * change time one whose modification time was set back. */
struct ssk_file_stamp {
  int64_t device, inode, size, modified, changed; /* times in nanoseconds since 1970 */
};

/* Of recipe.yaml, status, metrics.jsonl, environment.json, command.txt and the latest checkpoint:
 * what ssk_runs_add reads. */
struct ssk_run_stamp {
  struct ssk_file_stamp files[6];
};

/* To be taken before the files are read: what is written later must show. */
void ssk_run_stamp_take(struct ssk_run_stamp *stamp, const char *path);
/* When one of them was last written, in seconds since 1970; 0: there is none. */
int64_t ssk_run_stamp_latest(const struct ssk_run_stamp *stamp);
/* Whether any file was written so lately (in the last two seconds, the coarsest clock of a file
 * system) that one more writing might leave the same times. */
bool ssk_run_stamp_fresh(const struct ssk_run_stamp *stamp);

#endif
