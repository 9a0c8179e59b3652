/* SPDX-License-Identifier: GPL-3.0-or-later */
/* forecast_write.h - forecasts as CSV, JSON, lines of JSON, or NumPy's arrays (cli/format.h). */
#ifndef SSK_CLI_FORECAST_WRITE_H
#define SSK_CLI_FORECAST_WRITE_H

#include "cli/format.h"
#include <sskit/err.h>
#include <stdint.h>

enum { SSK_MAX_LEVELS = 99 };
/* What is written of each step. */
struct ssk_forecast_form {
  enum ssk_format format;
  bool samples; /* the paths themselves, instead of their mean and quantiles */
  int n_levels;
  double level[SSK_MAX_LEVELS];
};

/* The forecast of one series, in the data's own units. */
struct ssk_forecast_series {
  const char *name;
  int64_t number;      /* in its split or file; written where names are not asked for */
  int64_t first;       /* step of the series */
  const double *truth; /* [horizon, D]; NaN where it is not known */
  const double *paths; /* [samples, horizon, D] */
};

/* Collects forecasts. Zero-initialise, set form and sizes, add, write, free. */
struct ssk_forecasts {
  struct ssk_forecast_form form;
  bool named; /* series have names instead of numbers */
  int samples, horizon, D;
  /* Private. */
  struct ssk_text text; /* CSV and lines of JSON */
  json_t *array;
  double *values;                         /* [samples] room to sort */
  double *mean, *quantile, *truth, *path; /* of npz: a block each series */
  int64_t *step;
  char **name;
  int64_t n, room;
  bool failed;
};
/* SSK_ENOMEM is told by ssk_forecasts_write. */
void ssk_forecasts_add(struct ssk_forecasts *all, const struct ssk_forecast_series *series);
/* To a file, whole or not at all, or to standard output (path NULL; not npz). */
int ssk_forecasts_write(struct ssk_forecasts *all, const char *path, ssk_err *err);
void ssk_forecasts_free(struct ssk_forecasts *all);

#endif
