/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pulse.c - the thread. A storage that cannot be reached for a while is no reason to stop: the
 * worker learns with its next report whether the run is still its own. */
#include "sweep/pulse.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

struct ssk_pulse {
  struct ssk_store *store;
  struct ssk_claim claim; /* a copy without the point */
  double apart;           /* seconds */
  pthread_t thread;
  pthread_mutex_t mutex; /* of the two flags */
  pthread_cond_t wake;
  bool stop, lost;
};

static struct timespec later(double seconds) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  t.tv_sec += (time_t)seconds;
  t.tv_nsec += (long)((seconds - (double)(time_t)seconds) * 1e9);
  if (t.tv_nsec >= 1000000000) {
    t.tv_sec++;
    t.tv_nsec -= 1000000000;
  }
  return t;
}

static void *beat(void *state) {
  struct ssk_pulse *p = state;
  pthread_mutex_lock(&p->mutex);
  while (!p->stop && !p->lost) {
    const struct timespec until = later(p->apart);
    while (!p->stop && pthread_cond_timedwait(&p->wake, &p->mutex, &until) != ETIMEDOUT)
      ;
    if (p->stop)
      break;
    pthread_mutex_unlock(&p->mutex);
    const int code = ssk_store_beat(p->store, &p->claim, NULL);
    pthread_mutex_lock(&p->mutex);
    p->lost = !code && p->claim.lost;
  }
  pthread_mutex_unlock(&p->mutex);
  return NULL;
}

/* Signals are for the thread that trains. */
static int start_thread(struct ssk_pulse *p) {
  sigset_t all, former;
  pthread_condattr_t monotonic;
  pthread_mutex_init(&p->mutex, NULL);
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&p->wake, &monotonic);
  pthread_condattr_destroy(&monotonic);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &former);
  const int failed = pthread_create(&p->thread, NULL, beat, p);
  pthread_sigmask(SIG_SETMASK, &former, NULL);
  return failed;
}

static void release(struct ssk_pulse *p) {
  pthread_cond_destroy(&p->wake);
  pthread_mutex_destroy(&p->mutex);
  ssk_store_close(p->store);
  free(p);
}

int ssk_pulse_start(const char *where, const struct ssk_sweep *sweep, const char *worker,
                    const struct ssk_claim *claim, struct ssk_pulse **out, ssk_err *err) {
  *out = NULL;
  struct ssk_pulse *p = calloc(1, sizeof *p);
  if (!p)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for a thread");
  p->claim = *claim;
  p->claim.point = NULL;
  p->apart = sweep->sweep.lease / 5;
  int code = ssk_store_open(where, sweep, worker, &p->store, err);
  if (code) {
    free(p);
    return code;
  }
  if (start_thread(p)) {
    release(p);
    return ssk_err_set(err, SSK_ENOMEM, "no thread could be started");
  }
  *out = p;
  return SSK_OK;
}

bool ssk_pulse_lost(struct ssk_pulse *p) {
  pthread_mutex_lock(&p->mutex);
  const bool lost = p->lost;
  pthread_mutex_unlock(&p->mutex);
  return lost;
}

void ssk_pulse_stop(struct ssk_pulse *p) {
  if (!p)
    return;
  pthread_mutex_lock(&p->mutex);
  p->stop = true;
  pthread_cond_signal(&p->wake);
  pthread_mutex_unlock(&p->mutex);
  pthread_join(p->thread, NULL);
  release(p);
}
