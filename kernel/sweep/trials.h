/* SPDX-License-Identifier: GPL-3.0-or-later */
/* trials.h - what is known of the trials of a sweep. */
#ifndef SSK_SWEEP_TRIALS_H
#define SSK_SWEEP_TRIALS_H

#include "sweep/recipe.h"

/* In the order in which they are looked for in the runs of a trial: a trial with a failed run has
 * failed, whatever the others are. */
enum ssk_trial_state {
  SSK_TRIAL_FAILED,
  SSK_TRIAL_PRUNED,
  SSK_TRIAL_RUNNING,
  SSK_TRIAL_QUEUED,
  SSK_TRIAL_DONE,
  SSK_TRIAL_SKIPPED, /* of a run alone: another seed's failed or was pruned */
  SSK_TRIAL_STATES
};
const char *ssk_trial_state_name(enum ssk_trial_state state);
/* SSK_TRIAL_STATES where there is none of that name. */
enum ssk_trial_state ssk_trial_state_named(const char *name);

/* The training of a trial with one seed. */
struct ssk_trial_run {
  uint64_t seed;
  enum ssk_trial_state state;
  int attempts, losses; /* begun so often; of these, the worker died */
  int64_t step;         /* of the last rung; 0: none */
  double last;          /* what was measured there; NaN: nothing */
  double value;         /* of the metric; NaN: not finished */
  double seconds;       /* of training; NaN: not finished */
  char *reason;         /* of a failure; "" otherwise */
};
struct ssk_trial {
  int64_t number; /* from 0 */
  double *point;  /* [axes] in [0, 1] */
  enum ssk_trial_state state;
  double value, se; /* mean over seeds when done, and its standard error where there are several */
  double seconds;   /* of all its runs */
  int64_t step;     /* of pruned trials: the last rung, and what was measured there, over seeds */
  double last;
  int n_runs;
  struct ssk_trial_run *runs;
};
/* Free with ssk_trials_free. */
struct ssk_trials {
  int n;
  struct ssk_trial *items; /* by number */
};

/* Of a trial whose runs are all there: state, value, se, seconds, step and last. */
void ssk_trial_sum_up(struct ssk_trial *trial);
void ssk_trials_free(struct ssk_trials *trials);
/* The finished trial with the least loss; -1: none has finished. */
int ssk_trials_best(const struct ssk_trials *trials, const struct ssk_sweep *sweep);
int ssk_trials_count(const struct ssk_trials *trials, enum ssk_trial_state state);

#endif
