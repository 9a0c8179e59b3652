/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sample.c - sskit sample: series drawn from a trained model, or what it makes of a series that it
 * is given: smoothed latents, and observations imputed where they are missing. */
#include "cli/source.h"
#include "cli/spread.h"
#include "core/file.h"
#include "core/pool.h"
#include "infer/model_forecast.h"
#include "infer/model_prior.h"
#include <stdlib.h>
#include <string.h>

enum {
  KEY_POSTERIOR = 0x2000,
  KEY_DATA,
  KEY_SERIES,
  KEY_SAMPLES,
  KEY_SPLIT,
  KEY_LENGTH,
  KEY_PATHS
};

static const struct argp_option options[] = {
    {"posterior", KEY_POSTERIOR, NULL, 0, "given all that is observed of a series of the data", 0},
    {"data", KEY_DATA, "FILE", 0,
     "instead of a split: the series of FILE, which the data set of the recipe reads", 0},
    {"series", KEY_SERIES, "N", 0,
     "series N of the split or the file, from 0; without --posterior: its covariates. All, or the "
     "first",
     0},
    {"split", KEY_SPLIT, "SPLIT", 0, "train, valid or test: the same as evaluate.split=SPLIT", 0},
    {"samples", KEY_SAMPLES, "S", 0, "paths of each series, for evaluate.samples", 0},
    {"length", KEY_LENGTH, "STEPS", 0,
     "steps of a series drawn without --posterior; as many as training windows have", 0},
    {"paths", KEY_PATHS, NULL, 0, "print each path, instead of mean and quantiles", 0},
    {0}};

struct input {
  bool posterior, paths;
  const char *data;
  int64_t series;  /* -1: not given */
  int length;      /* 0: not given */
  int64_t samples; /* 0: not given */
  char split[64];  /* an override; "": not given */
};

static error_t parse(int key, char *arg, struct argp_state *state) {
  struct input *input = state->input;
  switch (key) {
  case KEY_POSTERIOR:
    input->posterior = true;
    return 0;
  case KEY_DATA:
    input->data = arg;
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
    input->samples = ssk_cli_int(state, "--samples", arg, 1, 1000000);
    return 0;
  case KEY_SPLIT:
    snprintf(input->split, sizeof input->split, "evaluate.split=%.40s", arg);
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
        "missing, and z is smoothed. With --data the series are those of a file, for which the "
        "data of "
        "the training need not be there.\n\v"
        "One line a step and dimension: what is known of the entry (observed; hidden, which is "
        "held out by the recipe's section `missing`; missing), its true value, mean and quantiles "
        "of evaluate.samples paths. With --paths one line a path, step and dimension instead.",
    .min_words = 1,
    .max_words = 1,
    .overrides = true,
    .threads = "with --posterior: " SSK_CLI_THREADS,
    .run = true,
    .output = "write to this file instead of standard output",
    .formats = "csv|json|jsonl",
    .options = options,
    .parser = parse,
};

/* ---- lines ------------------------------------------------------------------------------------
 */

/* Where the samples go. */
struct sink {
  enum ssk_format format;
  bool paths;
  struct ssk_text text; /* CSV, and lines of JSON */
  json_t *array;        /* NULL: no JSON array */
};

/* An entry of a series: x[k] or z[k] at a step. */
struct entry {
  int64_t series;   /* -1: none */
  const char *name; /* of it; NULL: it has a number alone */
  int step;
  const char *variable;
  int dimension;
  const char *status; /* NULL: none */
  double truth;       /* NAN: not known */
};

static json_t *json_entry(const struct entry *e) {
  json_t *series = e->name         ? ssk_cli_text(e->name)
                   : e->series < 0 ? json_null()
                                   : json_integer((json_int_t)e->series);
  return json_pack("{s:o, s:i, s:s, s:i}", "series", series, "step", e->step, "variable",
                   e->variable, "dimension", e->dimension);
}

static void add_object(struct sink *sink, json_t *object) {
  if (sink->array)
    sink->text.failed |= json_array_append_new(sink->array, object) != 0;
  else
    ssk_format_line(&sink->text, object);
}

static void csv_series(struct sink *sink, const struct entry *e) {
  if (e->name)
    ssk_text_cell(&sink->text, e->name);
  else if (e->series >= 0)
    ssk_text_printf(&sink->text, "%lld", (long long)e->series);
}

static void add_path(struct sink *sink, const struct entry *e, int path, double value) {
  if (sink->format != SSK_FORMAT_CSV) {
    json_t *object = json_entry(e);
    json_object_set_new(object, "path", json_integer(path));
    json_object_set_new(object, "value", ssk_cli_real(value));
    add_object(sink, object);
    return;
  }
  csv_series(sink, e);
  ssk_text_printf(&sink->text, ",%d,%d,%s,%d,%.7g\n", path, e->step, e->variable, e->dimension,
                  value);
}

static void add_spread(struct sink *sink, const struct entry *e, double *values, int n) {
  const struct ssk_spread spread = ssk_spread_of(values, (size_t)n);
  if (sink->format != SSK_FORMAT_CSV) {
    json_t *object = json_entry(e);
    json_object_set_new(object, "status", e->status ? json_string(e->status) : json_null());
    json_object_set_new(object, "truth", ssk_cli_real(e->truth));
    ssk_spread_json(&spread, object);
    add_object(sink, object);
    return;
  }
  char number[32];
  csv_series(sink, e);
  ssk_text_printf(&sink->text, ",%d,%s,%d,%s,%s", e->step, e->variable, e->dimension,
                  e->status ? e->status : "",
                  isnan(e->truth) ? "" : ssk_text_double(number, e->truth));
  ssk_spread_csv(&spread, &sink->text);
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

/* The paths of one series, as they are drawn in one thread. */
struct drawn {
  int64_t series; /* -1: none */
  int length;
  double *x, *z, *mean;
  int code;
  ssk_err *err;
};

struct work {
  const struct ssk_source *source;
  const struct input *input;
  int samples;
  double *values; /* [samples] */
  struct sink *sink;
  struct ssk_pool *pool;
  struct ssk_forecaster forecaster;
  int n_drawn;
  struct drawn *drawn; /* [n_drawn] at once */
};

static bool make_room(struct drawn *drawn, const struct ssk_run *run, size_t steps, size_t paths) {
  const size_t D = (size_t)run->data->shape.D, d = (size_t)run->model->dims.d;
  drawn->x = malloc(paths * steps * D * sizeof *drawn->x);
  drawn->z = malloc(paths * steps * d * sizeof *drawn->z);
  drawn->mean = malloc(steps * D * sizeof *drawn->mean);
  drawn->err = ssk_err_new();
  return drawn->x && drawn->z && drawn->mean && drawn->err;
}

/* All entries of a series; with --posterior, with what is known of them. */
static void print(const struct work *w, const struct drawn *drawn) {
  const struct ssk_data *data = w->source->data;
  const struct ssk_split_data *split = &data->split[w->source->split];
  const int D = data->shape.D, d = w->source->run->model->dims.d, length = drawn->length;
  struct entry e = {.series = drawn->series};
  e.name = drawn->series < 0 ? NULL : ssk_source_name(w->source, drawn->series);
  for (e.step = 0; e.step < length; e.step++) {
    e.variable = "x";
    for (int k = e.dimension = 0; k < D; e.dimension = ++k) {
      const int64_t at = (drawn->series * split->room + e.step) * D + k;
      e.status = NULL;
      e.truth = NAN;
      if (w->input->posterior) {
        const bool seen = split->mask[at] != 0, hidden = split->hidden && split->hidden[at] != 0;
        e.status = seen ? "observed" : hidden ? "hidden" : "missing";
        e.truth = seen || hidden ? split->x[at] : NAN;
      }
      add_entry(w->sink, &e, drawn->x, (size_t)(e.step * D + k), (size_t)(length * D), w->samples,
                w->values);
    }
    e.variable = "z";
    e.status = NULL;
    e.truth = NAN;
    for (int k = e.dimension = 0; k < d; e.dimension = ++k)
      add_entry(w->sink, &e, drawn->z, (size_t)(e.step * d + k), (size_t)(length * d), w->samples,
                w->values);
  }
}

static void smooth_one(int task, int thread, void *state) {
  struct work *w = state;
  struct drawn *drawn = &w->drawn[task];
  const struct ssk_source *source = w->source;
  const struct ssk_series_posterior out = {.x = drawn->x, .mean = drawn->mean, .z = drawn->z};
  drawn->length = source->data->split[source->split].length[drawn->series];
  drawn->code = w->forecaster.posterior(
      w->forecaster.self, source->data, source->split, drawn->series, w->samples,
      (uint64_t)source->run->experiment->seed, thread, &out, drawn->err);
}

/* As many series at once as there is room for, printed in their order. */
static int smooth(struct work *w, ssk_err *err) {
  const struct ssk_source *source = w->source;
  const struct ssk_run *run = source->run;
  int code = ssk_model_forecaster(run->model, run->values, run->experiment->name,
                                  ssk_pool_threads(w->pool), &run->experiment->evaluate,
                                  &w->forecaster, err);
  if (!code && !w->forecaster.posterior)
    code = ssk_err_set(err, SSK_EDATA, "the emission '%s' does not model observations",
                       run->experiment->model.emission->component->name);
  for (int64_t i = source->first; i < source->last && !code; i += w->n_drawn) {
    const int64_t left = source->last - i;
    const int n = left < w->n_drawn ? (int)left : w->n_drawn;
    for (int k = 0; k < n; k++)
      w->drawn[k].series = i + k;
    ssk_pool_run(w->pool, n, smooth_one, w);
    for (int k = 0; k < n && !code; k++) {
      if ((code = w->drawn[k].code) != SSK_OK)
        ssk_err_set(err, code, "%s", ssk_err_message(w->drawn[k].err, 0));
      else
        print(w, &w->drawn[k]);
    }
  }
  ssk_forecaster_free(&w->forecaster);
  return code;
}

static int draw(const struct work *w, int length, ssk_err *err) {
  const struct ssk_source *source = w->source;
  const struct ssk_run *run = source->run;
  struct drawn *drawn = w->drawn;
  int code =
      ssk_model_draw(run->model, run->values, source->data, source->split, source->first, length,
                     w->samples, (uint64_t)run->experiment->seed, drawn->z, drawn->x, err);
  drawn->series = w->input->series;
  drawn->length = length;
  if (!code)
    print(w, drawn);
  return code;
}

static int sample(struct ssk_cli *cli, const struct input *input, const struct ssk_source *source,
                  struct sink *sink) {
  const struct ssk_run *run = source->run;
  if (source->last <= source->first && (input->posterior || run->data->shape.V))
    return ssk_err_set(cli->err, SSK_EUSAGE, "there is no series: the split has none");
  const int length = input->posterior ? source->data->shape.max_length
                     : input->length  ? input->length
                                      : run->data->window_length;
  struct work w = {.source = source,
                   .input = input,
                   .samples = (int)run->experiment->evaluate.samples,
                   .sink = sink};
  int code = input->posterior ? ssk_pool_new(cli->threads, &w.pool, cli->err) : SSK_OK;
  w.n_drawn = ssk_pool_threads(w.pool);
  if (source->last - source->first < w.n_drawn)
    w.n_drawn = source->last > source->first ? (int)(source->last - source->first) : 1;
  w.values = malloc((size_t)w.samples * sizeof *w.values);
  w.drawn = calloc((size_t)w.n_drawn, sizeof *w.drawn);
  bool room = w.values && w.drawn;
  for (int i = 0; i < w.n_drawn && room; i++)
    room = make_room(&w.drawn[i], run, (size_t)length, (size_t)w.samples);
  if (!code && !room)
    code = ssk_err_set(cli->err, SSK_ENOMEM, "no memory for %d paths", w.samples);
  if (!code)
    code = input->posterior ? smooth(&w, cli->err) : draw(&w, length, cli->err);
  for (int i = 0; i < w.n_drawn && w.drawn; i++) {
    free(w.drawn[i].x);
    free(w.drawn[i].z);
    free(w.drawn[i].mean);
    ssk_err_free(w.drawn[i].err);
  }
  free(w.drawn);
  free(w.values);
  ssk_pool_free(w.pool);
  return code;
}

/* ---- all of it --------------------------------------------------------------------------------
 */

static int check_input(struct ssk_cli *cli, const struct input *input) {
  int code = ssk_cli_is_for(cli, "--length", input->length, "series that are drawn freely",
                            !input->posterior);
  if (!code)
    code = ssk_cli_is_for(cli, "--threads", cli->threads, "--posterior", input->posterior);
  if (!code)
    code = ssk_cli_is_for(cli, "--split", *input->split, "the data of the run, not for --data",
                          !input->data);
  return code;
}

/* The split comes after the overrides that were given. */
static int open_source(struct ssk_cli *cli, const struct input *input, struct ssk_source *source) {
  const char **over = calloc((size_t)cli->n_over + 1, sizeof *over);
  int n = 0;
  if (!over)
    return ssk_err_set(cli->err, SSK_ENOMEM, "no memory for overrides");
  for (int i = 0; i < cli->n_over; i++)
    over[n++] = cli->over[i];
  if (*input->split)
    over[n++] = input->split;
  int code = ssk_source_open(cli, input->data, n, over, source);
  free(over);
  if (code)
    return code;
  struct ssk_evaluate_section *how = &source->run->experiment->evaluate;
  how->samples = input->samples ? input->samples : how->samples;
  return ssk_source_choose(cli, source, input->data, input->series);
}

static int deliver(struct ssk_cli *cli, struct sink *sink) {
  char *json = sink->array ? json_dumps(sink->array, JSON_INDENT(1) | SSK_FORMAT_DIGITS) : NULL;
  const char *text = sink->array ? json : sink->text.data;
  int code = SSK_OK;
  if (!text || sink->text.failed)
    code = ssk_err_set(cli->err, SSK_ENOMEM, "no memory for the samples");
  else if (cli->output)
    code = ssk_file_write(cli->output, text, strlen(text), cli->err);
  else
    printf("%s%s", text, sink->array ? "\n" : "");
  free(json);
  return code;
}

int ssk_verb_sample(struct ssk_cli *cli, int argc, char **argv) {
  struct input input = {.series = -1};
  struct ssk_source source = {0};
  int code = ssk_cli_parse(cli, &syntax, &input, argc, argv);
  if (!code)
    code = check_input(cli, &input);
  if (!code)
    code = open_source(cli, &input, &source);
  struct sink sink = {.format = cli->format, .paths = input.paths};
  if (!code) {
    sink.array = sink.format == SSK_FORMAT_JSON ? json_array() : NULL;
    if (sink.format == SSK_FORMAT_CSV)
      ssk_text_add(&sink.text, input.paths ? "series,path,step,variable,dimension,value\n"
                                           : "series,step,variable,dimension,status,"
                                             "truth," SSK_SPREAD_COLUMNS "\n");
    code = sample(cli, &input, &source, &sink);
  }
  if (!code)
    code = deliver(cli, &sink);
  json_decref(sink.array);
  ssk_text_free(&sink.text);
  ssk_source_free(&source);
  return code;
}
