/* SPDX-License-Identifier: GPL-3.0-or-later */
/* times_log.h - where the time of a training step goes, by component, as a line of metrics.jsonl:
 *     {"kind":"times","step":100,"time_forward/encoder":0.0021,"time_backward/encoder":0.0043,...}
 * in processor seconds of all threads together, of the step that the line is about. */
#ifndef SSK_REPORT_TIMES_LOG_H
#define SSK_REPORT_TIMES_LOG_H

#include "report/run_metrics.h"
#include "tensor/profile.h"

/* What the keys begin with, before the component's name. */
extern const char *const ssk_times_keys[SSK_WAYS];

/* The component of a row, as it is named for people: its path in the recipe without "model.", which
 * goes without saying; "model": the kernel's own code. */
const char *ssk_profile_component(const struct ssk_profile_key *key);
/* Append a line of this step: n profiles, one a thread, as one. */
int ssk_times_log(struct ssk_metrics_log *log, int64_t step, const struct ssk_profile *profiles,
                  int n, ssk_err *err);

#endif
