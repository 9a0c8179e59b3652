/* SPDX-License-Identifier: GPL-3.0-or-later */
/* filter.c - sskit filter: what a trained model knows after each observation, and of the next one;
 * of whole series, or of a stream as it comes. */
#include "cli/latency.h"
#include "cli/observations.h"
#include "cli/quantiles.h"
#include "cli/source.h"
#include "core/clock.h"
#include "core/file.h"
#include "infer/model_filter.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { KEY_STREAM = 0x2000, KEY_DATA, KEY_SERIES, KEY_PARTICLES, KEY_QUANTILES };
enum { MAX_LEVELS = 99 };

static const struct argp_option options[] = {
    {"stream", KEY_STREAM, NULL, 0,
     "read observations from standard input, one a line, and answer each at once", 0},
    {"data", KEY_DATA, "FILE", 0, "the series of FILE, which the data set of the recipe reads", 0},
    {"series", KEY_SERIES, "N", 0, "only series N of the split or the file, from 0", 0},
    {"particles", KEY_PARTICLES, "N", 0, "particles (default: 1000)", 0},
    {"quantiles", KEY_QUANTILES, "LIST", 0,
     "levels of the quantiles (default: " SSK_QUANTILES_DEFAULT ")", 0},
    {0}};

struct input {
  bool stream;
  const char *data;
  int64_t series; /* -1: all */
  int64_t particles;
  int n_levels;
  double level[MAX_LEVELS];
};

static error_t parse(int key, char *arg, struct argp_state *state) {
  struct input *input = state->input;
  switch (key) {
  case KEY_STREAM:
    input->stream = true;
    return 0;
  case KEY_DATA:
    input->data = arg;
    return 0;
  case KEY_SERIES:
    input->series = ssk_cli_int(state, "--series", arg, 0, 1000000000);
    return 0;
  case KEY_PARTICLES:
    input->particles = ssk_cli_int(state, "--particles", arg, 1, 10000000);
    return 0;
  case KEY_QUANTILES:
    input->n_levels = ssk_cli_quantiles(state, "--quantiles", arg, input->level, MAX_LEVELS);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct ssk_syntax syntax = {
    .doc = "Filter series with the trained model in RUN by a particle filter: one line for each "
           "observation, with the log density that the model gave it before it came, the effective "
           "number of particles, mean and deviation of the observation without its noise, and mean "
           "and quantiles of the next observation (where the model has covariates, of this one "
           "before it came), all in the data's own units. The series are "
           "those of evaluate.split, of a file (--data), or a single one that standard input "
           "brings line by line (--stream): CSV with or without names, or JSON; covariates stand "
           "behind the observation. Numbers do not "
           "depend on which: they are named by seed, series and step.",
    .min_words = 1,
    .max_words = 1,
    .overrides = true,
    .run = true,
    .output = "write to this file instead of standard output",
    .formats = "csv|jsonl",
    .options = options,
    .parser = parse,
};

/* One call. */
struct job {
  const struct ssk_cli *cli;
  const struct input *input;
  struct ssk_source source;
  struct ssk_filter *filter;
  struct ssk_observations in; /* the names of dimensions; with --stream also the lines */
  struct ssk_text text;
  struct ssk_latency latency;
  double *x, *u; /* [D], [V] */
};

/* What the predicted values of a line are of: a model with covariates does not know those of the
 * next step. */
static const char *predicted(const struct job *job) {
  return job->in.V ? "expected" : "next";
}

/* ---- lines ----------------------------------------------------------------------------------- */

static void add_column(struct job *job, const char *what, int k) {
  char name[320];
  if (job->in.wanted)
    snprintf(name, sizeof name, "%s_%.256s", what, job->in.wanted[k]);
  else
    snprintf(name, sizeof name, "%s_%d", what, k);
  ssk_text_add(&job->text, ",");
  ssk_text_cell(&job->text, name);
}

static void add_header(struct job *job) {
  if (job->cli->format != SSK_FORMAT_CSV)
    return;
  char quantile[32], column[48];
  ssk_text_add(&job->text, "series,step,log_density,effective");
  for (int k = 0; k < job->in.D; k++) {
    add_column(job, "mean", k);
    add_column(job, "sd", k);
    snprintf(column, sizeof column, "%s_mean", predicted(job));
    add_column(job, column, k);
    for (int q = 0; q < job->input->n_levels; q++) {
      ssk_quantile_name(job->input->level[q], quantile);
      snprintf(column, sizeof column, "%s_%s", predicted(job), quantile);
      add_column(job, column, k);
    }
  }
  ssk_text_add(&job->text, "\n");
}

static void add_csv(struct job *job, const char *series, const struct ssk_filtered *now) {
  struct ssk_text *out = &job->text;
  ssk_text_cell(out, series);
  ssk_text_printf(out, ",%lld,%.9g,%.6g", (long long)now->step, now->log_density, now->effective);
  for (int k = 0; k < job->in.D; k++) {
    ssk_text_printf(out, ",%.7g,%.7g,%.7g", now->mean[k], now->sd[k], now->predicted_mean[k]);
    for (int q = 0; q < job->input->n_levels; q++)
      ssk_text_printf(out, ",%.7g", ssk_filtered_quantile(job->filter, k, job->input->level[q]));
  }
  ssk_text_add(out, "\n");
}

static void add_json(struct job *job, const char *series, const struct ssk_filtered *now) {
  json_t *mean = json_array(), *sd = json_array(), *next = json_array(), *quantiles = json_array();
  for (int k = 0; k < job->in.D; k++) {
    json_t *row = json_array();
    json_array_append_new(mean, ssk_cli_real(now->mean[k]));
    json_array_append_new(sd, ssk_cli_real(now->sd[k]));
    json_array_append_new(next, ssk_cli_real(now->predicted_mean[k]));
    for (int q = 0; q < job->input->n_levels; q++)
      json_array_append_new(
          row, ssk_cli_real(ssk_filtered_quantile(job->filter, k, job->input->level[q])));
    json_array_append_new(quantiles, row);
  }
  json_t *object =
      json_pack("{s:o, s:I, s:o, s:f, s:o, s:o, s++:o, s:o, s++:o}", "series", ssk_cli_text(series),
                "step", (json_int_t)now->step, "log_density", ssk_cli_real(now->log_density),
                "effective", now->effective, "mean", mean, "sd", sd, predicted(job), "_", "mean",
                next, "levels", ssk_quantile_levels(job->input->level, job->input->n_levels),
                predicted(job), "_", "quantiles", quantiles);
  ssk_format_line(&job->text, object);
}

static int add_line(struct job *job, const char *series, const struct ssk_filtered *now) {
  (job->cli->format == SSK_FORMAT_CSV ? add_csv : add_json)(job, series, now);
  return job->text.failed ? ssk_err_set(job->cli->err, SSK_ENOMEM, "no memory for a line") : SSK_OK;
}

/* ---- a stream -------------------------------------------------------------------------------- */

/* What has been added goes out, and its room is used again. */
static int send(struct job *job) {
  if (job->text.length && (fputs(job->text.data, stdout) < 0 || fflush(stdout)))
    return ssk_err_set(job->cli->err, SSK_EIO, "cannot write standard output");
  job->text.length = 0;
  return SSK_OK;
}

static int check_values(const struct job *job) {
  const struct ssk_instance *emission = job->source.run->experiment->model.emission;
  const struct ssk_emission_ops *ops = emission->component->ops;
  for (int k = 0; ops->refuse && k < job->in.D; k++) {
    const char *wanted = isnan(job->x[k]) ? NULL : ops->refuse(emission->self, job->x[k]);
    if (wanted)
      return ssk_err_set(
          job->cli->err, SSK_EDATA, "%s:%d: dimension %d is %.9g, but the emission '%s' takes %s",
          job->in.name, job->in.line, k, job->x[k], emission->component->name, wanted);
  }
  return SSK_OK;
}

/* The line that has been read. */
static int answer(struct job *job) {
  const double came = ssk_clock();
  bool header;
  struct ssk_filtered now;
  int code = ssk_observations_read(&job->in, job->x, job->u, &header, job->cli->err);
  if (code || header)
    return code;
  const struct ssk_data *data = job->source.run->data;
  for (int k = 0; k < job->in.V; k++)
    job->u[k] = (job->u[k] - data->u_centre[k]) / data->u_scale[k];
  code = check_values(job);
  if (!code)
    code = ssk_filter_feed(job->filter, job->x, job->u, &now, job->cli->err);
  if (!code)
    code = add_line(job, "0", &now);
  if (!code)
    code = send(job);
  ssk_latency_add(&job->latency, ssk_clock() - came);
  return code;
}

static void report(const struct job *job) {
  const struct ssk_latency *latency = &job->latency;
  struct rusage usage;
  if (job->cli->quiet || latency->n == 0 || getrusage(RUSAGE_SELF, &usage))
    return;
  fprintf(stderr,
          "%.0f observations, %.0f a second; latency in microseconds: median %.3g, p99 %.3g, max "
          "%.3g; peak memory %.1f MiB\n",
          latency->n, latency->n / latency->total, 1e6 * ssk_latency_quantile(latency, 0.5),
          1e6 * ssk_latency_quantile(latency, 0.99), 1e6 * latency->longest,
          (double)usage.ru_maxrss / 1024);
}

static int filter_stream(struct job *job) {
  if (!ssk_latency_begin(&job->latency))
    return ssk_err_set(job->cli->err, SSK_ENOMEM, "no memory for a histogram");
  bool end = false;
  int code = ssk_filter_begin(job->filter, 0, job->cli->err);
  add_header(job);
  code = code ? code : send(job);
  while (!code && !(code = ssk_observations_wait(&job->in, &end, job->cli->err)) && !end)
    code = answer(job);
  report(job);
  gsl_histogram_free(job->latency.histogram);
  return code;
}

/* ---- whole series -----------------------------------------------------------------------------
 */

static int filter_one(struct job *job, const struct ssk_split_data *split, int64_t i) {
  const int D = job->in.D;
  const char *name = ssk_source_name(&job->source, i);
  char number[24];
  snprintf(number, sizeof number, "%lld", (long long)i);
  name = name ? name : number;
  int code = ssk_filter_begin(job->filter, i, job->cli->err);
  for (int t = 0; t < split->length[i] && !code; t++) {
    struct ssk_filtered now;
    for (int k = 0; k < D; k++) {
      const int64_t at = (i * split->room + t) * D + k;
      job->x[k] = split->mask[at] != 0 ? split->x[at] : NAN;
    }
    const double *u = split->u + (i * split->room + t) * job->in.V;
    code = ssk_filter_feed(job->filter, job->x, job->in.V ? u : NULL, &now, job->cli->err);
    if (!code)
      code = add_line(job, name, &now);
  }
  return code;
}

static int filter_all(struct ssk_cli *cli, struct job *job) {
  struct ssk_source *source = &job->source;
  int code = ssk_source_choose(cli, source, job->input->data, job->input->series);
  if (code)
    return code;
  add_header(job);
  for (int64_t i = source->first; i < source->last && !code; i++)
    code = filter_one(job, &source->data->split[source->split], i);
  if (code || !job->text.length)
    return code;
  return cli->output ? ssk_file_write(cli->output, job->text.data, job->text.length, cli->err)
                     : send(job);
}

/* ---- all of it ------------------------------------------------------------------------------- */

static int check_input(const struct ssk_cli *cli, const struct input *input) {
  if (input->stream && (input->data || input->series >= 0))
    return ssk_err_set(cli->err, SSK_EUSAGE, "--stream reads one series, from standard input");
  if (input->stream && cli->output)
    return ssk_err_set(cli->err, SSK_EUSAGE, "--stream answers on standard output");
  return SSK_OK;
}

static int run_job(struct ssk_cli *cli, struct job *job) {
  const struct input *input = job->input;
  int code = check_input(cli, input);
  if (!code)
    code = ssk_source_open(cli, input->stream || input->data, cli->n_over, cli->over, &job->source);
  const struct ssk_run *run = job->source.run;
  if (!code)
    code = ssk_filter_open(run->model, run->values, run->data, (int)input->particles,
                           (uint64_t)run->experiment->seed, &job->filter, cli->err);
  if (!code)
    code = ssk_observations_open(&job->in, stdin, "standard input", run->data, cli->err);
  if (!code && input->stream)
    code = ssk_observations_check(&job->in, cli->err);
  if (!code && !(job->x = calloc((size_t)(job->in.D + job->in.V), sizeof *job->x)))
    code = ssk_err_set(cli->err, SSK_ENOMEM, "no memory for an observation");
  job->u = job->x ? job->x + job->in.D : NULL;
  return code ? code : input->stream ? filter_stream(job) : filter_all(cli, job);
}

int ssk_verb_filter(struct ssk_cli *cli, int argc, char **argv) {
  struct input input = {.series = -1, .particles = 1000};
  int code = ssk_cli_parse(cli, &syntax, &input, argc, argv);
  if (code)
    return code;
  if (!input.n_levels)
    input.n_levels = ssk_quantiles_default(input.level);
  struct job job = {.cli = cli, .input = &input};
  code = run_job(cli, &job);
  free(job.x);
  ssk_text_free(&job.text);
  ssk_observations_close(&job.in);
  ssk_filter_free(job.filter);
  ssk_source_free(&job.source);
  return code;
}
