/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pool.c - a thread pool with one shared counter of tasks. Tasks are coarse (a shard's forward and
 * backward pass), so a mutex round each pick costs nothing that could be measured. Who waits looks
 * on for a moment before it sleeps: a training step of a few milliseconds has several rounds, and
 * being woken takes some hundredths of a millisecond each time. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* CPU_COUNT */
#endif
#include "core/pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct worker {
  struct ssk_pool *pool;
  int thread;
  pthread_t handle;
};

struct ssk_pool {
  int threads;            /* the caller included */
  struct worker *workers; /* threads - 1 */
  pthread_mutex_t lock;
  pthread_cond_t work, done;
  /* The current round, all under the lock. */
  ssk_pool_fn *fn;
  void *state;
  int n_tasks, next;
  bool stop;
  /* Written under the lock; watched without it. */
  atomic_int unfinished;
  atomic_uint round;
};

/* How often a waiting thread looks before it sleeps: in all about a tenth of a millisecond. */
enum { looks = 4000, looks_between_yields = 64 };

static void look_away(int look) {
  if (look % looks_between_yields == 0)
    sched_yield(); /* where there are more threads than cores, those at work come first */
#if defined(__x86_64__) && defined(__GNUC__)
  __builtin_ia32_pause();
#endif
}

/* Take tasks until none is left. Called and left with the lock held. */
static void take_tasks(struct ssk_pool *pool, int thread) {
  while (pool->next < pool->n_tasks) {
    const int task = pool->next++;
    ssk_pool_fn *const fn = pool->fn;
    void *const state = pool->state;
    pthread_mutex_unlock(&pool->lock);
    fn(task, thread, state);
    pthread_mutex_lock(&pool->lock);
    if (atomic_fetch_sub(&pool->unfinished, 1) == 1)
      pthread_cond_signal(&pool->done);
  }
}

/* Wait for another round. Called and left with the lock held. */
static void await_round(struct ssk_pool *pool) {
  const unsigned seen = atomic_load(&pool->round);
  pthread_mutex_unlock(&pool->lock);
  for (int i = 1; i <= looks && atomic_load(&pool->round) == seen; i++)
    look_away(i);
  pthread_mutex_lock(&pool->lock);
  while (!pool->stop && atomic_load(&pool->round) == seen)
    pthread_cond_wait(&pool->work, &pool->lock);
}

static void *worker_main(void *argument) {
  struct worker *worker = argument;
  struct ssk_pool *pool = worker->pool;
  pthread_mutex_lock(&pool->lock);
  while (!pool->stop) {
    take_tasks(pool, worker->thread);
    if (!pool->stop)
      await_round(pool);
  }
  pthread_mutex_unlock(&pool->lock);
  return NULL;
}

int ssk_pool_new(int threads, struct ssk_pool **out, ssk_err *err) {
  *out = NULL;
  if (threads < 1)
    return ssk_err_set(err, SSK_EUSAGE, "a pool needs at least 1 thread, not %d", threads);
  struct ssk_pool *pool = calloc(1, sizeof *pool);
  struct worker *workers = calloc((size_t)threads, sizeof *workers);
  if (!pool || !workers) {
    free(pool);
    free(workers);
    return ssk_err_set(err, SSK_ENOMEM, "no memory for %d threads", threads);
  }
  pool->workers = workers;
  pool->threads = 1;
  pthread_mutex_init(&pool->lock, NULL);
  pthread_cond_init(&pool->work, NULL);
  pthread_cond_init(&pool->done, NULL);

  sigset_t all, former;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &former);
  int failure = 0;
  for (int i = 1; i < threads && !failure; i++) {
    struct worker *worker = &workers[i - 1];
    *worker = (struct worker){.pool = pool, .thread = i};
    failure = pthread_create(&worker->handle, NULL, worker_main, worker);
    if (!failure)
      pool->threads++;
  }
  pthread_sigmask(SIG_SETMASK, &former, NULL);
  if (failure) {
    const int made = pool->threads;
    ssk_pool_free(pool);
    return ssk_err_set(err, SSK_EFAIL, "cannot start thread %d of %d: %s", made + 1, threads,
                       strerror(failure));
  }
  *out = pool;
  return SSK_OK;
}

void ssk_pool_free(struct ssk_pool *pool) {
  if (!pool)
    return;
  pthread_mutex_lock(&pool->lock);
  pool->stop = true;
  pthread_cond_broadcast(&pool->work);
  pthread_mutex_unlock(&pool->lock);
  for (int i = 0; i < pool->threads - 1; i++)
    pthread_join(pool->workers[i].handle, NULL);
  pthread_cond_destroy(&pool->done);
  pthread_cond_destroy(&pool->work);
  pthread_mutex_destroy(&pool->lock);
  free(pool->workers);
  free(pool);
}

int ssk_pool_default_threads(void) {
  cpu_set_t set;
  const int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  return n > 0 ? n : 1;
}

int ssk_pool_threads(const struct ssk_pool *pool) {
  return pool ? pool->threads : 1;
}

void ssk_pool_run(struct ssk_pool *pool, int n_tasks, ssk_pool_fn *fn, void *state) {
  if (!pool || pool->threads == 1) {
    for (int task = 0; task < n_tasks; task++)
      fn(task, 0, state);
    return;
  }
  if (n_tasks < 1)
    return;
  pthread_mutex_lock(&pool->lock);
  pool->fn = fn;
  pool->state = state;
  pool->n_tasks = n_tasks;
  pool->next = 0;
  atomic_store(&pool->unfinished, n_tasks);
  atomic_fetch_add(&pool->round, 1);
  pthread_cond_broadcast(&pool->work);
  take_tasks(pool, 0);
  pthread_mutex_unlock(&pool->lock);
  for (int i = 1; i <= looks && atomic_load(&pool->unfinished); i++)
    look_away(i);
  pthread_mutex_lock(&pool->lock);
  while (atomic_load(&pool->unfinished))
    pthread_cond_wait(&pool->done, &pool->lock);
  pthread_mutex_unlock(&pool->lock);
}
