/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sweep_table.h - the trials of a sweep as a table, the best on top, as text, Markdown, CSV and
 * JSON. */
#ifndef SSK_SWEEP_SWEEP_TABLE_H
#define SSK_SWEEP_SWEEP_TABLE_H

#include "sweep/trials.h"
#include <jansson.h>

/* Append the table; text shows the first twenty trials only. */
void ssk_sweep_text(const struct ssk_sweep *sweep, const struct ssk_trials *trials,
                    struct ssk_text *out);
void ssk_sweep_markdown(const struct ssk_sweep *sweep, const struct ssk_trials *trials,
                        struct ssk_text *out);
void ssk_sweep_csv(const struct ssk_sweep *sweep, const struct ssk_trials *trials,
                   struct ssk_text *out);
/* With axes, importance and all runs: what a report is drawn from. NULL without memory. */
json_t *ssk_sweep_json(const struct ssk_sweep *sweep, const struct ssk_trials *trials);
/* All of them as trials.txt, .md, .csv and .json in the folder. */
int ssk_sweep_write(const struct ssk_sweep *sweep, const struct ssk_trials *trials,
                    const char *folder, ssk_err *err);

#endif
