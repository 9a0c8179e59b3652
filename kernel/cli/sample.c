/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sample.c - sskit sample: series drawn from a trained model, or what it makes of a series that it
 * is given: smoothed latents, and observations imputed where they are missing. */
#include "cli/spread.h"
#include "cli/training.h"
#include "core/file.h"
#include "infer/model_forecast.h"
#include "infer/model_prior.h"
#include <stdlib.h>
#include <string.h>

enum { KEY_POSTERIOR = 0x2000, KEY_SERIES, KEY_SAMPLES, KEY_SPLIT, KEY_LENGTH, KEY_PATHS };

static const struct argp_option options[] = {
    {"posterior", KEY_POSTERIOR, NULL, 0, "given all that is observed of a series of the data", 0},
    {"series", KEY_SERIES, "N", 0,
     "series N of the split, from 0; without --posterior: its covariates. All, or the first", 0},
    {"split", KEY_SPLIT, "SPLIT", 0, "train, valid or test: the same as evaluate.split=SPLIT", 0},
    {"samples", KEY_SAMPLES, "S", 0, "paths of each series: the same as evaluate.samples=S", 0},
    {"length", KEY_LENGTH, "STEPS", 0,
     "steps of a series drawn without --posterior; as many as training windows have", 0},
    {"paths", KEY_PATHS, NULL, 0, "print each path, instead of mean and quantiles", 0},
    {0}};

struct input {
  bool posterior, paths;
  int64_t series; /* -1: not given */
  int length;     /* 0: not given */
  char over[2][64];
};

static error_t parse(int key, char *arg, struct argp_state *state) {
  struct input *input = state->input;
  switch (key) {
  case KEY_POSTERIOR:
    input->posterior = true;
    return 0;
  case KEY_SERIES:
    input->series = ssk_cli_int(state, "--series", arg, 0, 1000000000);
    return 0;
  case KEY_LENGTH:
    input->length = (int)ssk_cli_int(state, "--length", arg, 1, 10000000);
    return 0;
  case KEY_PATHS:
    input->paths = true;
    return 0;
  case KEY_SAMPLES:
    snprintf(input->over[0], sizeof input->over[0], "evaluate.samples=%lld",
             (long long)ssk_cli_int(state, "--samples", arg, 1, 1000000));
    return 0;
  case KEY_SPLIT:
    snprintf(input->over[1], sizeof input->over[1], "evaluate.split=%.40s", arg);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct ssk_syntax syntax = {
    .doc =
        "Draw from the trained model in RUN (a run directory or a checkpoint file): observations x "
        "in the data's own units, and latents z in the model's. Without --posterior these are new "
        "series: the initial prior, the transition and the emission run freely. With it they are "
        "drawn given a whole series: x is what could have been observed, which fills in what is "
        "missing, and z is smoothed.\n\v"
        "One line a step and dimension: what is known of the entry (observed; hidden, which is "
        "held out by the recipe's section `missing`; missing), its true value, mean and quantiles "
        "of evaluate.samples paths. With --paths one line a path, step and dimension instead.",
    .min_words = 1,
    .max_words = 1,
    .overrides = true,
    .run = true,
    .output = "write to this file instead of standard output",
    .options = options,
    .parser = parse,
};

/* ---- lines ------------------------------------------------------------------------------------
 */

/* Where the samples go: CSV lines or a JSON array. */
struct sink {
  bool paths;
  struct ssk_text csv;
  json_t *array; /* NULL: CSV */
};

/* An entry of a series: x[k] or z[k] at a step. */
struct entry {
  int64_t series; /* -1: none */
  int step;
  const char *variable;
  int dimension;
  const char *status; /* NULL: none */
  double truth;       /* NAN: not known */
};

static json_t *json_entry(const struct entry *e) {
  return json_pack("{s:o, s:i, s:s, s:i}", "series",
                   e->series < 0 ? json_null() : json_integer((json_int_t)e->series), "step",
                   e->step, "variable", e->variable, "dimension", e->dimension);
}

static void csv_series(struct sink *sink, const struct entry *e) {
  if (e->series >= 0)
    ssk_text_printf(&sink->csv, "%lld", (long long)e->series);
}

static void add_path(struct sink *sink, const struct entry *e, int path, double value) {
  if (sink->array) {
    json_t *object = json_entry(e);
    json_object_set_new(object, "path", json_integer(path));
    json_object_set_new(object, "value", ssk_cli_real(value));
    json_array_append_new(sink->array, object);
    return;
  }
  csv_series(sink, e);
  ssk_text_printf(&sink->csv, ",%d,%d,%s,%d,%.7g\n", path, e->step, e->variable, e->dimension,
                  value);
}

static void add_spread(struct sink *sink, const struct entry *e, double *values, int n) {
  const struct ssk_spread spread = ssk_spread_of(values, (size_t)n);
  if (sink->array) {
    json_t *object = json_entry(e);
    json_object_set_new(object, "status", e->status ? json_string(e->status) : json_null());
    json_object_set_new(object, "truth", isnan(e->truth) ? json_null() : json_real(e->truth));
    ssk_spread_json(&spread, object);
    json_array_append_new(sink->array, object);
    return;
  }
  char number[32];
  csv_series(sink, e);
  ssk_text_printf(&sink->csv, ",%d,%s,%d,%s,%s", e->step, e->variable, e->dimension,
                  e->status ? e->status : "",
                  isnan(e->truth) ? "" : ssk_text_double(number, e->truth));
  ssk_spread_csv(&spread, &sink->csv);
}

/* One entry of all paths[samples, rows], at `at`. */
static void add_entry(struct sink *sink, const struct entry *e, const double *paths, size_t at,
                      size_t row, int samples, double *values) {
  for (int s = 0; s < samples; s++)
    values[s] = paths[(size_t)s * row + at];
  for (int s = 0; s < samples && sink->paths; s++)
    add_path(sink, e, s, values[s]);
  if (!sink->paths)
    add_spread(sink, e, values, samples);
}

/* ---- the samples ------------------------------------------------------------------------------
 */

struct work {
  const struct ssk_run *run;
  enum ssk_split split;
  int samples;
  double *x, *z, *mean, *values;
  struct sink *sink;
};

/* All entries of `length` steps; of a series that was given, with what is known of them. */
static void print(const struct work *w, int64_t series, bool given, int length) {
  const struct ssk_data *data = w->run->data;
  const struct ssk_split_data *split = &data->split[w->split];
  const int D = data->shape.D, d = w->run->model->dims.d;
  for (int t = 0; t < length; t++) {
    for (int k = 0; k < D; k++) {
      struct entry e = {.series = series, .step = t, .variable = "x", .dimension = k, .truth = NAN};
      const int64_t at = (series * split->room + t) * D + k;
      if (given) {
        const bool seen = split->mask[at] != 0, hidden = split->hidden && split->hidden[at] != 0;
        e.status = seen ? "observed" : hidden ? "hidden" : "missing";
        e.truth = seen || hidden ? split->x[at] : NAN;
      }
      add_entry(w->sink, &e, w->x, (size_t)(t * D + k), (size_t)(length * D), w->samples,
                w->values);
    }
    for (int k = 0; k < d; k++) {
      const struct entry e = {
          .series = series, .step = t, .variable = "z", .dimension = k, .truth = NAN};
      add_entry(w->sink, &e, w->z, (size_t)(t * d + k), (size_t)(length * d), w->samples,
                w->values);
    }
  }
}

static int smooth(const struct work *w, const struct input *input, ssk_err *err) {
  const struct ssk_run *run = w->run;
  const struct ssk_evaluate_section *how = &run->experiment->evaluate;
  const int64_t n = run->data->split[w->split].n;
  const int64_t most = how->series && how->series < n ? how->series : n;
  const int64_t first = input->series < 0 ? 0 : input->series;
  const int64_t end = input->series < 0 ? most : first + 1;
  const struct ssk_series_posterior out = {.x = w->x, .mean = w->mean, .z = w->z};
  struct ssk_forecaster forecaster = {0};
  int code = ssk_model_forecaster(run->model, run->values, run->experiment->name, 1, how,
                                  &forecaster, err);
  if (!code && !forecaster.posterior)
    code = ssk_err_set(err, SSK_EDATA, "the emission '%s' does not model observations",
                       run->experiment->model.emission->component->name);
  for (int64_t i = first; i < end && !code; i++) {
    code = forecaster.posterior(forecaster.self, run->data, w->split, i, w->samples,
                                (uint64_t)run->experiment->seed, 0, &out, err);
    if (!code)
      print(w, i, true, run->data->split[w->split].length[i]);
  }
  ssk_forecaster_free(&forecaster);
  return code;
}

static int draw(const struct work *w, const struct input *input, int length, ssk_err *err) {
  const struct ssk_run *run = w->run;
  int code = ssk_model_draw(run->model, run->values, run->data, w->split,
                            input->series < 0 ? 0 : input->series, length, w->samples,
                            (uint64_t)run->experiment->seed, w->z, w->x, err);
  if (!code)
    print(w, input->series, false, length);
  return code;
}

static int sample(struct ssk_cli *cli, const struct input *input, const struct ssk_run *run,
                  struct sink *sink) {
  const struct ssk_evaluate_section *how = &run->experiment->evaluate;
  const int64_t n = run->data->split[how->split].n;
  if (input->series >= n || (!n && (input->posterior || run->data->shape.V)))
    return ssk_err_set(cli->err, SSK_EUSAGE, "there is no series %lld: the split has %lld",
                       (long long)(input->series < 0 ? 0 : input->series), (long long)n);
  if (input->posterior && input->length)
    return ssk_err_set(cli->err, SSK_EUSAGE,
                       "--length is for series that are drawn freely, without --posterior");
  const int length = input->posterior ? run->data->shape.max_length
                     : input->length  ? input->length
                                      : run->data->window_length;
  const size_t steps = (size_t)length, paths = (size_t)how->samples;
  struct work w = {.run = run,
                   .split = (enum ssk_split)how->split,
                   .samples = (int)how->samples,
                   .x = malloc(paths * steps * (size_t)run->data->shape.D * sizeof(double)),
                   .z = malloc(paths * steps * (size_t)run->model->dims.d * sizeof(double)),
                   .mean = malloc(steps * (size_t)run->data->shape.D * sizeof(double)),
                   .values = malloc(paths * sizeof(double)),
                   .sink = sink};
  int code = w.x && w.z && w.mean && w.values
                 ? SSK_OK
                 : ssk_err_set(cli->err, SSK_ENOMEM, "no memory for %zu paths", paths);
  if (!code)
    code = input->posterior ? smooth(&w, input, cli->err) : draw(&w, input, length, cli->err);
  free(w.x);
  free(w.z);
  free(w.mean);
  free(w.values);
  return code;
}

/* The options that stand for overrides come after those that were given. */
static int open_run(struct ssk_cli *cli, const struct input *input, struct ssk_run **run) {
  const char **over = calloc((size_t)cli->n_over + 2, sizeof *over);
  int n = 0;
  if (!over)
    return ssk_err_set(cli->err, SSK_ENOMEM, "no memory for overrides");
  for (int i = 0; i < cli->n_over; i++)
    over[n++] = cli->over[i];
  for (int i = 0; i < 2; i++)
    if (*input->over[i])
      over[n++] = input->over[i];
  int code = ssk_run_open(cli->words[0], n, over, cli->registry, run, cli->err);
  free(over);
  return code;
}

static int deliver(struct ssk_cli *cli, struct sink *sink) {
  char *json = sink->array ? json_dumps(sink->array, JSON_INDENT(1)) : NULL;
  const char *text = sink->array ? json : sink->csv.data;
  if (!text || sink->csv.failed)
    return ssk_err_set(cli->err, SSK_ENOMEM, "no memory for the samples");
  int code = SSK_OK;
  if (cli->output)
    code = ssk_file_write(cli->output, text, strlen(text), cli->err);
  else
    printf("%s%s", text, sink->array ? "\n" : "");
  free(json);
  return code;
}

int ssk_verb_sample(struct ssk_cli *cli, int argc, char **argv) {
  struct input input = {.series = -1};
  struct ssk_run *run = NULL;
  int code = ssk_cli_parse(cli, &syntax, &input, argc, argv);
  if (!code)
    code = open_run(cli, &input, &run);
  struct sink sink = {.paths = input.paths, .array = !code && cli->json ? json_array() : NULL};
  if (!code) {
    ssk_text_add(&sink.csv, input.paths ? "series,path,step,variable,dimension,value\n"
                                        : "series,step,variable,dimension,status,"
                                          "truth," SSK_SPREAD_COLUMNS "\n");
    code = sample(cli, &input, run, &sink);
  }
  if (!code)
    code = deliver(cli, &sink);
  json_decref(sink.array);
  ssk_text_free(&sink.csv);
  ssk_run_free(run);
  return code;
}
