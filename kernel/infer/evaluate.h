/* SPDX-License-Identifier: GPL-3.0-or-later */
/* evaluate.h - the metrics of a forecaster on the series of a split. */
#ifndef SSK_INFER_EVALUATE_H
#define SSK_INFER_EVALUATE_H

#include "core/pool.h"
#include "infer/forecaster.h"

/* Mean, its standard error (NaN for fewer than two values), and how many values there were. */
struct ssk_mean {
  double mean, se;
  int64_t n;
};
/* Over values[0], values[stride], ... (n of them), without those that are NaN. The mean of nothing
 * is NaN. */
struct ssk_mean ssk_mean_of(const double *values, int64_t n, int64_t stride);

/* A metric as a column of figures. */
struct ssk_metric_column {
  const struct ssk_instance *metric;
  int step;             /* of the horizon, from 1, that it is taken at alone; 0: all steps */
  char name[96];        /* of the metric; a second one of the same name gets "_2", ..., and a
                           single step "_h1", ... */
  char id[160];         /* the metric with its parameters: "coverage(level=0.9)", "crps@h1" */
  char definition[640]; /* with the settings of this evaluation: equal, or not comparable */
  const char *unit;
  int better;
  double ideal; /* where better is 0 */
  int lags;     /* of forecast errors: origins that follow each other share so many steps */
};
/* Columns of the recipe's metrics, each followed by those at evaluate->steps, where it is a metric
 * of forecast samples alone: columns[ssk_metric_column_count]. */
int ssk_metric_column_count(const struct ssk_evaluate_section *evaluate);
void ssk_metric_columns(const struct ssk_evaluate_section *evaluate,
                        struct ssk_metric_column *columns);

/* What one forecaster scored. Free with ssk_evaluation_free. */
struct ssk_evaluation {
  int64_t n_series;
  int n_metrics;                     /* columns: ssk_metric_column_count */
  struct ssk_metric_column *columns; /* [n_metrics]; their `metric` is borrowed from the recipe */
  double *values;         /* [n_series, n_metrics]; NaN: no value; of pooled metrics linearised */
  double *terms;          /* [n_series, n_metrics, SSK_METRIC_TERMS] of pooled metrics; first NaN:
                             none */
  struct ssk_mean *means; /* [n_metrics], over series */
  const char **reasons; /* [n_metrics] why no series has a value, in a few words, static; NULL: one
                           has */
  double seconds;       /* of wall time, for all series */
  int64_t evaluations;  /* network evaluations a sampled latent step */
};

/* How many series of its split the section evaluates, the first ones. */
int64_t ssk_evaluated_series(const struct ssk_evaluate_section *evaluate,
                             const struct ssk_data *data);

/* Whether the forecaster can be evaluated so at all; of it, name and history are looked at.
 * SSK_EDATA: there are no series, none as long as context and horizon, or the context is less than
 * its history. ssk_evaluate asks this first. */
int ssk_evaluate_check(const struct ssk_forecaster *forecaster, const struct ssk_data *data,
                       const struct ssk_evaluate_section *evaluate, ssk_err *err);
/* Forecast and score the first evaluate->series series of its split. The values depend on the
 * arguments only, not on the threads of the pool (NULL: no threads). A metric gets a value where it
 * can: not from a forecaster without what it needs (bound), nor on data without an oracle, nor for
 * a series shorter than context + horizon. */
int ssk_evaluate(const struct ssk_forecaster *forecaster, const struct ssk_data *data,
                 const struct ssk_evaluate_section *evaluate, uint64_t seed, struct ssk_pool *pool,
                 struct ssk_evaluation *out, ssk_err *err);
/* The same for `count` series from `first` on. */
int ssk_evaluate_range(const struct ssk_forecaster *forecaster, const struct ssk_data *data,
                       const struct ssk_evaluate_section *evaluate, int64_t first, int64_t count,
                       uint64_t seed, struct ssk_pool *pool, struct ssk_evaluation *out,
                       ssk_err *err);
/* Put the series of `more`, of the same forecaster and section, behind those of `all` (zeroed: none
 * yet), as if they had been evaluated together; `more` is freed, also after a failure. */
int ssk_evaluation_append(struct ssk_evaluation *all, struct ssk_evaluation *more, ssk_err *err);
void ssk_evaluation_free(struct ssk_evaluation *evaluation);

#endif
