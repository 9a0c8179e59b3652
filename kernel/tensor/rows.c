/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rows.c - arithmetic on rows of few channels. */
#include "tensor/rows.h"
#include <string.h>

enum { MOST_TAPS = 3 }; /* of a filter in one go */
#define LANES 8
#include "tensor/rows_lanes.h"
#define LANES 1
#include "tensor/rows_lanes.h"

/* `strip` for each strip of 8 channels from c on, then `rest` for each channel that is left. */
#define BY_STRIPS(C, strip, rest)                                                                  \
  do {                                                                                             \
    size_t c = 0;                                                                                  \
    for (; c + 8 <= (C); c += 8)                                                                   \
      strip;                                                                                       \
    for (; c < (C); c++)                                                                           \
      rest;                                                                                        \
  } while (0)

void ssk_rows_filter(size_t n, size_t C, struct ssk_filter by, const ssk_real *x,
                     const ssk_real *base, bool shared, ssk_real *y) {
  size_t stride = shared ? 0 : C;
  for (size_t i = 0, taps; i < by.taps; i += taps, base = y, stride = C) {
    taps = by.taps - i < MOST_TAPS ? by.taps - i : MOST_TAPS;
    const ssk_real *factor = by.factor + i * C, *from = x + (ptrdiff_t)i * by.step;
    BY_STRIPS(C, filter_8(n, C, taps, factor + c, from + c, by.step, base + c, stride, y + c),
              filter_1(n, C, taps, factor + c, from + c, by.step, base + c, stride, y + c));
  }
}

void ssk_rows_add(size_t n, size_t C, const ssk_real *row, const ssk_real *base, ssk_real *y) {
  if (base)
    BY_STRIPS(C, add_8(n, C, row + c, base + c, y + c), add_1(n, C, row + c, base + c, y + c));
  else
    BY_STRIPS(C, add_8(n, C, row + c, NULL, y + c), add_1(n, C, row + c, NULL, y + c));
}

void ssk_rows_sum(size_t n, size_t C, const ssk_real *x, ssk_real *sums) {
  BY_STRIPS(C, sum_8(n, C, x + c, NULL, sums + c), sum_1(n, C, x + c, NULL, sums + c));
}

void ssk_rows_sum_products(size_t n, size_t C, const ssk_real *x, const ssk_real *y,
                           ssk_real *sums) {
  BY_STRIPS(C, sum_8(n, C, x + c, y + c, sums + c), sum_1(n, C, x + c, y + c, sums + c));
}

void ssk_rows_gate(size_t n, size_t C, const ssk_real *u, ssk_real *y) {
  BY_STRIPS(C, gate_8(n, C, u + c, y + c), gate_1(n, C, u + c, y + c));
}

void ssk_rows_gate_back(size_t n, size_t C, const ssk_real *dy, ssk_real *u) {
  BY_STRIPS(C, gate_back_8(n, C, dy + c, u + c), gate_back_1(n, C, dy + c, u + c));
}
