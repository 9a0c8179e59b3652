/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pool.h - a fixed set of threads that share out numbered tasks. */
#ifndef SSK_CORE_POOL_H
#define SSK_CORE_POOL_H

#include <sskit/err.h>

struct ssk_pool;

/* One task; `thread` in 0...threads-1 names the workspace that the task may use. */
typedef void ssk_pool_fn(int task, int thread, void *state);

/* `threads` counts the caller, which works too: 1 makes no thread at all; under 1: as many as
 * ssk_pool_default_threads. The threads block all signals, so that handlers run in the program's
 * own threads. */
int ssk_pool_new(int threads, struct ssk_pool **out, ssk_err *err);
/* As many threads as processors that this process may run on. */
int ssk_pool_default_threads(void);
/* Ends and joins the threads; accepts NULL. */
void ssk_pool_free(struct ssk_pool *pool);
/* 1 for NULL. */
int ssk_pool_threads(const struct ssk_pool *pool);

/* Run fn(0...n_tasks-1) and return when all are done. Which thread takes which task is left to
 * chance: a task's result must not depend on it. A NULL pool runs the tasks one by one. Not
 * reentrant: a task must not use its own pool. */
void ssk_pool_run(struct ssk_pool *pool, int n_tasks, ssk_pool_fn *fn, void *state);

#endif
