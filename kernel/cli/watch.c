/* SPDX-License-Identifier: GPL-3.0-or-later */
/* watch.c - sskit watch: runs while other processes train them. Their directories are read, nothing
 * else is asked of them. */
#include "cli/cli.h"
#include "model/evaluate_bound.h"
#include "report/runs.h"
#include "report/tensorboard.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { KEY_ONCE = 0x2000, KEY_EVERY, KEY_TENSORBOARD };
enum { CURVE = 24 }; /* validations that are drawn */

static const struct argp_option options[] = {
    {"once", KEY_ONCE, NULL, 0, "show them once", 0},
    {"every", KEY_EVERY, "SECONDS", 0, "look again after so long (default: 2)", 0},
    {"tensorboard", KEY_TENSORBOARD, NULL, 0,
     "each time bring their events for TensorBoard up to date, as `runs tensorboard` does", 0},
    {0}};

struct input {
  bool once, tensorboard;
  int every;
};

static error_t parse(int key, char *arg, struct argp_state *state) {
  struct input *input = state->input;
  switch (key) {
  case KEY_ONCE:
    input->once = true;
    return 0;
  case KEY_EVERY:
    input->every = (int)ssk_cli_int(state, "--every", arg, 1, 86400);
    return 0;
  case KEY_TENSORBOARD:
    input->tensorboard = true;
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct ssk_syntax syntax = {
    .doc = "Show the runs in and under DIR (default: runs): how far they are, the bound of the "
           "last validation in nats a step, with a curve of it, and the time that is left. Ends "
           "when no process works in any of them. On a terminal the lines stay in their place; "
           "elsewhere a line is printed "
           "when it changed.",
    .max_words = -1,
    .options = options,
    .parser = parse,
};

static double steps_of(const struct ssk_run_info *run) {
  const char *steps = ssk_run_value(run, "training.steps");
  return steps ? strtod(steps, NULL) : NAN;
}

/* The bounds of the last validations as a curve, the highest at the top. */
static void draw_curve(const struct ssk_run_info *run, char curve[CURVE * 3 + 1]) {
  static const char *const levels[] = {"\u2581", "\u2582", "\u2583", "\u2584",
                                       "\u2585", "\u2586", "\u2587", "\u2588"};
  int from = run->n_bounds > CURVE ? run->n_bounds - CURVE : 0;
  double low = INFINITY, high = -INFINITY;
  for (int i = from; i < run->n_bounds; i++) {
    low = fmin(low, run->bounds[i]); /* passes over NaN */
    high = fmax(high, run->bounds[i]);
  }
  *curve = 0;
  for (int i = from; i < run->n_bounds; i++) {
    double height = high > low ? (run->bounds[i] - low) / (high - low) : 0;
    strcat(curve, isfinite(height) ? levels[(int)(7 * height + 0.5)] : " ");
  }
}

/* One line, without its newline. */
static void describe(const struct ssk_run_info *run, char line[512]) {
  double steps = steps_of(run), done = run->step > 0 ? (double)run->step : 0;
  double left = run->busy && done > 0 ? run->seconds * (steps - done) / done : NAN;
  char bound[32] = "-", rest[64] = "", curve[CURVE * 3 + 1];
  if (!isnan(run->bound_per_step))
    snprintf(bound, sizeof bound, "%.5g", run->bound_per_step);
  if (!run->busy)
    snprintf(rest, sizeof rest, ", since %s", run->changed);
  else if (!isnan(left))
    snprintf(rest, sizeof rest, ", %.0f s left", left);
  draw_curve(run, curve);
  snprintf(line, 512, "%.300s: %.40s, step %.0f/%.0f, %s %s %s%s", run->path, ssk_run_state(run),
           done, steps, ssk_measure_name(run->path_loss), bound, curve, rest);
}

static json_t *run_json(const struct ssk_run_info *run) {
  json_t *object =
      json_pack("{s:s, s:s, s:b, s:I, s:o}", "run", run->path, "status", ssk_run_state(run), "busy",
                run->busy, "step", (json_int_t)run->step, "steps", ssk_cli_real(steps_of(run)));
  ssk_cli_add_sum(object, run->path_loss, "_per_step", run->bound_per_step);
  return object;
}

/* The lines that were shown last. */
struct shown {
  int n;
  char (*lines)[512];
};

static int show(const struct ssk_cli *cli, const struct ssk_runs *runs, struct shown *before) {
  bool terminal = isatty(STDOUT_FILENO);
  char(*lines)[512] = calloc((size_t)runs->n + 1, sizeof *lines);
  if (!lines)
    return ssk_err_set(cli->err, SSK_ENOMEM, "no memory for the lines");
  if (terminal) /* lines that are too long are cut, or the way back up would be wrong */
    printf("\033[?7l");
  if (terminal && before->n)
    printf("\033[%dA", before->n);
  for (int i = 0; i < runs->n; i++) {
    describe(&runs->items[i], lines[i]);
    bool same = i < before->n && !strcmp(lines[i], before->lines[i]);
    if (terminal || !same)
      printf("%s%s\n", lines[i], terminal ? "\033[K" : "");
  }
  if (terminal)
    printf("\033[?7h");
  fflush(stdout);
  free(before->lines);
  *before = (struct shown){.n = runs->n, .lines = lines};
  return SSK_OK;
}

static int scan(const struct ssk_cli *cli, struct ssk_runs *runs) {
  ssk_runs_use_index(runs);
  int code = cli->n_words ? SSK_OK : ssk_runs_scan(runs, "runs", cli->err);
  for (int i = 0; i < cli->n_words && !code; i++)
    code = ssk_runs_scan(runs, cli->words[i], cli->err);
  ssk_runs_leave_index(runs);
  if (!code && !runs->n)
    code = ssk_err_set(cli->err, SSK_EIO, "there is no run in '%s'",
                       cli->n_words ? cli->words[0] : "runs");
  return code;
}

static int watch(struct ssk_cli *cli, const struct input *input) {
  struct shown shown = {0};
  bool busy = true;
  int code = SSK_OK;
  while (busy && !code) {
    struct ssk_runs runs = {0};
    busy = false;
    code = scan(cli, &runs);
    for (int i = 0; i < runs.n; i++)
      busy = busy || runs.items[i].busy;
    busy = busy && !input->once && !cli->json;
    for (int i = 0; i < runs.n && input->tensorboard && !code; i++)
      code = ssk_tensorboard_write(runs.items[i].path, &(int64_t){0}, cli->err);
    if (!code && cli->json) {
      json_t *array = json_array();
      for (int i = 0; i < runs.n; i++)
        json_array_append_new(array, run_json(&runs.items[i]));
      code = ssk_cli_print_json(cli, array);
    } else if (!code) {
      code = show(cli, &runs, &shown);
    }
    ssk_runs_free(&runs);
    if (busy && !code)
      nanosleep(&(struct timespec){.tv_sec = input->every}, NULL);
  }
  free(shown.lines);
  return code;
}

int ssk_verb_watch(struct ssk_cli *cli, int argc, char **argv) {
  struct input input = {.every = 2};
  int code = ssk_cli_parse(cli, &syntax, &input, argc, argv);
  return code ? code : watch(cli, &input);
}
