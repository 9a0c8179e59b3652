/* SPDX-License-Identifier: GPL-3.0-or-later */
/* health_text.h - the health of a model (model/health.h) as a line of metrics.jsonl, as a table,
 * and as a warning. */
#ifndef SSK_REPORT_HEALTH_TEXT_H
#define SSK_REPORT_HEALTH_TEXT_H

#include "core/text.h"
#include "model/health.h"
#include "report/run_metrics.h"

/* The figures as members of a JSON object, without its braces: "series":64,..."alarms":["modes"].
 * Those of each dimension are arrays, the transition's own are named "transition_...". */
void ssk_health_json(const struct ssk_health *health, struct ssk_text *out);
/* A table for people: a row a dimension. */
void ssk_health_table(const struct ssk_health *health, struct ssk_text *out);
/* What the alarm means here, in one line without an end. */
void ssk_health_warning(const struct ssk_health *health, enum ssk_health_alarm alarm,
                        struct ssk_text *out);

/* Append a line of the kind "health" to the log. */
int ssk_health_log(struct ssk_metrics_log *log, int64_t step, const struct ssk_health *health,
                   ssk_err *err);

#endif
