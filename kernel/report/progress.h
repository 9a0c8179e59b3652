/* SPDX-License-Identifier: GPL-3.0-or-later */
/* progress.h - how a training is going, for people: one live line on a terminal, plain lines at
 * every training.log_every elsewhere. */
#ifndef SSK_REPORT_PROGRESS_H
#define SSK_REPORT_PROGRESS_H

#include "model/health.h"
#include "train/loop.h"

/* Initialise with ssk_progress_start. */
struct ssk_progress {
  FILE *stream; /* NULL: silent */
  const char *label;
  bool live;      /* the stream is a terminal */
  bool dirty;     /* an unfinished live line is on the screen */
  bool path_loss; /* the sums are no bound (ssk_measure_name) */
  int64_t first, last;
  double started, drawn;   /* seconds, of a monotonic clock */
  unsigned standing, told; /* alarms of the latest health, and those that were shown */
};

/* Steps first+1...last are to come. `stream` may be NULL. `label` (borrowed, NULL: none) says which
 * of several trainings this is: a line of its own on a terminal, before each line elsewhere. */
void ssk_progress_start(struct ssk_progress *progress, FILE *stream, const char *label,
                        int64_t first, int64_t last, bool path_loss);
void ssk_progress_step(struct ssk_progress *progress, const struct ssk_step_record *record,
                       bool due);
void ssk_progress_validation(struct ssk_progress *progress, const struct ssk_counters *counters,
                             bool best);
/* Healthy models are not mentioned. An alarm is shown once: when it stands for the second time in a
 * row, as the first may be the start of a training, or at the last step. */
void ssk_progress_health(struct ssk_progress *progress, int64_t step,
                         const struct ssk_health *health);
/* Leave the cursor at the start of a fresh line. */
void ssk_progress_end(struct ssk_progress *progress);

#endif
