/* SPDX-License-Identifier: GPL-3.0-or-later */
/* main.c - the program sskit: options that every verb takes, then the verb, by the table that
 * verbs.def makes. Errors are printed here, and their code is the exit status. */
#include "cli/interface.h"
#include "core/cpu.h"
#include "core/hash.h"
#include "core/log.h"
#include "core/text.h"
#include "sweep/database.h"
#include "train/ranks.h"
#include <errno.h>
#include <sskit/plugin.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static void print_version(FILE *stream, struct argp_state *state) {
  (void)state;
  char mpi[64], databases[96];
  const bool with_mpi = ssk_ranks_library(mpi, sizeof mpi);
  fprintf(stream,
          "sskit %s (plugin ABI %u, %s precision, %s)\n"
          "Sweeps are kept in: %s\n"
          "License GPLv3+: GNU GPL version 3 or later <https://gnu.org/licenses/gpl.html>.\n"
          "This is free software: you are free to change and redistribute it.\n"
          "There is NO WARRANTY, to the extent permitted by law.\n",
          SSK_KERNEL_VERSION, SSK_ABI, sizeof(ssk_real) == 4 ? "single" : "double",
          with_mpi ? mpi : "without MPI", ssk_database_kinds(databases));
}

/* ---- help ------------------------------------------------------------------------------------ */

/* The texts round the list of options; argp frees what is not `text`. */
static char *help_filter(int key, const char *text, void *input) {
  (void)input;
  struct ssk_text out = {0};
  if (key == ARGP_KEY_HELP_PRE_DOC) {
    ssk_text_add(&out, "Train, evaluate and compare deep state-space models that recipes describe "
                       "and plugins make up.\n\nVerbs:\n");
    for (int i = 0; i < ssk_n_verbs; i++)
      ssk_text_printf(&out, "  %-11s %s\n", ssk_verbs[i].name, ssk_verbs[i].help);
  } else if (key == ARGP_KEY_HELP_POST_DOC) {
    ssk_text_printf(&out,
                    "'sskit help VERB' explains a verb.\n\nExit status:\n%s\nEnvironment:\n%s",
                    ssk_exit_statuses, ssk_environment);
  } else {
    return (char *)text;
  }
  return out.data ? out.data : (char *)text;
}

/* ---- the command line up to the verb ----------------------------------------------------------
 */

struct front {
  struct ssk_cli *cli;
  int verb; /* index of the verb in argv; 0: none */
};

static error_t parse_front(int key, char *arg, struct argp_state *state) {
  struct front *front = state->input;
  (void)arg;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = front->cli;
    return 0;
  case ARGP_KEY_ARG:
    front->verb = state->next - 1;
    state->next = state->argc; /* the rest is the verb's */
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static int run_verb(struct ssk_cli *cli, const struct ssk_verb *verb, int argc, char **argv) {
  char name[64];
  snprintf(name, sizeof name, "sskit %s", verb->name);
  argv[0] = name;
  cli->args = verb->args;
  int code = verb->run(cli, argc, argv);
  if (fflush(stdout) != 0 || ferror(stdout)) {
    int reason = ssk_err_set(cli->err, SSK_EIO, "cannot write standard output: %s",
                             errno ? strerror(errno) : "output error");
    code = code ? code : reason;
  }
  return code;
}

/* 'help' and 'help VERB', as other programs have them, to '--help' and 'VERB --help'. */
static void turn_help(int argc, char **argv) {
  static char help[] = "--help";
  if (argc > 1 && argc <= 3 && strcmp(argv[1], "help") == 0) {
    argv[1] = argc == 3 && strcmp(argv[2], "help") != 0 ? argv[2] : help;
    argv[argc - 1] = help;
  }
}

static int run(struct ssk_cli *cli, int argc, char **argv) {
  static const struct argp_child children[] = {{&ssk_cli_globals, 0, NULL, 0}, {NULL, 0, NULL, 0}};
  static const struct argp argp = {.parser = parse_front,
                                   .args_doc = "VERB [ARGUMENT...]",
                                   .doc = "\v", /* both texts come from help_filter */
                                   .children = children,
                                   .help_filter = help_filter};
  static char program[] = "sskit"; /* libtool's wrapper must not show in messages */
  struct front front = {.cli = cli};
  argv[0] = program;
  turn_help(argc, argv);
  argp_program_version_hook = print_version;
  argp_err_exit_status = SSK_EUSAGE;
  error_t failed = argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &front);
  ssk_cli_settle(cli);
  if (failed)
    return ssk_err_set(cli->err, failed == ENOMEM ? SSK_ENOMEM : SSK_EUSAGE,
                       "cannot read the command line: %s", strerror(failed));
  if (front.verb == 0) {
    ssk_err_set(cli->err, SSK_EUSAGE, "no verb was given");
    ssk_err_hint(cli->err, "'sskit --help' lists the verbs");
    return SSK_EUSAGE;
  }
  const struct ssk_verb *verb = ssk_verb_find(argv[front.verb], cli->err);
  return verb ? run_verb(cli, verb, argc - front.verb, argv + front.verb) : SSK_EUSAGE;
}

/* ---- all of it
 * -------------------------------------------------------------------------------------
 */

static void print_log(enum ssk_log_level level, const char *message, void *state) {
  struct ssk_cli *cli = state;
  if (cli->quiet || cli->silent || (level == SSK_LOG_DEBUG && !cli->verbose))
    return;
  const uint64_t hash = ssk_hash_text(0, message);
  if (atomic_exchange(&cli->remark, hash) == hash)
    return; /* of the next run of a study, say: once is enough */
  fprintf(stderr, "sskit: %s%s\n", level == SSK_LOG_WARNING ? "warning: " : "", message);
}

int main(int argc, char **argv) {
  struct ssk_cli cli = {.err = ssk_err_new(), .silent = ssk_ranks_started_as_follower()};
  if (!cli.err) {
    fputs("sskit: error: no memory\n", stderr);
    return SSK_ENOMEM;
  }
  ssk_log_to(print_log, &cli);
  int code = ssk_cpu_check(cli.err);
  if (code == SSK_OK)
    code = run(&cli, argc, argv);
  if (!cli.silent)
    ssk_err_print(cli.err, stderr, cli.colour_err);
  /* A launcher ends all ranks at the first status that is not 0: one that never met rank 0 would
   * cut short what that has to say. */
  if (cli.silent && !cli.ranks)
    code = SSK_OK;
  ssk_cli_release(&cli);
  ssk_log_to(NULL, NULL);
  ssk_err_free(cli.err);
  return code;
}
