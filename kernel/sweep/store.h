/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store.h - the trials of a sweep in a database that workers share. A run (a trial with one seed)
 * belongs to at most one worker at a time, for as long as that gives signs of life; whatever it
 * reports counts only while the run is its own. So a run can be begun several times, and finishes
 * once. */
#ifndef SSK_SWEEP_STORE_H
#define SSK_SWEEP_STORE_H

#include "sweep/trials.h"

struct ssk_store;

/* A run that this worker has. */
struct ssk_claim {
  int64_t trial;
  uint64_t seed;
  int attempt;   /* from 1 */
  double *point; /* [axes]; owned, freed with ssk_claim_free */
  bool lost;     /* another worker has it by now: what was reported last did not count */
};
void ssk_claim_free(struct ssk_claim *claim);

enum ssk_claimed {
  SSK_CLAIM_RUN,   /* there is work */
  SSK_CLAIM_WAIT,  /* all runs are begun, not all have ended */
  SSK_CLAIM_ENDED, /* all have */
};

/* Choose the point of trial `number` ([axes]), of which all before are in `trials`. */
typedef int ssk_propose(void *user, int64_t number, const struct ssk_trials *trials, double *point,
                        ssk_err *err);

/* Open the storage and find the sweep in it, or enter it. Where a sweep of that name is there whose
 * trials are others: SSK_ERECIPE, with what differs. `worker`: see worker_name.h; NULL: only to
 * look. All arguments are borrowed for as long as the store lives. */
int ssk_store_open(const char *where, const struct ssk_sweep *sweep, const char *worker,
                   struct ssk_store **out, ssk_err *err);
/* Accepts NULL. */
void ssk_store_close(struct ssk_store *store);

/* Take back the runs of dead workers, then the first run that waits, or one of a new trial. */
int ssk_store_claim(struct ssk_store *store, ssk_propose *propose, void *user,
                    struct ssk_claim *claim, enum ssk_claimed *claimed, ssk_err *err);
/* A sign of life. */
int ssk_store_beat(struct ssk_store *store, struct ssk_claim *claim, ssk_err *err);
/* What was measured after `step` steps, and whether the run is to go on by the sweep's rule. The
 * same report again (of a run that was resumed) changes nothing. */
int ssk_store_report(struct ssk_store *store, struct ssk_claim *claim, int64_t step, double value,
                     bool *go_on, ssk_err *err);
/* How a run ended. */
int ssk_store_finish(struct ssk_store *store, struct ssk_claim *claim, double value, double seconds,
                     ssk_err *err);
int ssk_store_fail(struct ssk_store *store, struct ssk_claim *claim, const char *reason,
                   ssk_err *err);
int ssk_store_prune(struct ssk_store *store, struct ssk_claim *claim, ssk_err *err);
/* Give a run back that was stopped. */
int ssk_store_release(struct ssk_store *store, struct ssk_claim *claim, ssk_err *err);
/* Let failed trials be tried again; *n: how many. */
int ssk_store_retry(struct ssk_store *store, int *n, ssk_err *err);

int ssk_store_list(struct ssk_store *store, struct ssk_trials *out, ssk_err *err);

#endif
