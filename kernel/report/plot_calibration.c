/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plot_calibration.c - are the forecasts' probabilities right? Where among its samples each
 * observation lies (the probability integral transform: Dawid 1984; Gneiting, Balabdaoui and
 * Raftery 2007), and how often it lies below each quantile. */
#include "infer/forecast_groups.h"
#include "report/plot_run.h"
#include <gsl/gsl_sort.h>
#include <math.h>
#include <sskit/rng.h>
#include <stdlib.h>

enum { SERIES = 100, SAMPLES = 100, BINS = 10, LEVELS = 20, FEWEST = 50 };

/* The transforms that were found. */
struct transforms {
  double *u;
  size_t n;
};

/* Of one series: the rank of each observed entry among its samples, made continuous at random, so
 * that it is uniform where the forecast is right, for counts, too. */
static void add_series(struct transforms *found, const struct ssk_run *run,
                       const struct ssk_split_data *split, int64_t series, int context, int horizon,
                       int samples, const double *paths) {
  const int D = run->data->shape.D;
  ssk_rng rng =
      ssk_rng_open((uint64_t)run->experiment->seed, "plot", "calibration", (uint32_t)series, 0);
  for (int k = 0; k < horizon * D; k++) {
    const int64_t at = (series * split->room + context) * D + k;
    if (split->mask[at] == 0)
      continue;
    int below = 0, equal = 0;
    for (int s = 0; s < samples; s++) {
      const double x = paths[(size_t)s * (size_t)(horizon * D) + (size_t)k];
      below += x < split->x[at];
      equal += x == split->x[at];
    }
    found->u[found->n++] = (below + ssk_rng_uniform(&rng) * (equal + 1)) / (samples + 1);
  }
}

/* Forecasts from the history of the recipe, of the first series that are long enough. */
static int collect(struct transforms *found, const struct ssk_run *run,
                   const struct ssk_forecaster *forecaster, struct ssk_pool *pool, double *paths,
                   int samples, ssk_err *err) {
  const struct ssk_evaluate_section *how = &run->experiment->evaluate;
  const struct ssk_split_data *split = &run->data->split[how->split];
  const int horizon = (int)how->horizon;
  int code = SSK_OK, done = 0;
  for (int64_t i = 0; i < split->n && done < SERIES && !code; i++) {
    const int context = ssk_forecaster_context(forecaster, how->context, horizon, split->length[i]);
    if (!context)
      continue;
    code = ssk_forecast_groups(forecaster, pool, run->data, (enum ssk_split)how->split, i, context,
                               horizon, samples, (uint64_t)run->experiment->seed, paths, err);
    if (!code)
      add_series(found, run, split, i, context, horizon, samples, paths);
    done++;
  }
  return code;
}

/* Sorted transforms up to `level`. */
static size_t count_below(const struct transforms *found, double level) {
  size_t n = 0;
  while (n < found->n && found->u[n] <= level)
    n++;
  return n;
}

static int draw(struct ssk_plots *plots, const struct transforms *found, ssk_err *err) {
  const double n = (double)found->n;
  struct ssk_plot *p = ssk_plots_add(
      plots, "pit", "Probability integral transform",
      "Where the observations lie among the samples of their forecasts. Level: right; a hill: "
      "forecasts are too wide; a valley: too narrow; a slope: biased. The band is two standard "
      "errors "
      "of independent observations.");
  if (!p)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the figures");
  const double error = 2 * sqrt((BINS - 1) / n);
  for (int b = 0; b < BINS; b++)
    ssk_text_printf(&p->data, "%.7g\t%.7g\n", (b + 0.5) / BINS,
                    BINS *
                        (double)(count_below(found, (b + 1.0) / BINS) -
                                 (b ? count_below(found, (double)b / BINS) : 0)) /
                        n);
  ssk_text_printf(&p->data, "\n\n0\t%.7g\t%.7g\n1\t%.7g\t%.7g\n", 1 - error, 1 + error, 1 - error,
                  1 + error);
  ssk_text_printf(&p->script,
                  "set xlabel 'share of samples below the observation'\nset ylabel 'density'\n"
                  "set xrange [0:1]\nset yrange [0:*]\nset style fill transparent solid 0.3 "
                  "noborder\nplot data index 0 using 1:2 with boxes linecolor %s title "
                  "'observations', data index 1 using 1:2 with lines linewidth 1.5 linecolor %s "
                  "title 'right, within chance', data index 1 using 1:3 with lines linewidth 1.5 "
                  "linecolor %s notitle\n",
                  ssk_plot_colour(0), ssk_plot_colour(-1), ssk_plot_colour(-1));
  p = ssk_plots_add(plots, "reliability", "Reliability of the quantiles",
                    "How many observations lie below each quantile of their forecasts; on the "
                    "line: as many as should.");
  if (!p)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the figures");
  for (int k = 0; k <= LEVELS; k++)
    ssk_text_printf(&p->data, "%.7g\t%.7g\n", (double)k / LEVELS,
                    (double)count_below(found, (double)k / LEVELS) / n);
  ssk_text_printf(
      &p->script,
      "set xlabel 'quantile'\nset ylabel 'share of observations below'\n"
      "set xrange [0:1]\nset yrange [0:1]\nplot data using 1:1 with lines linewidth 1.5 "
      "linecolor %s title 'right', data using 1:2 with linespoints pointtype 7 "
      "pointsize 0.4 linewidth 2 linecolor %s title 'observations'\n",
      ssk_plot_colour(-1), ssk_plot_colour(0));
  return SSK_OK;
}

int ssk_plot_calibration(struct ssk_plots *plots, const struct ssk_run *run,
                         const struct ssk_forecaster *forecaster, struct ssk_pool *pool,
                         ssk_err *err) {
  const struct ssk_evaluate_section *how = &run->experiment->evaluate;
  const int samples = how->samples < SAMPLES ? (int)how->samples : SAMPLES;
  const size_t entries = (size_t)how->horizon * (size_t)run->data->shape.D;
  struct transforms found = {.u = malloc(entries * SERIES * sizeof *found.u)};
  double *paths = malloc(entries * (size_t)samples * sizeof *paths);
  int code = found.u && paths
                 ? collect(&found, run, forecaster, pool, paths, samples, err)
                 : ssk_err_set(err, SSK_ENOMEM, "no memory for the forecasts of a figure");
  if (!code && found.n >= FEWEST) {
    gsl_sort(found.u, 1, found.n);
    code = draw(plots, &found, err);
  }
  free(found.u);
  free(paths);
  return code;
}
