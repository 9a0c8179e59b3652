/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store_report.c - what workers tell of the runs that they hold, each a transaction. */
#include "sweep/asha.h"
#include "sweep/store_internal.h"
#include <stdlib.h>

/* The run that a claim is of, as it is named in statements. */
#define OWN_RUN "sweep = $1 AND trial = $2 AND seed = $3 AND worker = $4 AND attempt = $5"

/* Change the claimed run, where it still is this worker's; if not, the claim is lost. $6 and $7 are
 * the two values. */
static int change(struct ssk_store *s, struct ssk_claim *claim, const char *sql, const char *first,
                  const char *second, ssk_err *err) {
  const struct ssk_number trial = ssk_whole(claim->trial), seed = ssk_whole((int64_t)claim->seed),
                          attempt = ssk_whole(claim->attempt);
  const char *const parameters[] = {s->sweep->name, trial.text, seed.text, s->worker,
                                    attempt.text,   first,      second};
  int64_t changed = 0;
  int code = ssk_database_query(s->db, sql,
                                second  ? 7
                                : first ? 6
                                        : 5,
                                parameters, NULL, NULL, &changed, err);
  if (!code)
    claim->lost = changed == 0;
  return code;
}

int ssk_store_skip_seeds(struct ssk_store *s, const char *trial, ssk_err *err) {
  const char *const parameters[] = {s->sweep->name, trial};
  return ssk_database_query(s->db,
                            "UPDATE sskit_run SET state = 'skipped'"
                            " WHERE sweep = $1 AND trial = $2 AND state = 'queued'",
                            2, parameters, NULL, NULL, NULL, err);
}

/* ---- it goes on ------------------------------------------------------------------------------ */

struct beat {
  struct ssk_store *store;
  struct ssk_claim *claim;
};

static int beat_within(void *user, ssk_err *err) {
  const struct beat *beat = user;
  const struct ssk_number lease = ssk_real_number(beat->store->sweep->sweep.lease);
  return change(beat->store, beat->claim,
                "UPDATE sskit_run SET lease = {now} + $6 WHERE " OWN_RUN " AND state = 'running'",
                lease.text, NULL, err);
}

int ssk_store_beat(struct ssk_store *s, struct ssk_claim *claim, ssk_err *err) {
  struct beat beat = {s, claim};
  return ssk_database_transaction(s->db, beat_within, &beat, err);
}

/* The losses at a rung. */
struct rung {
  const struct ssk_sweep *sweep;
  int n;
  double *losses;
};

static int take_loss(void *user, const char *const *cells, ssk_err *err) {
  struct rung *rung = user;
  double *grown = realloc(rung->losses, ((size_t)rung->n + 1) * sizeof *grown);
  if (!grown)
    return ssk_store_no_memory(err);
  rung->losses = grown;
  grown[rung->n++] = ssk_sweep_loss(rung->sweep, strtod(cells[0], NULL));
  return SSK_OK;
}

static int take_count(void *user, const char *const *cells, ssk_err *err) {
  (void)err;
  *(int64_t *)user = strtoll(cells[0], NULL, 10);
  return SSK_OK;
}

/* Whether a run goes on, by what all of its seed have reported at this step. */
static int judge(struct ssk_store *s, const struct ssk_claim *claim, const char *step, double value,
                 bool *go_on, ssk_err *err) {
  const struct ssk_number trial = ssk_whole(claim->trial), seed = ssk_whole((int64_t)claim->seed);
  const char *const at_rung[] = {s->sweep->name, seed.text, step};
  const char *const of_trial[] = {s->sweep->name, trial.text};
  const bool by_bound = s->sweep->sweep.prune.by;
  /* Bounds are negative log-likelihoods: less is better, whatever the metric's sense is. */
  const struct ssk_sweep less = {.better = -1};
  struct rung rung = {.sweep = by_bound ? &less : s->sweep};
  int64_t given_up = 0;
  int code = ssk_database_query(
      s->db, "SELECT value FROM sskit_report WHERE sweep = $1 AND seed = $2 AND step = $3", 3,
      at_rung, take_loss, &rung, NULL, err);
  if (!code)
    code = ssk_database_query(s->db,
                              "SELECT count(*) FROM sskit_run WHERE sweep = $1 AND trial = $2"
                              " AND state IN ('pruned', 'failed')",
                              2, of_trial, take_count, &given_up, NULL, err);
  if (!code)
    *go_on = !given_up && ssk_asha_keeps(rung.losses, rung.n, ssk_sweep_loss(rung.sweep, value),
                                         s->sweep->sweep.prune.factor);
  free(rung.losses);
  return code;
}

struct report {
  struct ssk_store *store;
  struct ssk_claim *claim;
  int64_t step;
  double value;
  bool *go_on;
};

static int report_within(void *user, ssk_err *err) {
  const struct report *report = user;
  struct ssk_store *s = report->store;
  struct ssk_claim *claim = report->claim;
  const struct ssk_number at = ssk_whole(report->step), measured = ssk_real_number(report->value),
                          trial = ssk_whole(claim->trial), seed = ssk_whole((int64_t)claim->seed);
  const char *const parameters[] = {s->sweep->name, trial.text, seed.text, at.text, measured.text};
  int code = change(
      s, claim, "UPDATE sskit_run SET step = $6, last = $7 WHERE " OWN_RUN " AND state = 'running'",
      at.text, measured.text, err);
  if (code || claim->lost)
    return code;
  code = ssk_database_query(
      s->db, "INSERT INTO sskit_report VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING", 5,
      parameters, NULL, NULL, NULL, err);
  return code ? code : judge(s, claim, at.text, report->value, report->go_on, err);
}

int ssk_store_report(struct ssk_store *s, struct ssk_claim *claim, int64_t step, double value,
                     bool *go_on, ssk_err *err) {
  struct report report = {s, claim, step, value, go_on};
  *go_on = false;
  return ssk_database_transaction(s->db, report_within, &report, err);
}

/* ---- it has ended ---------------------------------------------------------------------------- */

struct finish {
  struct ssk_store *store;
  struct ssk_claim *claim;
  double value, seconds;
};

static int finish_within(void *user, ssk_err *err) {
  const struct finish *finish = user;
  struct ssk_store *s = finish->store;
  struct ssk_claim *claim = finish->claim;
  const struct ssk_number trial = ssk_whole(claim->trial), seed = ssk_whole((int64_t)claim->seed),
                          reached = ssk_real_number(finish->value),
                          took = ssk_real_number(finish->seconds);
  const char *const parameters[] = {s->sweep->name, trial.text, seed.text, reached.text, took.text};
  int code = change(s, claim,
                    "UPDATE sskit_run SET state = 'done' WHERE " OWN_RUN " AND state = 'running'",
                    NULL, NULL, err);
  if (code || claim->lost)
    return code;
  return ssk_database_query(s->db, "INSERT INTO sskit_result VALUES ($1, $2, $3, $4, $5, {now})", 5,
                            parameters, NULL, NULL, NULL, err);
}

int ssk_store_finish(struct ssk_store *s, struct ssk_claim *claim, double value, double seconds,
                     ssk_err *err) {
  struct finish finish = {s, claim, value, seconds};
  return ssk_database_transaction(s->db, finish_within, &finish, err);
}

/* The run ends in this state; where `alone` is false, so do the seeds of the trial that wait. */
struct end {
  struct ssk_store *store;
  struct ssk_claim *claim;
  const char *state, *reason;
  bool alone;
};

static int end_within(void *user, ssk_err *err) {
  const struct end *end = user;
  const struct ssk_number trial = ssk_whole(end->claim->trial);
  const int code = change(end->store, end->claim,
                          "UPDATE sskit_run SET state = $6, reason = $7, worker = '' WHERE " OWN_RUN
                          " AND state = 'running'",
                          end->state, end->reason, err);
  return code || end->claim->lost || end->alone ? code
                                                : ssk_store_skip_seeds(end->store, trial.text, err);
}

int ssk_store_fail(struct ssk_store *s, struct ssk_claim *claim, const char *reason, ssk_err *err) {
  struct end end = {s, claim, "failed", reason, false};
  return ssk_database_transaction(s->db, end_within, &end, err);
}

int ssk_store_prune(struct ssk_store *s, struct ssk_claim *claim, ssk_err *err) {
  struct end end = {s, claim, "pruned", "", false};
  return ssk_database_transaction(s->db, end_within, &end, err);
}

int ssk_store_release(struct ssk_store *s, struct ssk_claim *claim, ssk_err *err) {
  struct end end = {s, claim, "queued", "", true};
  return ssk_database_transaction(s->db, end_within, &end, err);
}

/* ---- once more ------------------------------------------------------------------------------- */

struct again {
  struct ssk_store *store;
  int64_t runs; /* that are tried again */
};

/* A trial has failed runs, and perhaps runs that were skipped for them. */
static int retry_within(void *user, ssk_err *err) {
  struct again *again = user;
  struct ssk_store *s = again->store;
  const char *const parameters[] = {s->sweep->name};
  int code = ssk_database_query(
      s->db,
      "UPDATE sskit_run SET state = 'queued' WHERE sweep = $1 AND state = 'skipped' AND trial IN"
      " (SELECT trial FROM sskit_run WHERE sweep = $1 AND state = 'failed')",
      1, parameters, NULL, NULL, NULL, err);
  if (!code)
    code = ssk_database_query(s->db,
                              "UPDATE sskit_run SET state = 'queued', reason = '', losses = 0"
                              " WHERE sweep = $1 AND state = 'failed'",
                              1, parameters, NULL, NULL, &again->runs, err);
  return code;
}

int ssk_store_retry(struct ssk_store *s, int *n, ssk_err *err) {
  struct again again = {.store = s};
  const int code = ssk_database_transaction(s->db, retry_within, &again, err);
  *n = code ? 0 : (int)again.runs;
  return code;
}
