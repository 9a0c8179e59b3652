/* SPDX-License-Identifier: GPL-3.0-or-later */
/* channels.h - blocks of tokens that stay in the cache, one channel a row.
 *
 * A fused operation takes its rows (tokens) in blocks, and a block with channels and tokens
 * exchanged: [C, tokens]. Then what happens within a token, a normalisation or the product of two
 * heads, is arithmetic between rows: long loops without a horizontal sum. A matrix product does not
 * care: y = W^T x where it was y = x W. */
#ifndef SSK_TENSOR_CHANNELS_H
#define SSK_TENSOR_CHANNELS_H

#include <sskit/tape.h>
#include <stddef.h>

/* Tokens that a block should have: so few that a block's work stays in the second cache, so many
 * that a matrix product reaches its speed. */
enum { SSK_BLOCK_TOKENS = 256 };

/* x [A, L, N, C], or [L, N, C], cut along N. */
struct ssk_axis {
  size_t A, L, N, C;
  size_t n; /* of N in a block, at most */
};
struct ssk_axis ssk_axis_of(const ssk_tensor *x);
static inline size_t ssk_axis_blocks(const struct ssk_axis *axis) {
  return axis->A * ((axis->N + axis->n - 1) / axis->n);
}

/* One block: rows of `tokens` numbers that begin `stride` apart. Token l*n + i is entry first + i
 * of position l. */
struct ssk_block {
  size_t a, first, n, tokens, stride;
};
struct ssk_block ssk_block_at(const struct ssk_axis *axis, size_t index);
/* The stride of whole blocks; no block has a larger one. */
size_t ssk_block_stride(size_t tokens);

/* The block of a tensor's memory x to [C, tokens], and back: setting, or adding to what is there.
 */
void ssk_block_load(const struct ssk_axis *axis, const struct ssk_block *block, const ssk_real *x,
                    ssk_real *to);
void ssk_block_store(const struct ssk_axis *axis, const struct ssk_block *block,
                     const ssk_real *from, bool add, ssk_real *x);

/* Within a block. y[c, :] += b[c]; b may be NULL. */
void ssk_block_add_bias(const struct ssk_block *block, size_t C, const ssk_real *b, ssk_real *y);
/* y += x */
void ssk_block_add(const struct ssk_block *block, size_t C, const ssk_real *x, ssk_real *y);
/* sums[c] += sum of x[c, :], or of x[c, :] y[c, :]. */
void ssk_block_add_sums(const struct ssk_block *block, size_t C, const ssk_real *x, ssk_real *sums);
void ssk_block_add_products(const struct ssk_block *block, size_t C, const ssk_real *x,
                            const ssk_real *y, ssk_real *sums);

/* y [O, tokens] = W^T x (+ y with keep), W [I, O] as a layer has it. */
void ssk_block_product(const struct ssk_block *block, size_t I, size_t O, const ssk_real *W,
                       const ssk_real *x, bool keep, ssk_real *y);
/* dx [I, tokens] = W dy (+ dx with keep) */
void ssk_block_product_back(const struct ssk_block *block, size_t I, size_t O, const ssk_real *W,
                            const ssk_real *dy, bool keep, ssk_real *dx);
/* dW [I, O] += x dy^T */
void ssk_block_add_outer(const struct ssk_block *block, size_t I, size_t O, const ssk_real *x,
                         const ssk_real *dy, ssk_real *dW);

/* dW [I, C] += x dy^T where dy is in the tensor's memory that the block would be loaded from: rows
 * of C as a product reads them. */
void ssk_block_add_outer_rows(const struct ssk_axis *axis, const struct ssk_block *block, size_t I,
                              const ssk_real *x, const ssk_real *dy, ssk_real *dW);

/* Layer normalisation over the channels: h = normal gain + bias, where `normal` is x less its mean
 * times scale [tokens] = 1/sqrt(variance + 1e-5). */
void ssk_block_norm(const struct ssk_block *block, size_t C, const ssk_real *x,
                    const ssk_real *gain, const ssk_real *bias, ssk_real *scale, ssk_real *normal,
                    ssk_real *h);
/* dx += the gradient of x, from dh, which is overwritten. scratch: 2 rows. */
void ssk_block_norm_back(const struct ssk_block *block, size_t C, const ssk_real *gain,
                         const ssk_real *scale, const ssk_real *normal, ssk_real *dh,
                         ssk_real *scratch, ssk_real *dx);

#endif
