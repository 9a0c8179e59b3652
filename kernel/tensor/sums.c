/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sums.c - sums in a fixed order: lanes and blocks that the compiler can vectorise without
 * reassociating anything, with double accumulators. */
#include "tensor/sums.h"
#include <string.h>

double ssk_sum_array(size_t n, const ssk_real *x) {
  double lane[8] = {0};
  size_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (int l = 0; l < 8; l++)
      lane[l] += (double)x[i + (size_t)l];
  for (int l = 0; i < n; i++, l++)
    lane[l] += (double)x[i];
  return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

/* Columns in tiles that stay in registers and cache; within a tile, sums over 32 rows in ssk_real
 * go to totals in double. */
void ssk_add_column_sums(size_t rows, size_t columns, ssk_real scale, const ssk_real *restrict x,
                         ssk_real *restrict y) {
  enum { tile = 64, block = 32, few = 8 };
  if (columns == 1) {
    y[0] += (ssk_real)((double)scale * ssk_sum_array(rows, x));
    return;
  }
  if (rows <= few) {
    for (size_t r = 0; r < rows; r++)
      ssk_add_scaled(columns, scale, x + r * columns, y);
    return;
  }
  for (size_t c0 = 0; c0 < columns; c0 += tile) {
    const size_t width = columns - c0 < tile ? columns - c0 : tile;
    double total[tile] = {0};
    for (size_t r0 = 0; r0 < rows; r0 += block) {
      const size_t end = rows - r0 < block ? rows : r0 + block;
      ssk_real part[tile] = {0};
      for (size_t r = r0; r < end; r++)
        for (size_t c = 0; c < width; c++)
          part[c] += x[r * columns + c0 + c];
      for (size_t c = 0; c < width; c++)
        total[c] += (double)part[c];
    }
    for (size_t c = 0; c < width; c++)
      y[c0 + c] += (ssk_real)((double)scale * total[c]);
  }
}

void ssk_add_row_sums(size_t rows, size_t columns, ssk_real scale, const ssk_real *restrict x,
                      ssk_real *restrict y) {
  for (size_t r = 0; r < rows; r++)
    y[r] += (ssk_real)((double)scale * ssk_sum_array(columns, x + r * columns));
}

void ssk_set_scaled(size_t n, ssk_real scale, const ssk_real *x, ssk_real *y) {
  if (scale == 1) {
    memcpy(y, x, n * sizeof *y);
    return;
  }
#pragma GCC ivdep
  for (size_t i = 0; i < n; i++)
    y[i] = scale * x[i];
}

void ssk_add_scaled(size_t n, ssk_real scale, const ssk_real *x, ssk_real *y) {
#pragma GCC ivdep
  for (size_t i = 0; i < n; i++)
    y[i] += scale * x[i];
}
