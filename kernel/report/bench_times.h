/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bench_times.h - seconds of training steps and of forecasts, one by one, without any profile: for
 * comparisons with other programs. */
#ifndef SSK_REPORT_BENCH_TIMES_H
#define SSK_REPORT_BENCH_TIMES_H

#include "core/text.h"
#include "model/experiment.h"
#include <jansson.h>

struct ssk_bench_times {
  int threads, steps, forecasts;
  double *step;     /* [steps] seconds of each, in the order of running */
  double *forecast; /* [forecasts] */
};

/* Train in memory and time `steps` steps; then time forecasts with the weights as they are:
 * evaluate.samples paths over evaluate.horizon steps after evaluate.context steps of the first
 * series of evaluate.split, encoding included. A few of each come before, and do not count.
 * threads: 0 for one a processor. Free with ssk_bench_times_free. */
int ssk_bench_times_run(struct ssk_experiment *experiment, int threads, int steps, int forecasts,
                        struct ssk_bench_times *out, ssk_err *err);
void ssk_bench_times_free(struct ssk_bench_times *times);

/* Append as text; JSON as a new reference, NULL without memory. */
void ssk_bench_times_text(const struct ssk_bench_times *times, struct ssk_text *out);
json_t *ssk_bench_times_json(const struct ssk_bench_times *times);

#endif
