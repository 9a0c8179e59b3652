/* SPDX-License-Identifier: GPL-3.0-or-later */
/* forecast.c - sskit forecast: the predictive distribution of a trained run, of series of its data
 * set or of somebody's own. */
#include "cli/forecast_write.h"
#include "cli/quantiles.h"
#include "cli/training.h"
#include "infer/evaluate.h"
#include "infer/forecast_groups.h"
#include "infer/model_forecast.h"
#include "model/outside.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
  KEY_SERIES = 0x2000,
  KEY_BEYOND,
  KEY_DATA,
  KEY_CONTEXT,
  KEY_HORIZON,
  KEY_SAMPLES,
  KEY_QUANTILES,
  KEY_FORM,
  KEY_FORMAT
};

static const struct argp_option options[] = {
    {"data", KEY_DATA, "FILE", 0,
     "forecast what follows the series of FILE, which the data set of the recipe reads", 0},
    {"horizon", KEY_HORIZON, "N", 0, "steps to forecast, for evaluate.horizon", 0},
    {"samples", KEY_SAMPLES, "N", 0, "forecast paths of each series, for evaluate.samples", 0},
    {"context", KEY_CONTEXT, "N", 0,
     "with --data: condition on no more than the last N steps of each series", 0},
    {"series", KEY_SERIES, "N", 0, "only series N of the split or the file, from 0", 0},
    {"beyond", KEY_BEYOND, NULL, 0,
     "forecast what follows the end of each series, instead of steps that it has", 0},
    {"quantiles", KEY_QUANTILES, "LIST", 0,
     "levels of the quantiles (default: " SSK_QUANTILES_DEFAULT ")", 0},
    {"form", KEY_FORM, "FORM", 0, "quantiles (default), or samples: the paths themselves", 0},
    {"format", KEY_FORMAT, "FORMAT", 0,
     "csv, jsonl or npz (default: by the ending of --output, else csv)", 0},
    {0}};

struct input {
  const char *data;
  int64_t series; /* -1: all */
  bool beyond, formatted;
  int64_t context, horizon, samples; /* 0: not given */
  struct ssk_forecast_form form;
};

static void parse_form(struct input *input, const char *arg, const struct argp_state *state) {
  input->form.samples = strcmp(arg, "samples") == 0;
  if (!input->form.samples && strcmp(arg, "quantiles") != 0)
    argp_error(state, "--form is quantiles or samples, not '%s'", arg);
}

static void parse_format(struct input *input, const char *arg, const struct argp_state *state) {
  const int format = ssk_forecast_format_named(arg);
  if (format < 0)
    argp_error(state, "--format is csv, jsonl or npz, not '%s'", arg);
  input->form.format = (enum ssk_forecast_format)format;
  input->formatted = true;
}

static error_t parse(int key, char *arg, struct argp_state *state) {
  struct input *input = state->input;
  switch (key) {
  case KEY_DATA:
    input->data = arg;
    return 0;
  case KEY_SERIES:
    input->series = ssk_cli_int(state, "--series", arg, 0, 1000000000);
    return 0;
  case KEY_BEYOND:
    input->beyond = true;
    return 0;
  case KEY_CONTEXT:
    input->context = ssk_cli_int(state, "--context", arg, 1, 1000000000);
    return 0;
  case KEY_HORIZON:
    input->horizon = ssk_cli_int(state, "--horizon", arg, 1, 1000000);
    return 0;
  case KEY_SAMPLES:
    input->samples = ssk_cli_int(state, "--samples", arg, 1, 1000000);
    return 0;
  case KEY_QUANTILES:
    input->form.n_levels =
        ssk_cli_quantiles(state, "--quantiles", arg, input->form.level, SSK_MAX_LEVELS);
    return 0;
  case KEY_FORM:
    parse_form(input, arg, state);
    return 0;
  case KEY_FORMAT:
    parse_format(input, arg, state);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct ssk_syntax syntax = {
    .doc = "Forecast with the trained model in RUN (a run directory or a checkpoint file): "
           "evaluate.horizon steps after evaluate.context steps of each series of evaluate.split, "
           "from evaluate.samples paths; with --data, what follows each series of a file, for "
           "which the data of the training need not be there. One line a series, step and "
           "dimension: the true value where it is known, mean, and quantiles, in the data's own "
           "units. Overrides such as evaluate.horizon=24 change what is forecast.",
    .min_words = 1,
    .max_words = 1,
    .overrides = true,
    .threads = SSK_CLI_THREADS,
    .run = true,
    .output = "write to this file instead of standard output",
    .options = options,
    .parser = parse,
};

/* One call. */
struct job {
  const struct input *input;
  struct ssk_run *run;
  struct ssk_outside outside; /* with --data */
  const struct ssk_data *data;
  enum ssk_split split;
  struct ssk_forecaster forecaster;
  struct ssk_pool *pool;
  struct ssk_forecasts out;
  double *paths, *truth;
};

/* The history of series i that is conditioned on. */
static int context_of(const struct job *job, int64_t i, int *context, ssk_err *err) {
  const struct ssk_evaluate_section *how = &job->run->experiment->evaluate;
  const int length = job->data->split[job->split].length[i], horizon = (int)how->horizon;
  if (job->input->data) {
    *context = job->outside.history[i];
    if (!job->data->shape.V || *context + horizon <= length)
      return SSK_OK;
    ssk_err_set(err, SSK_EDATA,
                "series %s has the covariates of %d steps behind its last observation, and the "
                "horizon is %d",
                ssk_outside_name(&job->outside, i), length - *context, horizon);
    ssk_err_hint(err, "add rows with the covariates of the horizon, and empty cells for what is "
                      "observed");
    return SSK_EDATA;
  }
  *context = job->input->beyond ? length : how->context ? (int)how->context : length - horizon;
  if (*context >= 1 && (job->input->beyond || *context + horizon <= length))
    return SSK_OK;
  ssk_err_set(err, SSK_EDATA,
              "series %lld has %d steps, too few for a context of %d and a horizon of %d",
              (long long)i, length, *context, horizon);
  ssk_err_hint(err, "set evaluate.context and evaluate.horizon, or use --beyond");
  return SSK_EDATA;
}

static int forecast_series(struct job *job, int64_t i, ssk_err *err) {
  const struct ssk_split_data *split = &job->data->split[job->split];
  const int D = job->data->shape.D, horizon = job->out.horizon;
  int context = 0, code = context_of(job, i, &context, err);
  if (!code)
    code = ssk_forecast_groups(&job->forecaster, job->pool, job->data, job->split, i, context,
                               horizon, job->out.samples, (uint64_t)job->run->experiment->seed,
                               job->paths, err);
  if (code)
    return code;
  for (int t = 0; t < horizon; t++)
    for (int k = 0; k < D; k++) {
      const int64_t at = (i * split->room + context + t) * D + k;
      const bool known = context + t < split->length[i] && split->mask[at] != 0;
      job->truth[t * D + k] = known ? split->x[at] : NAN;
    }
  const struct ssk_forecast_series series = {
      .name = job->input->data ? ssk_outside_name(&job->outside, i) : NULL,
      .number = i,
      .first = context + (job->input->data ? job->outside.first[i] : 0),
      .truth = job->truth,
      .paths = job->paths};
  ssk_forecasts_add(&job->out, &series);
  return SSK_OK;
}

static int forecast_all(struct ssk_cli *cli, struct job *job) {
  const struct ssk_evaluate_section *how = &job->run->experiment->evaluate;
  const int64_t n = job->data->split[job->split].n, wanted = job->input->series;
  if (wanted >= n)
    return ssk_err_set(cli->err, SSK_EUSAGE, "there is no series %lld: the %s has %lld",
                       (long long)wanted, job->input->data ? "file" : "split", (long long)n);
  const size_t per_step = (size_t)job->data->shape.D * (size_t)how->horizon;
  job->paths = malloc((size_t)how->samples * per_step * sizeof *job->paths);
  job->truth = malloc(per_step * sizeof *job->truth);
  int code =
      job->paths && job->truth ? SSK_OK : ssk_err_set(cli->err, SSK_ENOMEM, "no memory for paths");
  if (!code)
    code = ssk_pool_new(cli->threads, &job->pool, cli->err);
  if (!code)
    code = ssk_model_forecaster(job->run->model, job->run->values, job->run->experiment->name,
                                ssk_pool_threads(job->pool), how, &job->forecaster, cli->err);
  if (!code && !job->forecaster.forecast)
    code = ssk_err_set(cli->err, SSK_EDATA, "the emission '%s' does not model observations",
                       job->run->experiment->model.emission->component->name);
  int64_t first = 0, last = job->input->data ? n : ssk_evaluated_series(how, job->data);
  if (wanted >= 0) {
    first = wanted;
    last = wanted + 1;
  }
  for (int64_t i = first; i < last && !code; i++)
    code = forecast_series(job, i, cli->err);
  return code;
}

/* The run, and the series: of its data set, or of a file. */
static int open_series(struct ssk_cli *cli, struct job *job) {
  const struct input *input = job->input;
  int code = (input->data ? ssk_run_open_alone : ssk_run_open)(
      cli->words[0], cli->n_over, cli->over, cli->registry, &job->run, cli->err);
  if (code)
    return code;
  struct ssk_evaluate_section *how = &job->run->experiment->evaluate;
  how->horizon = input->horizon ? input->horizon : how->horizon;
  how->samples = input->samples ? input->samples : how->samples;
  job->data = job->run->data;
  job->split = (enum ssk_split)how->split;
  if (!input->data)
    return SSK_OK;
  code = ssk_outside_read(job->run->experiment, cli->registry, job->run->data, input->data,
                          &job->outside, cli->err);
  if (!code && input->context)
    ssk_outside_keep(&job->outside, (int)input->context);
  job->data = job->outside.data;
  job->split = SSK_TEST;
  return code;
}

static void settle_form(const struct ssk_cli *cli, struct input *input) {
  if (!input->formatted && cli->output) {
    const int format = ssk_forecast_format_of(cli->output);
    input->form.format = format < 0 ? SSK_FORECAST_CSV : (enum ssk_forecast_format)format;
  }
  if (cli->json && input->form.format == SSK_FORECAST_CSV)
    input->form.format = SSK_FORECAST_JSON;
  if (!input->form.n_levels)
    input->form.n_levels = ssk_quantiles_default(input->form.level);
}

static int check_input(const struct ssk_cli *cli, const struct input *input) {
  if (input->context && !input->data)
    return ssk_err_set(cli->err, SSK_EUSAGE, "--context is for --data; else evaluate.context says");
  if (input->beyond && input->data)
    return ssk_err_set(cli->err, SSK_EUSAGE, "--beyond is what --data does in any case");
  if (input->form.format == SSK_FORECAST_NPZ && !cli->output)
    return ssk_err_set(cli->err, SSK_EUSAGE, "npz needs a file: --output");
  return SSK_OK;
}

int ssk_verb_forecast(struct ssk_cli *cli, int argc, char **argv) {
  struct input input = {.series = -1};
  int code = ssk_cli_parse(cli, &syntax, &input, argc, argv);
  if (code)
    return code;
  settle_form(cli, &input);
  struct job job = {.input = &input};
  code = check_input(cli, &input);
  if (!code)
    code = open_series(cli, &job);
  if (!code) {
    const struct ssk_evaluate_section *how = &job.run->experiment->evaluate;
    job.out = (struct ssk_forecasts){.form = input.form,
                                     .named = input.data != NULL,
                                     .samples = (int)how->samples,
                                     .horizon = (int)how->horizon,
                                     .D = job.data->shape.D};
    code = forecast_all(cli, &job);
  }
  if (!code)
    code = ssk_forecasts_write(&job.out, cli->output, cli->err);
  ssk_forecasts_free(&job.out);
  ssk_forecaster_free(&job.forecaster);
  ssk_pool_free(job.pool);
  free(job.paths);
  free(job.truth);
  ssk_outside_free(&job.outside);
  ssk_run_free(job.run);
  return code;
}
