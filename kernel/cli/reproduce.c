/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reproduce.c - sskit reproduce: does a recipe reach what it says. */
#include "report/reproduce.h"
#include "cli/training.h"
#include "core/file.h"
#include "report/run_folder.h"
#include "report/study_folder.h"
#include <stdlib.h>
#include <string.h>

static const struct argp_option options[] = {
    {"quick", SSK_CLI_FLAG, NULL, 0,
     "the reduced version that the recipe's section quick describes, against its expectations", 0},
    {0}};

static const struct ssk_syntax syntax = {
    .doc = "Train and evaluate each RECIPE (of one model, or a study with 'compare:') and hold its "
           "figures against those that it lists under 'expect:'. Exit status 0 when all are "
           "reached, 1 when one is not, 3 when an expectation is wrong; see docs/reproduce.md.",
    .min_words = 1,
    .max_words = -1,
    .threads = SSK_CLI_THREADS,
    .output =
        "the directory of the runs (default: a new one, runs/reproduce-1); one that is there goes "
        "on, with what was trained in it",
    .options = options,
    .parser = ssk_cli_parse_flag,
};

static const char *result_of(const struct ssk_found *found) {
  return found->met ? "pass" : "fail";
}

static json_t *figure_json(const struct ssk_expect *expect, const struct ssk_found *found) {
  return json_pack("{s:s, s:s, s:s, s:f, s:f, s:s, s:s, s:o, s:o, s:s}", "row", expect->row,
                   "metric", expect->metric, "definition", expect->definition, "expected",
                   expect->value, "tolerance", expect->tolerance, "sense",
                   ssk_expect_senses[expect->sense], "source", expect->source, "found",
                   ssk_cli_real(found->value.mean), "se", ssk_cli_real(found->value.se), "result",
                   result_of(found));
}

static int print_name(const struct ssk_expect *expect, char text[160]) {
  return snprintf(text, 160, "%s%s%s", expect->row, *expect->row ? " " : "", expect->definition);
}

/* One line of the table: what passes, in its bounds, and who said so. */
static void print_figure(const struct ssk_expect *expect, const struct ssk_found *found,
                         int width) {
  char what[160], wanted[80], figure[48];
  double low = expect->value - expect->tolerance, high = expect->value + expect->tolerance;
  print_name(expect, what);
  if (expect->sense == SSK_EXPECT_NEAR)
    snprintf(wanted, sizeof wanted, "%.5g to %.5g", low, high);
  else if (expect->sense == SSK_EXPECT_AT_MOST)
    snprintf(wanted, sizeof wanted, "at most %.5g", high);
  else
    snprintf(wanted, sizeof wanted, "at least %.5g", low);
  /* More digits than a table has: it is to be seen that the figure is on this side of a bound. */
  const int n = snprintf(figure, sizeof figure, "%.4g", found->value.mean);
  if (found->value.se > 0)
    snprintf(figure + n, sizeof figure - (size_t)n, " ± %.1g", found->value.se);
  printf("  %s  %-*s  %-20s %s\n        %.6g: %s\n", result_of(found), width, what, wanted, figure,
         expect->value, expect->source);
}

static int reproduce(struct ssk_cli *cli, const char *recipe, const char *folder, bool quick,
                     const char *command, json_t *all, int *failed) {
  struct ssk_reproduction r;
  const struct ssk_run_options how = ssk_cli_run_options(cli, command);
  int code = ssk_reproduce(recipe, quick, folder, &how, &r, cli->err);
  if (code) {
    ssk_reproduction_free(&r);
    return code;
  }
  json_t *figures = json_array();
  int width = 0;
  for (int i = 0; i < r.expected.n; i++) {
    char name[160];
    int own = print_name(&r.expected.items[i], name);
    width = own > width ? own : width;
  }
  if (!cli->json)
    printf("%s%s%s: %d of %d as expected\n        %-*s  %-20s %s\n", ssk_cli_bold(cli), recipe,
           ssk_cli_plain(cli), r.expected.n - r.failed, r.expected.n, width, "", "expected",
           "found");
  for (int i = 0; i < r.expected.n; i++) {
    json_array_append_new(figures, figure_json(&r.expected.items[i], &r.found[i]));
    if (!cli->json)
      print_figure(&r.expected.items[i], &r.found[i], width);
  }
  json_array_append_new(all, json_pack("{s:s, s:s, s:b, s:i, s:o}", "recipe", recipe, "run", folder,
                                       "quick", quick, "failed", r.failed, "figures", figures));
  *failed += r.failed;
  ssk_reproduction_free(&r);
  return SSK_OK;
}

/* malloc'ed: where recipe i of several is run. */
static char *place_of(const struct ssk_cli *cli, const char *folder, int i) {
  if (cli->n_words == 1)
    return strdup(folder);
  char number[16];
  snprintf(number, sizeof number, "%d", i + 1);
  return ssk_path_join(folder, number);
}

static int reproduce_all(struct ssk_cli *cli, bool quick, const char *command) {
  char *folder = cli->output ? strdup(cli->output) : ssk_run_folder_default("reproduce", 1);
  json_t *all = json_array();
  int failed = 0;
  int code = folder ? SSK_OK : ssk_err_set(cli->err, SSK_ENOMEM, "no memory for a file name");
  if (!code && cli->n_words > 1)
    code = ssk_study_folder_take(folder, command, cli->err);
  for (int i = 0; i < cli->n_words && !code; i++) {
    char *place = place_of(cli, folder, i);
    code = place ? reproduce(cli, cli->words[i], place, quick, command, all, &failed)
                 : ssk_err_set(cli->err, SSK_ENOMEM, "no memory for a file name");
    free(place);
  }
  if (code == SSK_EINTERRUPTED)
    ssk_err_hint(cli->err, "go on with the same command and '-o %s'", folder);
  free(folder);
  if (!code && cli->json)
    code = ssk_cli_print_json(cli, json_pack("{s:O, s:i}", "recipes", all, "failed", failed));
  json_decref(all);
  if (!code && failed)
    code = ssk_err_set(cli->err, SSK_EFAIL, "%d figure%s not reproduced", failed,
                       failed == 1 ? " was" : "s were");
  return code;
}

int ssk_verb_reproduce(struct ssk_cli *cli, int argc, char **argv) {
  bool quick = false;
  char *command = ssk_cli_command(argc, argv);
  int code = ssk_cli_parse(cli, &syntax, &quick, argc, argv);
  if (!code)
    code = reproduce_all(cli, quick, command);
  free(command);
  return code;
}
