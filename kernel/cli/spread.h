/* SPDX-License-Identifier: GPL-3.0-or-later */
/* spread.h - what is printed of the samples of one number: their mean and five quantiles, those
 * that are usual (quantiles.h). */
#ifndef SSK_CLI_SPREAD_H
#define SSK_CLI_SPREAD_H

#include "cli/quantiles.h"
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>

#define SSK_SPREAD_COLUMNS "mean,q05,q25,q50,q75,q95"

struct ssk_spread {
  double mean, quantile[SSK_QUANTILES_USUAL];
};

/* Sorts the n values. */
static inline struct ssk_spread ssk_spread_of(double *values, size_t n) {
  double level[SSK_QUANTILES_USUAL];
  ssk_quantiles_default(level);
  gsl_sort(values, 1, n);
  struct ssk_spread out = {.mean = gsl_stats_mean(values, 1, n)};
  for (int q = 0; q < SSK_QUANTILES_USUAL; q++)
    out.quantile[q] = gsl_stats_quantile_from_sorted_data(values, 1, n, level[q]);
  return out;
}

/* The columns after a comma each, and the end of the line. */
static inline void ssk_spread_csv(const struct ssk_spread *spread, struct ssk_text *text) {
  ssk_text_printf(text, ",%.7g", spread->mean);
  for (int q = 0; q < SSK_QUANTILES_USUAL; q++)
    ssk_text_printf(text, ",%.7g", spread->quantile[q]);
  ssk_text_add(text, "\n");
}

/* Adds the keys `mean`, `levels` and `quantiles`. */
static inline void ssk_spread_json(const struct ssk_spread *spread, json_t *object) {
  double level[SSK_QUANTILES_USUAL];
  json_t *list = json_array();
  for (int q = 0; q < SSK_QUANTILES_USUAL; q++)
    json_array_append_new(list, ssk_cli_real(spread->quantile[q]));
  json_object_set_new(object, "mean", ssk_cli_real(spread->mean));
  json_object_set_new(object, "levels", ssk_quantile_levels(level, ssk_quantiles_default(level)));
  json_object_set_new(object, "quantiles", list);
}

#endif
