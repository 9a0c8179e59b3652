/* SPDX-License-Identifier: GPL-3.0-or-later */
/* score.c - rows are scored in step with each other: after every look all of them have seen the
 * same series, so that differences are paired and one may stop. */
#include "report/score.h"
#include "report/decide.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static int add_series(struct ssk_scored *rows, int n, int64_t first, int64_t count,
                      ssk_score *score, void *user, ssk_err *err) {
  for (int r = 0; r < n; r++)
    for (int s = 0; s < rows[r].seeds; s++) {
      struct ssk_evaluation more;
      int code = score(user, r, s, first, count, &more, err);
      if (!code)
        code = ssk_evaluation_append(&rows[r].evaluations[s], &more, err);
      if (code) {
        ssk_err_context(err, "row '%s'", rows[r].name);
        return code;
      }
    }
  return SSK_OK;
}

static struct ssk_sample sample_of(const struct ssk_scored *row, int column, const double **start) {
  for (int s = 0; s < row->seeds; s++)
    start[s] = row->evaluations[s].values + column;
  return (struct ssk_sample){.seeds = row->seeds,
                             .seed = row->seed,
                             .series = row->evaluations[0].n_series,
                             .stride = row->evaluations[0].n_metrics,
                             .values = start};
}

/* Whether the row's mean difference from the reference is decided at level alpha; *known: whether
 * there is a difference at all. */
static bool is_decided(const struct ssk_scored *row, const struct ssk_scored *reference,
                       const struct ssk_sequential *rule, double alpha, bool *known) {
  const double **start = calloc((size_t)(row->seeds + reference->seeds), sizeof *start);
  double *d = malloc((size_t)row->evaluations[0].n_series * sizeof *d);
  bool decided = false;
  *known = false;
  if (start && d) {
    int64_t n = ssk_series_differences(sample_of(row, rule->column, start),
                                       sample_of(reference, rule->column, start + row->seeds), d);
    struct ssk_mean m = ssk_mean_of(d, n, 1);
    *known = n > 1;
    if (n > 1)
      decided = fabs(m.mean) > ssk_anytime_radius(m.se * sqrt((double)n), n, rule->look, alpha);
  }
  free(start);
  free(d);
  return decided;
}

/* Whether all differences are decided. */
static bool look(const struct ssk_scored *rows, int n, struct ssk_sequential *rule) {
  int reference = 0, decided = 0;
  while (reference < n && rows[reference].best_possible)
    reference++;
  rule->comparisons = 0;
  for (int pass = 0; pass < 2; pass++)
    for (int r = reference + 1; r < n; r++) {
      bool known;
      if (rows[r].best_possible)
        continue;
      double alpha = rule->alpha / (pass ? rule->comparisons : 1);
      bool is = is_decided(&rows[r], &rows[reference], rule, alpha, &known);
      if (pass)
        decided += known && is;
      else
        rule->comparisons += known;
    }
  return rule->comparisons > 0 && decided == rule->comparisons;
}

int ssk_score_rows(struct ssk_scored *rows, int n, int64_t series, struct ssk_sequential *rule,
                   ssk_score *score, void *user, ssk_err *err) {
  int64_t have = 0, until = rule->on && rule->look < series ? rule->look : series;
  int code = SSK_OK;
  for (int r = 0; r < n && !code; r++)
    if (!(rows[r].evaluations = calloc((size_t)rows[r].seeds, sizeof *rows[r].evaluations)))
      code = ssk_err_set(err, SSK_ENOMEM, "no memory for scores");
  while (!code && have < series && !rule->decided) {
    code = add_series(rows, n, have, until - have, score, user, err);
    have = until;
    until = 2 * have < series ? 2 * have : series;
    if (!code && rule->on)
      rule->decided = look(rows, n, rule);
  }
  rule->series = have;
  return code;
}

int ssk_score_table(const struct ssk_scored *rows, int n, struct ssk_table *table, ssk_err *err) {
  int code = SSK_OK;
  for (int r = 0; r < n && !code; r++)
    code = ssk_table_add(table, rows[r].name, rows[r].best_possible, rows[r].seeds, rows[r].seed,
                         rows[r].evaluations, err);
  return code;
}

void ssk_score_note(const struct ssk_sequential *rule, int64_t series, struct ssk_table *table) {
  const char *metric = table->columns[rule->column].name;
  if (rule->decided)
    snprintf(table->note, sizeof table->note,
             "stopped after %lld of %lld series: %s in %s %s decided at level %g%s",
             (long long)rule->series, (long long)series,
             rule->comparisons == 1 ? "the difference" : "all differences", metric,
             rule->comparisons == 1 ? "is" : "are", rule->alpha,
             rule->comparisons == 1 ? "" : " together");
  else
    snprintf(table->note, sizeof table->note,
             "all %lld series were taken: not every difference in %s is decided at level %g",
             (long long)rule->series, metric, rule->alpha);
}

void ssk_scored_free(struct ssk_scored *rows, int n) {
  for (int r = 0; r < n; r++)
    for (int s = 0; rows[r].evaluations && s < rows[r].seeds; s++)
      ssk_evaluation_free(&rows[r].evaluations[s]);
  for (int r = 0; r < n; r++) {
    free(rows[r].evaluations);
    free(rows[r].seed);
  }
}
