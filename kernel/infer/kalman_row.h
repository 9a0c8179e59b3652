/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kalman_row.h - the baseline kalman_em: a linear-Gaussian model fitted to the training series. */
#ifndef SSK_INFER_KALMAN_ROW_H
#define SSK_INFER_KALMAN_ROW_H

#include "infer/forecaster.h"

/* Fits it: seconds, where others need none. Of `how` it takes kalman_latent and kalman_iterations.
 * SSK_EDATA when no training series has four steps. */
int ssk_kalman_row(const char *name, const struct ssk_data *data,
                   const struct ssk_evaluate_section *how, struct ssk_forecaster *out,
                   ssk_err *err);

#endif
