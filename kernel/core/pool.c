/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pool.c - a thread pool. Each thread has a block of the tasks, the same in every round of so many,
 * and helps the others when its own is done: what a task works on (a shard's gradient) is still in
 * the cache of the processor that had it last. Who waits looks on for a moment before it sleeps: a
 * training step of a few milliseconds has several rounds, and being woken takes some hundredths of
 * a millisecond each time. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* CPU_COUNT */
#endif
#include "core/pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct worker {
  struct ssk_pool *pool;
  int thread;
  pthread_t handle;
};

/* The tasks of one thread: next is the round and the first task that nobody has taken, in one
 * number, so that a thread that is late takes none of another round. Its own cache line. */
struct block {
  _Alignas(64) atomic_uint_least64_t next;
  atomic_uint end;
};

struct ssk_pool {
  int threads;            /* the caller included */
  struct worker *workers; /* threads - 1 */
  int home;               /* the processor that the caller was on at the start */
  struct block *blocks;   /* one a thread */
  pthread_mutex_t lock;
  pthread_cond_t work, done;
  /* The current round; written before its blocks, and read by who has a task of it. */
  ssk_pool_fn *fn;
  void *state;
  bool stop; /* under the lock */
  /* Written under the lock; watched without it. */
  atomic_int unfinished;
  atomic_uint round;
};

/* How often a waiting thread looks before it sleeps: in all about a millisecond. */
enum { looks = 40000, looks_between_yields = 64 };

static void look_away(int look) {
  if (look % looks_between_yields == 0)
    sched_yield(); /* where there are more threads than cores, those at work come first */
#if defined(__x86_64__) && defined(__GNUC__)
  __builtin_ia32_pause();
#endif
}

/* The next task of a block, or -1. */
static int take(struct block *block, unsigned round) {
  uint_least64_t next = atomic_load(&block->next);
  while (next >> 32 == round && (unsigned)next < atomic_load(&block->end))
    if (atomic_compare_exchange_weak(&block->next, &next, next + 1))
      return (int)(unsigned)next;
  return -1;
}

/* Do tasks of the round until none is left: of the thread's own block, then of the others. */
static void do_tasks(struct ssk_pool *pool, int thread, unsigned round) {
  for (int i = 0; i < pool->threads; i++) {
    struct block *block = &pool->blocks[(thread + i) % pool->threads];
    for (int task; (task = take(block, round)) >= 0;) {
      pool->fn(task, thread, pool->state);
      if (atomic_fetch_sub(&pool->unfinished, 1) == 1) {
        pthread_mutex_lock(&pool->lock);
        pthread_cond_signal(&pool->done);
        pthread_mutex_unlock(&pool->lock);
      }
    }
  }
}

/* Wait for another round than `seen`. False: there will be none. */
static bool await_round(struct ssk_pool *pool, unsigned *seen) {
  for (int i = 1; i <= looks && atomic_load(&pool->round) == *seen; i++)
    look_away(i);
  pthread_mutex_lock(&pool->lock);
  while (!pool->stop && atomic_load(&pool->round) == *seen)
    pthread_cond_wait(&pool->work, &pool->lock);
  const bool stop = pool->stop;
  *seen = atomic_load(&pool->round);
  pthread_mutex_unlock(&pool->lock);
  return !stop;
}

/* Go to a processor of the thread's own, but do not stay bound to it. The system may start a thread
 * on the caller's, and then takes as long as a step to part the two. */
static void spread_out(const struct worker *worker) {
  cpu_set_t allowed, own;
  if (worker->pool->home < 0 || sched_getaffinity(0, sizeof allowed, &allowed) != 0)
    return;
  int cpu = worker->pool->home;
  for (int to_go = worker->thread % CPU_COUNT(&allowed); to_go; to_go -= CPU_ISSET(cpu, &allowed))
    cpu = (cpu + 1) % CPU_SETSIZE;
  CPU_ZERO(&own);
  CPU_SET(cpu, &own);
  if (sched_setaffinity(0, sizeof own, &own) == 0)
    sched_setaffinity(0, sizeof allowed, &allowed);
}

static void *worker_main(void *argument) {
  const struct worker *worker = argument;
  unsigned round = 0;
  spread_out(worker);
  while (await_round(worker->pool, &round))
    do_tasks(worker->pool, worker->thread, round);
  return NULL;
}

int ssk_pool_new(int threads, struct ssk_pool **out, ssk_err *err) {
  *out = NULL;
  if (threads < 1)
    threads = ssk_pool_default_threads();
  struct ssk_pool *pool = calloc(1, sizeof *pool);
  struct worker *workers = calloc((size_t)threads, sizeof *workers);
  struct block *blocks = aligned_alloc(_Alignof(struct block), (size_t)threads * sizeof *blocks);
  if (!pool || !workers || !blocks) {
    free(pool);
    free(workers);
    free(blocks);
    return ssk_err_set(err, SSK_ENOMEM, "no memory for %d threads", threads);
  }
  memset(blocks, 0, (size_t)threads * sizeof *blocks);
  pool->workers = workers;
  pool->blocks = blocks;
  pool->threads = threads;
  pool->home = sched_getcpu();
  pthread_mutex_init(&pool->lock, NULL);
  pthread_cond_init(&pool->work, NULL);
  pthread_cond_init(&pool->done, NULL);

  sigset_t all, former;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &former);
  int failure = 0, made = 1;
  while (made < threads && !failure) {
    struct worker *worker = &workers[made - 1];
    *worker = (struct worker){.pool = pool, .thread = made};
    failure = pthread_create(&worker->handle, NULL, worker_main, worker);
    made += !failure;
  }
  pthread_sigmask(SIG_SETMASK, &former, NULL);
  if (failure) {
    pool->threads = made; /* those that there are to join */
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
  free(pool->blocks);
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
  const unsigned round = atomic_load(&pool->round) + 1;
  pool->fn = fn;
  pool->state = state;
  atomic_store(&pool->unfinished, n_tasks);
  for (int i = 0; i < pool->threads; i++) {
    /* In this order: who is late from the round before must not see its next with another end. */
    const int64_t n = n_tasks, threads = pool->threads;
    atomic_store(&pool->blocks[i].next, (uint_least64_t)round << 32 | (unsigned)(n * i / threads));
    atomic_store(&pool->blocks[i].end, (unsigned)(n * (i + 1) / threads));
  }
  atomic_store(&pool->round, round);
  pthread_cond_broadcast(&pool->work);
  pthread_mutex_unlock(&pool->lock);
  do_tasks(pool, 0, round);
  for (int i = 1; i <= looks && atomic_load(&pool->unfinished); i++)
    look_away(i);
  pthread_mutex_lock(&pool->lock);
  while (atomic_load(&pool->unfinished))
    pthread_cond_wait(&pool->done, &pool->lock);
  pthread_mutex_unlock(&pool->lock);
}
