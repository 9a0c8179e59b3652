/* SPDX-License-Identifier: GPL-3.0-or-later */
/* spread.h - what is printed of the samples of one number: their mean and five quantiles. */
#ifndef SSK_CLI_SPREAD_H
#define SSK_CLI_SPREAD_H

#include "cli/cli.h"
#include "core/text.h"
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <jansson.h>

#define SSK_SPREAD_COLUMNS "mean,q05,q25,q50,q75,q95"

struct ssk_spread {
  double mean, quantile[5];
};

/* Sorts the n values. */
static inline struct ssk_spread ssk_spread_of(double *values, size_t n) {
  static const double levels[] = {0.05, 0.25, 0.5, 0.75, 0.95};
  gsl_sort(values, 1, n);
  struct ssk_spread out = {.mean = gsl_stats_mean(values, 1, n)};
  for (int q = 0; q < 5; q++)
    out.quantile[q] = gsl_stats_quantile_from_sorted_data(values, 1, n, levels[q]);
  return out;
}

/* The columns after a comma each, and the end of the line. */
static inline void ssk_spread_csv(const struct ssk_spread *spread, struct ssk_text *text) {
  ssk_text_printf(text, ",%.7g", spread->mean);
  for (int q = 0; q < 5; q++)
    ssk_text_printf(text, ",%.7g", spread->quantile[q]);
  ssk_text_add(text, "\n");
}

/* Adds the keys `mean` and `quantiles`. */
static inline void ssk_spread_json(const struct ssk_spread *spread, json_t *object) {
  const double *q = spread->quantile;
  json_t *list = json_array();
  for (int i = 0; i < 5; i++)
    json_array_append_new(list, ssk_cli_real(q[i]));
  json_object_set_new(object, "mean", ssk_cli_real(spread->mean));
  json_object_set_new(object, "quantiles", list);
}

#endif
