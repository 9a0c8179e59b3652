/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verdict.h - a table held against what a recipe expects of it. */
#ifndef SSK_REPORT_VERDICT_H
#define SSK_REPORT_VERDICT_H

#include "model/expect.h"
#include "report/table.h"

/* Whether a table of these rows and columns, which need no figures yet, has all that is expected: a
 * row and a metric of that name (without a name: the only row), and the metric by the definition
 * that the expectation names. SSK_ERECIPE, at the expectation's place. */
int ssk_expectations_fit(const struct ssk_expectations *expected, int n_rows,
                         const char *const *rows, int n_columns,
                         const struct ssk_metric_column *columns, ssk_err *err);

/* The figure that an expectation is about. */
struct ssk_found {
  struct ssk_mean value;
  bool met;
};
/* The table's figures into found[expected->n], with the same errors; how many are not as expected
 * into *failed. */
int ssk_expectations_judge(const struct ssk_expectations *expected, const struct ssk_table *table,
                           struct ssk_found *found, int *failed, ssk_err *err);

#endif
