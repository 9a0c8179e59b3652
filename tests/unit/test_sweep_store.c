/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_sweep_store.c - the storage of a sweep in a file, under several processes, some of which are
 * killed. The same on PostgreSQL is in tests/cli/sweep_postgres.sh. */
#include "support/sweeps.h"
#include "sweep/sampler.h"
#include "sweep/worker_name.h"
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifdef SSK_SQLITE

TestSuite(sweep_store);

static char file[4096];

static void open_rig(struct sweep_rig *rig) {
  const char *folder = getenv("TMPDIR");
  snprintf(file, sizeof file, "%.4000s/sweep-store-%ld.db", folder ? folder : "/tmp",
           (long)getpid());
  sweep_rig_open(rig, "{a: {uniform: [0, 1]}, b: {int: [1, 9]}}");
}

static void close_rig(struct sweep_rig *rig) {
  static const char *const endings[] = {"", "-wal", "-shm"};
  for (int i = 0; i < 3; i++) {
    char path[4104];
    snprintf(path, sizeof path, "%s%s", file, endings[i]);
    unlink(path);
  }
  sweep_rig_close(rig);
}

static struct ssk_store *open_store(struct sweep_rig *rig, const char *worker) {
  struct ssk_store *store;
  cr_assert_eq(ssk_store_open(file, &rig->sweep, worker, &store, rig->err), SSK_OK, "%s",
               ssk_err_message(rig->err, 0));
  return store;
}

static enum ssk_claimed claim(struct sweep_rig *rig, struct ssk_store *store,
                              struct ssk_claim *out) {
  enum ssk_claimed claimed;
  cr_assert_eq(ssk_store_claim(store, ssk_sampler_propose, &rig->sweep, out, &claimed, rig->err),
               SSK_OK, "%s", ssk_err_message(rig->err, 0));
  return claimed;
}

Test(sweep_store, own_process_lives_and_others_are_known) {
  char name[SSK_WORKER_NAME], other[SSK_WORKER_NAME] = "";
  int ends[2], status;
  cr_assert_eq(pipe(ends), 0);
  ssk_worker_name(name);
  cr_expect_not(ssk_worker_dead(name));
  pid_t child = fork();
  if (child == 0) {
    ssk_worker_name(other);
    (void)!write(ends[1], other, sizeof other);
    pause();
    _exit(0);
  }
  cr_assert_eq(read(ends[0], other, sizeof other), (ssize_t)sizeof other);
  cr_expect_not(ssk_worker_dead(other));
  kill(child, SIGKILL);
  siginfo_t info;
  waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
  cr_expect(ssk_worker_dead(other), "dead before its parent asked");
  waitpid(child, &status, 0);
  cr_expect(ssk_worker_dead(other));
  cr_expect_not(ssk_worker_dead("elsewhere boot:pid:[1] 7 1"), "of others nothing is known");
  close(ends[0]);
  close(ends[1]);
}

Test(sweep_store, a_run_is_reported_by_its_worker_alone) {
  struct sweep_rig rig;
  struct ssk_claim first, second;
  struct ssk_trials trials;
  bool go_on;
  open_rig(&rig);
  rig.sweep.sweep.lease = 0.05;
  struct ssk_store *a = open_store(&rig, "a"), *b = open_store(&rig, "b");
  cr_assert_eq(claim(&rig, a, &first), SSK_CLAIM_RUN);
  cr_expect_eq(first.attempt, 1);
  nanosleep(&(struct timespec){.tv_nsec = 120000000}, NULL); /* its lease lapses */
  cr_assert_eq(claim(&rig, b, &second), SSK_CLAIM_RUN);
  cr_expect_eq(second.trial, first.trial);
  cr_expect_eq(second.attempt, 2);
  cr_expect_eq(second.point[0], first.point[0]);
  cr_expect_eq(ssk_store_finish(a, &first, 1, 1, rig.err), SSK_OK);
  cr_expect(first.lost);
  cr_expect_eq(ssk_store_report(a, &first, 10, 1, &go_on, rig.err), SSK_OK);
  cr_expect(first.lost);
  cr_expect_eq(ssk_store_beat(a, &first, rig.err), SSK_OK);
  cr_expect(first.lost);
  cr_expect_eq(ssk_store_finish(b, &second, 0.1, 1, rig.err), SSK_OK);
  cr_expect_not(second.lost);
  cr_expect_eq(ssk_store_finish(b, &second, 0.2, 1, rig.err), SSK_OK);
  cr_expect(second.lost, "a second time");
  cr_assert_eq(ssk_store_list(a, &trials, rig.err), SSK_OK);
  cr_expect_eq(trials.n, 1);
  cr_expect_eq(trials.items[0].state, SSK_TRIAL_DONE);
  cr_expect_float_eq(trials.items[0].value, 0.1, 1e-12);
  cr_expect_eq(trials.items[0].runs[0].losses, 1);
  ssk_trials_free(&trials);
  ssk_claim_free(&first);
  ssk_claim_free(&second);
  ssk_store_close(a);
  ssk_store_close(b);
  close_rig(&rig);
}

Test(sweep_store, reports_prune_and_failures_skip) {
  struct sweep_rig rig;
  struct ssk_claim claims[4];
  struct ssk_trials trials;
  bool go_on;
  int n;
  open_rig(&rig);
  rig.sweep.sweep.seeds.n = 2;
  rig.sweep.trials = 2;
  struct ssk_store *s = open_store(&rig, "a");
  for (int i = 0; i < 3; i++)
    cr_assert_eq(claim(&rig, s, &claims[i]), SSK_CLAIM_RUN);
  cr_expect(claims[0].trial == 0 && claims[0].seed == 1);
  cr_expect(claims[1].trial == 0 && claims[1].seed == 2);
  cr_expect(claims[2].trial == 1 && claims[2].seed == 1);
  ssk_store_report(s, &claims[0], 10, 2, &go_on, rig.err);
  cr_expect(go_on, "the first at its rung");
  ssk_store_report(s, &claims[1], 10, 9, &go_on, rig.err);
  cr_expect(go_on, "of another seed");
  ssk_store_report(s, &claims[2], 10, 3, &go_on, rig.err);
  cr_expect_not(go_on);
  ssk_store_prune(s, &claims[2], rig.err);
  cr_expect_eq(claim(&rig, s, &claims[3]), SSK_CLAIM_WAIT, "the other seed is not begun");
  ssk_store_finish(s, &claims[0], 2, 1, rig.err);
  ssk_store_fail(s, &claims[1], "a reason", rig.err);
  cr_expect_eq(claim(&rig, s, &claims[3]), SSK_CLAIM_ENDED);
  ssk_store_list(s, &trials, rig.err);
  cr_expect_eq(trials.items[0].state, SSK_TRIAL_FAILED);
  cr_expect_str_eq(trials.items[0].runs[1].reason, "a reason");
  cr_expect_eq(trials.items[1].state, SSK_TRIAL_PRUNED);
  cr_expect_eq(trials.items[1].step, 10);
  cr_expect_eq(trials.items[1].last, 3);
  cr_expect_eq(trials.items[1].runs[1].state, SSK_TRIAL_SKIPPED);
  ssk_trials_free(&trials);
  cr_expect_eq(ssk_store_retry(s, &n, rig.err), SSK_OK);
  cr_expect_eq(n, 1);
  cr_expect_eq(claim(&rig, s, &claims[3]), SSK_CLAIM_RUN);
  cr_expect(claims[3].trial == 0 && claims[3].seed == 2);
  for (int i = 0; i < 4; i++)
    ssk_claim_free(&claims[i]);
  ssk_store_close(s);
  close_rig(&rig);
}

Test(sweep_store, a_run_that_kills_its_workers_fails) {
  struct sweep_rig rig;
  struct ssk_claim c;
  struct ssk_trials trials;
  open_rig(&rig);
  rig.sweep.trials = 1;
  struct ssk_store *s;
  for (int i = 0; i < 3; i++) {
    pid_t child = fork();
    if (child == 0) {
      char name[SSK_WORKER_NAME];
      ssk_worker_name(name);
      s = open_store(&rig, name);
      const bool has_run = claim(&rig, s, &c) == SSK_CLAIM_RUN;
      ssk_claim_free(&c);
      ssk_store_close(s);
      _exit(has_run ? 0 : 1); /* with the run still its own */
    }
    int status;
    waitpid(child, &status, 0);
    cr_expect_eq(status, 0, "attempt %d", i);
  }
  s = open_store(&rig, "a");
  cr_expect_eq(claim(&rig, s, &c), SSK_CLAIM_ENDED);
  ssk_store_list(s, &trials, rig.err);
  cr_expect_eq(trials.items[0].state, SSK_TRIAL_FAILED);
  cr_expect_str_eq(trials.items[0].runs[0].reason, "its worker died, 3 times");
  ssk_trials_free(&trials);
  ssk_store_close(s);
  close_rig(&rig);
}

/* A worker that takes a moment for each run, and gives the value that its point has. */
static void work(struct sweep_rig *rig) {
  char name[SSK_WORKER_NAME];
  struct ssk_claim c;
  enum ssk_claimed claimed;
  ssk_worker_name(name);
  struct ssk_store *s = open_store(rig, name);
  while ((claimed = claim(rig, s, &c)) != SSK_CLAIM_ENDED) {
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    if (claimed == SSK_CLAIM_RUN)
      cr_assert_eq(ssk_store_finish(s, &c, c.point[0], 0, rig->err), SSK_OK);
    ssk_claim_free(&c);
  }
  ssk_store_close(s);
}

Test(sweep_store, killed_processes_lose_nothing) {
  enum { workers = 4, kills = 25 };
  struct sweep_rig rig;
  struct ssk_trials trials;
  pid_t children[workers];
  open_rig(&rig);
  rig.sweep.trials = 100;
  rig.sweep.sweep.losses = 1000;
  for (int i = 0; i < workers + kills; i++) {
    if (i >= workers) {
      nanosleep(&(struct timespec){.tv_nsec = 7000000 + 1000000 * (i % 5)}, NULL);
      kill(children[i % workers], SIGKILL);
      waitpid(children[i % workers], NULL, 0);
    }
    children[i % workers] = fork();
    if (!children[i % workers]) {
      work(&rig);
      _exit(0);
    }
  }
  for (int i = 0; i < workers; i++) {
    int status;
    waitpid(children[i], &status, 0);
    cr_expect_eq(status, 0);
  }
  struct ssk_store *s = open_store(&rig, NULL);
  cr_assert_eq(ssk_store_list(s, &trials, rig.err), SSK_OK);
  cr_expect_eq(trials.n, 100);
  for (int i = 0; i < trials.n; i++) {
    double point[2];
    ssk_sample_random(&rig.sweep.axes, 1, i, point);
    cr_expect_eq(trials.items[i].number, i);
    cr_expect_eq(trials.items[i].state, SSK_TRIAL_DONE);
    cr_expect_float_eq(trials.items[i].value, point[0], 1e-12, "whoever made it");
  }
  ssk_trials_free(&trials);
  ssk_store_close(s);
  close_rig(&rig);
}

Test(sweep_store, another_recipe_is_refused) {
  struct sweep_rig rig;
  struct ssk_store *s, *other = NULL;
  open_rig(&rig);
  s = open_store(&rig, "a");
  snprintf(rig.identity, sizeof rig.identity, "the\nother");
  cr_expect_eq(ssk_store_open(file, &rig.sweep, "a", &other, rig.err), SSK_ERECIPE);
  cr_expect_null(other);
  ssk_store_close(s);
  close_rig(&rig);
}
#endif
