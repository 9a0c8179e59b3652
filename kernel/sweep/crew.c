/* SPDX-License-Identifier: GPL-3.0-or-later */
/* crew.c - starting, watching and replacing worker processes. */
#include "sweep/crew.h"
#include "core/clock.h"
#include "core/file.h"
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- the directory --------------------------------------------------------------------------- */

static int check_folder(const char *folder, const char *file, const struct ssk_sweep *sweep,
                        ssk_err *err) {
  char *there = NULL;
  size_t size;
  if (!ssk_file_exists(file)) {
    ssk_err_set(err, SSK_EIO, "'%s' is there already and is no sweep", folder);
    ssk_err_hint(err, "name another directory with -o");
    return SSK_EIO;
  }
  int code = ssk_file_read(file, (size_t)1 << 24, &there, &size, err);
  if (!code && strcmp(there, sweep->identity) != 0) {
    code = ssk_err_set(err, SSK_ERECIPE, "'%s' is the directory of another sweep", folder);
    ssk_err_hint(err, "'%s' says which; name another directory with -o", file);
  }
  free(there);
  return code;
}

/* Several processes may begin at once: the directory appears whole, by the rename of one of them.
 */
static int make_folder(const char *folder, const struct ssk_sweep *sweep, ssk_err *err) {
  char ending[32];
  struct ssk_text path = {0}, file = {0}, trials = {0};
  snprintf(ending, sizeof ending, ".new%ld", (long)getpid());
  ssk_text_printf(&path, "%s%s", folder, ending);
  ssk_text_printf(&file, "%s/sweep.yaml", path.data ? path.data : "");
  ssk_text_printf(&trials, "%s/trials", path.data ? path.data : "");
  int code = path.failed || file.failed || trials.failed
                 ? ssk_err_set(err, SSK_ENOMEM, "no memory for a file name")
                 : ssk_folder_make(trials.data, err);
  if (!code)
    code = ssk_file_write(file.data, sweep->identity, strlen(sweep->identity), err);
  if (!code && rename(path.data, folder) != 0) {
    if (errno != EEXIST && errno != ENOTEMPTY)
      code = ssk_err_set(err, SSK_EIO, "cannot make '%s': %s", folder, strerror(errno));
    unlink(file.data); /* another process was faster */
    rmdir(trials.data);
    rmdir(path.data);
  }
  ssk_text_free(&path);
  ssk_text_free(&file);
  ssk_text_free(&trials);
  return code;
}

int ssk_sweep_folder(const char *folder, const struct ssk_sweep *sweep, ssk_err *err) {
  struct stat info;
  char *file = ssk_path_join(folder, "sweep.yaml");
  int code = file ? SSK_OK : ssk_err_set(err, SSK_ENOMEM, "no memory for a file name");
  if (!code && stat(folder, &info) != 0)
    code = make_folder(folder, sweep, err);
  if (!code)
    code = check_folder(folder, file, sweep, err);
  free(file);
  return code;
}

char *ssk_sweep_storage(const char *folder, const struct ssk_sweep *sweep) {
  return *sweep->sweep.storage ? strdup(sweep->sweep.storage) : ssk_path_join(folder, "sweep.db");
}

/* ---- processes ------------------------------------------------------------------------------- */

struct crew {
  const struct ssk_crew_how *how;
  const struct ssk_sweep *sweep;
  int n;          /* that run */
  pid_t *workers; /* [jobs]; 0: none */
  bool stopping;
  int status; /* the first error of a worker */
  char line[256];
  double shown; /* when */
};

static volatile sig_atomic_t wish_stop;

static void on_stop(int number) {
  (void)number;
  wish_stop = 1;
}

/* The program that this process is; by its name, so that tools that run it in their own process are
 * not started in its place. */
static void find_program(char path[PATH_MAX]) {
  const ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);
  path[n > 0 ? n : 0] = 0;
  if (access(path, X_OK) != 0) /* it was replaced since */
    snprintf(path, PATH_MAX, "/proc/self/exe");
}

/* A worker does not outlive this process: it stops as by a signal, and its run can go on. */
static void become_worker(const char *program, char *const *command, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent)
    _exit(SSK_EINTERRUPTED);
  execv(program, command);
  _exit(SSK_EFAIL);
}

static int start_worker(struct crew *c, int i, ssk_err *err) {
  const pid_t parent = getpid();
  char program[PATH_MAX];
  find_program(program);
  fflush(NULL);
  const pid_t child = fork();
  if (child < 0)
    return ssk_err_set(err, SSK_EIO, "cannot start a worker: %s", strerror(errno));
  if (child == 0)
    become_worker(program, c->how->command, parent);
  c->workers[i] = child;
  c->n++;
  return SSK_OK;
}

static void stop_all(struct crew *c) {
  c->stopping = true;
  for (int i = 0; i < c->how->jobs; i++)
    if (c->workers[i])
      kill(c->workers[i], SIGTERM);
}

/* A worker ended. */
static int bury(struct crew *c, int i, int status, ssk_err *err) {
  c->workers[i] = 0;
  c->n--;
  if (c->stopping || (WIFEXITED(status) && WEXITSTATUS(status) == SSK_OK))
    return SSK_OK;
  if (WIFSIGNALED(status))
    return start_worker(c, i, err); /* the storage bounds how often a run is begun again */
  const int code = WEXITSTATUS(status);
  if (code == SSK_EINTERRUPTED)
    wish_stop = 1;
  else
    c->status = code;
  stop_all(c);
  return SSK_OK;
}

/* ---- progress -------------------------------------------------------------------------------- */

static void describe(const struct crew *c, const struct ssk_trials *t, char line[256]) {
  const int best = ssk_trials_best(t, c->sweep), done = ssk_trials_count(t, SSK_TRIAL_DONE),
            pruned = ssk_trials_count(t, SSK_TRIAL_PRUNED),
            failed = ssk_trials_count(t, SSK_TRIAL_FAILED);
  char reached[96] = "";
  if (best >= 0)
    snprintf(reached, sizeof reached, "; best %s %.5g (trial %lld)", c->sweep->sweep.metric,
             t->items[best].value, (long long)t->items[best].number);
  snprintf(line, 256, "%d of %lld trials: %d done, %d pruned, %d failed, %d running%s",
           done + pruned + failed, (long long)c->sweep->trials, done, pruned, failed,
           ssk_trials_count(t, SSK_TRIAL_RUNNING), reached);
}

/* On a terminal the line stays in its place; elsewhere it is printed when it changed, every ten
 * seconds at most. */
static void show(struct crew *c, bool last) {
  FILE *out = c->how->progress;
  const bool terminal = out && isatty(fileno(out));
  const double every = terminal ? 1 : 10, now = ssk_clock();
  struct ssk_trials trials;
  char line[256];
  if (!out || (!last && now - c->shown < every) ||
      ssk_store_list(c->how->store, &trials, NULL) != SSK_OK)
    return;
  c->shown = now;
  describe(c, &trials, line);
  ssk_trials_free(&trials);
  if (terminal)
    fprintf(out, "\r%s\033[K%s", line, last ? "\n" : "");
  else if (strcmp(line, c->line) != 0)
    fprintf(out, "%s\n", line);
  fflush(out);
  snprintf(c->line, sizeof c->line, "%s", line);
}

/* ---- all of it ------------------------------------------------------------------------------- */

static int attend(struct crew *c, ssk_err *err) {
  int code = SSK_OK;
  for (int i = 0; i < c->how->jobs && !code; i++)
    code = start_worker(c, i, err);
  if (code)
    stop_all(c);
  while (c->n) {
    int status;
    const pid_t ended = waitpid(-1, &status, WNOHANG);
    int i = 0;
    while (ended > 0 && i < c->how->jobs && c->workers[i] != ended)
      i++;
    if (ended > 0 && i < c->how->jobs) {
      int failure = bury(c, i, status, err);
      if (failure)
        stop_all(c);
      code = code ? code : failure;
      continue;
    }
    if (wish_stop && !c->stopping)
      stop_all(c);
    show(c, false);
    nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
  }
  show(c, true);
  if (!code && c->status)
    code = ssk_err_set(err, c->status, "a worker ended with status %d", c->status);
  if (!code && wish_stop) {
    code = ssk_err_set(err, SSK_EINTERRUPTED, "stopped by a signal; what was begun is kept");
    ssk_err_hint(err, "the same command goes on with it");
  }
  return code;
}

int ssk_crew_run(const struct ssk_crew_how *how, const struct ssk_sweep *sweep, ssk_err *err) {
  static const int signals[] = {SIGINT, SIGTERM};
  enum { n_signals = sizeof signals / sizeof signals[0] };
  struct sigaction former[n_signals];
  struct crew c = {.how = how, .sweep = sweep, .shown = ssk_clock()};
  c.workers = calloc((size_t)how->jobs, sizeof *c.workers);
  if (!c.workers)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the workers");
  wish_stop = 0;
  for (int i = 0; i < n_signals; i++) {
    struct sigaction action = {.sa_handler = on_stop, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(signals[i], NULL, &former[i]);
    if (former[i].sa_handler != SIG_IGN)
      sigaction(signals[i], &action, NULL);
  }
  int code = attend(&c, err);
  for (int i = 0; i < n_signals; i++)
    sigaction(signals[i], &former[i], NULL);
  free(c.workers);
  return code;
}
