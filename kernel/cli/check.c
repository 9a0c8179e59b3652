/* SPDX-License-Identifier: GPL-3.0-or-later */
/* check.c - sskit check: read a recipe and report all that is wrong with it. A study (a recipe with
 * `compare:`) is checked together with its rows (report/study_rows.h), a sweep (with `sweep:`) with
 * the recipes of its trials. */
#include "cli/training.h"
#include "report/run_folder.h"
#include "report/study_rows.h"
#include "sweep/recipe.h"
#include <stdlib.h>

static const struct ssk_syntax syntax = {
    .doc =
        "Read RECIPE with its bases and the overrides, and report everything that is wrong with "
        "it. A study is checked together with its rows, as far as can be without training: their "
        "recipes and data are read and their models built, so that what this passes `compare` does "
        "not refuse. A sweep is checked with each of its axes at its limits. Nothing is trained. "
        "With --json, the diagnostics are listed on standard output too.",
    .min_words = 1,
    .max_words = 1,
    .overrides = true,
};

static int check_study(struct ssk_cli *cli) {
  struct ssk_study *study;
  int code = ssk_study_load(cli->words[0], cli->n_over, cli->over, cli->registry, &study, cli->err);
  if (code)
    return code;
  char *folder = ssk_run_folder_default(study->name, 1); /* where `compare` would train it */
  const struct ssk_run_options how = ssk_cli_run_options(cli, NULL);
  struct ssk_study_rows rows = {0};
  code = folder ? ssk_study_rows_open(&rows, study, cli->words[0], folder, &how, cli->err)
                : ssk_err_set(cli->err, SSK_ENOMEM, "no memory for a file name");
  ssk_study_rows_close(&rows);
  free(folder);
  ssk_study_free(study);
  return code;
}

static int check_sweep(struct ssk_cli *cli) {
  struct ssk_sweep *sweep;
  int code = ssk_sweep_load(cli->words[0], cli->n_over, cli->over, cli->registry, &sweep, cli->err);
  if (!code)
    ssk_sweep_free(sweep);
  return code;
}

static int check_experiment(struct ssk_cli *cli) {
  struct ssk_experiment *experiment;
  int code = ssk_cli_load(cli, &experiment);
  if (!code)
    ssk_experiment_free(experiment);
  return code;
}

static json_t *diagnostics(const ssk_err *err) {
  json_t *array = json_array();
  struct ssk_diagnostic d;
  for (int i = 0; ssk_err_get(err, i, &d); i++) {
    json_t *object = json_pack("{s:i, s:s, s:s?, s:s?}", "code", d.code, "message", d.message,
                               "hint", d.hint, "file", d.pos.file);
    if (d.pos.file && d.pos.line > 0) {
      json_object_set_new(object, "line", json_integer(d.pos.line));
      json_object_set_new(object, "column", json_integer(d.pos.column));
    }
    json_array_append_new(array, object);
  }
  return array;
}

int ssk_verb_check(struct ssk_cli *cli, int argc, char **argv) {
  int code = ssk_cli_parse(cli, &syntax, NULL, argc, argv);
  if (code)
    return code;
  code = ssk_is_study(cli->words[0])          ? check_study(cli)
         : ssk_is_sweep_recipe(cli->words[0]) ? check_sweep(cli)
                                              : check_experiment(cli);
  if (cli->json) {
    int failed = ssk_cli_print_json(
        cli, json_pack("{s:s, s:b, s:i, s:o}", "recipe", cli->words[0], "ok", code == SSK_OK,
                       "count", ssk_err_count(cli->err), "diagnostics", diagnostics(cli->err)));
    return code ? code : failed;
  }
  if (!code && !cli->quiet)
    printf("%s: no errors\n", cli->words[0]);
  return code;
}
