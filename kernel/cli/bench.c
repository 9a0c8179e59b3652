/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bench.c - sskit bench: how fast a recipe trains, and where the time of a step goes. */
#include "report/bench.h"
#include "cli/cli.h"
#include "report/bench_times.h"
#include "train/export_step.h"

enum { KEY_STEPS = 0x2000, KEY_SHAPES, KEY_TIMES, KEY_FORECASTS, KEY_EXPORT, KEY_AFTER };

static const struct argp_option options[] = {
    {"steps", KEY_STEPS, "N", 0, "measured steps, without and with the profile (default: 20)", 0},
    {"shapes", KEY_SHAPES, NULL, 0, "a row for each shape of an operation", 0},
    {"times", KEY_TIMES, NULL, 0, "only the seconds of each step, without any profile", 0},
    {"forecasts", KEY_FORECASTS, "N", 0,
     "with --times: also those of N forecasts, as evaluate.* describes them, of one series", 0},
    {"export", KEY_EXPORT, "FILE", 0,
     "measure nothing, but write the first step to a safetensors file: weights, batch, random "
     "draws, the parts of the bound, gradients; in one shard",
     0},
    {"after", KEY_AFTER, "N", 0, "with --export: write the step after N others", 0},
    {0}};

struct input {
  struct ssk_bench_options how;
  const char *export; /* NULL: measure */
  int after, forecasts;
  bool times;
};

static error_t parse(int key, char *arg, struct argp_state *state) {
  struct input *input = state->input;
  struct ssk_bench_options *how = &input->how;
  switch (key) {
  case KEY_STEPS:
    how->steps = (int)ssk_cli_int(state, "--steps", arg, 2, 100000);
    return 0;
  case KEY_SHAPES:
    how->shapes = true;
    return 0;
  case KEY_TIMES:
    input->times = true;
    return 0;
  case KEY_FORECASTS:
    input->forecasts = (int)ssk_cli_int(state, "--forecasts", arg, 0, 100000);
    return 0;
  case KEY_EXPORT:
    input->export = arg;
    return 0;
  case KEY_AFTER:
    input->after = (int)ssk_cli_int(state, "--after", arg, 0, 1000000);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct ssk_syntax syntax = {
    .doc = "Train the model that RECIPE describes for a few steps, keep nothing, and show where "
           "the time goes: by component and by operation, forward and back, in processor time "
           "summed over the threads. GFLOP/s counts the multiply-adds that the mathematics of a "
           "product needs, GB/s the tensors that an operation cannot but read and write; both are "
           "those of one thread. Steps without and with the profile, and products of large squares "
           "by OpenBLAS, alternate in the same run; the first steps do not count.",
    .min_words = 1,
    .max_words = 1,
    .overrides = true,
    .threads = SSK_CLI_THREADS,
    .options = options,
    .parser = parse,
};

/* Frees the text. */
static int print_text(struct ssk_cli *cli, struct ssk_text *text) {
  int code = text->failed ? ssk_err_set(cli->err, SSK_ENOMEM, "no memory for the table") : SSK_OK;
  if (!code)
    fputs(text->data, stdout);
  ssk_text_free(text);
  return code;
}

static int print(struct ssk_cli *cli, const struct ssk_bench *bench) {
  if (cli->json)
    return ssk_cli_print_json(cli, ssk_bench_json(bench));
  struct ssk_text text = {0};
  ssk_bench_text(bench, &text);
  return print_text(cli, &text);
}

static int measure(struct ssk_cli *cli, struct ssk_experiment *experiment,
                   const struct ssk_bench_options *how) {
  struct ssk_bench bench = {0};
  int code = ssk_bench_run(experiment, how, &bench, cli->err);
  if (!code)
    code = print(cli, &bench);
  ssk_bench_free(&bench);
  return code;
}

static int measure_times(struct ssk_cli *cli, struct ssk_experiment *experiment,
                         const struct input *input) {
  struct ssk_bench_times times;
  int code = ssk_bench_times_run(experiment, input->how.threads, input->how.steps, input->forecasts,
                                 &times, cli->err);
  if (code)
    return code;
  struct ssk_text text = {0};
  if (cli->json) {
    code = ssk_cli_print_json(cli, ssk_bench_times_json(&times));
  } else {
    ssk_bench_times_text(&times, &text);
    code = print_text(cli, &text);
  }
  ssk_bench_times_free(&times);
  return code;
}

int ssk_verb_bench(struct ssk_cli *cli, int argc, char **argv) {
  struct input input = {.how.steps = 20};
  struct ssk_experiment *experiment = NULL;
  int code = ssk_cli_parse(cli, &syntax, &input, argc, argv);
  input.how.threads = cli->threads;
  if (!code && input.export && input.times)
    code = ssk_err_set(cli->err, SSK_EUSAGE, "--export measures nothing, --times would");
  if (!code)
    code = ssk_cli_is_for(cli, "--shapes", input.how.shapes, "the profile",
                          !input.export && !input.times);
  if (!code)
    code = ssk_cli_is_for(cli, "--after", input.after, "--export", input.export);
  if (!code)
    code = ssk_cli_is_for(cli, "--forecasts", input.forecasts, "--times", input.times);
  if (!code)
    code = ssk_cli_load(cli, &experiment);
  if (!code && input.export)
    code = ssk_export_step(experiment, input.after, input.export, cli->err);
  else if (!code && input.times)
    code = measure_times(cli, experiment, &input);
  else if (!code)
    code = measure(cli, experiment, &input.how);
  ssk_experiment_free(experiment);
  return code;
}
