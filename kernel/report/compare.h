/* SPDX-License-Identifier: GPL-3.0-or-later */
/* compare.h - running a study: train every model row with every seed, evaluate all rows alike. */
#ifndef SSK_REPORT_COMPARE_H
#define SSK_REPORT_COMPARE_H

#include "report/run.h"
#include "report/table.h"

/* Run `study`, read from the file `path`, in the folder `folder`, which must not exist: a run
 * directory <row>-<seed> for each training, and the table as table.txt, table.md, table.csv and
 * table.json. Rows must agree in data and evaluation; what is wrong with any recipe is said before
 * the first step is trained. Free the table with ssk_table_free. */
int ssk_compare_run(const struct ssk_study *study, const char *path, const char *folder,
                    const struct ssk_run_options *options, struct ssk_table *table, ssk_err *err);

#endif
