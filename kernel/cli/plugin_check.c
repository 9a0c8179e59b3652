/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plugin_check.c - sskit plugin check: each plugin in a process of its own, which a plugin that
 * crashes ends alone, and an alarm one that goes on for ever. The child writes its results into a
 * pipe, a line a result, and the parent prints them:
 *
 *     begin TAB component TAB check
 *     end TAB component TAB check TAB outcome TAB detail
 */
#include "cli/plugin.h"
#include "core/file.h"
#include "core/text.h"
#include "registry/registry.h"
#include "report/component_check.h"
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const outcomes[] = {"ok", "failed", "skipped"};

/* ---- in the child ---------------------------------------------------------------------------- */

struct child {
  FILE *out;
  char who[128]; /* the component, "" for the plugin itself */
  int limit;     /* seconds for a check; 0: none */
};

/* The alarm holds until the next check begins, or the process has ended. */
static void tell_begin(void *user, const char *check) {
  struct child *child = user;
  alarm((unsigned)child->limit);
  fprintf(child->out, "begin\t%s\t%s\n", child->who, check);
  fflush(child->out);
}

static void tell_end(void *user, const char *check, enum ssk_outcome outcome, const char *detail) {
  struct child *child = user;
  fprintf(child->out, "end\t%s\t%s\t%s\t", child->who, check, outcomes[outcome]);
  for (; *detail; detail++) /* a line is a result */
    fputc(*detail == '\n' || *detail == '\t' ? ' ' : *detail, child->out);
  fputc('\n', child->out);
  fflush(child->out);
}

/* The file alone; then, behind it, what its components may want as neighbours. */
static int load(struct ssk_registry *registry, const char *file, struct ssk_check_report *report,
                ssk_err *err) {
  struct ssk_diagnostic first;
  ssk_check_begin(report, "load");
  int code = ssk_registry_add_file(registry, file, err);
  if (code && ssk_err_get(err, 0, &first))
    ssk_check_end(report, "load", SSK_CHECK_FAILED, first.hint ? "%s (%s)" : "%s", first.message,
                  first.hint);
  else
    ssk_check_end(report, "load", SSK_CHECK_OK,
                  "safe, of this ABI, its descriptors and slots are "
                  "complete");
  return code;
}

static int add_neighbours(const struct ssk_cli *cli, struct ssk_registry *registry, ssk_err *err) {
  int code = SSK_OK;
  for (int i = 0; i < cli->n_folders && !code; i++)
    code = ssk_registry_add_folder(registry, cli->folders[i], err);
  return code ? code : ssk_registry_add_default(registry, err);
}

/* The exit status of the child. */
static int check_file(struct ssk_cli *cli, const char *file, const char *recipe,
                      struct child *child) {
  enum { MOST = 64 };
  struct ssk_check_report report = {tell_begin, tell_end, child, 0};
  const struct ssk_component *components[MOST];
  ssk_err *err = ssk_err_new();
  struct ssk_registry *registry = ssk_registry_new(err);
  int n = 0;
  if (!registry || load(registry, file, &report, err))
    return SSK_EPLUGIN;
  while (n < MOST && (components[n] = ssk_registry_at(registry, n, NULL)))
    n++;
  if (add_neighbours(cli, registry, err)) {
    ssk_check_end(&report, "neighbours", SSK_CHECK_FAILED, "%s", ssk_err_message(err, 0));
    return SSK_EPLUGIN;
  }
  for (int i = 0; i < n; i++) {
    snprintf(child->who, sizeof child->who, "%s %s", ssk_kind_name(components[i]->kind),
             components[i]->name);
    ssk_component_check(components[i], registry, recipe, cli->n_over, cli->over, &report);
  }
  ssk_registry_free(registry);
  ssk_err_free(err);
  return report.failed ? SSK_EFAIL : SSK_OK;
}

/* ---- in the parent --------------------------------------------------------------------------- */

struct result {
  const char *file;
  json_t *all;           /* with --json, else NULL */
  char who[128], at[64]; /* the check that has begun and not ended; at: "" none */
};

static void show(const struct ssk_cli *cli, const struct result *result, const char *who,
                 const char *check, const char *outcome, const char *detail) {
  if (result->all)
    json_array_append_new(result->all,
                          json_pack("{s:s, s:s, s:s, s:s, s:s}", "file", result->file, "component",
                                    who, "check", check, "outcome", outcome, "detail", detail));
  else if (!cli->quiet || !strcmp(outcome, "failed"))
    printf("%-8s%s%s%s: %s\n", outcome, who, *who ? ": " : "", check, detail);
}

static void take(const struct ssk_cli *cli, struct result *result, char *line) {
  char *field[5] = {0};
  line[strcspn(line, "\n")] = 0;
  for (int i = 0; i < 5 && line; i++)
    field[i] = strsep(&line, "\t");
  if (field[2] && !strcmp(field[0], "begin")) {
    snprintf(result->who, sizeof result->who, "%s", field[1]);
    snprintf(result->at, sizeof result->at, "%s", field[2]);
  } else if (field[4]) {
    show(cli, result, field[1], field[2], field[3], field[4]);
    result->at[0] = 0;
  }
}

/* The status of one file. */
static int run_child(struct ssk_cli *cli, struct result *result, const char *recipe, int limit) {
  int ends[2], status = 0;
  fflush(stdout);
  const pid_t child = pipe(ends) == 0 ? fork() : -1;
  if (child < 0)
    return ssk_err_set(cli->err, SSK_EFAIL, "cannot start a process: %s", strerror(errno));
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);   /* what runs for ever ends with its parent */
    dup2(STDERR_FILENO, STDOUT_FILENO); /* what a plugin prints is no result */
    close(ends[0]);
    signal(SIGALRM, SIG_DFL);
    struct child me = {.out = fdopen(ends[1], "w"), .limit = limit};
    const int code = me.out ? check_file(cli, result->file, recipe, &me) : SSK_ENOMEM;
    if (me.out)
      fclose(me.out);
    fflush(stdout);
    _exit(code);
  }
  close(ends[1]);
  FILE *in = fdopen(ends[0], "r");
  char *line = NULL;
  size_t room = 0;
  while (in && getline(&line, &room, in) > 0)
    take(cli, result, line);
  free(line);
  if (in)
    fclose(in);
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status) || *result->at) {
    char detail[128];
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
      snprintf(detail, sizeof detail, "it has not ended after %d s (--limit)", limit);
    else if (WIFSIGNALED(status))
      snprintf(detail, sizeof detail, "it crashed: %s", strsignal(WTERMSIG(status)));
    else
      snprintf(detail, sizeof detail, "it ended the process, with status %d", WEXITSTATUS(status));
    show(cli, result, result->who, *result->at ? result->at : "end", "failed", detail);
    return SSK_EFAIL;
  }
  return WEXITSTATUS(status);
}

/* ---- files ----------------------------------------------------------------------------------- */

struct files {
  int n;
  char **paths;
};

static int add_file(struct files *files, char *path) {
  char **grown = path ? realloc(files->paths, ((size_t)files->n + 1) * sizeof *grown) : NULL;
  if (!grown) {
    free(path);
    return SSK_ENOMEM;
  }
  files->paths = grown;
  grown[files->n++] = path;
  return SSK_OK;
}

/* The *.so in and under a folder, in the order of names, down to FOLDER/plugins/KIND. */
static int collect(struct files *files, const char *folder, int depth) {
  struct dirent **entries;
  int n = scandir(folder, &entries, NULL, alphasort), code = n < 0 ? SSK_EIO : SSK_OK;
  for (int i = 0; i < n; i++) {
    const char *name = entries[i]->d_name, *end = strrchr(name, '.');
    struct stat info;
    char *path = !code && *name != '.' ? ssk_path_join(folder, name) : NULL;
    if (path && stat(path, &info) == 0) {
      if (S_ISDIR(info.st_mode) && depth > 0) {
        code = collect(files, path, depth - 1);
      } else if (S_ISREG(info.st_mode) && end && !strcmp(end, ".so")) {
        code = add_file(files, path);
        path = NULL;
      }
    }
    free(path);
    free(entries[i]);
  }
  if (n >= 0)
    free(entries);
  return code;
}

static int find_files(struct ssk_cli *cli, struct files *files) {
  const char *where = cli->words[1];
  struct stat info;
  int code;
  if (stat(where, &info) != 0)
    return ssk_err_set(cli->err, SSK_EPLUGIN, "cannot read '%s': %s", where, strerror(errno));
  if (S_ISDIR(info.st_mode))
    code = collect(files, where, 3);
  else /* dlopen looks for names without a slash elsewhere */
    code = add_file(files, strchr(where, '/') ? strdup(where) : ssk_path_join(".", where));
  if (code)
    return ssk_err_set(cli->err, code, "cannot read the folder '%s'", where);
  return files->n ? SSK_OK
                  : ssk_err_set(cli->err, SSK_EPLUGIN, "there is no plugin, *.so, in '%s'", where);
}

int ssk_plugin_check(struct ssk_cli *cli, const char *recipe, int limit) {
  struct files files = {0};
  json_t *all = cli->json ? json_array() : NULL;
  int code = find_files(cli, &files);
  for (int i = 0; i < files.n && !ssk_err_code(cli->err); i++) {
    struct result result = {.file = files.paths[i], .all = all};
    if (!all && !cli->quiet && files.n > 1)
      printf("%s%s%s%s\n", i ? "\n" : "", ssk_cli_bold(cli), result.file, ssk_cli_plain(cli));
    const int status = run_child(cli, &result, recipe, limit);
    code = status > code ? status : code;
  }
  if (code && !ssk_err_code(cli->err))
    ssk_err_set(cli->err, code, "a plugin does not pass its checks");
  for (int i = 0; i < files.n; i++)
    free(files.paths[i]);
  free(files.paths);
  if (all && ssk_err_count(cli->err) <= 1) {
    const int failed = ssk_cli_print_json(cli, all);
    return code ? code : failed;
  }
  json_decref(all);
  return code;
}
