/* SPDX-License-Identifier: GPL-3.0-or-later */
/* transpose.c - exchanging rows and columns, in tiles that stay in registers where the compiler can
 * shuffle vectors. */
#include "tensor/transpose.h"
#include <string.h>

#if !defined(SSK_DOUBLE) && defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define TILE 8
typedef float tile_row __attribute__((vector_size(32)));
#define PAIRS(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)

/* The tile's rows in, its columns out: exchange entries of pairs of rows, then pairs of entries,
 * then halves. */
static inline void turn(tile_row r[TILE]) {
  tile_row s[TILE], t[TILE];
#pragma GCC unroll 4
  for (int i = 0; i < TILE; i += 2) {
    s[i] = PAIRS(r[i], r[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
    s[i + 1] = PAIRS(r[i], r[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
  }
#pragma GCC unroll 2
  for (int i = 0; i < TILE; i += 4) {
    t[i] = PAIRS(s[i], s[i + 2], 0, 1, 8, 9, 4, 5, 12, 13);
    t[i + 1] = PAIRS(s[i], s[i + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    t[i + 2] = PAIRS(s[i + 1], s[i + 3], 0, 1, 8, 9, 4, 5, 12, 13);
    t[i + 3] = PAIRS(s[i + 1], s[i + 3], 2, 3, 10, 11, 6, 7, 14, 15);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    r[i] = PAIRS(t[i], t[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    r[i + 4] = PAIRS(t[i], t[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

static inline void turn_tile(const float *x, size_t x_stride, bool add, float *y, size_t y_stride) {
  tile_row r[TILE];
#pragma GCC unroll 8
  for (int i = 0; i < TILE; i++)
    memcpy(&r[i], x + (size_t)i * x_stride, sizeof r[i]);
  turn(r);
  if (add)
#pragma GCC unroll 8
    for (int i = 0; i < TILE; i++) {
      tile_row old;
      memcpy(&old, y + (size_t)i * y_stride, sizeof old);
      r[i] += old;
    }
#pragma GCC unroll 8
  for (int i = 0; i < TILE; i++)
    memcpy(y + (size_t)i * y_stride, &r[i], sizeof r[i]);
}
#endif
#endif

static void turn_plain(size_t rows, size_t columns, const ssk_real *restrict x, size_t x_stride,
                       bool add, ssk_real *restrict y, size_t y_stride) {
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < columns; c++) {
      ssk_real *to = y + c * y_stride + r;
      *to = x[r * x_stride + c] + (add ? *to : 0);
    }
}

void ssk_transpose(size_t rows, size_t columns, const ssk_real *x, size_t x_stride, bool add,
                   ssk_real *y, size_t y_stride) {
  size_t r = 0;
#ifdef TILE
  for (; r + TILE <= rows; r += TILE) {
    size_t c = 0;
    for (; c + TILE <= columns; c += TILE)
      turn_tile(x + r * x_stride + c, x_stride, add, y + c * y_stride + r, y_stride);
    turn_plain(TILE, columns - c, x + r * x_stride + c, x_stride, add, y + c * y_stride + r,
               y_stride);
  }
#endif
  turn_plain(rows - r, columns, x + r * x_stride, x_stride, add, y + r, y_stride);
}
