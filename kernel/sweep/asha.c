/* SPDX-License-Identifier: GPL-3.0-or-later */
/* asha.c - the rule. */
#include "sweep/asha.h"
#include <math.h>

bool ssk_asha_rung(int64_t step, int64_t min, int64_t factor) {
  int64_t rung = min;
  while (rung < step && rung <= INT64_MAX / factor)
    rung *= factor;
  return rung == step;
}

bool ssk_asha_keeps(const double *losses, int n, double own, int64_t factor) {
  int better = 0;
  if (isnan(own))
    return false;
  for (int i = 0; i < n; i++)
    better += losses[i] < own;
  const int64_t room = n / factor;
  return better < (room < 1 ? 1 : room);
}
