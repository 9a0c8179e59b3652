/* SPDX-License-Identifier: GPL-3.0-or-later */
/* compare.h - running a study: train every model row with every seed, evaluate all rows alike. */
#ifndef SSK_REPORT_COMPARE_H
#define SSK_REPORT_COMPARE_H

#include "infer/evaluate.h"
#include "report/run.h"

/* One row: a model with an evaluation for each seed, or a baseline with one. */
struct ssk_compare_row {
  const char *name;
  bool baseline, best_possible;
  int n;                             /* evaluations */
  struct ssk_evaluation *evaluation; /* [n] */
  int64_t weights;                   /* trained numbers; 0: a baseline */
  double time_training;              /* seconds, mean over seeds */
};

struct ssk_comparison {
  char *name;
  int n_rows, n_columns, n_seeds;
  struct ssk_compare_row *rows;
  struct ssk_metric_column *columns;
  double *seeds;
  struct ssk_arena arena; /* of names */
};

/* Run `study`, read from the file `path`, in the folder `folder`, which must not exist: a run
 * directory <row>-<seed> for each training. Rows must agree in data and evaluation. */
int ssk_compare_run(const struct ssk_study *study, const char *path, const char *folder,
                    const struct ssk_run_options *options, struct ssk_comparison *out,
                    ssk_err *err);
void ssk_comparison_free(struct ssk_comparison *comparison);

#endif
