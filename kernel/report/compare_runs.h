/* SPDX-License-Identifier: GPL-3.0-or-later */
/* compare_runs.h - a comparison of runs that are there already. */
#ifndef SSK_REPORT_COMPARE_RUNS_H
#define SSK_REPORT_COMPARE_RUNS_H

#include "report/run.h"
#include "report/runs.h"
#include "report/table.h"

/* Evaluate the runs, each as its recipe says with these overrides (evaluate.samples=64), into a
 * table: runs whose recipes differ in the seed alone are one row, and the keys that differ among
 * rows stand beside their names. Runs must be of the same data and evaluate alike: SSK_EUSAGE, with
 * what differs. Free the table with ssk_table_free. */
int ssk_compare_runs(const struct ssk_runs *runs, int n_overrides, const char *const *overrides,
                     const struct ssk_run_options *options, struct ssk_table *table, ssk_err *err);

#endif
