/* SPDX-License-Identifier: GPL-3.0-or-later */
/* levels.h - what denoisers share: the distinct noise levels of a pass.
 *
 * A level is embedded once, however many rows are at that level: with a grid of K levels there are
 * at most K, in sampling there is one. */
#ifndef LEVELS_H
#define LEVELS_H

#include <sskit/tape.h>
#include <string.h>

struct distinct {
  ssk_tensor *values; /* [U] in order of first appearance */
  int *index;         /* [rows] into values; scratch of the tape */
};

/* By open addressing on the bits of the values. False without memory. */
static inline bool distinct_find(ssk_tape *tape, const ssk_tensor *x, struct distinct *out) {
  int n = (int)x->count, size = 16, found = 0;
  while (size < 2 * n)
    size *= 2;
  int *slot = ssk_tape_scratch(tape, (size_t)size * sizeof(int));
  out->index = ssk_tape_scratch(tape, (size_t)n * sizeof(int));
  ssk_real *value = ssk_tape_scratch(tape, (size_t)n * sizeof(ssk_real));
  if (!slot || !out->index || !value)
    return false;
  for (int i = 0; i < size; i++)
    slot[i] = -1;
  for (int i = 0; i < n; i++) {
    if (i > 0 && x->data[i] == x->data[i - 1]) {
      out->index[i] = out->index[i - 1];
      continue;
    }
    uint64_t bits = 0;
    memcpy(&bits, &x->data[i], sizeof(ssk_real));
    int at = (int)((bits * 0x9e3779b97f4a7c15u) >> 33) & (size - 1);
    while (slot[at] >= 0 && value[slot[at]] != x->data[i])
      at = (at + 1) & (size - 1);
    if (slot[at] < 0) {
      value[found] = x->data[i];
      slot[at] = found++;
    }
    out->index[i] = slot[at];
  }
  out->values = ssk_const(tape, 1, &found, value);
  return out->values->count > 0;
}

#endif
