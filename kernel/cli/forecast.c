/* SPDX-License-Identifier: GPL-3.0-or-later */
/* forecast.c - sskit forecast: the predictive distribution of a trained run, of series of its data
 * set or of somebody's own. */
#include "cli/forecast_write.h"
#include "cli/quantiles.h"
#include "cli/source.h"
#include "infer/forecast_groups.h"
#include "infer/model_forecast.h"
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
  KEY_FORM
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
    {0}};

struct input {
  const char *data;
  int64_t series; /* -1: all */
  bool beyond;
  int64_t context, horizon, samples; /* 0: not given */
  struct ssk_forecast_form form;
};

static void parse_form(struct input *input, const char *arg, const struct argp_state *state) {
  input->form.samples = strcmp(arg, "samples") == 0;
  if (!input->form.samples && strcmp(arg, "quantiles") != 0)
    argp_error(state, "--form is quantiles or samples, not '%s'", arg);
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
    .formats = "csv|json|jsonl|npz",
    .options = options,
    .parser = parse,
};

/* One call. */
struct job {
  const struct input *input;
  struct ssk_source source;
  struct ssk_forecaster forecaster;
  struct ssk_pool *pool;
  struct ssk_forecasts out;
  double *paths, *truth;
};

/* What forecasts need where the model has covariates. */
static const char add_rows[] =
    "add rows with the covariates of the horizon, and empty cells for what is observed";

/* The history of series i that is conditioned on. */
static int context_of(const struct job *job, int64_t i, int *context, ssk_err *err) {
  const struct ssk_source *source = &job->source;
  const struct ssk_evaluate_section *how = &source->run->experiment->evaluate;
  const int length = source->data->split[source->split].length[i], horizon = (int)how->horizon;
  if (source->file) {
    *context = source->outside.history[i];
    if (!source->data->shape.V || *context + horizon <= length)
      return SSK_OK;
    ssk_err_set(err, SSK_EDATA,
                "series %s has the covariates of %d steps behind its last observation, and the "
                "horizon is %d",
                ssk_source_name(source, i), length - *context, horizon);
    ssk_err_hint(err, "%s", add_rows);
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
  const struct ssk_source *source = &job->source;
  const struct ssk_split_data *split = &source->data->split[source->split];
  const int D = source->data->shape.D, horizon = job->out.horizon;
  int context = 0, code = context_of(job, i, &context, err);
  if (!code)
    code = ssk_forecast_groups(&job->forecaster, job->pool, source->data, source->split, i, context,
                               horizon, job->out.samples, (uint64_t)source->run->experiment->seed,
                               job->paths, err);
  if (code)
    return code;
  for (int t = 0; t < horizon; t++)
    for (int k = 0; k < D; k++) {
      const int64_t at = (i * split->room + context + t) * D + k;
      const bool known = context + t < split->length[i] && split->mask[at] != 0;
      job->truth[t * D + k] = known ? split->x[at] : NAN;
    }
  const struct ssk_forecast_series series = {.name = ssk_source_name(source, i),
                                             .number = i,
                                             .first = context +
                                                      (source->file ? source->outside.first[i] : 0),
                                             .truth = job->truth,
                                             .paths = job->paths};
  ssk_forecasts_add(&job->out, &series);
  return SSK_OK;
}

static int forecast_all(struct ssk_cli *cli, struct job *job) {
  const struct ssk_run *run = job->source.run;
  const struct ssk_evaluate_section *how = &run->experiment->evaluate;
  const size_t per_step = (size_t)run->data->shape.D * (size_t)how->horizon;
  job->paths = malloc((size_t)how->samples * per_step * sizeof *job->paths);
  job->truth = malloc(per_step * sizeof *job->truth);
  int code =
      job->paths && job->truth ? SSK_OK : ssk_err_set(cli->err, SSK_ENOMEM, "no memory for paths");
  if (!code)
    code = ssk_pool_new(cli->threads, &job->pool, cli->err);
  if (!code)
    code = ssk_model_forecaster(run->model, run->values, run->experiment->name,
                                ssk_pool_threads(job->pool), how, &job->forecaster, cli->err);
  if (!code && !job->forecaster.forecast)
    code = ssk_err_set(cli->err, SSK_EDATA, "the emission '%s' does not model observations",
                       run->experiment->model.emission->component->name);
  for (int64_t i = job->source.first; i < job->source.last && !code; i++)
    code = forecast_series(job, i, cli->err);
  return code;
}

/* The run, and the series: of its data set, or of a file. */
static int open_series(struct ssk_cli *cli, struct job *job) {
  const struct input *input = job->input;
  int code = ssk_source_open(cli, input->data, cli->n_over, cli->over, &job->source);
  if (code)
    return code;
  struct ssk_evaluate_section *how = &job->source.run->experiment->evaluate;
  how->horizon = input->horizon ? input->horizon : how->horizon;
  how->samples = input->samples ? input->samples : how->samples;
  if (input->beyond && job->source.run->data->shape.V) {
    ssk_err_set(cli->err, SSK_EDATA,
                "--beyond is not for a model with covariates: the data set has none behind the end "
                "of its series");
    ssk_err_hint(cli->err, "'--data FILE' forecasts what follows the series of a file: %s",
                 add_rows);
    return SSK_EDATA;
  }
  code = ssk_source_choose(cli, &job->source, input->data, input->series);
  if (!code && input->context)
    ssk_outside_keep(&job->source.outside, (int)input->context);
  return code;
}

static int check_input(struct ssk_cli *cli, const struct input *input) {
  if (input->context && !input->data)
    return ssk_err_set(cli->err, SSK_EUSAGE, "--context is for --data; else evaluate.context says");
  if (input->beyond && input->data)
    return ssk_err_set(cli->err, SSK_EUSAGE, "--beyond is what --data does in any case");
  return ssk_cli_is_for(cli, "--quantiles", input->form.n_levels, "--form quantiles",
                        !input->form.samples);
}

int ssk_verb_forecast(struct ssk_cli *cli, int argc, char **argv) {
  struct input input = {.series = -1};
  int code = ssk_cli_parse(cli, &syntax, &input, argc, argv);
  if (code)
    return code;
  struct job job = {.input = &input};
  code = check_input(cli, &input);
  input.form.format = cli->format;
  if (!input.form.n_levels)
    input.form.n_levels = ssk_quantiles_default(input.form.level);
  if (!code)
    code = open_series(cli, &job);
  if (!code) {
    const struct ssk_evaluate_section *how = &job.source.run->experiment->evaluate;
    job.out = (struct ssk_forecasts){.form = input.form,
                                     .named = job.source.file || job.source.names.n,
                                     .samples = (int)how->samples,
                                     .horizon = (int)how->horizon,
                                     .D = job.source.data->shape.D};
    code = forecast_all(cli, &job);
  }
  if (!code)
    code = ssk_forecasts_write(&job.out, cli->output, cli->err);
  ssk_forecasts_free(&job.out);
  ssk_forecaster_free(&job.forecaster);
  ssk_pool_free(job.pool);
  free(job.paths);
  free(job.truth);
  ssk_source_free(&job.source);
  return code;
}
