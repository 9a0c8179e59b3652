/* SPDX-License-Identifier: GPL-3.0-or-later */
/* score.h - scoring the rows of a comparison on the same series: all at once, or more and more
 * until the differences are decided. */
#ifndef SSK_REPORT_SCORE_H
#define SSK_REPORT_SCORE_H

#include "infer/evaluate.h"
#include "report/table.h"

/* One row: its seeds, and what they scored. */
struct ssk_scored {
  const char *name; /* borrowed */
  bool best_possible;
  int seeds;
  uint64_t *seed; /* [seeds], which, rising, malloc'ed; NULL: those of all other rows */
  struct ssk_evaluation *evaluations; /* [seeds], filled by ssk_score_rows */
};

/* Evaluate seed `s` of row `row` on `count` series from `first` on. */
typedef int ssk_score(void *user, int row, int s, int64_t first, int64_t count,
                      struct ssk_evaluation *out, ssk_err *err);

/* When to stop adding series. */
struct ssk_sequential {
  bool on;
  int column;   /* of the metric that decides */
  int64_t look; /* series at the first look; each further look has twice as many */
  double alpha; /* chance that any of the differences is decided wrongly */
  /* out */
  int64_t series;  /* at the last look */
  int comparisons; /* of rows with the reference */
  bool decided;    /* all of them, before the series ran out */
};

/* Score all rows on the first `series` series. With rule->on: on rule->look of them, then on twice
 * as many, until each row (but those that know the process) differs from the first of them: its
 * paired difference is outside of the anytime-valid interval at level alpha/comparisons. */
int ssk_score_rows(struct ssk_scored *rows, int n, int64_t series, struct ssk_sequential *rule,
                   ssk_score *score, void *user, ssk_err *err);
/* Put the rows into the table. */
int ssk_score_table(const struct ssk_scored *rows, int n, struct ssk_table *table, ssk_err *err);
/* Say in the table how the looks ended, at how many of `series`. */
void ssk_score_note(const struct ssk_sequential *rule, int64_t series, struct ssk_table *table);
void ssk_scored_free(struct ssk_scored *rows, int n);

#endif
