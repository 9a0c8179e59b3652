/* SPDX-License-Identifier: GPL-3.0-or-later */
/* runs_index.c - a file of SQLite with one row a run. Not the database of sweeps
 * (sweep/database.h): there a worker waits until it has what it asks for, and an error ends it;
 * here hardly anybody waits, and an error ends the use of the file. A row has a hash of its bytes,
 * because SQLite does not notice bytes that were changed on the disk. */
#include "report/runs_index.h"

#ifdef SSK_SQLITE
#include "core/file.h"
#include "core/hash.h"
#include "core/text.h"
#include "report/run_facts.h"
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { patience = 100 }; /* milliseconds, once */

struct ssk_runs_index {
  char *file;
  sqlite3 *handle;
  sqlite3_stmt *find, *keep;
  bool writing; /* within a transaction that writes */
  bool off;     /* not to be used any more */
  bool broken;  /* ... and to be made anew */
};

/* Whether SQLite did as it was told. If not, the index is not used again: what is locked now would
 * cost the patience once for each run. */
static bool fine(struct ssk_runs_index *index, int result) {
  switch (result & 0xff) {
  case SQLITE_OK:
  case SQLITE_ROW:
  case SQLITE_DONE:
    return true;
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB:
  case SQLITE_FORMAT:
  case SQLITE_ERROR: /* a table that is not as it should be */
  case SQLITE_MISMATCH:
  case SQLITE_CONSTRAINT:
    index->broken = true;
    break;
  default: /* locked, read-only, a full disk, ... */
    break;
  }
  index->off = true;
  return false;
}

static bool tell(struct ssk_runs_index *index, const char *sql) {
  return fine(index, sqlite3_exec(index->handle, sql, NULL, NULL, NULL));
}

/* ---- the file -------------------------------------------------------------------------------- */

/* malloc'ed; NULL: there is no place for caches. A path that is not from the root does not count,
 * by the XDG base directory specification. */
static char *choose_file(void) {
  const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
  const bool own = cache && cache[0] == '/';
  if (!own && (!home || home[0] != '/'))
    return NULL;
  struct ssk_text file = {0};
  ssk_text_printf(&file, "%s%s/sskit/runs.sqlite", own ? cache : home, own ? "" : "/.cache");
  if (file.failed)
    ssk_text_free(&file);
  return file.data;
}

/* For the eyes of its owner alone: recipes and commands are in it. SQLite makes its journal with
 * the permissions of the file. */
static bool make_file(const char *file) {
  char *folder = ssk_path_folder(file);
  const int fd = folder && !ssk_folder_make(folder, NULL)
                     ? open(file, O_RDONLY | O_CREAT | O_CLOEXEC, 0600)
                     : -1;
  free(folder);
  if (fd >= 0)
    close(fd);
  return fd >= 0;
}

static void remove_file(const char *file) {
  struct ssk_text journal = {0};
  ssk_text_printf(&journal, "%s-journal", file);
  if (!journal.failed)
    unlink(journal.data); /* first: what is in it must not be put into a new file */
  unlink(file);
  ssk_text_free(&journal);
}

static int version_of(struct ssk_runs_index *index) {
  sqlite3_stmt *s = NULL;
  int version = -1;
  if (fine(index, sqlite3_prepare_v2(index->handle, "PRAGMA user_version", -1, &s, NULL)) &&
      fine(index, sqlite3_step(s)))
    version = sqlite3_column_int(s, 0);
  sqlite3_finalize(s);
  return version;
}

static void make_table(struct ssk_runs_index *index) {
  char sql[256];
  snprintf(sql, sizeof sql,
           "BEGIN IMMEDIATE; DROP TABLE IF EXISTS runs;"
           "CREATE TABLE runs (path TEXT PRIMARY KEY, stamp BLOB, facts BLOB, hash INTEGER);"
           "PRAGMA user_version = %d; COMMIT",
           SSK_RUN_FACTS_VERSION);
  tell(index, sql);
}

/* SQL's is_run(path). */
static void is_run(sqlite3_context *context, int n, sqlite3_value **values) {
  (void)n;
  const char *path = (const char *)sqlite3_value_text(values[0]);
  sqlite3_result_int(context, path && ssk_is_run(path));
}

static void prepare(struct ssk_runs_index *index, const char *sql, sqlite3_stmt **out) {
  if (!index->off)
    fine(index, sqlite3_prepare_v2(index->handle, sql, -1, out, NULL));
}

static void open_file(struct ssk_runs_index *index) {
  index->off = index->broken = false;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
  if (!make_file(index->file) ||
      sqlite3_open_v2(index->file, &index->handle, flags, NULL) != SQLITE_OK) {
    index->off = true;
    return;
  }
  sqlite3_busy_timeout(index->handle, patience);
  sqlite3_create_function(index->handle, "is_run", 1, SQLITE_UTF8, NULL, is_run, NULL, NULL);
  if (version_of(index) != SSK_RUN_FACTS_VERSION && !index->off)
    make_table(index);
  prepare(index, "SELECT stamp, facts, hash FROM runs WHERE path = ?", &index->find);
  prepare(index, "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?)", &index->keep);
  if (!index->off)
    tell(index, "BEGIN"); /* one lock for all runs, where each would take its own */
}

static void close_file(struct ssk_runs_index *index) {
  sqlite3_finalize(index->find);
  sqlite3_finalize(index->keep);
  index->find = index->keep = NULL;
  sqlite3_close(index->handle); /* what is not committed is rolled back */
  index->handle = NULL;
  if (index->broken)
    remove_file(index->file);
}

struct ssk_runs_index *ssk_runs_index_open(void) {
  struct ssk_runs_index *index = calloc(1, sizeof *index);
  if (!index)
    return NULL;
  index->file = choose_file();
  index->off = !index->file;
  if (!index->off)
    open_file(index);
  if (index->broken) {
    close_file(index);
    open_file(index);
  }
  if (!index->off)
    return index;
  ssk_runs_index_close(index);
  return NULL;
}

void ssk_runs_index_close(struct ssk_runs_index *index) {
  if (!index)
    return;
  if (index->writing && !index->off && tell(index, "DELETE FROM runs WHERE NOT is_run(path)"))
    tell(index, "COMMIT");
  close_file(index);
  free(index->file);
  free(index);
}

/* ---- rows ------------------------------------------------------------------------------------ */

static sqlite3_int64 hash_of(const char *path, const struct ssk_run_stamp *stamp, const void *facts,
                             size_t size) {
  const uint64_t hash = ssk_hash(ssk_hash_text(0, path), stamp, sizeof *stamp);
  return (sqlite3_int64)ssk_hash(hash, facts, size);
}

/* The facts of the row that the statement is at, if it is one of this stamp. */
static bool read_row(sqlite3_stmt *s, const char *path, struct ssk_run_info *run,
                     const struct ssk_run_stamp *stamp) {
  const void *kept = sqlite3_column_blob(s, 0), *facts = sqlite3_column_blob(s, 1);
  const size_t size = (size_t)sqlite3_column_bytes(s, 1);
  return kept && facts && sqlite3_column_bytes(s, 0) == (int)sizeof *stamp &&
         !memcmp(kept, stamp, sizeof *stamp) &&
         sqlite3_column_int64(s, 2) == hash_of(path, stamp, facts, size) &&
         ssk_run_facts_unpack(run, facts, size);
}

bool ssk_runs_index_find(struct ssk_runs_index *index, struct ssk_run_info *run,
                         const struct ssk_run_stamp *stamp) {
  char *path = index && !index->off ? realpath(run->path, NULL) : NULL;
  if (!path)
    return false;
  sqlite3_bind_text(index->find, 1, path, -1, SQLITE_STATIC);
  const int result = sqlite3_step(index->find);
  const bool found =
      fine(index, result) && result == SQLITE_ROW && read_row(index->find, path, run, stamp);
  sqlite3_reset(index->find);
  free(path);
  return found;
}

void ssk_runs_index_keep(struct ssk_runs_index *index, const struct ssk_run_info *run,
                         const struct ssk_run_stamp *stamp) {
  if (!index || index->off || ssk_run_stamp_fresh(stamp))
    return;
  size_t size = 0;
  char *path = realpath(run->path, NULL), *facts = path ? ssk_run_facts_pack(run, &size) : NULL;
  if (facts) {
    sqlite3_bind_text(index->keep, 1, path, -1, SQLITE_STATIC);
    sqlite3_bind_blob64(index->keep, 2, stamp, sizeof *stamp, SQLITE_STATIC);
    sqlite3_bind_blob64(index->keep, 3, facts, size, SQLITE_STATIC);
    sqlite3_bind_int64(index->keep, 4, hash_of(path, stamp, facts, size));
    index->writing = fine(index, sqlite3_step(index->keep));
    sqlite3_reset(index->keep);
  }
  free(facts);
  free(path);
}

#else

struct ssk_runs_index *ssk_runs_index_open(void) {
  return NULL;
}
bool ssk_runs_index_find(struct ssk_runs_index *index, struct ssk_run_info *run,
                         const struct ssk_run_stamp *stamp) {
  (void)index, (void)run, (void)stamp;
  return false;
}
void ssk_runs_index_keep(struct ssk_runs_index *index, const struct ssk_run_info *run,
                         const struct ssk_run_stamp *stamp) {
  (void)index, (void)run, (void)stamp;
}
void ssk_runs_index_close(struct ssk_runs_index *index) {
  (void)index;
}
#endif
