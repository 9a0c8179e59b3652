/* SPDX-License-Identifier: GPL-3.0-or-later */
/* clock.c - time that has passed. */
#include "core/clock.h"
#include <time.h>

double ssk_clock(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
