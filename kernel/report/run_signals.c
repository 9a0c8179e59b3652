/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_signals.c - signals as wishes. */
#include "report/run_signals.h"

static volatile sig_atomic_t wish_save, wish_stop;

static void on_stop(int number) {
  (void)number;
  wish_stop = 1;
}

static void on_save(int number) {
  (void)number;
  wish_save = 1;
}

static const struct {
  int number;
  void (*handler)(int);
  int flags;
} rows[SSK_RUN_SIGNALS] = {
    {SIGINT, on_stop, SA_RESTART | SA_RESETHAND},
    {SIGTERM, on_stop, SA_RESTART}, /* who sends it again does not want more: Slurm, a parent */
    {SIGUSR1, on_save, SA_RESTART},
};

void ssk_run_signals_catch(struct ssk_run_signals *signals) {
  wish_save = wish_stop = 0;
  for (int i = 0; i < SSK_RUN_SIGNALS; i++) {
    sigaction(rows[i].number, NULL, &signals->former[i]);
    if (signals->former[i].sa_handler == SIG_IGN) /* nohup, or a shell's background job */
      continue;
    struct sigaction action = {.sa_handler = rows[i].handler, .sa_flags = rows[i].flags};
    sigemptyset(&action.sa_mask);
    sigaction(rows[i].number, &action, NULL);
  }
}

void ssk_run_signals_restore(const struct ssk_run_signals *signals) {
  for (int i = 0; i < SSK_RUN_SIGNALS; i++)
    sigaction(rows[i].number, &signals->former[i], NULL);
}

enum ssk_request ssk_run_signals_take(void) {
  if (wish_stop)
    return SSK_SAVE_AND_STOP;
  if (!wish_save)
    return SSK_GO_ON;
  wish_save = 0;
  return SSK_SAVE;
}
