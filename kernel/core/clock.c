/* SPDX-License-Identifier: GPL-3.0-or-later */
/* clock.c - time that has passed. */
#include "core/clock.h"
#include <time.h>

static double seconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double ssk_clock(void) {
  return seconds(CLOCK_MONOTONIC);
}

double ssk_thread_clock(void) {
  return seconds(CLOCK_THREAD_CPUTIME_ID);
}

double ssk_process_clock(void) {
  return seconds(CLOCK_PROCESS_CPUTIME_ID);
}
