/* SPDX-License-Identifier: GPL-3.0-or-later */
/* database.c - what is the same for all databases. */
#include "sweep/database.h"
#include "core/text.h"
#include <string.h>

bool ssk_database_is_server(const char *where) {
  return !strncmp(where, "postgresql://", 13) || !strncmp(where, "postgres://", 11);
}

int ssk_database_open(const char *where, struct ssk_database **out, ssk_err *err) {
  *out = NULL;
  if (ssk_database_is_server(where))
    return ssk_postgres_open(where, out, err);
  if (strstr(where, "://")) {
    ssk_err_set(err, SSK_EUSAGE, "storage '%s' is neither a file nor postgresql://...", where);
    return SSK_EUSAGE;
  }
  return ssk_sqlite_open(where, out, err);
}

void ssk_database_close(struct ssk_database *db) {
  if (db)
    db->ops->close(db);
}

const char *ssk_database_kinds(char text[96]) {
  char version[48];
  const char *sqlite = ssk_sqlite_version(), *postgres = ssk_postgres_version(version);
  snprintf(text, 96, "%s%s%s", sqlite, *sqlite && *postgres ? ", " : "", postgres);
  return *text ? text : "none";
}

int ssk_database_query(struct ssk_database *db, const char *sql, int n,
                       const char *const *parameters, ssk_database_row *row, void *user,
                       int64_t *changed, ssk_err *err) {
  struct ssk_text text = {0};
  for (const char *at; (at = strstr(sql, "{now}")); sql = at + strlen("{now}"))
    ssk_text_printf(&text, "%.*s%s", (int)(at - sql), sql, db->ops->now);
  ssk_text_add(&text, sql);
  int code = text.failed ? ssk_err_set(err, SSK_ENOMEM, "no memory for a query")
                         : db->ops->query(db, text.data, n, parameters, row, user, changed, err);
  ssk_text_free(&text);
  return code;
}

static int do_once(struct ssk_database *db, ssk_database_work *work, void *user, ssk_err *err) {
  const struct ssk_database_ops *ops = db->ops;
  int code = ops->query(db, ops->begin, 0, NULL, NULL, NULL, NULL, err);
  if (code)
    return code;
  if (ops->lock)
    code = ops->query(db, ops->lock, 0, NULL, NULL, NULL, NULL, err);
  if (!code)
    code = work(user, err);
  if (!code)
    code = ops->query(db, "COMMIT", 0, NULL, NULL, NULL, NULL, err);
  if (code) /* where the connection is gone, so is the transaction: nothing more to say */
    ops->query(db, "ROLLBACK", 0, NULL, NULL, NULL, NULL, NULL);
  return code;
}

int ssk_database_transaction(struct ssk_database *db, ssk_database_work *work, void *user,
                             ssk_err *err) {
  enum { MOST = 6 };
  for (int times = 1;; times++) {
    int code = db->ops->ready ? db->ops->ready(db, err) : SSK_OK;
    if (code)
      return code;
    code = do_once(db, work, user, err);
    if (!code || times == MOST || !db->ops->lost || !db->ops->lost(db))
      return code;
    ssk_err_clear(err);
  }
}
