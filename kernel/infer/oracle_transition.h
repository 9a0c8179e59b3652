/* SPDX-License-Identifier: GPL-3.0-or-later */
/* oracle_transition.h - the exact transition of a data set whose generating process is known: what
 * the transitions of models are scored against. */
#ifndef SSK_INFER_ORACLE_TRANSITION_H
#define SSK_INFER_ORACLE_TRANSITION_H

#include "model/data.h"

/* The true latents of step t (0-based) of a series, without labels: z[data->latents]. The data have
 * ground truth. */
void ssk_true_latents(const struct ssk_data *data, enum ssk_split split, int64_t series, int t,
                      double *z);
/* Draw the latents of step t given the true state of step t - 1: z[draws, data->latents]. The data
 * have an oracle. */
int ssk_oracle_draw(const struct ssk_data *data, enum ssk_split split, int64_t series, int t,
                    int draws, ssk_rng rng, double *z, ssk_err *err);
/* log p of the true state of step t given that of step t - 1, nats; NaN where it has no density. */
double ssk_oracle_log_prob(const struct ssk_data *data, enum ssk_split split, int64_t series,
                           int t);

#endif
