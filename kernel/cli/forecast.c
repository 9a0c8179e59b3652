/* SPDX-License-Identifier: GPL-3.0-or-later */
/* forecast.c - sskit forecast: the predictive distribution of a trained run, as CSV or JSON. */
#include "cli/spread.h"
#include "cli/training.h"
#include "core/file.h"
#include "infer/evaluate.h"
#include "infer/forecast_groups.h"
#include "infer/model_forecast.h"
#include <stdlib.h>
#include <string.h>

enum { KEY_SERIES = 0x2000, KEY_BEYOND };

static const struct argp_option options[] = {
    {"series", KEY_SERIES, "N", 0, "only series N of the split, from 0", 0},
    {"beyond", KEY_BEYOND, NULL, 0,
     "forecast what follows the end of each series, instead of steps that it has", 0},
    {0}};

struct input {
  int64_t series; /* -1: all */
  bool beyond;
};

static error_t parse(int key, char *arg, struct argp_state *state) {
  struct input *input = state->input;
  switch (key) {
  case KEY_SERIES:
    input->series = ssk_cli_int(state, "--series", arg, 0, 1000000000);
    return 0;
  case KEY_BEYOND:
    input->beyond = true;
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct ssk_syntax syntax = {
    .doc = "Forecast with the trained model in RUN (a run directory or a checkpoint file): "
           "evaluate.horizon steps after evaluate.context steps of each series of evaluate.split, "
           "from evaluate.samples paths. One line a series, step and dimension: the true value "
           "where it is known, mean, and quantiles, in the data's own units. Overrides such as "
           "evaluate.horizon=24 change what is forecast.",
    .min_words = 1,
    .max_words = 1,
    .overrides = true,
    .threads = true,
    .output = "write to this file instead of standard output",
    .options = options,
    .parser = parse,
};

/* Where the forecasts go: CSV lines or a JSON array. */
struct sink {
  struct ssk_text csv;
  json_t *array; /* NULL: CSV */
};

static void add_line(struct sink *sink, int64_t series, int step, int dimension, double truth,
                     double *values, size_t n) {
  const struct ssk_spread spread = ssk_spread_of(values, n);
  if (sink->array) {
    json_t *object =
        json_pack("{s:I, s:i, s:i, s:o}", "series", (json_int_t)series, "step", step, "dimension",
                  dimension, "truth", isnan(truth) ? json_null() : json_real(truth));
    ssk_spread_json(&spread, object);
    json_array_append_new(sink->array, object);
    return;
  }
  char number[32];
  ssk_text_printf(&sink->csv, "%lld,%d,%d,%s", (long long)series, step, dimension,
                  isnan(truth) ? "" : ssk_text_double(number, truth));
  ssk_spread_csv(&spread, &sink->csv);
}

static int forecast_series(const struct ssk_run *run, const struct ssk_forecaster *forecaster,
                           struct ssk_pool *pool, int64_t i, bool beyond, struct sink *sink,
                           double *paths, double *values, ssk_err *err) {
  const struct ssk_evaluate_section *how = &run->experiment->evaluate;
  const struct ssk_split_data *split = &run->data->split[how->split];
  int D = run->data->shape.D, horizon = (int)how->horizon, samples = (int)how->samples;
  int length = split->length[i];
  int context = beyond ? length : how->context ? (int)how->context : length - horizon;
  if (context < 1 || (!beyond && context + horizon > length)) {
    ssk_err_set(err, SSK_EDATA,
                "series %lld has %d steps, too few for a context of %d and a "
                "horizon of %d",
                (long long)i, length, context, horizon);
    ssk_err_hint(err, "set evaluate.context and evaluate.horizon, or use --beyond");
    return SSK_EDATA;
  }
  int code =
      ssk_forecast_groups(forecaster, pool, run->data, (enum ssk_split)how->split, i, context,
                          horizon, samples, (uint64_t)run->experiment->seed, paths, err);
  for (int t = 0; t < horizon && !code; t++)
    for (int k = 0; k < D; k++) {
      double truth = NAN;
      if (context + t < length) {
        int64_t at = (i * split->room + context + t) * D + k;
        truth = split->mask[at] != 0 ? split->x[at] : NAN;
      }
      for (int s = 0; s < samples; s++)
        values[s] = paths[(s * horizon + t) * D + k];
      add_line(sink, i, context + t, k, truth, values, (size_t)samples);
    }
  return code;
}

static int forecast_all(struct ssk_cli *cli, const struct input *input, const struct ssk_run *run,
                        struct sink *sink) {
  const struct ssk_evaluate_section *how = &run->experiment->evaluate;
  int64_t n = run->data->split[how->split].n;
  if (input->series >= n)
    return ssk_err_set(cli->err, SSK_EUSAGE, "there is no series %lld: the split has %lld",
                       (long long)input->series, (long long)n);
  int64_t last = ssk_evaluated_series(how, run->data);
  size_t per_step = (size_t)how->samples * (size_t)run->data->shape.D;
  double *paths = malloc(per_step * (size_t)how->horizon * sizeof *paths);
  double *values = malloc((size_t)how->samples * sizeof *values);
  struct ssk_forecaster forecaster = {0};
  struct ssk_pool *pool = NULL;
  int code = paths && values ? SSK_OK : ssk_err_set(cli->err, SSK_ENOMEM, "no memory for paths");
  if (!code)
    code = ssk_pool_new(cli->threads, &pool, cli->err);
  if (!code)
    code =
        ssk_model_forecaster(run->model, run->values, run->experiment->name, ssk_pool_threads(pool),
                             &run->experiment->evaluate, &forecaster, cli->err);
  int64_t first = 0;
  if (input->series >= 0) {
    first = input->series;
    last = first + 1;
  }
  for (int64_t i = first; i < last && !code; i++)
    code = forecast_series(run, &forecaster, pool, i, input->beyond, sink, paths, values, cli->err);
  ssk_forecaster_free(&forecaster);
  ssk_pool_free(pool);
  free(paths);
  free(values);
  return code;
}

static int deliver(struct ssk_cli *cli, struct sink *sink) {
  char *json = NULL;
  if (sink->array)
    json = json_dumps(sink->array, JSON_INDENT(1));
  const char *text = sink->array ? json : sink->csv.data;
  if (!text || sink->csv.failed)
    return ssk_err_set(cli->err, SSK_ENOMEM, "no memory for the forecasts");
  int code = SSK_OK;
  if (cli->output)
    code = ssk_file_write(cli->output, text, strlen(text), cli->err);
  else
    printf("%s%s", text, sink->array ? "\n" : "");
  free(json);
  return code;
}

int ssk_verb_forecast(struct ssk_cli *cli, int argc, char **argv) {
  struct input input = {.series = -1};
  struct ssk_run *run = NULL;
  int code = ssk_cli_parse(cli, &syntax, &input, argc, argv);
  if (!code)
    code = ssk_run_open(cli->words[0], cli->n_over, cli->over, cli->registry, &run, cli->err);
  struct sink sink = {.array = !code && cli->json ? json_array() : NULL};
  if (!code) {
    ssk_text_add(&sink.csv, "series,step,dimension,truth," SSK_SPREAD_COLUMNS "\n");
    code = forecast_all(cli, &input, run, &sink);
  }
  if (!code)
    code = deliver(cli, &sink);
  json_decref(sink.array);
  ssk_text_free(&sink.csv);
  ssk_run_free(run);
  return code;
}
