/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rows.h - arithmetic on rows of few channels, a token a row as tensors have them: x [n, C] with
 * rows that follow each other, and what all rows share, [C].
 *
 * A layer of 8 or 16 channels leaves a compiler little to vectorise within a row of unknown length.
 * Here channels are taken in strips of 8, and the loop is over rows; so nothing is transposed. */
#ifndef SSK_TENSOR_ROWS_H
#define SSK_TENSOR_ROWS_H

#include <sskit/tape.h>
#include <stddef.h>

/* A filter with factors of its own for each channel. */
struct ssk_filter {
  size_t taps;            /* at least 1 */
  const ssk_real *factor; /* [taps, C] */
  ptrdiff_t step;         /* from what a tap sees to what the next one sees, in numbers */
};
/* y[r] = base[r] + sum over taps i of factor[i] x[r + i step], the products by channels; all rows
 * of `base` are one where `shared`. base may be y. */
void ssk_rows_filter(size_t n, size_t C, struct ssk_filter by, const ssk_real *x,
                     const ssk_real *base, bool shared, ssk_real *y);
/* y[r] = base[r] + row, or row for every r where base is NULL. */
void ssk_rows_add(size_t n, size_t C, const ssk_real *row, const ssk_real *base, ssk_real *y);
/* sums += sum over r of x[r], or of x[r] y[r], by channels: in ssk_real, so of some thousand rows
 * at most.
 */
void ssk_rows_sum(size_t n, size_t C, const ssk_real *x, ssk_real *sums);
void ssk_rows_sum_products(size_t n, size_t C, const ssk_real *x, const ssk_real *y,
                           ssk_real *sums);

/* A layer, and what is added to its product. */
struct ssk_layer {
  const ssk_real *W;      /* [I, C] */
  const ssk_real *row;    /* [C], or NULL: 0 */
  const ssk_real *factor; /* [C], with a row and a base only, or NULL: 1 */
  const ssk_real *base;   /* [n, C], or NULL: 0; without a row it is y */
};
/* y[r] = row + factor base[r] + x[r] W, x [n, I] */
void ssk_rows_layer(size_t n, size_t I, size_t C, struct ssk_layer layer, const ssk_real *x,
                    ssk_real *y);
/* dW [I, C] += sum over r of x[r]^T dy[r] */
void ssk_rows_add_outer(size_t n, size_t I, size_t C, const ssk_real *x, const ssk_real *dy,
                        ssk_real *dW);

/* WaveNet's gate of u = tanh [a/2, b], [n, 2C]: y = sigmoid(a) tanh(b) = (1 + u_1)/2 u_2, and from
 * dy the gradients of a and b in u's place. */
void ssk_rows_gate(size_t n, size_t C, const ssk_real *u, ssk_real *y);
void ssk_rows_gate_back(size_t n, size_t C, const ssk_real *dy, ssk_real *u);

#endif
