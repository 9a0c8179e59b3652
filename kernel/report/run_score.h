/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_score.h - a trained run evaluated as its recipe says. */
#ifndef SSK_REPORT_RUN_SCORE_H
#define SSK_REPORT_RUN_SCORE_H

#include "report/run.h"
#include "report/table.h"

/* Evaluate `count` series of the split from `first` on; `how`: NULL for the recipe's own section.
 */
int ssk_run_evaluate(const struct ssk_run *run, const struct ssk_evaluate_section *how,
                     uint64_t seed, int64_t first, int64_t count, struct ssk_pool *pool,
                     struct ssk_evaluation *out, ssk_err *err);
/* All that the recipe says, as a table of one row. Free with ssk_table_free. */
int ssk_run_table(const struct ssk_run *run, struct ssk_pool *pool, struct ssk_table *table,
                  ssk_err *err);

#endif
