/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rows.c - arithmetic on rows of few channels. */
#include "tensor/rows.h"
#include <string.h>

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

void ssk_rows_multiply(size_t n, size_t C, const ssk_real *factor, const ssk_real *x,
                       const ssk_real *base, bool shared, ssk_real *y) {
  const size_t stride = shared ? 0 : C;
  BY_STRIPS(C, multiply_8(n, C, factor + c, x + c, base + c, stride, y + c),
            multiply_1(n, C, factor + c, x + c, base + c, stride, y + c));
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
