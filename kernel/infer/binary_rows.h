/* SPDX-License-Identifier: GPL-3.0-or-later */
/* binary_rows.h - the baselines of observations that are 0 or 1: bernoulli and markov. */
#ifndef SSK_INFER_BINARY_ROWS_H
#define SSK_INFER_BINARY_ROWS_H

#include "infer/forecaster.h"

/* Each dimension by itself. Without memory: 1 with its frequency in the training series. With: a
 * Markov chain of first order, whose first state has that frequency. Half a count is added to each
 * (Krichevsky and Trofimov 1981), so that what training never shows is not impossible.
 * SSK_EDATA when an observed training entry is neither 0 nor 1. */
int ssk_binary_row(const char *name, bool memory, const struct ssk_data *data,
                   struct ssk_forecaster *out, ssk_err *err);

#endif
