/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bench.c - sskit bench: how fast a recipe trains, and where the time of a step goes. */
#include "report/bench.h"
#include "cli/cli.h"

enum { KEY_STEPS = 0x2000, KEY_SHAPES };

static const struct argp_option options[] = {
    {"steps", KEY_STEPS, "N", 0, "measured steps, without and with the profile (default: 20)", 0},
    {"shapes", KEY_SHAPES, NULL, 0, "a row for each shape of an operation", 0},
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state) {
  struct ssk_bench_options *how = state->input;
  switch (key) {
  case KEY_STEPS:
    how->steps = (int)ssk_cli_int(state, "--steps", arg, 2, 100000);
    return 0;
  case KEY_SHAPES:
    how->shapes = true;
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
    .threads = true,
    .options = options,
    .parser = parse,
};

static int print(struct ssk_cli *cli, const struct ssk_bench *bench) {
  if (cli->json)
    return ssk_cli_print_json(cli, ssk_bench_json(bench));
  struct ssk_text text = {0};
  ssk_bench_text(bench, &text);
  int code = text.failed ? ssk_err_set(cli->err, SSK_ENOMEM, "no memory for the table") : SSK_OK;
  if (!code)
    fputs(text.data, stdout);
  ssk_text_free(&text);
  return code;
}

int ssk_verb_bench(struct ssk_cli *cli, int argc, char **argv) {
  struct ssk_bench_options how = {.steps = 20};
  struct ssk_experiment *experiment = NULL;
  struct ssk_bench bench = {0};
  int code = ssk_cli_parse(cli, &syntax, &how, argc, argv);
  how.threads = cli->threads;
  if (!code)
    code = ssk_cli_load(cli, &experiment);
  if (!code)
    code = ssk_bench_run(experiment, &how, &bench, cli->err);
  if (!code)
    code = print(cli, &bench);
  ssk_bench_free(&bench);
  ssk_experiment_free(experiment);
  return code;
}
