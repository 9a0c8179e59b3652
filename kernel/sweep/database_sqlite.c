/* SPDX-License-Identifier: GPL-3.0-or-later */
/* database_sqlite.c - a file of SQLite in WAL mode. Processes of one machine share it safely; over
 * a network file system they would not, because WAL needs shared memory. */
#include "sweep/database.h"

#ifdef SSK_SQLITE
#include "core/clock.h"
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { most_columns = 16, patience = 60 }; /* seconds */

struct file {
  struct ssk_database base;
  sqlite3 *handle;
};

static int refuse(struct file *f, const char *doing, ssk_err *err) {
  return ssk_err_set(err, SSK_EIO, "SQLite cannot %s: %s", doing, sqlite3_errmsg(f->handle));
}

/* Reals with all their digits: SQLite's own text has fifteen. */
static int give_row(sqlite3_stmt *s, ssk_database_row *row, void *user, ssk_err *err) {
  const char *cells[most_columns] = {0};
  char reals[most_columns][32];
  const int n = sqlite3_column_count(s) < most_columns ? sqlite3_column_count(s) : most_columns;
  for (int c = 0; c < n; c++)
    if (sqlite3_column_type(s, c) == SQLITE_FLOAT) {
      snprintf(reals[c], sizeof reals[c], "%.17g", sqlite3_column_double(s, c));
      cells[c] = reals[c];
    } else {
      cells[c] = (const char *)sqlite3_column_text(s, c);
    }
  return row(user, cells, err);
}

/* SQLITE_BUSY comes in spite of the time-out where waiting might deadlock. */
static int step(sqlite3_stmt *s, double until) {
  int result;
  while ((result = sqlite3_step(s)) == SQLITE_BUSY && ssk_clock() < until) {
    sqlite3_reset(s);
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
  }
  return result;
}

static int query(struct ssk_database *db, const char *sql, int n, const char *const *parameters,
                 ssk_database_row *row, void *user, int64_t *changed, ssk_err *err) {
  struct file *f = (struct file *)db;
  sqlite3_stmt *s = NULL;
  if (sqlite3_prepare_v2(f->handle, sql, -1, &s, NULL) != SQLITE_OK)
    return refuse(f, "read a statement", err);
  for (int i = 0; i < n; i++) {
    char name[16];
    snprintf(name, sizeof name, "$%d", i + 1);
    const int index = sqlite3_bind_parameter_index(s, name);
    if (index)
      sqlite3_bind_text(s, index, parameters[i], -1, SQLITE_STATIC);
  }
  int code = SSK_OK, result;
  const double until = ssk_clock() + patience;
  while (!code && (result = step(s, until)) != SQLITE_DONE)
    if (result != SQLITE_ROW)
      code = refuse(f, "work on the trials", err);
    else if (row)
      code = give_row(s, row, user, err);
  sqlite3_finalize(s);
  if (changed)
    *changed = code ? 0 : sqlite3_changes(f->handle);
  return code;
}

static void close_file(struct ssk_database *db) {
  struct file *f = (struct file *)db;
  sqlite3_close(f->handle);
  free(f);
}

static const struct ssk_database_ops ops = {.now = "((julianday('now') - 2440587.5) * 86400.0)",
                                            .begin = "BEGIN IMMEDIATE",
                                            .query = query,
                                            .close = close_file};

int ssk_sqlite_open(const char *path, struct ssk_database **out, ssk_err *err) {
  struct file *f = calloc(1, sizeof *f);
  if (!f)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for a database");
  f->base.ops = &ops;
  int code = SSK_OK;
  if (sqlite3_open_v2(path, &f->handle,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                      NULL) != SQLITE_OK)
    code = ssk_err_set(err, SSK_EIO, "SQLite cannot open '%s': %s", path,
                       f->handle ? sqlite3_errmsg(f->handle) : "no memory");
  if (!code) {
    sqlite3_busy_timeout(f->handle, patience * 1000);
    code = query(&f->base, "PRAGMA journal_mode = WAL", 0, NULL, NULL, NULL, NULL, err);
    if (code)
      ssk_err_context(err, "'%s'", path);
  }
  if (code) {
    close_file(&f->base);
    return code;
  }
  *out = &f->base;
  return SSK_OK;
}

const char *ssk_sqlite_version(void) {
  static char text[32];
  snprintf(text, sizeof text, "SQLite %s", sqlite3_libversion());
  return text;
}

#else

int ssk_sqlite_open(const char *path, struct ssk_database **out, ssk_err *err) {
  (void)path, (void)out;
  ssk_err_set(err, SSK_EUSAGE, "this sskit was built without SQLite");
  ssk_err_hint(err, "install it (Debian: libsqlite3-dev) and configure again, or give --storage "
                    "postgresql://...");
  return SSK_EUSAGE;
}

const char *ssk_sqlite_version(void) {
  return "";
}
#endif
