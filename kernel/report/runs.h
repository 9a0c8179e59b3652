/* SPDX-License-Identifier: GPL-3.0-or-later */
/* runs.h - run directories as they lie on disk: found, read, told apart. What the
 * directories hold is the truth; an index of it only saves reading (runs_index.h). */
#ifndef SSK_REPORT_RUNS_H
#define SSK_REPORT_RUNS_H

#include <sskit/err.h>
#include <stdint.h>

struct ssk_registry;

/* One key of a resolved recipe ("model.transition.use") and its value as text. */
struct ssk_run_key {
  char *key, *value;
};

struct ssk_run_info {
  char *path;
  char *name;       /* of the recipe */
  char *status;     /* first line of the file: "done", "running", "failed: ...", ... */
  bool busy;        /* a process works in it */
  char *command;    /* as it was started */
  char *started;    /* time in UTC; "" where it is not known */
  char changed[24]; /* when a file of it was last written, as `started` */
  int64_t step; /* the last that is known: of metrics.jsonl or, when it ended between two lines of
                   it, of its checkpoint; -1: none */
  double bound, bound_se, bound_per_step; /* of the last validation; NaN: none */
  bool path_loss; /* these are no bound (model/evaluate_bound.h, ssk_measure_name) */
  int n_bounds;
  double *bounds; /* [n_bounds] a step, of each validation */
  double seconds; /* of training; NaN: not known */
  int n_keys;
  struct ssk_run_key *keys; /* of the recipe, sorted by key */
};

struct ssk_runs {
  int n;
  struct ssk_run_info *items;
  struct ssk_runs_index *index; /* where to look before reading; NULL: always read */
};

/* Whether `path` is a run directory. */
bool ssk_is_run(const char *path);
/* Add the run `path`; SSK_EIO where it is none. */
int ssk_runs_add(struct ssk_runs *runs, const char *path, ssk_err *err);
/* Add all runs in and under `folder` (studies hold runs), sorted by path. A folder that does not
 * exist has none. */
int ssk_runs_scan(struct ssk_runs *runs, const char *folder, ssk_err *err);
/* Look into the index before the files of a run are read, if there is an index; until _leave_index,
 * which writes what was new to it. Others cannot write it meanwhile: leave it when the runs are
 * added. */
void ssk_runs_use_index(struct ssk_runs *runs);
void ssk_runs_leave_index(struct ssk_runs *runs);
void ssk_runs_free(struct ssk_runs *runs);
/* Free what one run owns. */
void ssk_run_info_free(struct ssk_run_info *run);

/* The status, but "stopped" where that is "running" and no process works in the run: it was killed,
 * and can be resumed. */
const char *ssk_run_state(const struct ssk_run_info *run);
/* The value of a key; NULL: the run's recipe does not have it. */
const char *ssk_run_value(const struct ssk_run_info *run, const char *key);
/* Whether two runs have the same recipe but for the seed. */
bool ssk_run_same_but_seed(const struct ssk_run_info *a, const struct ssk_run_info *b);
/* The keys in which the runs differ, sorted; `seed` and `name` are left out unless `all`. *keys is
 * malloc'ed, its strings are the runs'. -1 without memory. */
int ssk_runs_differing(const struct ssk_runs *runs, bool all, const char ***keys);

/* Remove a run directory and all that is in it. SSK_EIO where it is no run, where a process works
 * in it, or where something cannot be removed. */
int ssk_run_remove(const char *path, ssk_err *err);

/* What nobody needs in and under `folder`: directories that a killed process left half made
 * ("unfinished"), and runs that are not worked in and never came to a checkpoint ("no
 * checkpoint"). Each is given to `found` with the reason; a code other than SSK_OK ends the search
 * and is returned. */
typedef int ssk_garbage_found(void *user, const char *path, const char *why, ssk_err *err);
int ssk_runs_garbage(const char *folder, ssk_garbage_found *found, void *user, ssk_err *err);
/* Remove one that was found. */
int ssk_garbage_remove(const char *path, ssk_err *err);

#endif
