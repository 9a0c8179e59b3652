/* SPDX-License-Identifier: GPL-3.0-or-later */
/* runs_index.h - what the files of runs said when they were last read, so that those that did not
 * change since need not be read again. A cache: it is believed only where the stamps of the files
 * are as they were, it may be removed at any time, and whatever is wrong with it (another program
 * has it locked, nobody may write there, it is damaged or of another version) means no more than
 * that the directories are read. So nothing here reports an error. */
#ifndef SSK_REPORT_RUNS_INDEX_H
#define SSK_REPORT_RUNS_INDEX_H

#include "report/run_stamp.h"
#include "report/runs.h"

/* Open sskit/runs.sqlite in $XDG_CACHE_HOME (default: ~/.cache), and make it where it is missing,
 * damaged or of another version. NULL, which the functions below take, too: there is none. For one
 * thread; to be closed as soon as the runs are read, because others cannot write meanwhile. */
struct ssk_runs_index *ssk_runs_index_open(void);
/* Fill all of *run but `path` and `busy`, if the run at run->path was kept with this stamp. */
bool ssk_runs_index_find(struct ssk_runs_index *index, struct ssk_run_info *run,
                         const struct ssk_run_stamp *stamp);
/* Keep what was read of the run at run->path, unless the stamp is fresh. */
void ssk_runs_index_keep(struct ssk_runs_index *index, const struct ssk_run_info *run,
                         const struct ssk_run_stamp *stamp);
/* Write what was kept, and forget runs that are no longer there. */
void ssk_runs_index_close(struct ssk_runs_index *index);

#endif
