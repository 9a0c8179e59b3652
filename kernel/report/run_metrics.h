/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_metrics.h - metrics.jsonl: one JSON object a line, in the order of the steps. Everything in
 * it is a function of recipe, data and seed, but for the keys that start with "time_". */
#ifndef SSK_REPORT_RUN_METRICS_H
#define SSK_REPORT_RUN_METRICS_H

#include "train/loop.h"

/* Initialise with ssk_metrics_open. */
struct ssk_metrics_log {
  int fd;
  const char *path; /* borrowed */
  bool path_loss;   /* the sums are no bound (ssk_measure_name) */
  double started;
};

/* Open, creating it where it does not exist, and cut away what comes after `step`: later lines, and
 * a last line that was not finished. */
int ssk_metrics_open(struct ssk_metrics_log *log, const char *path, int64_t step, bool path_loss,
                     ssk_err *err);
void ssk_metrics_close(struct ssk_metrics_log *log);
int ssk_metrics_step(struct ssk_metrics_log *log, const struct ssk_step_record *record,
                     const struct ssk_counters *counters, ssk_err *err);
int ssk_metrics_validation(struct ssk_metrics_log *log, const struct ssk_counters *counters,
                           bool best, ssk_err *err);
/* Append these whole lines. */
int ssk_metrics_write(struct ssk_metrics_log *log, const char *lines, size_t size, ssk_err *err);
/* Make what was written durable. */
int ssk_metrics_sync(struct ssk_metrics_log *log, ssk_err *err);

#endif
