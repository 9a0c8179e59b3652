/* SPDX-License-Identifier: GPL-3.0-or-later */
/* study_rows.h - the rows of a study before anything is trained: their recipes, and whether they
 * can be trained, evaluated, and compared with each other. */
#ifndef SSK_REPORT_STUDY_ROWS_H
#define SSK_REPORT_STUDY_ROWS_H

#include "infer/evaluate.h"
#include "model/study.h"
#include "report/run.h"

/* Filled by ssk_study_rows_open; to be closed also after a failure. */
struct ssk_study_rows {
  const struct ssk_study *study;
  const char *folder; /* of the runs */
  struct ssk_registry *registry;
  char *recipes;                    /* folder of the study's file: rows are relative to it */
  char **names;                     /* [compare.rows.n] */
  struct ssk_experiment *reference; /* of the first model row, with the first seed */
  struct ssk_data *data;            /* by that recipe; what baselines are evaluated on */
  struct ssk_forecaster *baselines; /* [compare.rows.n]; empty for recipes */
  int column;                       /* of the metric that decides a sequential comparison */
  char *settings;                   /* data and evaluation of that recipe, as text */
};

/* The rows of `study`, read from the file `path`, with their runs in `folder` (which need not be
 * there). The recipes are read, their data too, models are built and baselines fitted, nothing is
 * trained or written. All that would end the comparison later is diagnosed, at its place: rows that
 * are no recipe, baselines that the data cannot serve, data or an evaluation that differ from those
 * of the first recipe, an evaluation that no series is long enough for, a metric that is none. What
 * rows share is said once. Study, folder and options are borrowed. */
int ssk_study_rows_open(struct ssk_study_rows *rows, const struct ssk_study *study,
                        const char *path, const char *folder, const struct ssk_run_options *options,
                        ssk_err *err);
void ssk_study_rows_close(struct ssk_study_rows *rows);

/* The recipe of a row that is no baseline, as it is trained with this seed: what the study freezes
 * comes from its start. */
int ssk_study_rows_recipe(const struct ssk_study_rows *rows, int row, uint64_t seed,
                          struct ssk_experiment **out, ssk_err *err);
/* The recipe of compare.start, where there is one. */
int ssk_study_rows_start(const struct ssk_study_rows *rows, uint64_t seed,
                         struct ssk_experiment **out, ssk_err *err);
/* malloc'ed: the run of a row, and that of compare.start, with this seed; NULL without memory. */
char *ssk_study_rows_run(const struct ssk_study_rows *rows, int row, uint64_t seed);
char *ssk_study_rows_start_run(const struct ssk_study_rows *rows, uint64_t seed);

#endif
