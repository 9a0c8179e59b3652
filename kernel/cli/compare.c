/* SPDX-License-Identifier: GPL-3.0-or-later */
/* compare.c - sskit compare: run a study, or score runs that are there, and print the table. */
#include "report/compare.h"
#include "cli/training.h"
#include "core/file.h"
#include "report/compare_runs.h"
#include "report/run_folder.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEY_SEQUENTIAL = 0x2000, KEY_FORMAT, KEY_SORT, KEY_WHERE };
enum { MAX_WHERE = 32 };

static const struct argp_option options[] = {
    {"sequential", KEY_SEQUENTIAL, NULL, 0,
     "of a study: evaluate on more and more series, and stop when the differences are decided", 0},
    {"format", KEY_FORMAT, "FORM", 0, "text (default), markdown, latex, html, csv or json", 0},
    {"sort", KEY_SORT, "METRIC", 0, "the best row in this metric first", 0},
    {"where", KEY_WHERE, "KEY=VALUE", 0,
     "of runs: only those whose recipe has this value (repeatable)", 0},
    {0}};

static const struct {
  const char *name;
  void (*write)(const struct ssk_table *table, struct ssk_text *out);
} forms[] = {{"text", ssk_table_text}, {"markdown", ssk_table_markdown}, {"latex", ssk_table_latex},
             {"html", ssk_table_page}, {"csv", ssk_table_csv},           {"json", ssk_table_json}};
enum { FORM_TEXT = 0, FORM_JSON = 5, n_forms = sizeof forms / sizeof forms[0] };

struct input {
  bool sequential;
  int form; /* index into forms */
  const char *sort;
  int n_where;
  const char *where[MAX_WHERE];
};

static error_t parse(int key, char *arg, struct argp_state *state) {
  struct input *input = state->input;
  switch (key) {
  case KEY_SEQUENTIAL:
    input->sequential = true;
    return 0;
  case KEY_FORMAT:
    for (int i = 0; i < n_forms; i++)
      if (!strcmp(forms[i].name, arg)) {
        input->form = i;
        return 0;
      }
    argp_error(state, "--format must be text, markdown, latex, html, csv or json, not '%s'", arg);
    return 0;
  case KEY_SORT:
    input->sort = arg;
    return 0;
  case KEY_WHERE:
    if (!strchr(arg, '=') || input->n_where == MAX_WHERE)
      argp_error(state, "--where takes KEY=VALUE, at most %d times, not '%s'", MAX_WHERE, arg);
    else
      input->where[input->n_where++] = arg;
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct ssk_syntax syntax = {
    .doc = "Train each model row of the study RECIPE (a recipe with 'compare:') once with each "
           "seed, evaluate all rows on the same series, and print the table: mean and standard "
           "error over seeds (over series for baselines, and with one seed). The directory holds a "
           "run for each training, and the table as text, Markdown, LaTeX, HTML, CSV and JSON. "
           "Overrides "
           "compare.KEY=VALUE change the study, all others every row's recipe.\n\n"
           "With run directories instead of a recipe, evaluate these as their recipes say: runs "
           "that differ in the seed alone are one row, and only the keys that differ are shown "
           "beside the rows. Overrides such as evaluate.samples=64 apply to all.",
    .min_words = 1,
    .max_words = -1,
    .overrides = true,
    .threads = SSK_CLI_THREADS,
    .options = options,
    .parser = parse,
    .output =
        "the study's directory (default: a new one, runs/NAME-1); one that is there goes on, with "
        "what was trained in it; of runs: where the table is kept too (default: nowhere)",
};

/* Where it cannot be sorted as asked it is printed all the same: it may have taken hours. */
static int print_table(struct ssk_cli *cli, const struct input *input, struct ssk_table *table) {
  struct ssk_text text = {0};
  int code = input->sort ? ssk_table_sort(table, input->sort, cli->err) : SSK_OK;
  forms[cli->json ? FORM_JSON : input->form].write(table, &text);
  if (text.failed)
    code = ssk_err_set(cli->err, SSK_ENOMEM, "no memory for the table");
  else
    fputs(text.data, stdout);
  ssk_text_free(&text);
  return code;
}

static int compare_study(struct ssk_cli *cli, const struct input *input, const char *command) {
  struct ssk_study *study;
  if (cli->n_words > 1)
    return ssk_err_set(cli->err, SSK_EUSAGE, "'%s' is no run directory; recipes go one at a time",
                       cli->words[0]);
  if (input->n_where)
    return ssk_err_set(cli->err, SSK_EUSAGE, "--where is for run directories, not for a recipe");
  int code = ssk_study_load(cli->words[0], cli->n_over, cli->over, cli->registry, &study, cli->err);
  if (code)
    return code;
  study->compare.sequential = study->compare.sequential || input->sequential;
  char *folder = cli->output ? strdup(cli->output) : ssk_run_folder_default(study->name, 1);
  const struct ssk_run_options how = ssk_cli_run_options(cli, command);
  struct ssk_table table = {0};
  code = folder ? ssk_compare_run(study, cli->words[0], folder, &how, NULL, &table, cli->err)
                : ssk_err_set(cli->err, SSK_ENOMEM, "no memory for a file name");
  if (!code)
    code = print_table(cli, input, &table);
  if (!code && !cli->json && input->form == FORM_TEXT)
    printf("\nreport: %s/table.md\n", folder);
  ssk_table_free(&table);
  free(folder);
  ssk_study_free(study);
  return code;
}

/* ---- runs ------------------------------------------------------------------------------------ */

static bool is_wanted(const struct input *input, const struct ssk_run_info *run) {
  for (int i = 0; i < input->n_where; i++) {
    const char *sign = strchr(input->where[i], '=');
    char key[256];
    snprintf(key, sizeof key, "%.*s", (int)(sign - input->where[i]), input->where[i]);
    const char *value = ssk_run_value(run, key);
    if (!value || strcmp(value, sign + 1) != 0)
      return false;
  }
  return true;
}

/* The runs that --where wants. */
static struct ssk_runs wanted_of(const struct input *input, struct ssk_runs *runs) {
  struct ssk_runs wanted = {.items = runs->items};
  for (int i = 0; i < runs->n; i++)
    if (is_wanted(input, &runs->items[i])) {
      struct ssk_run_info run = runs->items[i];
      runs->items[i] = runs->items[wanted.n];
      runs->items[wanted.n++] = run;
    }
  return wanted;
}

static int compare_runs(struct ssk_cli *cli, const struct input *input) {
  struct ssk_runs runs = {0};
  struct ssk_table table = {0};
  const struct ssk_run_options how = ssk_cli_run_options(cli, NULL);
  int code = input->sequential
                 ? ssk_err_set(cli->err, SSK_EUSAGE, "--sequential is for studies, not for runs")
                 : SSK_OK;
  ssk_runs_use_index(&runs);
  for (int i = 0; i < cli->n_words && !code; i++)
    code = ssk_runs_add(&runs, cli->words[i], cli->err);
  ssk_runs_leave_index(&runs);
  struct ssk_runs wanted = wanted_of(input, &runs);
  if (!code && runs.n && !wanted.n)
    code = ssk_err_set(cli->err, SSK_EUSAGE, "no run is as --where wants");
  const bool claimed = !code && cli->output && !(code = ssk_folder_claim(cli->output, cli->err));
  if (!code)
    code = ssk_compare_runs(&wanted, cli->n_over, cli->over, &how, &table, cli->err);
  if (code && claimed)
    rmdir(cli->output);
  if (!code && cli->output)
    code = ssk_table_write(&table, cli->output, cli->err);
  if (!code)
    code = print_table(cli, input, &table);
  ssk_table_free(&table);
  ssk_runs_free(&runs);
  return code;
}

int ssk_verb_compare(struct ssk_cli *cli, int argc, char **argv) {
  struct input input = {0};
  char *command = ssk_cli_command(argc, argv);
  int code = ssk_cli_parse(cli, &syntax, &input, argc, argv);
  if (!code)
    code =
        ssk_is_run(cli->words[0]) ? compare_runs(cli, &input) : compare_study(cli, &input, command);
  free(command);
  return code;
}
