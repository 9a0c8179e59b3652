/* SPDX-License-Identifier: GPL-3.0-or-later */
/* trials.c - trials from their runs. */
#include "sweep/trials.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const states[] = {"failed", "pruned", "running", "queued", "done", "skipped"};

const char *ssk_trial_state_name(enum ssk_trial_state state) {
  return states[state];
}

enum ssk_trial_state ssk_trial_state_named(const char *name) {
  int i = 0;
  while (i < SSK_TRIAL_STATES && strcmp(states[i], name) != 0)
    i++;
  return (enum ssk_trial_state)i;
}

void ssk_trial_sum_up(struct ssk_trial *t) {
  double sum = 0, squares = 0, last = 0;
  int n = 0, measured = 0;
  t->state = SSK_TRIAL_DONE;
  t->value = t->se = t->last = NAN;
  t->step = 0;
  t->seconds = 0;
  for (int i = 0; i < t->n_runs; i++) {
    const struct ssk_trial_run *run = &t->runs[i];
    if (run->state < t->state)
      t->state = run->state;
    if (!isnan(run->value)) {
      sum += run->value;
      n++;
    }
    if (!isnan(run->seconds))
      t->seconds += run->seconds;
    if (run->step > t->step)
      t->step = run->step;
  }
  for (int i = 0; i < t->n_runs; i++) {
    const struct ssk_trial_run *run = &t->runs[i];
    if (!isnan(run->value))
      squares += (run->value - sum / n) * (run->value - sum / n);
    if (run->step == t->step && !isnan(run->last)) {
      last += run->last;
      measured++;
    }
  }
  if (measured)
    t->last = last / measured;
  if (t->state == SSK_TRIAL_DONE && n)
    t->value = sum / n;
  if (t->state == SSK_TRIAL_DONE && n > 1)
    t->se = sqrt(squares / (n - 1) / n);
}

void ssk_trials_free(struct ssk_trials *trials) {
  for (int i = 0; i < trials->n; i++) {
    for (int k = 0; k < trials->items[i].n_runs; k++)
      free(trials->items[i].runs[k].reason);
    free(trials->items[i].runs);
    free(trials->items[i].point);
  }
  free(trials->items);
  *trials = (struct ssk_trials){0};
}

int ssk_trials_best(const struct ssk_trials *trials, const struct ssk_sweep *sweep) {
  int best = -1;
  for (int i = 0; i < trials->n; i++)
    if (trials->items[i].state == SSK_TRIAL_DONE &&
        (best < 0 || ssk_sweep_loss(sweep, trials->items[i].value) <
                         ssk_sweep_loss(sweep, trials->items[best].value)))
      best = i;
  return best;
}

int ssk_trials_count(const struct ssk_trials *trials, enum ssk_trial_state state) {
  int n = 0;
  for (int i = 0; i < trials->n; i++)
    n += trials->items[i].state == state;
  return n;
}
