/* SPDX-License-Identifier: GPL-3.0-or-later */
/* database.h - SQL on SQLite or PostgreSQL: the same statements for both. Parameters are $1, $2,
 * ... in statements and text in calls; {now} in a statement is the time of the database's own clock
 * in seconds. A transaction excludes all other transactions, so what it has read stays true until
 * its end. One thread uses a connection at a time. */
#ifndef SSK_SWEEP_DATABASE_H
#define SSK_SWEEP_DATABASE_H

#include <sskit/err.h>
#include <stdint.h>

struct ssk_database;

/* One row of a result, cells as text, NULL for SQL's NULL, valid during the call. A code other than
 * SSK_OK ends the query and is returned. */
typedef int ssk_database_row(void *user, const char *const *cells, ssk_err *err);

/* What a kind of database provides; each begins its own struct with a struct ssk_database. */
struct ssk_database_ops {
  const char *now;   /* an expression */
  const char *begin; /* statement by which a transaction begins... */
  const char *lock;  /* ... and excludes others, or NULL */
  /* A whole statement, without {now}. `row` may be NULL. *changed (may be NULL): rows that it
   * wrote. */
  int (*query)(struct ssk_database *db, const char *sql, int n, const char *const *parameters,
               ssk_database_row *row, void *user, int64_t *changed, ssk_err *err);
  /* [optional] Before a transaction: whether the connection stands, or does again. */
  int (*ready)(struct ssk_database *db, ssk_err *err);
  /* [optional] Whether the connection is gone. */
  bool (*lost)(const struct ssk_database *db);
  void (*close)(struct ssk_database *db);
};
struct ssk_database {
  const struct ssk_database_ops *ops;
};

/* Connect to a server ("postgresql://...") or open a file of SQLite, made where it does not exist.
 * SSK_EIO where that fails, SSK_EUSAGE where this build of sskit does not know the kind. */
int ssk_database_open(const char *where, struct ssk_database **out, ssk_err *err);
/* Accepts NULL. */
void ssk_database_close(struct ssk_database *db);
/* Whether a name is that of a server, which other machines reach too. */
bool ssk_database_is_server(const char *where);
/* "SQLite 3.40.1, PostgreSQL (libpq 15)": what this build knows; "none". */
const char *ssk_database_kinds(char text[96]);

/* One statement. */
int ssk_database_query(struct ssk_database *db, const char *sql, int n,
                       const char *const *parameters, ssk_database_row *row, void *user,
                       int64_t *changed, ssk_err *err);
/* What a transaction does, with ssk_database_query. It may be done more than once: what it leaves
 * in `user` the first time counts for nothing then. */
typedef int ssk_database_work(void *user, ssk_err *err);
/* Keep what `work` wrote where it returns SSK_OK, undo it otherwise. Where the connection breaks
 * within, it is done again: then it had written nothing, or all of it and the answer was lost.
 * Returns the code of `work`, or that of the failure to keep it. */
int ssk_database_transaction(struct ssk_database *db, ssk_database_work *work, void *user,
                             ssk_err *err);

/* For ssk_database_open; present where the build has the library. */
int ssk_sqlite_open(const char *path, struct ssk_database **out, ssk_err *err);
int ssk_postgres_open(const char *uri, struct ssk_database **out, ssk_err *err);
/* Of the libraries, or "". */
const char *ssk_sqlite_version(void);
const char *ssk_postgres_version(char text[48]);

#endif
