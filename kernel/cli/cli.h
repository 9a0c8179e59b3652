/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cli.h - what the verbs of the program share: the command line, the registry, the output.
 *
 * A verb is one row in verbs.def and one file with
 *
 *     int ssk_verb_<name>(struct ssk_cli *cli, int argc, char **argv);
 *
 * which first calls ssk_cli_parse (argv[0] is "sskit <name>"), then does its work with cli->words,
 * cli->over and cli->registry, prints its result to standard output (as JSON when cli->json), and
 * returns a code of err.h with the reasons in cli->err: the program prints them and leaves with
 * that status. */
#ifndef SSK_CLI_CLI_H
#define SSK_CLI_CLI_H

#include "cli/format.h"
#include <argp.h>
#include <jansson.h>
#include <sskit/err.h>
#include <stdint.h>

struct ssk_experiment;
struct ssk_ranks;
struct ssk_registry;

struct ssk_cli {
  ssk_err *err;                  /* never NULL */
  struct ssk_registry *registry; /* all plugins; set by ssk_cli_parse */
  struct ssk_ranks *ranks;       /* the other processes of this command; set by ssk_cli_parse */
  bool silent;                   /* another rank prints what there is to print */
  bool json;                     /* results as JSON on standard output */
  bool quiet;                    /* no remarks, no progress */
  bool verbose;                  /* more remarks */
  bool colour;                   /* standard output takes colours */
  bool colour_err;               /* standard error takes colours */
  int n_words;                   /* the arguments that are neither options nor overrides */
  const char **words;
  int n_over; /* the arguments of the form a.b.c=value, in order */
  const char **over;
  int threads;               /* 0: one a processor */
  const char *output;        /* NULL: not given */
  enum ssk_format format;    /* of what is written, for verbs that take --format */
  const char *format_wanted; /* by --format; NULL: not given */
  /* Private to main.c, cli.c and interface.c. */
  bool asked;                      /* the verb is asked for its syntax only */
  const struct ssk_syntax *syntax; /* its answer */
  const char *args;                /* of the verb that runs: its column in verbs.def */
  bool no_colour;
  _Atomic uint64_t remark; /* hash of the latest that was printed */
  int n_folders;
  const char **folders;
};

/* The help of --threads where the work is this process's own. */
#define SSK_CLI_THREADS "threads (default: one a processor); the result does not depend on it"

/* What a verb takes on its command line, besides the options that every verb takes. */
struct ssk_syntax {
  const char *doc;                   /* for --help: paragraphs */
  int min_words, max_words;          /* how many words; max_words -1: any number */
  bool overrides;                    /* takes KEY=VALUE arguments */
  const char *threads;               /* takes --threads, into cli->threads; its help; NULL: not */
  bool run;                          /* its word is a run, which --checkpoint may name, too */
  bool ranks;                        /* several processes may share the work */
  const char *output;                /* takes -o, into cli->output; its help; NULL: does not */
  const char *formats;               /* takes --format, into cli->format; their names, the one that
                                        is usual first: "csv|json"; NULL: does not */
  const struct argp_option *options; /* the verb's own options; NULL: none */
  argp_parser_t parser;              /* handles them (state->input is `input`); returns
                                        ARGP_ERR_UNKNOWN for every other key */
};

/* Parse a verb's command line, load the plugins and meet the other ranks, all of which return the
 * same code. --help, --version and wrong options leave the program from here, as argp does. */
int ssk_cli_parse(struct ssk_cli *cli, const struct ssk_syntax *syntax, void *input, int argc,
                  char **argv);
/* Within a verb's parser: the option's argument as an integer of [lo, hi]; else a usage error. */
int64_t ssk_cli_int(const struct argp_state *state, const char *option, const char *arg, int64_t lo,
                    int64_t hi);
/* For options that mean something only beside another, which `meets` says is there: SSK_EUSAGE
 * where `option` was `given` alone. */
int ssk_cli_is_for(struct ssk_cli *cli, const char *option, bool given, const char *other,
                   bool meets);
/* The parser of a verb that has one option of its own, without an argument, whose key is
 * SSK_CLI_FLAG: it sets the bool that is the verb's `input`. */
enum { SSK_CLI_FLAG = 0x2000 };
error_t ssk_cli_parse_flag(int key, char *arg, struct argp_state *state);
/* The kind of that name (enum ssk_kind); -1, with the nearest as a hint. */
int ssk_cli_kind(const char *name, ssk_err *err);
/* Load the recipe words[0] with the overrides. */
int ssk_cli_load(struct ssk_cli *cli, struct ssk_experiment **out);
/* Print a JSON value to standard output and release it; NULL is SSK_ENOMEM. */
int ssk_cli_print_json(struct ssk_cli *cli, json_t *value);
/* A number; null where it is not finite: JSON has neither NaN nor infinity. */
json_t *ssk_cli_real(double value);
/* Text of any encoding: what is no UTF-8 becomes U+FFFD. NULL without memory. */
json_t *ssk_cli_text(const char *text);
/* Into a JSON object: what a validation's parts sum to, under its name (model/evaluate_bound.h) and
 * this ending. */
void ssk_cli_add_sum(json_t *object, bool path_loss, const char *ending, double value);
/* Start of a heading on standard output, and back to normal: "" without colours. */
const char *ssk_cli_bold(const struct ssk_cli *cli);
const char *ssk_cli_plain(const struct ssk_cli *cli);

/* For main.c: the options that every verb takes (input: the struct ssk_cli), the decision about
 * colours after they were read, and the release of what the struct holds (but err), which waits for
 * all ranks. */
extern const struct argp ssk_cli_globals;
/* The options that several verbs have, as far as this one takes them, and an end behind
 * them: into options[SSK_CLI_SHARED]. */
enum { SSK_CLI_SHARED = 5 };
void ssk_cli_shared_options(const struct ssk_syntax *syntax, struct argp_option *options);
void ssk_cli_settle(struct ssk_cli *cli);
void ssk_cli_release(struct ssk_cli *cli);

#define SSK_VERB(name, args, help) int ssk_verb_##name(struct ssk_cli *cli, int argc, char **argv);
#include "cli/verbs.def"
#undef SSK_VERB

#endif
