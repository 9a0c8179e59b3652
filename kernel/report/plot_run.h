/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plot_run.h - the figures of a run: its training, from metrics.jsonl, and its forecasts. */
#ifndef SSK_REPORT_PLOT_RUN_H
#define SSK_REPORT_PLOT_RUN_H

#include "infer/forecaster.h"
#include "report/plot.h"
#include "report/run.h"

/* Loss parts, validation, lambda, gradient norms, and KL of each latent dimension, as far as the
 * lines have them. */
int ssk_plot_training(struct ssk_plots *plots, const char *metrics, ssk_err *err);
/* The time of a step by component, where the lines have it. */
int ssk_plot_times(struct ssk_plots *plots, const char *metrics, ssk_err *err);
/* Quality against cost of samplers: the lines of sampler_costs.h. */
int ssk_plot_samplers(struct ssk_plots *plots, const char *lines, ssk_err *err);
/* Fans of forecasts against the truth for some series, where the data have an oracle the
 * distribution of the next observation against the true one, and the two below. */
int ssk_plot_forecasts(struct ssk_plots *plots, const struct ssk_run *run, struct ssk_pool *pool,
                       ssk_err *err);
/* The probability integral transform of up to 100 series' forecasts and the reliability of their
 * quantiles; nothing where there are too few observations to tell. */
int ssk_plot_calibration(struct ssk_plots *plots, const struct ssk_run *run,
                         const struct ssk_forecaster *forecaster, struct ssk_pool *pool,
                         ssk_err *err);
/* The latents of the first series given all of it, where the forecaster has a posterior. */
int ssk_plot_latents(struct ssk_plots *plots, const struct ssk_run *run,
                     const struct ssk_forecaster *forecaster, ssk_err *err);

#endif
