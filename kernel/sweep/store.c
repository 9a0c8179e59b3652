/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store.c - claims and reports as transactions. Every statement that changes a run names the worker
 * and the attempt that it is for: a worker that was taken for dead changes nothing any more. */
#include "sweep/store.h"
#include "sweep/asha.h"
#include "sweep/database.h"
#include "sweep/store_list.h"
#include "sweep/store_schema.h"
#include "sweep/worker_name.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The run that a claim is of, as it is named in statements. */
#define OWN_RUN "sweep = $1 AND trial = $2 AND seed = $3 AND worker = $4 AND attempt = $5"

/* Numbers as parameters. */
struct number {
  char text[32];
};
static struct number whole(int64_t value) {
  struct number n;
  snprintf(n.text, sizeof n.text, "%" PRId64, value);
  return n;
}
static struct number real(double value) {
  struct number n;
  snprintf(n.text, sizeof n.text, "%.17g", value);
  return n;
}

static int no_memory(ssk_err *err) {
  return ssk_err_set(err, SSK_ENOMEM, "no memory for the trials");
}

/* ---- opening --------------------------------------------------------------------------------- */

static int take_text(void *user, const char *const *cells, ssk_err *err) {
  char **text = user;
  free(*text);
  *text = strdup(cells[0] ? cells[0] : "");
  return *text ? SSK_OK : no_memory(err);
}

/* The first line in which they differ, as a hint. */
static int differs(const struct ssk_store *s, const char *there, ssk_err *err) {
  const char *a = there, *b = s->sweep->identity;
  ssk_err_set(err, SSK_ERECIPE, "'%s' holds the sweep '%s' of another recipe", s->where,
              s->sweep->name);
  while (*a && *b) {
    const size_t n = strcspn(a, "\n"), m = strcspn(b, "\n");
    if (n != m || strncmp(a, b, n) != 0)
      break;
    a += n + (a[n] == '\n');
    b += m + (b[m] == '\n');
  }
  ssk_err_hint(err, "it says '%.*s', the recipe '%.*s': take another directory, or another name",
               (int)strcspn(a, "\n"), a, (int)strcspn(b, "\n"), b);
  return SSK_ERECIPE;
}

static int enter(struct ssk_store *s, ssk_err *err) {
  const char *const parameters[] = {s->sweep->name, s->sweep->identity};
  char *there = NULL;
  int code = SSK_OK;
  for (int i = 0; ssk_store_schema[i] && !code; i++)
    code = ssk_database_query(s->db, ssk_store_schema[i], 0, NULL, NULL, NULL, NULL, err);
  if (!code)
    code = ssk_database_query(s->db, "SELECT identity FROM sskit_sweep WHERE sweep = $1", 1,
                              parameters, take_text, &there, NULL, err);
  if (!code && !there)
    code = ssk_database_query(s->db, "INSERT INTO sskit_sweep VALUES ($1, $2, {now})", 2,
                              parameters, NULL, NULL, NULL, err);
  else if (!code && strcmp(there, s->sweep->identity) != 0)
    code = differs(s, there, err);
  free(there);
  return code;
}

int ssk_store_open(const char *where, const struct ssk_sweep *sweep, const char *worker,
                   struct ssk_store **out, ssk_err *err) {
  *out = NULL;
  struct ssk_store *s = calloc(1, sizeof *s);
  if (!s)
    return no_memory(err);
  *s = (struct ssk_store){.sweep = sweep, .where = where, .worker = worker ? worker : ""};
  int code = ssk_database_open(where, &s->db, err), attempts = 0;
  if (!code)
    do {
      code = ssk_database_begin(s->db, err);
      if (!code)
        code = ssk_database_end(s->db, enter(s, err), err);
    } while (ssk_database_again(s->db, code, &attempts, err));
  if (code) {
    ssk_store_close(s);
    return code;
  }
  *out = s;
  return SSK_OK;
}

void ssk_store_close(struct ssk_store *store) {
  if (!store)
    return;
  ssk_database_close(store->db);
  free(store);
}

void ssk_claim_free(struct ssk_claim *claim) {
  free(claim->point);
  *claim = (struct ssk_claim){0};
}

/* ---- claiming -------------------------------------------------------------------------------- */

/* What a running run is held by. */
struct holding {
  int64_t trial, seed, losses;
  bool dead;
};
struct holdings {
  int n;
  struct holding *items;
};

static int take_holding(void *user, const char *const *cells, ssk_err *err) {
  struct holdings *all = user;
  struct holding *grown = realloc(all->items, ((size_t)all->n + 1) * sizeof *grown);
  if (!grown)
    return no_memory(err);
  all->items = grown;
  grown[all->n++] = (struct holding){.trial = strtoll(cells[0], NULL, 10),
                                     .seed = strtoll(cells[1], NULL, 10),
                                     .losses = strtoll(cells[2], NULL, 10),
                                     .dead = *cells[4] == '1' || ssk_worker_dead(cells[3])};
  return SSK_OK;
}

static int skip_seeds(struct ssk_store *s, const char *trial, ssk_err *err) {
  const char *const parameters[] = {s->sweep->name, trial};
  return ssk_database_query(s->db,
                            "UPDATE sskit_run SET state = 'skipped'"
                            " WHERE sweep = $1 AND trial = $2 AND state = 'queued'",
                            2, parameters, NULL, NULL, NULL, err);
}

/* A run whose worker died goes back to the queue, or has failed where that happens again and again.
 */
static int take_back(struct ssk_store *s, const struct holding *lost, ssk_err *err) {
  const bool given_up = lost->losses + 1 >= s->sweep->sweep.losses;
  char reason[80] = "";
  if (given_up)
    snprintf(reason, sizeof reason, "its worker died, %" PRId64 " times", lost->losses + 1);
  const struct number trial = whole(lost->trial), seed = whole(lost->seed);
  const char *const parameters[] = {s->sweep->name, trial.text, seed.text,
                                    given_up ? "failed" : "queued", reason};
  int code = ssk_database_query(
      s->db,
      "UPDATE sskit_run SET state = $4, reason = $5, losses = losses + 1, worker = ''"
      " WHERE sweep = $1 AND trial = $2 AND seed = $3 AND state = 'running'",
      5, parameters, NULL, NULL, NULL, err);
  return code || !given_up ? code : skip_seeds(s, trial.text, err);
}

/* *running: the runs of workers that live. */
static int take_back_all(struct ssk_store *s, int *running, ssk_err *err) {
  struct holdings all = {0};
  const char *const parameters[] = {s->sweep->name};
  int code = ssk_database_query(s->db,
                                "SELECT trial, seed, losses, worker,"
                                " CASE WHEN lease < {now} THEN 1 ELSE 0 END"
                                " FROM sskit_run WHERE sweep = $1 AND state = 'running'",
                                1, parameters, take_holding, &all, NULL, err);
  *running = 0;
  for (int i = 0; i < all.n && !code; i++)
    if (all.items[i].dead)
      code = take_back(s, &all.items[i], err);
    else
      ++*running;
  free(all.items);
  return code;
}

static int add_run(struct ssk_store *s, const char *trial, double seed, ssk_err *err) {
  const struct number text = whole((int64_t)seed);
  const char *const parameters[] = {s->sweep->name, trial, text.text};
  return ssk_database_query(s->db,
                            "INSERT INTO sskit_run VALUES"
                            " ($1, $2, $3, 'queued', '', 0, 0, 0, 0, NULL, '')",
                            3, parameters, NULL, NULL, NULL, err);
}

/* The next trial, with a run for each seed. */
static int add_trial(struct ssk_store *s, int64_t number, const struct ssk_trials *trials,
                     ssk_propose *propose, void *user, ssk_err *err) {
  const struct ssk_axes *axes = &s->sweep->axes;
  struct ssk_text point = {0}, setting = {0};
  double *values = calloc((size_t)axes->n, sizeof *values);
  int code = values ? propose(user, number, trials, values, err) : no_memory(err);
  for (int k = 0; k < axes->n && !code; k++) {
    ssk_text_printf(&point, "%s%.17g", k ? " " : "", values[k]);
    ssk_text_printf(&setting, "%s%s=", k ? "\n" : "", axes->items[k].key);
    ssk_axis_value(&axes->items[k], values[k], &setting);
  }
  free(values);
  if (!code && (point.failed || setting.failed))
    code = no_memory(err);
  const struct number trial = whole(number);
  const char *const parameters[] = {s->sweep->name, trial.text, point.data, setting.data};
  if (!code)
    code = ssk_database_query(s->db, "INSERT INTO sskit_trial VALUES ($1, $2, $3, $4)", 4,
                              parameters, NULL, NULL, NULL, err);
  for (int i = 0; i < s->sweep->sweep.seeds.n && !code; i++)
    code = add_run(s, trial.text, s->sweep->sweep.seeds.items[i], err);
  ssk_text_free(&point);
  ssk_text_free(&setting);
  return code;
}

struct found {
  const struct ssk_store *store;
  struct ssk_claim *claim;
};

static int take_claim(void *user, const char *const *cells, ssk_err *err) {
  const struct found *found = user;
  struct ssk_claim *claim = found->claim;
  ssk_claim_free(claim);
  claim->trial = strtoll(cells[0], NULL, 10);
  claim->seed = strtoull(cells[1], NULL, 10);
  claim->attempt = (int)strtol(cells[2], NULL, 10) + 1;
  claim->point = ssk_store_point(cells[3], found->store->sweep->axes.n);
  return claim->point ? SSK_OK : no_memory(err);
}

static int first_queued(struct ssk_store *s, struct ssk_claim *claim, ssk_err *err) {
  struct found found = {s, claim};
  const char *const parameters[] = {s->sweep->name};
  return ssk_database_query(
      s->db,
      "SELECT r.trial, r.seed, r.attempt, t.point FROM sskit_run r JOIN sskit_trial t"
      " ON t.sweep = r.sweep AND t.trial = r.trial"
      " WHERE r.sweep = $1 AND r.state = 'queued' ORDER BY r.trial, r.seed LIMIT 1",
      1, parameters, take_claim, &found, NULL, err);
}

static int hold(struct ssk_store *s, const struct ssk_claim *claim, ssk_err *err) {
  const struct number trial = whole(claim->trial), seed = whole((int64_t)claim->seed),
                      attempt = whole(claim->attempt), lease = real(s->sweep->sweep.lease);
  const char *const parameters[] = {s->sweep->name, trial.text,   seed.text,
                                    s->worker,      attempt.text, lease.text};
  return ssk_database_query(s->db,
                            "UPDATE sskit_run SET state = 'running', worker = $4, attempt = $5,"
                            " lease = {now} + $6 WHERE sweep = $1 AND trial = $2 AND seed = $3",
                            6, parameters, NULL, NULL, NULL, err);
}

static int claim_within(struct ssk_store *s, ssk_propose *propose, void *user,
                        struct ssk_claim *claim, enum ssk_claimed *claimed, ssk_err *err) {
  int running = 0;
  struct ssk_trials trials = {0};
  int code = take_back_all(s, &running, err);
  if (!code)
    code = first_queued(s, claim, err);
  if (!code && !claim->point)
    code = ssk_store_read(s, &trials, err);
  if (!code && !claim->point && trials.n < s->sweep->trials) {
    code = add_trial(s, trials.n, &trials, propose, user, err);
    if (!code)
      code = first_queued(s, claim, err);
  }
  ssk_trials_free(&trials);
  *claimed = claim->point ? SSK_CLAIM_RUN : running ? SSK_CLAIM_WAIT : SSK_CLAIM_ENDED;
  return code || !claim->point ? code : hold(s, claim, err);
}

int ssk_store_claim(struct ssk_store *s, ssk_propose *propose, void *user, struct ssk_claim *claim,
                    enum ssk_claimed *claimed, ssk_err *err) {
  int code, attempts = 0;
  do {
    *claim = (struct ssk_claim){0};
    code = ssk_database_begin(s->db, err);
    if (!code)
      code = ssk_database_end(s->db, claim_within(s, propose, user, claim, claimed, err), err);
    if (code)
      ssk_claim_free(claim);
  } while (ssk_database_again(s->db, code, &attempts, err));
  return code;
}

/* ---- reports --------------------------------------------------------------------------------- */

/* Change the claimed run, where it still is this worker's; if not, the claim is lost. $6 and $7 are
 * the two values. */
static int change(struct ssk_store *s, struct ssk_claim *claim, const char *sql, const char *first,
                  const char *second, ssk_err *err) {
  const struct number trial = whole(claim->trial), seed = whole((int64_t)claim->seed),
                      attempt = whole(claim->attempt);
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

int ssk_store_beat(struct ssk_store *s, struct ssk_claim *claim, ssk_err *err) {
  const struct number lease = real(s->sweep->sweep.lease);
  int code, attempts = 0;
  do {
    code = ssk_database_begin(s->db, err);
    if (code)
      continue;
    code = change(s, claim,
                  "UPDATE sskit_run SET lease = {now} + $6 WHERE " OWN_RUN " AND state = 'running'",
                  lease.text, NULL, err);
    code = ssk_database_end(s->db, code, err);
  } while (ssk_database_again(s->db, code, &attempts, err));
  return code;
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
    return no_memory(err);
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
  const struct number trial = whole(claim->trial), seed = whole((int64_t)claim->seed);
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

static int report_within(struct ssk_store *s, struct ssk_claim *claim, int64_t step, double value,
                         bool *go_on, ssk_err *err) {
  const struct number at = whole(step), measured = real(value), trial = whole(claim->trial),
                      seed = whole((int64_t)claim->seed);
  const char *const parameters[] = {s->sweep->name, trial.text, seed.text, at.text, measured.text};
  int code = change(
      s, claim, "UPDATE sskit_run SET step = $6, last = $7 WHERE " OWN_RUN " AND state = 'running'",
      at.text, measured.text, err);
  if (code || claim->lost)
    return code;
  code = ssk_database_query(
      s->db, "INSERT INTO sskit_report VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING", 5,
      parameters, NULL, NULL, NULL, err);
  return code ? code : judge(s, claim, at.text, value, go_on, err);
}

int ssk_store_report(struct ssk_store *s, struct ssk_claim *claim, int64_t step, double value,
                     bool *go_on, ssk_err *err) {
  *go_on = false;
  int code, attempts = 0;
  do {
    code = ssk_database_begin(s->db, err);
    if (!code)
      code = ssk_database_end(s->db, report_within(s, claim, step, value, go_on, err), err);
  } while (ssk_database_again(s->db, code, &attempts, err));
  return code;
}

static int finish_within(struct ssk_store *s, struct ssk_claim *claim, double value, double seconds,
                         ssk_err *err) {
  const struct number trial = whole(claim->trial), seed = whole((int64_t)claim->seed),
                      reached = real(value), took = real(seconds);
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
  int code, attempts = 0;
  do {
    code = ssk_database_begin(s->db, err);
    if (!code)
      code = ssk_database_end(s->db, finish_within(s, claim, value, seconds, err), err);
  } while (ssk_database_again(s->db, code, &attempts, err));
  return code;
}

/* The run ends in this state; where `alone` is false, so do the seeds of the trial that wait. */
static int end_run(struct ssk_store *s, struct ssk_claim *claim, const char *state,
                   const char *reason, bool alone, ssk_err *err) {
  const struct number trial = whole(claim->trial);
  int code, attempts = 0;
  do {
    code = ssk_database_begin(s->db, err);
    if (code)
      continue;
    code = change(s, claim,
                  "UPDATE sskit_run SET state = $6, reason = $7, worker = '' WHERE " OWN_RUN
                  " AND state = 'running'",
                  state, reason, err);
    if (!code && !claim->lost && !alone)
      code = skip_seeds(s, trial.text, err);
    code = ssk_database_end(s->db, code, err);
  } while (ssk_database_again(s->db, code, &attempts, err));
  return code;
}

int ssk_store_fail(struct ssk_store *s, struct ssk_claim *claim, const char *reason, ssk_err *err) {
  return end_run(s, claim, "failed", reason, false, err);
}

int ssk_store_prune(struct ssk_store *s, struct ssk_claim *claim, ssk_err *err) {
  return end_run(s, claim, "pruned", "", false, err);
}

int ssk_store_release(struct ssk_store *s, struct ssk_claim *claim, ssk_err *err) {
  return end_run(s, claim, "queued", "", true, err);
}

/* A trial has failed runs, and perhaps runs that were skipped for them. */
static int retry_within(struct ssk_store *s, int *n, ssk_err *err) {
  const char *const parameters[] = {s->sweep->name};
  int64_t changed = 0;
  int code = ssk_database_query(
      s->db,
      "UPDATE sskit_run SET state = 'queued' WHERE sweep = $1 AND state = 'skipped' AND trial IN"
      " (SELECT trial FROM sskit_run WHERE sweep = $1 AND state = 'failed')",
      1, parameters, NULL, NULL, NULL, err);
  if (!code)
    code = ssk_database_query(s->db,
                              "UPDATE sskit_run SET state = 'queued', reason = '', losses = 0"
                              " WHERE sweep = $1 AND state = 'failed'",
                              1, parameters, NULL, NULL, &changed, err);
  *n = (int)changed;
  return code;
}

int ssk_store_retry(struct ssk_store *s, int *n, ssk_err *err) {
  *n = 0;
  int code, attempts = 0;
  do {
    code = ssk_database_begin(s->db, err);
    if (!code)
      code = ssk_database_end(s->db, retry_within(s, n, err), err);
  } while (ssk_database_again(s->db, code, &attempts, err));
  return code;
}
