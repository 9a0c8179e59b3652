/* SPDX-License-Identifier: GPL-3.0-or-later */
/* runs.c - sskit runs: list, show, tell apart and remove run directories. */
#include "report/runs.h"
#include "cli/cli.h"
#include "core/file.h"
#include "core/text.h"
#include "model/evaluate_bound.h"
#include "report/tensorboard.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_YES = 0x2000, KEY_NO_INDEX };

static const struct argp_option options[] = {
    {"yes", KEY_YES, NULL, 0, "with gc: remove what is listed", 0},
    {"no-index", KEY_NO_INDEX, NULL, 0,
     "read the files of all runs, also of those that did not change since they were last read", 0},
    {0}};

struct input {
  bool yes, no_index;
};

static error_t parse(int key, char *arg, struct argp_state *state) {
  (void)arg;
  struct input *input = state->input;
  switch (key) {
  case KEY_YES:
    input->yes = true;
    return 0;
  case KEY_NO_INDEX:
    input->no_index = true;
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct ssk_syntax syntax = {
    .doc = "Look after run directories.\n\n"
           "ls [DIR...]: the runs in and under these directories (default: runs), with the last "
           "step that is known, the bound of their last validation in nats a step, and when they "
           "were started and last written to.\n"
           "show RUN...: what a run is and what it reached.\n"
           "diff RUN RUN...: the keys of their recipes that differ.\n"
           "rm RUN...: remove runs that no process works in.\n"
           "tensorboard [DIR...]: write the scalars of these runs as events that TensorBoard reads "
           "(tensorboard --logdir DIR).\n"
           "gc [DIR...]: list what killed processes left and runs that never came to a checkpoint; "
           "with --yes remove them.",
    .min_words = 1,
    .max_words = -1,
    .options = options,
    .parser = parse,
};

static int add_words(struct ssk_cli *cli, struct ssk_runs *runs) {
  int code = SSK_OK;
  for (int i = 1; i < cli->n_words && !code; i++)
    code = ssk_runs_add(runs, cli->words[i], cli->err);
  ssk_runs_leave_index(runs);
  return code;
}

static json_t *run_json(const struct ssk_run_info *run, bool recipe) {
  json_t *object = json_pack(
      "{s:o, s:o, s:s, s:b, s:o, s:s, s:s, s:I, s:o}", "run", ssk_cli_text(run->path), "name",
      ssk_cli_text(run->name), "status", ssk_run_state(run), "busy", run->busy, "command",
      ssk_cli_text(run->command), "started", run->started, "changed", run->changed, "step",
      (json_int_t)run->step, "time_seconds", ssk_cli_real(run->seconds));
  ssk_cli_add_sum(object, run->path_loss, "", run->bound);
  ssk_cli_add_sum(object, run->path_loss, "_se", run->bound_se);
  ssk_cli_add_sum(object, run->path_loss, "_per_step", run->bound_per_step);
  json_t *keys = recipe ? json_object() : NULL;
  for (int k = 0; recipe && k < run->n_keys; k++)
    json_object_set_new(keys, run->keys[k].key, ssk_cli_text(run->keys[k].value));
  if (recipe)
    json_object_set_new(object, "recipe", keys);
  return object;
}

static int print_json(struct ssk_cli *cli, const struct ssk_runs *runs, bool recipe) {
  json_t *array = json_array();
  for (int i = 0; i < runs->n; i++)
    json_array_append_new(array, run_json(&runs->items[i], recipe));
  return ssk_cli_print_json(cli, array);
}

static const char *number(char buffer[32], double value) {
  if (isnan(value))
    return "-";
  snprintf(buffer, 32, "%.5g", value);
  return buffer;
}

static int scan_words(struct ssk_cli *cli, struct ssk_runs *runs) {
  int code = cli->n_words == 1 ? ssk_runs_scan(runs, "runs", cli->err) : SSK_OK;
  for (int i = 1; i < cli->n_words && !code; i++)
    code = ssk_file_exists(cli->words[i])
               ? ssk_runs_scan(runs, cli->words[i], cli->err)
               : ssk_err_set(cli->err, SSK_EIO, "there is no folder '%s'", cli->words[i]);
  ssk_runs_leave_index(runs);
  return code;
}

static int list(struct ssk_cli *cli, struct ssk_runs *runs) {
  int code = scan_words(cli, runs), wide = 3;
  if (code)
    return code;
  if (cli->json)
    return print_json(cli, runs, false);
  for (int i = 0; i < runs->n; i++)
    wide = (int)strlen(runs->items[i].path) > wide ? (int)strlen(runs->items[i].path) : wide;
  if (runs->n)
    printf("%-*s  %-12s %8s %11s  %-20s  %s\n", wide, "run", "status", "step", "bound/step",
           "started", "changed");
  for (int i = 0; i < runs->n; i++) {
    const struct ssk_run_info *run = &runs->items[i];
    char text[32];
    const char *state = ssk_run_state(run); /* the reason of a failure stands behind a colon */
    printf("%-*s  %-12.*s %8lld %11s  %-20s  %s\n", wide, run->path, (int)strcspn(state, ":"),
           state, (long long)(run->step < 0 ? 0 : run->step),
           number(text, run->path_loss ? NAN : run->bound_per_step), run->started, run->changed);
  }
  return SSK_OK;
}

static int show(struct ssk_cli *cli, struct ssk_runs *runs) {
  int code = add_words(cli, runs);
  if (code)
    return code;
  if (cli->json)
    return print_json(cli, runs, true);
  for (int i = 0; i < runs->n; i++) {
    const struct ssk_run_info *run = &runs->items[i];
    char bound[32], se[32], step[32], seconds[32];
    printf("%s%s%s%s\n", i ? "\n" : "", ssk_cli_bold(cli), run->path, ssk_cli_plain(cli));
    printf("  status      %s\n  started     %s\n  changed     %s\n  command     %s\n"
           "  steps       %lld\n",
           ssk_run_state(run), run->started, run->changed, run->command,
           (long long)(run->step < 0 ? 0 : run->step));
    printf("  validation  %s%s +- %s %sa sequence, %s a step\n  seconds     %s\n",
           run->path_loss ? "path_loss " : "", number(bound, run->bound), number(se, run->bound_se),
           ssk_measure_unit(run->path_loss), number(step, run->bound_per_step),
           number(seconds, run->seconds));
    for (int k = 0; k < run->n_keys; k++)
      printf("  %s: %s\n", run->keys[k].key, run->keys[k].value);
  }
  return SSK_OK;
}

static int diff(struct ssk_cli *cli, struct ssk_runs *runs) {
  int code = add_words(cli, runs);
  if (code)
    return code;
  if (runs->n < 2) {
    ssk_err_set(cli->err, SSK_EUSAGE, "'sskit runs diff' compares two runs or more");
    return SSK_EUSAGE;
  }
  const char **keys;
  int n = ssk_runs_differing(runs, true, &keys);
  json_t *object = json_object();
  for (int k = 0; k < n; k++) {
    json_t *values = json_array();
    if (!cli->json)
      printf("%s\n", keys[k]);
    for (int i = 0; i < runs->n; i++) {
      const char *value = ssk_run_value(&runs->items[i], keys[k]);
      json_array_append_new(values, value ? ssk_cli_text(value) : json_null());
      if (!cli->json)
        printf("  %s: %s\n", runs->items[i].path, value ? value : "(not there)");
    }
    json_object_set_new(object, keys[k], values);
  }
  free(keys);
  if (n < 0)
    code = ssk_err_set(cli->err, SSK_ENOMEM, "no memory for the keys");
  if (!code && cli->json)
    return ssk_cli_print_json(cli, object);
  if (!code && !n)
    printf("the recipes are the same\n");
  json_decref(object);
  return code;
}

static int remove_runs(struct ssk_cli *cli, struct ssk_runs *runs) {
  int code = add_words(cli, runs); /* all of them are runs, or none is removed */
  json_t *removed = json_array();
  for (int i = 0; i < runs->n && !code; i++) {
    code = ssk_run_remove(runs->items[i].path, cli->err);
    if (!code)
      json_array_append_new(removed, ssk_cli_text(runs->items[i].path));
    if (!code && !cli->json && !cli->quiet)
      printf("removed %s\n", runs->items[i].path);
  }
  if (!code && cli->json)
    return ssk_cli_print_json(cli, json_pack("{s:O}", "removed", removed));
  json_decref(removed);
  return code;
}

static int write_events(struct ssk_cli *cli, struct ssk_runs *runs) {
  int code = scan_words(cli, runs);
  json_t *written = json_array();
  for (int i = 0; i < runs->n && !code; i++) {
    int64_t events;
    code = ssk_tensorboard_write(runs->items[i].path, &events, cli->err);
    if (!code)
      json_array_append_new(written, json_pack("{s:s, s:I}", "run", runs->items[i].path, "events",
                                               (json_int_t)events));
    if (!code && !cli->json && !cli->quiet)
      printf("%s/%s: %lld events\n", runs->items[i].path, SSK_TENSORBOARD_FILE, (long long)events);
  }
  if (!code && cli->json)
    return ssk_cli_print_json(cli, written);
  json_decref(written);
  return code;
}

struct collect {
  bool yes, quiet;
  json_t *found;
};

static int collect(void *user, const char *path, const char *why, ssk_err *err) {
  const struct collect *c = user;
  int code = c->yes ? ssk_garbage_remove(path, err) : SSK_OK;
  if (code)
    return code;
  if (!c->quiet)
    printf("%s%s (%s)\n", c->yes ? "removed " : "", path, why);
  json_array_append_new(c->found, json_pack("{s:s, s:s}", "path", path, "why", why));
  return SSK_OK;
}

static int collect_garbage(struct ssk_cli *cli, bool yes) {
  struct collect c = {.yes = yes, .quiet = cli->json, .found = json_array()};
  int code = cli->n_words == 1 ? ssk_runs_garbage("runs", collect, &c, cli->err) : SSK_OK;
  for (int i = 1; i < cli->n_words && !code; i++)
    code = ssk_runs_garbage(cli->words[i], collect, &c, cli->err);
  size_t n = json_array_size(c.found);
  if (!code && !cli->json && !cli->quiet && !yes && n)
    printf("with --yes these %zu are removed\n", n);
  if (!code && cli->json)
    return ssk_cli_print_json(cli, json_pack("{s:o, s:b}", "garbage", c.found, "removed", yes));
  json_decref(c.found);
  return code;
}

static const struct {
  const char *name;
  int min_words;
  int (*run)(struct ssk_cli *cli, struct ssk_runs *runs);
} actions[] = {{"ls", 0, list},
               {"show", 1, show},
               {"diff", 2, diff},
               {"rm", 1, remove_runs},
               {"tensorboard", 0, write_events}};

static int act(struct ssk_cli *cli, const struct input *input) {
  const char *name = cli->words[0];
  struct ssk_nearest nearest = {.wanted = name};
  if (!strcmp(name, "gc"))
    return collect_garbage(cli, input->yes);
  for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
    ssk_nearest_offer(&nearest, actions[i].name);
    if (strcmp(name, actions[i].name) != 0)
      continue;
    if (cli->n_words - 1 < actions[i].min_words) {
      ssk_err_set(cli->err, SSK_EUSAGE, "'sskit runs %s' needs more arguments", name);
      ssk_err_hint(cli->err, "usage: sskit runs %s", cli->args);
      return SSK_EUSAGE;
    }
    struct ssk_runs runs = {0};
    if (!input->no_index)
      ssk_runs_use_index(&runs);
    int code = actions[i].run(cli, &runs);
    ssk_runs_free(&runs);
    return code;
  }
  ssk_nearest_offer(&nearest, "gc");
  ssk_err_set(cli->err, SSK_EUSAGE, "'sskit runs' has no action '%s'", name);
  ssk_err_hint(cli->err, "%s%s%s",
               nearest.best ? "did you mean '" : "ls, show, diff, rm, tensorboard or gc",
               nearest.best ? nearest.best : "", nearest.best ? "'?" : "");
  return SSK_EUSAGE;
}

int ssk_verb_runs(struct ssk_cli *cli, int argc, char **argv) {
  struct input input = {0};
  int code = ssk_cli_parse(cli, &syntax, &input, argc, argv);
  return code ? code : act(cli, &input);
}
