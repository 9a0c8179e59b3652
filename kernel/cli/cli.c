/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cli.c - the command line of every verb (GNU argp: the verb's options and the common ones), and
 * the small things that verbs share. */
#include "cli/cli.h"
#include "core/text.h"
#include "model/evaluate_bound.h"
#include "registry/registry.h"
#include "train/ranks.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- options that every verb takes ------------------------------------------------------------
 */

enum { KEY_PLUGIN_DIR = 0x1000, KEY_JSON, KEY_NO_COLOUR, KEY_THREADS, KEY_CHECKPOINT, KEY_FORMAT };

static const struct argp_option global_options[] = {
    {"plugin-dir", KEY_PLUGIN_DIR, "DIR", 0, "also load the plugins of DIR (repeatable)", 0},
    {"json", KEY_JSON, NULL, 0, "print results as JSON", 0},
    {"quiet", 'q', NULL, 0, "print results and errors only", 0},
    {"verbose", 'v', NULL, 0, "say more about what is done", 0},
    {"no-colour", KEY_NO_COLOUR, NULL, 0, "no colours, on a terminal too", 0},
    {"no-color", KEY_NO_COLOUR, NULL, OPTION_ALIAS | OPTION_HIDDEN, NULL, 0},
    {0}};

/* Append to a growing list of borrowed strings. */
static error_t append(int *n, const char ***items, const char *item) {
  const char **grown = realloc(*items, ((size_t)*n + 1) * sizeof **items);
  if (!grown)
    return ENOMEM;
  grown[(*n)++] = item;
  *items = grown;
  return 0;
}

static error_t parse_global(int key, char *arg, struct argp_state *state) {
  struct ssk_cli *cli = state->input;
  switch (key) {
  case KEY_PLUGIN_DIR:
    return append(&cli->n_folders, &cli->folders, arg);
  case KEY_JSON:
    cli->json = true;
    return 0;
  case 'q':
    cli->quiet = true;
    cli->verbose = false;
    return 0;
  case 'v':
    cli->verbose = true;
    cli->quiet = false;
    return 0;
  case KEY_NO_COLOUR:
    cli->no_colour = true;
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

const struct argp ssk_cli_globals = {.options = global_options, .parser = parse_global};

/* Colours only on a terminal that knows them, and never against NO_COLOR (no-color.org). */
void ssk_cli_settle(struct ssk_cli *cli) {
  const char *no_color = getenv("NO_COLOR");
  const char *term = getenv("TERM");
  bool wanted =
      !cli->no_colour && !(no_color && *no_color) && term && *term && strcmp(term, "dumb") != 0;
  cli->colour = wanted && isatty(STDOUT_FILENO);
  cli->colour_err = wanted && isatty(STDERR_FILENO);
}

void ssk_cli_release(struct ssk_cli *cli) {
  ssk_registry_free(cli->registry);
  cli->registry = NULL;
  free(cli->words);
  free(cli->over);
  free(cli->folders);
  cli->words = cli->over = cli->folders = NULL;
  cli->n_words = cli->n_over = cli->n_folders = 0;
  ssk_ranks_end(cli->ranks);
  cli->ranks = NULL;
}

/* ---- a verb's command line --------------------------------------------------------------------
 */

/* An override starts with a dotted key and '='; what has a slash before the '=' is a file name. */
static bool is_override(const char *arg) {
  size_t key = strspn(arg, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.");
  if (arg[key] == '+')
    key++;
  return key > 0 && arg[0] != '.' && arg[key] == '=';
}

/* The options that several verbs have, and mean alike. */
static error_t parse_shared(int key, char *arg, struct argp_state *state) {
  struct ssk_cli *cli = state->input;
  switch (key) {
  case KEY_THREADS:
    cli->threads = (int)ssk_cli_int(state, "--threads", arg, 1, 1024);
    return 0;
  case 'o':
    if (!*arg)
      argp_error(state, "--output needs a name");
    for (size_t n = strlen(arg); n > 1 && arg[n - 1] == '/'; n--)
      arg[n - 1] = '\0';
    cli->output = arg;
    return 0;
  case KEY_FORMAT:
    cli->format_wanted = arg;
    return 0;
  case KEY_CHECKPOINT:
    return append(&cli->n_words, &cli->words, arg);
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

void ssk_cli_shared_options(const struct ssk_syntax *syntax, struct argp_option *options) {
  int n = 0;
  if (syntax->output)
    options[n++] =
        (struct argp_option){.name = "output", .key = 'o', .arg = "PATH", .doc = syntax->output};
  if (syntax->formats)
    options[n++] = (struct argp_option){
        .name = "format",
        .key = KEY_FORMAT,
        .arg = syntax->formats,
        .doc = "what is written (default: by the ending of --output, else by --json, else csv)"};
  if (syntax->threads)
    options[n++] = (struct argp_option){
        .name = "threads", .key = KEY_THREADS, .arg = "N", .doc = syntax->threads};
  if (syntax->run)
    options[n++] = (struct argp_option){.name = "checkpoint",
                                        .key = KEY_CHECKPOINT,
                                        .arg = "RUN",
                                        .doc = "another way to name RUN"};
  options[n] = (struct argp_option){0};
}

struct back {
  struct ssk_cli *cli;
  void *input;
};

static error_t parse_back(int key, char *arg, struct argp_state *state) {
  struct back *back = state->input;
  struct ssk_cli *cli = back->cli;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = back->input;
    state->child_inputs[1] = state->child_inputs[2] = cli;
    return 0;
  case ARGP_KEY_ARG:
    return is_override(arg) ? append(&cli->n_over, &cli->over, arg)
                            : append(&cli->n_words, &cli->words, arg);
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static error_t parse_nothing(int key, char *arg, struct argp_state *state) {
  (void)key, (void)arg, (void)state;
  return ARGP_ERR_UNKNOWN;
}

static int check_count(struct ssk_cli *cli, const struct ssk_syntax *syntax, const char *name) {
  if (cli->n_words < syntax->min_words)
    ssk_err_set(cli->err, SSK_EUSAGE, "'%s' needs more arguments", name);
  else if (syntax->max_words >= 0 && cli->n_words > syntax->max_words)
    ssk_err_set(cli->err, SSK_EUSAGE, "'%s' does not take the argument '%s'", name,
                cli->words[syntax->max_words]);
  else if (!syntax->overrides && cli->n_over > 0)
    ssk_err_set(cli->err, SSK_EUSAGE, "'%s' does not take the override '%s'", name, cli->over[0]);
  else
    return SSK_OK;
  ssk_err_hint(cli->err, "usage: %s %s", name, cli->args);
  return SSK_EUSAGE;
}

static int load_plugins(struct ssk_cli *cli) {
  cli->registry = ssk_registry_new(cli->err);
  if (!cli->registry)
    return SSK_ENOMEM;
  for (int i = 0; i < cli->n_folders; i++) {
    int code = ssk_registry_add_folder(cli->registry, cli->folders[i], cli->err);
    if (code)
      return code;
  }
  return ssk_registry_add_default(cli->registry, cli->err);
}

static int parse_line(struct ssk_cli *cli, const struct ssk_syntax *syntax, void *input, int argc,
                      char **argv) {
  struct argp own = {.options = syntax->options,
                     .parser = syntax->parser ? syntax->parser : parse_nothing};
  struct argp_option options[SSK_CLI_SHARED];
  ssk_cli_shared_options(syntax, options);
  struct argp shared = {.options = options, .parser = parse_shared};
  struct argp_child children[] = {{&own, 0, NULL, 0},
                                  {&shared, 0, NULL, 0},
                                  {&ssk_cli_globals, 0, "Common options:", 1},
                                  {NULL, 0, NULL, 0}};
  struct argp argp = {
      .parser = parse_back, .args_doc = cli->args, .doc = syntax->doc, .children = children};
  struct back back = {.cli = cli, .input = input};
  error_t failed = argp_parse(&argp, argc, argv, cli->silent ? ARGP_NO_ERRS : 0, NULL, &back);
  ssk_cli_settle(cli);
  if (failed)
    return ssk_err_set(cli->err, failed == ENOMEM ? SSK_ENOMEM : SSK_EUSAGE,
                       "cannot read the command line: %s", strerror(failed));
  int code = check_count(cli, syntax, argv[0]);
  if (!code && syntax->formats)
    code = ssk_format_settle(cli, syntax->formats);
  return code ? code : load_plugins(cli);
}

/* A silent rank whose command line was wrong waits for the others too: the rank that prints ends
 * the program, and the launcher then ends them all. */
int ssk_cli_parse(struct ssk_cli *cli, const struct ssk_syntax *syntax, void *input, int argc,
                  char **argv) {
  if (cli->asked) {
    cli->syntax = syntax;
    return SSK_EUSAGE; /* the verb ends */
  }
  int code = parse_line(cli, syntax, input, argc, argv);
  int failure = ssk_ranks_start(&cli->ranks, cli->err);
  if (failure)
    return failure;
  cli->silent = !ssk_ranks_lead(cli->ranks);
  if (!code && cli->ranks && !syntax->ranks)
    code = ssk_err_set(cli->err, SSK_EUSAGE, "'%s' is the work of one process, and %d were started",
                       argv[0], ssk_ranks_count(cli->ranks));
  return ssk_ranks_agree(cli->ranks, code, cli->err);
}

int64_t ssk_cli_int(const struct argp_state *state, const char *option, const char *arg, int64_t lo,
                    int64_t hi) {
  char *end;
  errno = 0;
  long long value = strtoll(arg, &end, 10);
  if (errno || end == arg || *end || value < lo || value > hi)
    argp_error(state, "%s must be an integer from %lld to %lld, not '%s'", option, (long long)lo,
               (long long)hi, arg);
  return value;
}

int ssk_cli_is_for(struct ssk_cli *cli, const char *option, bool given, const char *other,
                   bool meets) {
  return given && !meets ? ssk_err_set(cli->err, SSK_EUSAGE, "%s is for %s", option, other)
                         : SSK_OK;
}

int ssk_cli_kind(const char *name, ssk_err *err) {
  int kind = ssk_kind_by_name(name);
  if (kind >= 0)
    return kind;
  struct ssk_nearest nearest = {.wanted = name};
  struct ssk_text all = {0};
  for (int i = 0; i < SSK_KIND_COUNT; i++) {
    ssk_nearest_offer(&nearest, ssk_kind_name(i));
    ssk_text_printf(&all, "%s%s", i ? ", " : "", ssk_kind_name(i));
  }
  ssk_err_set(err, SSK_EUSAGE, "there is no kind '%s'", name);
  if (nearest.best)
    ssk_err_hint(err, "did you mean '%s'?", nearest.best);
  else
    ssk_err_hint(err, "the kinds are %s", all.data ? all.data : "?");
  ssk_text_free(&all);
  return -1;
}

/* ---- output -----------------------------------------------------------------------------------
 */

int ssk_cli_print_json(struct ssk_cli *cli, json_t *value) {
  if (!value)
    return ssk_err_set(cli->err, SSK_ENOMEM, "no memory for the result");
  int failed =
      json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
  json_decref(value);
  putchar('\n');
  return failed ? ssk_err_set(cli->err, SSK_EIO, "cannot write the result as JSON") : SSK_OK;
}

void ssk_cli_add_sum(json_t *object, bool path_loss, const char *ending, double value) {
  char key[32];
  snprintf(key, sizeof key, "%s%s", ssk_measure_name(path_loss), ending);
  json_object_set_new(object, key, ssk_cli_real(value));
}

error_t ssk_cli_parse_flag(int key, char *arg, struct argp_state *state) {
  (void)arg;
  if (key != SSK_CLI_FLAG)
    return ARGP_ERR_UNKNOWN;
  *(bool *)state->input = true;
  return 0;
}

/* Names of series and files may be in another encoding than UTF-8, which JSON must be in. */
json_t *ssk_cli_text(const char *text) {
  json_t *value = json_string(text);
  struct ssk_text safe = {0};
  for (const char *at = text; !value && *at; at++)
    ssk_text_printf(&safe, (*at & 0x80) ? "\xEF\xBF\xBD" : "%c", *at); /* U+FFFD */
  if (!value && !safe.failed)
    value = json_string(safe.data ? safe.data : "");
  ssk_text_free(&safe);
  return value;
}

json_t *ssk_cli_real(double value) {
  return isfinite(value) ? json_real(value) : json_null();
}

const char *ssk_cli_bold(const struct ssk_cli *cli) {
  return cli->colour ? "\033[1m" : "";
}
const char *ssk_cli_plain(const struct ssk_cli *cli) {
  return cli->colour ? "\033[0m" : "";
}
