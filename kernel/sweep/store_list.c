/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store_list.c - reading all trials. */
#include "sweep/store_internal.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct listing {
  const struct ssk_sweep *sweep;
  struct ssk_trials *trials;
};

double *ssk_store_point(const char *text, int n) {
  double *point = calloc((size_t)n + 1, sizeof *point);
  for (int k = 0; k < n && point; k++) {
    char *end;
    point[k] = strtod(text, &end);
    text = end;
  }
  return point;
}

/* The trial of this number, which is the last one or a new one. */
static struct ssk_trial *trial_of(const struct listing *l, int64_t number, const char *point) {
  struct ssk_trials *all = l->trials;
  if (all->n && all->items[all->n - 1].number == number)
    return &all->items[all->n - 1];
  struct ssk_trial *grown = realloc(all->items, ((size_t)all->n + 1) * sizeof *grown);
  if (!grown)
    return NULL;
  all->items = grown;
  struct ssk_trial *t = &grown[all->n];
  *t = (struct ssk_trial){.number = number, .point = ssk_store_point(point, l->sweep->axes.n)};
  if (!t->point)
    return NULL;
  all->n++;
  return t;
}

static double number_of(const char *cell) {
  return cell ? strtod(cell, NULL) : NAN;
}

static int take_run(void *user, const char *const *cells, ssk_err *err) {
  const struct listing *l = user;
  struct ssk_trial *t = trial_of(l, strtoll(cells[0], NULL, 10), cells[1]);
  struct ssk_trial_run *grown =
      t ? realloc(t->runs, ((size_t)t->n_runs + 1) * sizeof *grown) : NULL;
  if (!grown)
    return ssk_store_no_memory(err);
  t->runs = grown;
  const enum ssk_trial_state state = ssk_trial_state_named(cells[3]);
  struct ssk_trial_run run = {.seed = strtoull(cells[2], NULL, 10),
                              .state = state,
                              .attempts = (int)strtol(cells[4], NULL, 10),
                              .losses = (int)strtol(cells[5], NULL, 10),
                              .step = strtoll(cells[6], NULL, 10),
                              .last = number_of(cells[7]),
                              .reason = strdup(cells[8]),
                              .value = number_of(cells[9]),
                              .seconds = number_of(cells[10])};
  if (!run.reason)
    return ssk_store_no_memory(err);
  t->runs[t->n_runs++] = run;
  return state == SSK_TRIAL_STATES
             ? ssk_err_set(err, SSK_EDATA, "the storage has a run in the state '%s'", cells[3])
             : SSK_OK;
}

int ssk_store_read(struct ssk_store *s, struct ssk_trials *out, ssk_err *err) {
  *out = (struct ssk_trials){0};
  struct listing listing = {s->sweep, out};
  const char *const parameters[] = {s->sweep->name};
  int code = ssk_database_query(
      s->db,
      "SELECT t.trial, t.point, r.seed, r.state, r.attempt, r.losses, r.step, r.last, r.reason,"
      " f.value, f.seconds FROM sskit_trial t JOIN sskit_run r"
      " ON r.sweep = t.sweep AND r.trial = t.trial LEFT JOIN sskit_result f"
      " ON f.sweep = r.sweep AND f.trial = r.trial AND f.seed = r.seed"
      " WHERE t.sweep = $1 ORDER BY t.trial, r.seed",
      1, parameters, take_run, &listing, NULL, err);
  for (int i = 0; i < out->n; i++)
    ssk_trial_sum_up(&out->items[i]);
  if (code)
    ssk_trials_free(out);
  return code;
}

struct reading {
  struct ssk_store *store;
  struct ssk_trials *out;
};

static int read_within(void *user, ssk_err *err) {
  const struct reading *reading = user;
  ssk_trials_free(reading->out);
  return ssk_store_read(reading->store, reading->out, err);
}

int ssk_store_list(struct ssk_store *s, struct ssk_trials *out, ssk_err *err) {
  struct reading reading = {s, out};
  *out = (struct ssk_trials){0};
  const int code = ssk_database_transaction(s->db, read_within, &reading, err);
  if (code)
    ssk_trials_free(out);
  return code;
}
