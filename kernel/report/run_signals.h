/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_signals.h - signals as wishes: a handler sets a flag, the training loop looks at it. */
#ifndef SSK_REPORT_RUN_SIGNALS_H
#define SSK_REPORT_RUN_SIGNALS_H

#include "train/loop.h"
#include <signal.h>

enum { SSK_RUN_SIGNALS = 3 };

/* The handlers that were there before. */
struct ssk_run_signals {
  struct sigaction former[SSK_RUN_SIGNALS];
};

/* SIGINT and SIGTERM: save and stop; a second one ends the process at once. SIGUSR1: save and go
 * on. A signal that the process ignores stays ignored. */
void ssk_run_signals_catch(struct ssk_run_signals *signals);
void ssk_run_signals_restore(const struct ssk_run_signals *signals);
/* What was asked for since the last call. */
enum ssk_request ssk_run_signals_take(void);

#endif
