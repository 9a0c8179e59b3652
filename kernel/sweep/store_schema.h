/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store_schema.h - the tables of a sweep's storage, for SQLite and PostgreSQL alike. */
#ifndef SSK_SWEEP_STORE_SCHEMA_H
#define SSK_SWEEP_STORE_SCHEMA_H

#include <stddef.h>

/* Times are seconds of the database's clock. A finished run has its one line in sskit_result: its
 * key keeps it from finishing twice, whatever else goes wrong. */
static const char *const ssk_store_schema[] = {
    "CREATE TABLE IF NOT EXISTS sskit_sweep ("
    " sweep TEXT PRIMARY KEY, identity TEXT NOT NULL, created DOUBLE PRECISION NOT NULL)",

    "CREATE TABLE IF NOT EXISTS sskit_trial ("
    " sweep TEXT NOT NULL REFERENCES sskit_sweep, trial BIGINT NOT NULL,"
    " point TEXT NOT NULL,"   /* of [0, 1], an axis each */
    " setting TEXT NOT NULL," /* the same as recipe keys, for people */
    " PRIMARY KEY (sweep, trial))",

    "CREATE TABLE IF NOT EXISTS sskit_run ("
    " sweep TEXT NOT NULL, trial BIGINT NOT NULL, seed BIGINT NOT NULL,"
    " state TEXT NOT NULL," /* queued, running, done, failed, pruned, skipped */
    " worker TEXT NOT NULL, attempt BIGINT NOT NULL, losses BIGINT NOT NULL,"
    " lease DOUBLE PRECISION NOT NULL,"             /* when a running one counts as lost */
    " step BIGINT NOT NULL, last DOUBLE PRECISION," /* of its last report */
    " reason TEXT NOT NULL,"
    " PRIMARY KEY (sweep, trial, seed),"
    " FOREIGN KEY (sweep, trial) REFERENCES sskit_trial)",

    "CREATE TABLE IF NOT EXISTS sskit_report ("
    " sweep TEXT NOT NULL, trial BIGINT NOT NULL, seed BIGINT NOT NULL, step BIGINT NOT NULL,"
    " value DOUBLE PRECISION NOT NULL,"
    " PRIMARY KEY (sweep, trial, seed, step),"
    " FOREIGN KEY (sweep, trial, seed) REFERENCES sskit_run)",

    "CREATE TABLE IF NOT EXISTS sskit_result ("
    " sweep TEXT NOT NULL, trial BIGINT NOT NULL, seed BIGINT NOT NULL,"
    " value DOUBLE PRECISION NOT NULL, seconds DOUBLE PRECISION NOT NULL,"
    " finished DOUBLE PRECISION NOT NULL,"
    " PRIMARY KEY (sweep, trial, seed),"
    " FOREIGN KEY (sweep, trial, seed) REFERENCES sskit_run)",
    NULL};

#endif
