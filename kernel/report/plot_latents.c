/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plot_latents.c - the latents of a series, given all that was observed of it. */
#include "report/plot_run.h"
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <stdlib.h>

enum { SAMPLES = 64 };

struct buffers {
  double *x, *mean, *z, *values;
};

/* Step, then median, 5 % and 95 % of each latent. */
static void add_lines(struct ssk_text *out, const struct buffers *b, int T, int d, int shown) {
  static const double levels[] = {0.5, 0.05, 0.95};
  for (int t = 0; t < T; t++) {
    ssk_text_printf(out, "%d", t);
    for (int k = 0; k < shown; k++) {
      for (int s = 0; s < SAMPLES; s++)
        b->values[s] = b->z[((size_t)s * (size_t)T + (size_t)t) * (size_t)d + (size_t)k];
      gsl_sort(b->values, 1, SAMPLES);
      for (int q = 0; q < 3; q++)
        ssk_text_printf(out, "\t%.7g",
                        gsl_stats_quantile_from_sorted_data(b->values, 1, SAMPLES, levels[q]));
    }
    ssk_text_add(out, "\n");
  }
}

static int draw(struct ssk_plots *plots, const struct buffers *b, int T, int d, ssk_err *err) {
  const int shown = d < SSK_PLOT_COLOURS ? d : SSK_PLOT_COLOURS;
  struct ssk_plot *p = ssk_plots_add(
      plots, "latents", "Latents of series 0",
      "Median and central 90 % of the encoder's paths given the whole series, in the model's own "
      "coordinates, which only the emission ties to the data.");
  if (!p)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the figures");
  add_lines(&p->data, b, T, d, shown);
  ssk_text_add(&p->script, "set xlabel 'step'\nset ylabel 'latent'\n");
  for (int k = 0; k < shown; k++)
    ssk_text_printf(&p->script,
                    "%s data using 1:%d:%d with filledcurves fillcolor %s fillstyle transparent "
                    "solid 0.25 noborder notitle, \\\n  data using 1:%d with lines linewidth 2 "
                    "linecolor %s title 'latent %d'",
                    k ? ", \\\n " : "plot", 3 * k + 3, 3 * k + 4, ssk_plot_colour(k), 3 * k + 2,
                    ssk_plot_colour(k), k);
  ssk_text_add(&p->script, "\n");
  return SSK_OK;
}

int ssk_plot_latents(struct ssk_plots *plots, const struct ssk_run *run,
                     const struct ssk_forecaster *forecaster, ssk_err *err) {
  const enum ssk_split which = (enum ssk_split)run->experiment->evaluate.split;
  const struct ssk_split_data *split = &run->data->split[which];
  const int d = forecaster->latents, D = run->data->shape.D;
  if (!forecaster->posterior || d < 1 || split->n < 1)
    return SSK_OK;
  const size_t T = (size_t)split->length[0];
  struct buffers b = {.x = malloc(SAMPLES * T * (size_t)D * sizeof *b.x),
                      .mean = malloc(T * (size_t)D * sizeof *b.mean),
                      .z = malloc(SAMPLES * T * (size_t)d * sizeof *b.z),
                      .values = malloc(SAMPLES * sizeof *b.values)};
  const struct ssk_series_posterior out = {.x = b.x, .mean = b.mean, .z = b.z};
  int code = b.x && b.mean && b.z && b.values
                 ? SSK_OK
                 : ssk_err_set(err, SSK_ENOMEM, "no memory for the latents of a figure");
  if (!code)
    code = forecaster->posterior(forecaster->self, run->data, which, 0, SAMPLES,
                                 (uint64_t)run->experiment->seed, 0, &out, err);
  if (!code)
    code = draw(plots, &b, (int)T, d, err);
  free(b.x);
  free(b.mean);
  free(b.z);
  free(b.values);
  return code;
}
