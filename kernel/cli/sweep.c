/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sweep.c - sskit sweep: search the settings of a recipe, by several processes. */
#include "cli/slurm.h"
#include "cli/training.h"
#include "core/file.h"
#include "sweep/crew.h"
#include "sweep/database.h"
#include "sweep/measure.h"
#include "sweep/sweep_table.h"
#include "sweep/worker.h"
#include <stdlib.h>
#include <string.h>

enum {
  KEY_JOBS = 'j',
  KEY_STORAGE = 0x2000,
  KEY_WORKER,
  KEY_TABLE,
  KEY_SELECT,
  KEY_RETRY,
  KEY_FORMAT,
  KEY_SLURM,
  KEY_TIME
};

static const struct argp_option options[] = {
    {"jobs", KEY_JOBS, "N", 0, "worker processes, each with its own trial (default: 1)", 0},
    {"storage", KEY_STORAGE, "WHERE", 0,
     "where the trials are kept, instead of the recipe's sweep.storage: a file, or "
     "postgresql://USER@HOST/DATABASE",
     0},
    {"table", KEY_TABLE, NULL, 0, "show how far the sweep is, and start nothing", 0},
    {"select", KEY_SELECT, NULL, 0,
     "print the resolved recipe of the best trial so far, and start nothing", 0},
    {"retry", KEY_RETRY, NULL, 0, "try trials again that failed", 0},
    {"format", KEY_FORMAT, "FORM", 0, "text (default), markdown, csv or json", 0},
    {"slurm", KEY_SLURM, NULL, 0,
     "print a script for sbatch, an array of N tasks of one worker each, and start nothing", 0},
    {"time", KEY_TIME, "LIMIT", 0, "with --slurm: time limit of a task (default: 24:00:00)", 0},
    {"worker", KEY_WORKER, NULL, OPTION_HIDDEN, NULL, 0},
    {0}};

static const struct {
  const char *name;
  void (*write)(const struct ssk_sweep *sweep, const struct ssk_trials *trials,
                struct ssk_text *out);
} forms[] = {{"text", ssk_sweep_text},
             {"markdown", ssk_sweep_markdown},
             {"csv", ssk_sweep_csv},
             {"json", NULL}};
enum { FORM_TEXT = 0, FORM_JSON = 3, n_forms = sizeof forms / sizeof forms[0] };

struct input {
  int jobs;
  const char *storage;
  const char *time;
  bool worker, table, select, retry, slurm;
  int form; /* index into forms */
};

static error_t parse(int key, char *arg, struct argp_state *state) {
  struct input *input = state->input;
  switch (key) {
  case KEY_JOBS:
    input->jobs = (int)ssk_cli_int(state, "--jobs", arg, 1, 1024);
    return 0;
  case KEY_STORAGE:
    input->storage = arg;
    return 0;
  case KEY_WORKER:
    input->worker = true;
    return 0;
  case KEY_TABLE:
    input->table = true;
    return 0;
  case KEY_SELECT:
    input->select = true;
    return 0;
  case KEY_RETRY:
    input->retry = true;
    return 0;
  case KEY_SLURM:
    input->slurm = true;
    return 0;
  case KEY_TIME:
    if (!*arg || arg[strspn(arg, "0123456789:-")])
      argp_error(state, "--time must be such as 90 (minutes), 12:00:00 or 2-12, not '%s'", arg);
    input->time = arg;
    return 0;
  case KEY_FORMAT:
    for (int i = 0; i < n_forms; i++)
      if (!strcmp(forms[i].name, arg)) {
        input->form = i;
        return 0;
      }
    argp_error(state, "--format must be text, markdown, csv or json, not '%s'", arg);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct ssk_syntax syntax = {
    .doc =
        "Train the trials of the sweep RECIPE (a recipe with 'sweep:'), in N worker processes, "
        "and print them as a table, the best on top. Each trial is trained with each seed into a "
        "run directory DIR/trials/TRIAL-SEED, and is worth the mean of the sweep's metric on the "
        "validation series. Where DIR is there already, the sweep goes on: the same command on "
        "several machines with one storage shares the work. A worker that dies loses nothing: "
        "its run goes on from the last checkpoint. A training that fails is recorded with the "
        "reason, and the others go on.\n\n"
        "The status is 0 when all trials ended and one has a value, though others failed; 1 when "
        "none has; 9 when a signal stopped the sweep, which the same command continues. Overrides "
        "sweep.KEY=VALUE change the sweep, all others the recipe of every trial.",
    .min_words = 1,
    .max_words = 1,
    .overrides = true,
    .threads = "threads of each worker (default: 1); the result does not depend on it",
    .options = options,
    .parser = parse,
    .output = "the sweep's directory (default: runs/NAME)",
};

/* ---- what is there --------------------------------------------------------------------------- */

static int print_trials(struct ssk_cli *cli, const struct input *input,
                        const struct ssk_sweep *sweep, const struct ssk_trials *trials) {
  if (cli->json || input->form == FORM_JSON)
    return ssk_cli_print_json(cli, ssk_sweep_json(sweep, trials));
  struct ssk_text text = {0};
  int code = SSK_OK;
  forms[input->form].write(sweep, trials, &text);
  if (text.failed)
    code = ssk_err_set(cli->err, SSK_ENOMEM, "no memory for the table");
  else
    fputs(text.data, stdout);
  ssk_text_free(&text);
  return code;
}

/* The resolved recipe of the best trial, with its first seed. */
static int best_recipe(struct ssk_cli *cli, const struct ssk_sweep *sweep,
                       const struct ssk_trials *trials, char **text) {
  const int best = ssk_trials_best(trials, sweep);
  struct ssk_experiment *e = NULL;
  *text = NULL;
  if (best < 0)
    return ssk_err_set(cli->err, SSK_EFAIL, "no trial has finished");
  int code =
      ssk_sweep_experiment(sweep, trials->items[best].point, (uint64_t)sweep->sweep.seeds.items[0],
                           cli->registry, &e, cli->err);
  if (!code && !(*text = ssk_experiment_dump(e)))
    code = ssk_err_set(cli->err, SSK_ENOMEM, "no memory for the recipe");
  ssk_experiment_free(e);
  return code;
}

/* The tables and best.yaml, in the directory. */
static int write_results(struct ssk_cli *cli, const struct ssk_sweep *sweep,
                         const struct ssk_trials *trials, const char *folder) {
  char *recipe = NULL, *file = ssk_path_join(folder, "best.yaml");
  int code = file ? ssk_sweep_write(sweep, trials, folder, cli->err)
                  : ssk_err_set(cli->err, SSK_ENOMEM, "no memory for a file name");
  if (!code && ssk_trials_best(trials, sweep) >= 0)
    code = best_recipe(cli, sweep, trials, &recipe);
  if (!code && recipe)
    code = ssk_file_write(file, recipe, strlen(recipe), cli->err);
  free(recipe);
  free(file);
  return code;
}

/* ---- running --------------------------------------------------------------------------------- */

/* The command line of a worker: this one's, as far as it matters there. Strings are borrowed, but
 * those of `made`, which the caller frees. */
enum { MADE = 3 };
static char **worker_command(const struct ssk_cli *cli, const struct input *input,
                             const char *folder, char made[MADE][32]) {
  const size_t most = (size_t)(cli->n_over + 2 * cli->n_folders + 16);
  char **words = calloc(most, sizeof *words);
  int n = 0;
  if (!words)
    return NULL;
  snprintf(made[0], sizeof made[0], "sskit");
  snprintf(made[1], sizeof made[1], "sweep");
  snprintf(made[2], sizeof made[2], "--threads=%d", cli->threads ? cli->threads : 1);
  const char *const fixed[] = {made[0],   made[1], cli->words[0], "--worker",
                               "--quiet", made[2], "-o",          folder};
  for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
    words[n++] = (char *)fixed[i];
  if (input->storage) {
    words[n++] = (char *)"--storage";
    words[n++] = (char *)input->storage;
  }
  for (int i = 0; i < cli->n_folders; i++) {
    words[n++] = (char *)"--plugin-dir";
    words[n++] = (char *)cli->folders[i];
  }
  for (int i = 0; i < cli->n_over; i++)
    words[n++] = (char *)cli->over[i];
  return words;
}

static int run_crew(struct ssk_cli *cli, const struct input *input, const struct ssk_sweep *sweep,
                    struct ssk_store *store, const char *folder) {
  char made[MADE][32];
  char **command = worker_command(cli, input, folder, made);
  const struct ssk_crew_how how = {.jobs = input->jobs,
                                   .command = command,
                                   .progress = cli->quiet ? NULL : stderr,
                                   .store = store};
  int code = command ? ssk_crew_run(&how, sweep, cli->err)
                     : ssk_err_set(cli->err, SSK_ENOMEM, "no memory for the workers");
  free(command);
  return code;
}

static int retry(struct ssk_cli *cli, struct ssk_store *store) {
  int n;
  int code = ssk_store_retry(store, &n, cli->err);
  if (!code && !cli->quiet)
    fprintf(stderr, "%d failed runs are tried again\n", n);
  return code;
}

/* Run what is left to run, then tell. */
static int sweep_on(struct ssk_cli *cli, const struct input *input, const struct ssk_sweep *sweep,
                    const char *folder, const char *storage) {
  struct ssk_store *store = NULL;
  struct ssk_trials trials = {0};
  char *recipe = NULL;
  const bool only_look = input->table || input->select;
  int code = ssk_store_open(storage, sweep, NULL, &store, cli->err);
  if (!code && input->retry && !only_look)
    code = retry(cli, store);
  int ended = code || only_look ? SSK_OK : run_crew(cli, input, sweep, store, folder);
  if (!code)
    code = ssk_store_list(store, &trials, ended ? NULL : cli->err);
  if (!code && input->select) {
    code = best_recipe(cli, sweep, &trials, &recipe);
    fputs(recipe ? recipe : "", stdout);
  } else if (!code) {
    code = write_results(cli, sweep, &trials, folder);
    if (!code && (!ended || ended == SSK_EINTERRUPTED))
      code = print_trials(cli, input, sweep, &trials);
  }
  if (!code && !ended && !only_look && ssk_trials_best(&trials, sweep) < 0)
    code = ssk_err_set(cli->err, SSK_EFAIL, "no trial has a value");
  free(recipe);
  ssk_trials_free(&trials);
  ssk_store_close(store);
  return ended ? ended : code;
}

/* Machines that share no file of SQLite need a server. */
static int print_slurm(struct ssk_cli *cli, const struct input *input,
                       const struct ssk_sweep *sweep, const char *folder) {
  if (!ssk_database_is_server(sweep->sweep.storage)) {
    ssk_err_set(cli->err, SSK_EUSAGE, "machines of a cluster cannot share a file of SQLite");
    ssk_err_hint(cli->err, "name a server that all of them reach: --storage "
                           "postgresql://USER@HOST/DATABASE");
    return SSK_EUSAGE;
  }
  const struct ssk_slurm_how how = {.name = sweep->name,
                                    .folder = folder,
                                    .storage = sweep->sweep.storage,
                                    .jobs = input->jobs,
                                    .time = input->time ? input->time : "24:00:00"};
  struct ssk_text text = {0};
  int code = ssk_slurm_script(cli, &how, &text, cli->err);
  if (!code)
    fputs(text.data, stdout);
  ssk_text_free(&text);
  return code;
}

static int sweep_in(struct ssk_cli *cli, const struct input *input, struct ssk_sweep *sweep,
                    const char *folder, const char *command) {
  if (input->storage)
    sweep->sweep.storage = input->storage;
  if (input->slurm)
    return print_slurm(cli, input, sweep, folder);
  char *storage = ssk_sweep_storage(folder, sweep);
  int code = storage ? SSK_OK : ssk_err_set(cli->err, SSK_ENOMEM, "no memory for a file name");
  const struct ssk_worker_how how = {.folder = folder,
                                     .storage = storage,
                                     .threads = cli->threads ? cli->threads : 1,
                                     .command = command};
  if (!code && (input->table || input->select) && !ssk_file_exists(folder))
    code = ssk_err_set(cli->err, SSK_EIO, "there is no sweep '%s'", folder);
  if (!code && !input->worker && !ssk_file_exists(folder))
    code = ssk_sweep_check_data(sweep, cli->registry, cli->err);
  if (!code)
    code = ssk_sweep_folder(folder, sweep, cli->err);
  if (!code)
    code = input->worker ? ssk_sweep_work(sweep, &how, cli->registry, cli->err)
                         : sweep_on(cli, input, sweep, folder, storage);
  free(storage);
  return code;
}

/* Options that say nothing together. */
static int check_options(struct ssk_cli *cli, const struct input *input) {
  const char *prints = input->select ? "--select" : input->slurm ? "--slurm" : NULL;
  if (input->table + input->select + input->slurm > 1)
    return ssk_err_set(cli->err, SSK_EUSAGE, "--table, --select and --slurm: one of them");
  if (input->retry && (prints || input->table))
    return ssk_err_set(cli->err, SSK_EUSAGE, "--retry starts trials, %s starts nothing",
                       prints ? prints : "--table");
  if (prints && (cli->json || input->form))
    return ssk_err_set(cli->err, SSK_EUSAGE, "%s is for the table, not for what %s prints",
                       cli->json ? "--json" : "--format", prints);
  return ssk_cli_is_for(cli, "--time", input->time, "--slurm", input->slurm);
}

int ssk_verb_sweep(struct ssk_cli *cli, int argc, char **argv) {
  struct input input = {.jobs = 1};
  struct ssk_sweep *sweep = NULL;
  char *command = ssk_cli_command(argc, argv), *folder = NULL;
  int code = ssk_cli_parse(cli, &syntax, &input, argc, argv);
  if (!code)
    code = check_options(cli, &input);
  if (!code && !ssk_is_sweep_recipe(cli->words[0]) && ssk_file_exists(cli->words[0])) {
    struct ssk_tree *tree =
        ssk_tree_load(cli->words[0], 0, NULL, getenv("SSKIT_RECIPE_PATH"), cli->err);
    code = tree ? ssk_err_set(cli->err, SSK_EUSAGE, "'%s' is no sweep: it has no key 'sweep'",
                              cli->words[0])
                : ssk_err_code(cli->err);
    ssk_tree_free(tree);
  }
  if (!code)
    code = ssk_sweep_load(cli->words[0], cli->n_over, cli->over, cli->registry, &sweep, cli->err);
  if (!code) {
    struct ssk_text path = {0};
    ssk_text_printf(&path, "runs/%s", sweep->name);
    folder = cli->output ? strdup(cli->output) : path.data ? strdup(path.data) : NULL;
    ssk_text_free(&path);
    code = folder ? sweep_in(cli, &input, sweep, folder, command)
                  : ssk_err_set(cli->err, SSK_ENOMEM, "no memory for a file name");
  }
  free(folder);
  free(command);
  ssk_sweep_free(sweep);
  return code;
}
