/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plot_run.h - the figures of a run: its training, from metrics.jsonl, and its forecasts. */
#ifndef SSK_REPORT_PLOT_RUN_H
#define SSK_REPORT_PLOT_RUN_H

#include "report/plot.h"
#include "report/run.h"

/* Loss parts, validation, gradient norms, and KL of each latent dimension, as far as the lines have
 * them. */
int ssk_plot_training(struct ssk_plots *plots, const char *metrics, ssk_err *err);
/* Fans of forecasts against the truth for some series, and where the data have an oracle the
 * distribution of the next observation against the true one. */
int ssk_plot_forecasts(struct ssk_plots *plots, const struct ssk_run *run, struct ssk_pool *pool,
                       ssk_err *err);

#endif
