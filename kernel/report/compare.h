/* SPDX-License-Identifier: GPL-3.0-or-later */
/* compare.h - running a study: train every model row with every seed, evaluate all rows alike. */
#ifndef SSK_REPORT_COMPARE_H
#define SSK_REPORT_COMPARE_H

#include "model/study.h"
#include "report/run.h"
#include "report/verdict.h"

/* Run `study`, read from the file `path`, in the folder `folder`: a run directory <row>-<seed> for
 * each training, and the table in all its forms. Where the folder is a study's, its runs are gone
 * on with (study_folder.h); what else exists is an error. All rows are trained before the first is
 * evaluated; with compare.sequential series are added until the differences are decided (score.h).
 * What is wrong with any row (study_rows.h), and that `expected` (NULL: nothing) is not what the
 * table will show, is said before the first step is trained. Free the
 * table with ssk_table_free. */
int ssk_compare_run(const struct ssk_study *study, const char *path, const char *folder,
                    const struct ssk_run_options *options, const struct ssk_expectations *expected,
                    struct ssk_table *table, ssk_err *err);

#endif
