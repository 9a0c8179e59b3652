/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store.c - opening the trials of a sweep, and claiming runs; store_report.c is what workers tell.
 * Every statement that changes a run names the worker and the attempt that it is for: a worker that
 * was taken for dead changes nothing any more. */
#include "sweep/store.h"
#include "sweep/store_internal.h"
#include "sweep/store_schema.h"
#include "sweep/worker_name.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- opening --------------------------------------------------------------------------------- */

static int take_text(void *user, const char *const *cells, ssk_err *err) {
  char **text = user;
  free(*text);
  *text = strdup(cells[0] ? cells[0] : "");
  return *text ? SSK_OK : ssk_store_no_memory(err);
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

static int enter(void *user, ssk_err *err) {
  struct ssk_store *s = user;
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
    return ssk_store_no_memory(err);
  *s = (struct ssk_store){.sweep = sweep, .where = where, .worker = worker ? worker : ""};
  int code = ssk_database_open(where, &s->db, err);
  if (!code)
    code = ssk_database_transaction(s->db, enter, s, err);
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
    return ssk_store_no_memory(err);
  all->items = grown;
  grown[all->n++] = (struct holding){.trial = strtoll(cells[0], NULL, 10),
                                     .seed = strtoll(cells[1], NULL, 10),
                                     .losses = strtoll(cells[2], NULL, 10),
                                     .dead = *cells[4] == '1' || ssk_worker_dead(cells[3])};
  return SSK_OK;
}

/* A run whose worker died goes back to the queue, or has failed where that happens again and again.
 */
static int take_back(struct ssk_store *s, const struct holding *lost, ssk_err *err) {
  const bool given_up = lost->losses + 1 >= s->sweep->sweep.losses;
  char reason[80] = "";
  if (given_up)
    snprintf(reason, sizeof reason, "its worker died, %" PRId64 " times", lost->losses + 1);
  const struct ssk_number trial = ssk_whole(lost->trial), seed = ssk_whole(lost->seed);
  const char *const parameters[] = {s->sweep->name, trial.text, seed.text,
                                    given_up ? "failed" : "queued", reason};
  int code = ssk_database_query(
      s->db,
      "UPDATE sskit_run SET state = $4, reason = $5, losses = losses + 1, worker = ''"
      " WHERE sweep = $1 AND trial = $2 AND seed = $3 AND state = 'running'",
      5, parameters, NULL, NULL, NULL, err);
  return code || !given_up ? code : ssk_store_skip_seeds(s, trial.text, err);
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
  const struct ssk_number text = ssk_whole((int64_t)seed);
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
  int code = values ? propose(user, number, trials, values, err) : ssk_store_no_memory(err);
  for (int k = 0; k < axes->n && !code; k++) {
    ssk_text_printf(&point, "%s%.17g", k ? " " : "", values[k]);
    ssk_text_printf(&setting, "%s%s=", k ? "\n" : "", axes->items[k].key);
    ssk_axis_value(&axes->items[k], values[k], &setting);
  }
  free(values);
  if (!code && (point.failed || setting.failed))
    code = ssk_store_no_memory(err);
  const struct ssk_number trial = ssk_whole(number);
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
  return claim->point ? SSK_OK : ssk_store_no_memory(err);
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
  const struct ssk_number trial = ssk_whole(claim->trial), seed = ssk_whole((int64_t)claim->seed),
                          attempt = ssk_whole(claim->attempt),
                          lease = ssk_real_number(s->sweep->sweep.lease);
  const char *const parameters[] = {s->sweep->name, trial.text,   seed.text,
                                    s->worker,      attempt.text, lease.text};
  return ssk_database_query(s->db,
                            "UPDATE sskit_run SET state = 'running', worker = $4, attempt = $5,"
                            " lease = {now} + $6 WHERE sweep = $1 AND trial = $2 AND seed = $3",
                            6, parameters, NULL, NULL, NULL, err);
}

struct wish {
  struct ssk_store *store;
  ssk_propose *propose;
  void *user;
  struct ssk_claim *claim;
  enum ssk_claimed *claimed;
};

static int claim_within(void *user, ssk_err *err) {
  const struct wish *wish = user;
  struct ssk_store *s = wish->store;
  struct ssk_claim *claim = wish->claim;
  int running = 0;
  struct ssk_trials trials = {0};
  ssk_claim_free(claim);
  int code = take_back_all(s, &running, err);
  if (!code)
    code = first_queued(s, claim, err);
  if (!code && !claim->point)
    code = ssk_store_read(s, &trials, err);
  if (!code && !claim->point && trials.n < s->sweep->trials) {
    code = add_trial(s, trials.n, &trials, wish->propose, wish->user, err);
    if (!code)
      code = first_queued(s, claim, err);
  }
  ssk_trials_free(&trials);
  *wish->claimed = claim->point ? SSK_CLAIM_RUN : running ? SSK_CLAIM_WAIT : SSK_CLAIM_ENDED;
  return code || !claim->point ? code : hold(s, claim, err);
}

int ssk_store_claim(struct ssk_store *s, ssk_propose *propose, void *user, struct ssk_claim *claim,
                    enum ssk_claimed *claimed, ssk_err *err) {
  struct wish wish = {s, propose, user, claim, claimed};
  *claim = (struct ssk_claim){0};
  const int code = ssk_database_transaction(s->db, claim_within, &wish, err);
  if (code)
    ssk_claim_free(claim);
  return code;
}
