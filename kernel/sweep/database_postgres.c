/* SPDX-License-Identifier: GPL-3.0-or-later */
/* database_postgres.c - a PostgreSQL server, by libpq. Transactions take one advisory lock, as
 * SQLite's take the file: they last milliseconds, trainings seconds and more. */
#include "sweep/database.h"

#ifdef SSK_POSTGRESQL
#include "core/lazy_library.h"
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { most_columns = 16, attempts = 30 }; /* a second each, to reach a server that went away */

#define LIBPQ(F)                                                                                   \
  F(PQclear)                                                                                       \
  F(PQcmdTuples)                                                                                   \
  F(PQconnectdb)                                                                                   \
  F(PQerrorMessage)                                                                                \
  F(PQexec)                                                                                        \
  F(PQexecParams)                                                                                  \
  F(PQfinish)                                                                                      \
  F(PQgetisnull)                                                                                   \
  F(PQgetvalue)                                                                                    \
  F(PQlibVersion)                                                                                  \
  F(PQnfields)                                                                                     \
  F(PQntuples)                                                                                     \
  F(PQreset)                                                                                       \
  F(PQresultStatus)                                                                                \
  F(PQsetNoticeProcessor)                                                                          \
  F(PQstatus)
static struct { LIBPQ(SSK_LAZY_MEMBER) } pq;
#define ENTRY(name) SSK_LAZY_ENTRY(pq, name)
static const struct ssk_lazy_function functions[] = {LIBPQ(ENTRY)};

static int load(ssk_err *err) {
  return ssk_lazy_library(POSTGRESQL_SONAME, sizeof functions / sizeof *functions, functions, err);
}

struct server {
  struct ssk_database base;
  PGconn *link;
};

/* libpq's messages end with a newline and may have several lines: the first says it. */
static int refuse(struct server *s, const char *doing, const char *message, ssk_err *err) {
  (void)s;
  return ssk_err_set(err, SSK_EIO, "PostgreSQL: cannot %s: %.*s", doing,
                     (int)strcspn(message, "\n"), message);
}

static int give_rows(const PGresult *r, ssk_database_row *row, void *user, ssk_err *err) {
  int code = SSK_OK;
  const int n = pq.PQnfields(r) < most_columns ? pq.PQnfields(r) : most_columns;
  for (int i = 0; i < pq.PQntuples(r) && !code; i++) {
    const char *cells[most_columns] = {0};
    for (int c = 0; c < n; c++)
      cells[c] = pq.PQgetisnull(r, i, c) ? NULL : pq.PQgetvalue(r, i, c);
    code = row(user, cells, err);
  }
  return code;
}

static int query(struct ssk_database *db, const char *sql, int n, const char *const *parameters,
                 ssk_database_row *row, void *user, int64_t *changed, ssk_err *err) {
  struct server *s = (struct server *)db;
  PGresult *r = pq.PQexecParams(s->link, sql, n, NULL, parameters, NULL, NULL, 0);
  const ExecStatusType status = pq.PQresultStatus(r);
  int code = SSK_OK;
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
    code = refuse(s, "work on the trials", pq.PQerrorMessage(s->link), err);
  else if (row)
    code = give_rows(r, row, user, err);
  if (changed)
    *changed = code ? 0 : strtoll(pq.PQcmdTuples(r), NULL, 10);
  pq.PQclear(r);
  return code;
}

/* A server that was started anew: connect again. */
static int ready(struct ssk_database *db, ssk_err *err) {
  struct server *s = (struct server *)db;
  if (pq.PQstatus(s->link) == CONNECTION_OK) {
    PGresult *r = pq.PQexec(s->link, "SELECT 1"); /* tells a link that broke while it was idle */
    pq.PQclear(r);
  }
  for (int i = 0; i < attempts && pq.PQstatus(s->link) != CONNECTION_OK; i++) {
    if (i)
      nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    pq.PQreset(s->link);
  }
  return pq.PQstatus(s->link) == CONNECTION_OK
             ? SSK_OK
             : refuse(s, "reach the server", pq.PQerrorMessage(s->link), err);
}

static bool lost(const struct ssk_database *db) {
  return pq.PQstatus(((const struct server *)db)->link) != CONNECTION_OK;
}

static void close_link(struct ssk_database *db) {
  struct server *s = (struct server *)db;
  pq.PQfinish(s->link);
  free(s);
}

static void be_silent(void *user, const char *message) {
  (void)user, (void)message;
}

static const struct ssk_database_ops ops = {
    .now = "extract(epoch FROM clock_timestamp())::double precision",
    .begin = "BEGIN",
    .lock = "SELECT pg_advisory_xact_lock(7236846)",
    .query = query,
    .ready = ready,
    .lost = lost,
    .close = close_link};

int ssk_postgres_open(const char *uri, struct ssk_database **out, ssk_err *err) {
  int code = load(err);
  if (code)
    return code;
  struct server *s = calloc(1, sizeof *s);
  if (!s)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for a database");
  s->base.ops = &ops;
  s->link = pq.PQconnectdb(uri);
  if (s->link && pq.PQstatus(s->link) != CONNECTION_OK)
    pq.PQreset(s->link); /* it may have been closed while it was made */
  if (pq.PQstatus(s->link) != CONNECTION_OK) {
    code = refuse(s, "connect", s->link ? pq.PQerrorMessage(s->link) : "no memory", err);
    close_link(&s->base);
    return code;
  }
  pq.PQsetNoticeProcessor(s->link, be_silent, NULL);
  *out = &s->base;
  return SSK_OK;
}

const char *ssk_postgres_version(char text[48]) {
  *text = 0;
  if (!load(NULL))
    snprintf(text, 48, "PostgreSQL (libpq %d.%d)", pq.PQlibVersion() / 10000,
             pq.PQlibVersion() % 10000);
  return text;
}

#else

int ssk_postgres_open(const char *uri, struct ssk_database **out, ssk_err *err) {
  (void)uri, (void)out;
  ssk_err_set(err, SSK_EUSAGE, "this sskit was built without PostgreSQL");
  ssk_err_hint(err, "install its library (Debian: libpq-dev) and configure again");
  return SSK_EUSAGE;
}

const char *ssk_postgres_version(char text[48]) {
  *text = 0;
  return text;
}
#endif
