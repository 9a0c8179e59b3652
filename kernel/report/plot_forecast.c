/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plot_forecast.c - fans of forecasts, and the next observation's distribution. */
#include "infer/forecast_groups.h"
#include "infer/model_forecast.h"
#include "report/plot_run.h"
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>

enum { FANS = 3, HISTORY = 48, BINS = 60, DRAWS = 2048 };

/* The work of one figure. */
struct work {
  const struct ssk_run *run;
  struct ssk_pool *pool;
  struct ssk_forecaster forecaster;
  int context, horizon, samples, D;
  int64_t series;
  double *paths, *values;
};

static const struct ssk_split_data *split_of(const struct ssk_run *run) {
  return &run->data->split[run->experiment->evaluate.split];
}

static int forecast(struct work *w, int samples, int horizon, ssk_err *err) {
  return ssk_forecast_groups(
      &w->forecaster, w->pool, w->run->data, (enum ssk_split)w->run->experiment->evaluate.split,
      w->series, w->context, horizon, samples, (uint64_t)w->run->experiment->seed, w->paths, err);
}

/* Entry of the first dimension; NaN where it was not observed. */
static double truth_of(const struct work *w, int t) {
  const struct ssk_split_data *split = split_of(w->run);
  int64_t at = (w->series * split->room + t) * w->D;
  return split->mask[at] != 0 ? split->x[at] : NAN;
}

static void add_value(struct ssk_text *out, double value) {
  if (isnan(value))
    ssk_text_add(out, "\tnan");
  else
    ssk_text_printf(out, "\t%.7g", value);
}

/* Bands over the horizon; over a single step, bars. */
static void fan_script(struct ssk_text *out, int horizon) {
  const char *own = ssk_plot_colour(0);
  ssk_text_add(out, "set xlabel 'step'\nset ylabel 'first dimension'\nplot ");
  if (horizon > 1)
    ssk_text_printf(out,
                    "data index 1 using 1:2:6 with filledcurves fillcolor %s fillstyle transparent "
                    "solid 0.2 noborder title '90 %%', \\\n"
                    "  data index 1 using 1:3:5 with filledcurves fillcolor %s fillstyle "
                    "transparent solid 0.3 noborder title '50 %%', \\\n",
                    own, own);
  else
    ssk_text_printf(out,
                    "data index 1 using 1:4:2:6 with yerrorbars pointtype 0 linewidth 1.5 "
                    "linecolor %s title '90 %%', \\\n"
                    "  data index 1 using 1:4:3:5 with yerrorbars pointtype 0 linewidth 4 "
                    "linecolor %s title '50 %%', \\\n",
                    own, own);
  ssk_text_printf(out,
                  "  data index 1 using 1:4 with linespoints pointtype 7 pointsize 0.4 linewidth 2 "
                  "linecolor %s title 'median', \\\n"
                  "  data index 0 using 1:2 with linespoints pointtype 7 pointsize 0.4 linewidth "
                  "1.5 linecolor %s title 'truth'\n",
                  own, ssk_plot_colour(1));
}

static int plot_fan(struct ssk_plots *plots, struct work *w, ssk_err *err) {
  static const double levels[] = {0.05, 0.25, 0.5, 0.75, 0.95};
  char name[32], title[64];
  int code = forecast(w, w->samples, w->horizon, err);
  if (code)
    return code;
  snprintf(name, sizeof name, "forecast_%lld", (long long)w->series);
  snprintf(title, sizeof title, "Forecast of series %lld", (long long)w->series);
  struct ssk_plot *p = ssk_plots_add(plots, name, title,
                                     "Central 50 and 90 % of the forecast paths and their median, "
                                     "against what followed.");
  if (!p)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the figures");
  int from = w->context > HISTORY ? w->context - HISTORY : 0;
  for (int t = from; t < w->context + w->horizon; t++) {
    ssk_text_printf(&p->data, "%d", t);
    add_value(&p->data, truth_of(w, t));
    ssk_text_add(&p->data, "\n");
  }
  ssk_text_add(&p->data, "\n\n");
  for (int h = 0; h < w->horizon; h++) {
    for (int s = 0; s < w->samples; s++)
      w->values[s] = w->paths[((size_t)s * (size_t)w->horizon + (size_t)h) * (size_t)w->D];
    gsl_sort(w->values, 1, (size_t)w->samples);
    ssk_text_printf(&p->data, "%d", w->context + h);
    for (int q = 0; q < 5; q++)
      add_value(&p->data,
                gsl_stats_quantile_from_sorted_data(w->values, 1, (size_t)w->samples, levels[q]));
    ssk_text_add(&p->data, "\n");
  }
  fan_script(&p->script, w->horizon);
  return SSK_OK;
}

/* The forecast of the next observation as a histogram, and the oracle's mass of each bin. */
static int plot_next(struct ssk_plots *plots, struct work *w, ssk_err *err) {
  const struct ssk_data *data = w->run->data;
  const struct ssk_split_data *split = split_of(w->run);
  const struct ssk_oracle *oracle = data->oracle;
  if (!oracle || !oracle->predictive_cdf || !split->z)
    return SSK_OK;
  int code = forecast(w, DRAWS, 1, err);
  if (code)
    return code;
  struct ssk_plot *p = ssk_plots_add(
      plots, "next", "Distribution of the next observation",
      "Bars: draws of the model after the history of the first series. Line: the true distribution "
      "given the true latent. First dimension.");
  if (!p)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the figures");
  double low = INFINITY, high = -INFINITY;
  for (int s = 0; s < DRAWS; s++) {
    w->values[s] = w->paths[(size_t)s * (size_t)w->D];
    low = fmin(low, w->values[s]);
    high = fmax(high, w->values[s]);
  }
  const double *z = split->z + (w->series * split->room + w->context - 1) * data->shape.latent;
  double margin = 0.1 * (high - low) + 1e-9, width = (high - low + 2 * margin) / BINS;
  for (int b = 0; b < BINS; b++) {
    double from = low - margin + b * width, to = from + width;
    int hits = 0;
    for (int s = 0; s < DRAWS; s++)
      hits += w->values[s] >= from && w->values[s] < to;
    double mass = oracle->predictive_cdf(data->dataset->self, z, 0, to) -
                  oracle->predictive_cdf(data->dataset->self, z, 0, from);
    ssk_text_printf(&p->data, "%.7g\t%.7g\t%.7g\n", from + width / 2, hits / (DRAWS * width),
                    mass / width);
  }
  ssk_text_printf(&p->script,
                  "set xlabel 'next observation'\nset ylabel 'density'\nset yrange [0:*]\n"
                  "set style fill transparent solid 0.3 noborder\nplot data using 1:2 with boxes "
                  "linecolor %s title 'model', data using 1:3 with lines linewidth 2 linecolor %s "
                  "title 'truth'\n",
                  ssk_plot_colour(0), ssk_plot_colour(1));
  return SSK_OK;
}

static int plot_all(struct ssk_plots *plots, struct work *w, ssk_err *err) {
  const struct ssk_evaluate_section *how = &w->run->experiment->evaluate;
  const struct ssk_split_data *split = split_of(w->run);
  bool next = false;
  int code = SSK_OK, done = 0;
  for (w->series = 0; w->series < split->n && done < FANS && !code; w->series++) {
    w->context =
        ssk_forecaster_context(&w->forecaster, how->context, w->horizon, split->length[w->series]);
    if (!w->context)
      continue;
    code = plot_fan(plots, w, err);
    if (!code && !next)
      code = plot_next(plots, w, err);
    next = true;
    done++;
  }
  return code;
}

int ssk_plot_forecasts(struct ssk_plots *plots, const struct ssk_run *run, struct ssk_pool *pool,
                       ssk_err *err) {
  const struct ssk_evaluate_section *how = &run->experiment->evaluate;
  struct work w = {.run = run,
                   .pool = pool,
                   .horizon = (int)how->horizon,
                   .samples = (int)how->samples,
                   .D = run->data->shape.D};
  size_t most = (size_t)w.samples * (size_t)w.horizon;
  most = (most > DRAWS ? most : DRAWS) * (size_t)w.D;
  w.paths = malloc(most * sizeof *w.paths);
  w.values = malloc((size_t)(w.samples > DRAWS ? w.samples : DRAWS) * sizeof *w.values);
  int code = w.paths && w.values ? SSK_OK : ssk_err_set(err, SSK_ENOMEM, "no memory for paths");
  if (!code)
    code = ssk_model_forecaster(run->model, run->values, run->experiment->name,
                                ssk_pool_threads(pool), how, &w.forecaster, err);
  if (!code) {
    if (w.forecaster.forecast)
      code = plot_all(plots, &w, err);
    if (!code && w.forecaster.forecast)
      code = ssk_plot_calibration(plots, run, &w.forecaster, pool, err);
    if (!code)
      code = ssk_plot_latents(plots, run, &w.forecaster, err);
    ssk_forecaster_free(&w.forecaster);
  }
  free(w.paths);
  free(w.values);
  return code;
}
