/* SPDX-License-Identifier: GPL-3.0-or-later */
/* beside.h - conditions that may be absent, side by side. */
#ifndef NETWORK_BESIDE_H
#define NETWORK_BESIDE_H

#include <sskit/plugin.h>

/* Those of the n (at most 6) that are there, joined along the last axis; NULL where none is. */
static inline ssk_tensor *beside(ssk_tape *tape, int n, ssk_tensor *const *all) {
  ssk_tensor *parts[6];
  int present = 0;
  for (int i = 0; i < n; i++)
    if (all[i])
      parts[present++] = all[i];
  return present > 1 ? ssk_concat(tape, present, parts, -1) : present ? parts[0] : NULL;
}

#endif
