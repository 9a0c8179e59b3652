/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rows_layer.c - layers of few channels, and the gradients of their weights.
 *
 * A row of 8 channels is a register, of 16 two. There is nothing to pack, and nothing to block but
 * for the registers: a library's call, however good, costs as much again (measured: 1.3 ns a row of
 * 8 channels, 2.8 by libxsmm). Layers of other widths are matrix products. */
#include "tensor/gemm.h"
#include "tensor/rows.h"
#include <string.h>

enum {
  LANES = 8, /* a strip of channels */
  SUMS = 8   /* strips that are worked on at once: so many independent sums keep the units busy */
};
typedef ssk_real lanes __attribute__((vector_size(LANES * sizeof(ssk_real))));
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

INLINE void load(lanes *x, const ssk_real *from) {
  memcpy(x, from, sizeof *x);
}

INLINE void store(const lanes *x, ssk_real *to) {
  memcpy(to, x, sizeof *x);
}

/* What the sums of a row begin with. */
INLINE void start(const struct ssk_layer *l, size_t C, size_t row, size_t channel, lanes *sum) {
  lanes base, factor;
  *sum = (lanes){0};
  if (l->row)
    load(sum, l->row + channel);
  if (l->base) {
    load(&base, l->base + row * C + channel);
    if (l->factor) {
      load(&factor, l->factor + channel);
      base *= factor;
    }
    *sum += base;
  }
}

/* `rows` rows from r on, of `strips` strips, from I channels: all known to the compiler, so that
 * the sums stay in registers. */
INLINE void layer_rows(size_t rows, size_t strips, size_t I, const struct ssk_layer *l, size_t r0,
                       const ssk_real *x, ssk_real *y) {
  const size_t C = strips * LANES;
  lanes sum[SUMS], W[SUMS];
  x += r0 * I;
  UNROLL for (size_t r = 0; r < rows; r++) {
    UNROLL for (size_t s = 0; s < strips; s++) {
      start(l, C, r0 + r, s * LANES, &sum[r * strips + s]);
    }
  }
  UNROLL for (size_t i = 0; i < I; i++) {
    UNROLL for (size_t s = 0; s < strips; s++) {
      load(&W[s], l->W + i * C + s * LANES);
    }
    UNROLL for (size_t r = 0; r < rows; r++) {
      UNROLL for (size_t s = 0; s < strips; s++) {
        sum[r * strips + s] += x[r * I + i] * W[s];
      }
    }
  }
  UNROLL for (size_t r = 0; r < rows; r++) {
    UNROLL for (size_t s = 0; s < strips; s++) {
      store(&sum[r * strips + s], y + (r0 + r) * C + s * LANES);
    }
  }
}

INLINE void layer_of(size_t strips, size_t I, size_t n, const struct ssk_layer *l,
                     const ssk_real *x, ssk_real *y) {
  const size_t rows = SUMS / strips;
  size_t r = 0;
  for (; r + rows <= n; r += rows)
    layer_rows(rows, strips, I, l, r, x, y);
  for (; r < n; r++)
    layer_rows(1, strips, I, l, r, x, y);
}

/* Layers of any width. */
static void layer_product(size_t n, size_t I, size_t C, const struct ssk_layer *l,
                          const ssk_real *x, ssk_real *y) {
  if (l->row && l->factor)
    ssk_rows_filter(n, C, (struct ssk_filter){1, l->factor, 0}, l->base, l->row, true, y);
  else if (l->row)
    ssk_rows_add(n, C, l->row, l->base, y);
  ssk_gemm((int)n, (int)C, (int)I, 1, (struct ssk_matrix){x, (int)I, SSK_AS_IS},
           (struct ssk_matrix){l->W, (int)C, SSK_AS_IS}, l->row || l->base, y, (int)C);
}

void ssk_rows_layer(size_t n, size_t I, size_t C, struct ssk_layer l, const ssk_real *x,
                    ssk_real *y) {
  if (I == 8 && C == LANES)
    layer_of(1, 8, n, &l, x, y);
  else if (I == 16 && C == LANES)
    layer_of(1, 16, n, &l, x, y);
  else if (I == 8 && C == 2 * LANES)
    layer_of(2, 8, n, &l, x, y);
  else
    layer_product(n, I, C, &l, x, y);
}

/* SUMS rows of dW [I, LANES]. */
static void add_outer(size_t n, size_t I, const ssk_real *x, const ssk_real *dy, ssk_real *dW) {
  lanes sum[SUMS], row;
  UNROLL for (size_t i = 0; i < SUMS; i++) {
    load(&sum[i], dW + i * LANES);
  }
  for (size_t r = 0; r < n; r++) {
    load(&row, dy + r * LANES);
    UNROLL for (size_t i = 0; i < SUMS; i++) {
      sum[i] += x[r * I + i] * row;
    }
  }
  UNROLL for (size_t i = 0; i < SUMS; i++) {
    store(&sum[i], dW + i * LANES);
  }
}

void ssk_rows_add_outer(size_t n, size_t I, size_t C, const ssk_real *x, const ssk_real *dy,
                        ssk_real *dW) {
  if (C == LANES && I % SUMS == 0)
    for (size_t i = 0; i < I; i += SUMS)
      add_outer(n, I, x + i, dy, dW + i * C);
  else
    ssk_gemm((int)I, (int)C, (int)n, 1, (struct ssk_matrix){x, (int)I, SSK_TRANSPOSED},
             (struct ssk_matrix){dy, (int)C, SSK_AS_IS}, 1, dW, (int)C);
}
