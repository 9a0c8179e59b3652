/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/forecast_write.h"
#include "cli/cli.h"
#include "cli/quantiles.h"
#include "core/file.h"
#include "train/npz.h"
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- numbers --------------------------------------------------------------------------------- */

/* Paths of entry k of step t into all->values; sorted where quantiles are asked for. */
static void gather(struct ssk_forecasts *all, const double *paths, int t, int k) {
  for (int s = 0; s < all->samples; s++)
    all->values[s] =
        paths[((size_t)s * (size_t)all->horizon + (size_t)t) * (size_t)all->D + (size_t)k];
  if (!all->form.samples)
    gsl_sort(all->values, 1, (size_t)all->samples);
}

static double mean_of(const struct ssk_forecasts *all) {
  return gsl_stats_mean(all->values, 1, (size_t)all->samples);
}
static double quantile_of(const struct ssk_forecasts *all, int q) {
  return gsl_stats_quantile_from_sorted_data(all->values, 1, (size_t)all->samples,
                                             all->form.level[q]);
}

/* ---- lines ----------------------------------------------------------------------------------- */

static void add_series(const struct ssk_forecasts *all, const struct ssk_forecast_series *series,
                       struct ssk_text *out) {
  if (!all->named)
    ssk_text_printf(out, "%lld", (long long)series->number);
  else
    ssk_text_cell(out, series->name);
}

static void csv_header(struct ssk_forecasts *all) {
  ssk_text_add(&all->text, all->form.samples ? "series,step,dimension,sample,value"
                                             : "series,step,dimension,truth,mean");
  for (int q = 0; q < all->form.n_levels && !all->form.samples; q++) {
    char column[32];
    ssk_quantile_name(all->form.level[q], column);
    ssk_text_printf(&all->text, ",%s", column);
  }
  ssk_text_add(&all->text, "\n");
}

/* A step and dimension: one line, or one a sample. */
static void csv_entry(struct ssk_forecasts *all, const struct ssk_forecast_series *series, int t,
                      int k) {
  struct ssk_text *out = &all->text;
  const long long step = (long long)series->first + t;
  for (int s = 0; s < all->samples && all->form.samples; s++) {
    add_series(all, series, out);
    ssk_text_printf(out, ",%lld,%d,%d,%.7g\n", step, k, s, all->values[s]);
  }
  if (all->form.samples)
    return;
  const double truth = series->truth[t * all->D + k];
  char number[32];
  add_series(all, series, out);
  ssk_text_printf(out, ",%lld,%d,%s,%.7g", step, k,
                  isnan(truth) ? "" : ssk_text_double(number, truth), mean_of(all));
  for (int q = 0; q < all->form.n_levels; q++)
    ssk_text_printf(out, ",%.7g", quantile_of(all, q));
  ssk_text_add(out, "\n");
}

static json_t *json_entry(const struct ssk_forecasts *all, const struct ssk_forecast_series *series,
                          int t, int k) {
  const double truth = series->truth[t * all->D + k];
  json_t *name = all->named ? ssk_cli_text(series->name) : json_integer(series->number);
  json_t *object =
      json_pack("{s:o, s:I, s:i, s:o}", "series", name, "step", (json_int_t)series->first + t,
                "dimension", k, "truth", ssk_cli_real(truth));
  json_t *list = json_array();
  const int n = all->form.samples ? all->samples : all->form.n_levels;
  for (int i = 0; i < n; i++)
    json_array_append_new(list,
                          ssk_cli_real(all->form.samples ? all->values[i] : quantile_of(all, i)));
  if (!all->form.samples) {
    json_object_set_new(object, "mean", ssk_cli_real(mean_of(all)));
    json_object_set_new(object, "levels", ssk_quantile_levels(all->form.level, all->form.n_levels));
  }
  json_object_set_new(object, all->form.samples ? "samples" : "quantiles", list);
  return object;
}

/* ---- arrays ---------------------------------------------------------------------------------- */

static bool grow(double **block, int64_t room, size_t size) {
  double *grown = realloc(*block, (size_t)room * size * sizeof **block);
  if (grown)
    *block = grown;
  return grown;
}

/* Room for one more series. */
static bool make_room(struct ssk_forecasts *all) {
  if (all->n < all->room)
    return true;
  const int64_t room = all->room ? 2 * all->room : 16;
  const size_t entries = (size_t)all->horizon * (size_t)all->D;
  int64_t *step = realloc(all->step, (size_t)room * (size_t)all->horizon * sizeof *step);
  if (step)
    all->step = step;
  char **name = realloc(all->name, (size_t)room * sizeof *name);
  if (name)
    all->name = name;
  all->room = step && name && grow(&all->truth, room, entries) &&
                      (all->form.samples
                           ? grow(&all->path, room, entries * (size_t)all->samples)
                           : grow(&all->mean, room, entries) &&
                                 grow(&all->quantile, room, entries * (size_t)all->form.n_levels))
                  ? room
                  : all->room;
  return all->n < all->room;
}

static void add_arrays(struct ssk_forecasts *all, const struct ssk_forecast_series *series) {
  char number[24];
  snprintf(number, sizeof number, "%lld", (long long)series->number);
  char *name = strdup(all->named ? series->name : number);
  if (!name || !make_room(all)) {
    free(name);
    all->failed = true;
    return;
  }
  const size_t H = (size_t)all->horizon, D = (size_t)all->D, i = (size_t)all->n;
  all->name[all->n++] = name;
  for (size_t t = 0; t < H; t++)
    all->step[i * H + t] = series->first + (int64_t)t;
  memcpy(all->truth + i * H * D, series->truth, H * D * sizeof *all->truth);
  if (all->form.samples) {
    const size_t size = (size_t)all->samples * H * D;
    memcpy(all->path + i * size, series->paths, size * sizeof *all->path);
    return;
  }
  for (size_t e = 0; e < H * D; e++) {
    gather(all, series->paths, (int)(e / D), (int)(e % D));
    all->mean[i * H * D + e] = mean_of(all);
    for (int q = 0; q < all->form.n_levels; q++)
      all->quantile[(i * H * D + e) * (size_t)all->form.n_levels + (size_t)q] = quantile_of(all, q);
  }
}

static int write_arrays(struct ssk_forecasts *all, const char *path, ssk_err *err) {
  size_t width = 1;
  for (int64_t i = 0; i < all->n; i++)
    width = strlen(all->name[i]) > width ? strlen(all->name[i]) : width;
  char text[24];
  snprintf(text, sizeof text, "S%zu", width);
  char *names = calloc((size_t)all->n + 1, width);
  if (!names)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the forecasts");
  for (int64_t i = 0; i < all->n; i++)
    memcpy(names + (size_t)i * width, all->name[i], strlen(all->name[i]));
  const int64_t N = all->n, H = all->horizon, D = all->D, S = all->samples;
  const int64_t Q = all->form.n_levels;
  const size_t unit = sizeof(double), entries = (size_t)(N * H * D) * unit;
  const struct ssk_array common[] = {
      {"series", text, 1, {N}, names, (size_t)N * width},
      {"step", "I64", 2, {N, H}, all->step, (size_t)(N * H) * sizeof *all->step},
      {"truth", "F64", 3, {N, H, D}, all->truth, entries}};
  const struct ssk_array of_paths = {"samples",    "F64",     4,
                                     {N, S, H, D}, all->path, entries * (size_t)S};
  const struct ssk_array of_spread[] = {
      {"mean", "F64", 3, {N, H, D}, all->mean, entries},
      {"levels", "F64", 1, {Q}, all->form.level, (size_t)Q * unit},
      {"quantiles", "F64", 4, {N, H, D, Q}, all->quantile, entries * (size_t)Q}};
  struct ssk_array arrays[6] = {common[0], common[1], common[2]};
  int n = 3;
  if (all->form.samples)
    arrays[n++] = of_paths;
  for (int i = 0; i < 3 && !all->form.samples; i++)
    arrays[n++] = of_spread[i];
  int code = ssk_npz_write(path, arrays, n, err);
  free(names);
  return code;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static bool begin(struct ssk_forecasts *all) {
  if (all->values)
    return true;
  all->values = malloc((size_t)all->samples * sizeof *all->values);
  if (all->form.format == SSK_FORMAT_CSV)
    csv_header(all);
  if (all->form.format == SSK_FORMAT_JSON)
    all->array = json_array();
  return all->values;
}

void ssk_forecasts_add(struct ssk_forecasts *all, const struct ssk_forecast_series *series) {
  if (!begin(all)) {
    all->failed = true;
    return;
  }
  if (all->form.format == SSK_FORMAT_NPZ) {
    add_arrays(all, series);
    return;
  }
  for (int t = 0; t < all->horizon; t++)
    for (int k = 0; k < all->D; k++) {
      gather(all, series->paths, t, k);
      if (all->form.format == SSK_FORMAT_CSV)
        csv_entry(all, series, t, k);
      else if (all->form.format == SSK_FORMAT_JSONL)
        ssk_format_line(&all->text, json_entry(all, series, t, k));
      else
        all->failed |= json_array_append_new(all->array, json_entry(all, series, t, k)) != 0;
    }
}

int ssk_forecasts_write(struct ssk_forecasts *all, const char *path, ssk_err *err) {
  if (!begin(all) || all->failed || all->text.failed)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the forecasts");
  if (all->form.format == SSK_FORMAT_NPZ)
    return write_arrays(all, path, err);
  char *json = all->array ? json_dumps(all->array, JSON_INDENT(1) | SSK_FORMAT_DIGITS) : NULL;
  const char *text = all->array ? json : all->text.data;
  if (!text)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the forecasts");
  int code = SSK_OK;
  if (path)
    code = ssk_file_write(path, text, strlen(text), err);
  else
    printf("%s%s", text, all->array ? "\n" : "");
  free(json);
  return code;
}

void ssk_forecasts_free(struct ssk_forecasts *all) {
  ssk_text_free(&all->text);
  json_decref(all->array);
  for (int64_t i = 0; i < all->n && all->name; i++)
    free(all->name[i]);
  free(all->name);
  free(all->step);
  free(all->values);
  free(all->mean);
  free(all->quantile);
  free(all->truth);
  free(all->path);
  *all = (struct ssk_forecasts){0};
}
