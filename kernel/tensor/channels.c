/* SPDX-License-Identifier: GPL-3.0-or-later */
/* channels.c - blocks of tokens, one channel a row: cutting, products, sums, normalisation. */
#include "tensor/channels.h"
#include "tensor/gemm.h"
#include "tensor/gemm_jit.h"
#include "tensor/transpose.h"
#include <math.h>
#include <string.h>

struct ssk_axis ssk_axis_of(const ssk_tensor *x) {
  const int lead = x->ndim - 3;
  struct ssk_axis axis = {.A = lead > 0 ? (size_t)x->shape[0] : 1,
                          .L = (size_t)x->shape[lead],
                          .N = (size_t)x->shape[lead + 1],
                          .C = (size_t)x->shape[lead + 2]};
  const size_t most = SSK_BLOCK_TOKENS / axis.L;
  axis.n = most < 1 ? 1 : most > axis.N ? axis.N : most;
  return axis;
}

/* A stride that is a power of two would put all rows of a column into the same few sets of the
 * cache. */
size_t ssk_block_stride(size_t tokens) {
  return (tokens + 15) / 16 * 16 + 16;
}

struct ssk_block ssk_block_at(const struct ssk_axis *axis, size_t index) {
  const size_t per_group = (axis->N + axis->n - 1) / axis->n;
  struct ssk_block block = {.a = index / per_group, .first = index % per_group * axis->n};
  block.n = axis->N - block.first < axis->n ? axis->N - block.first : axis->n;
  block.tokens = block.n * axis->L;
  block.stride = ssk_block_stride(block.tokens);
  return block;
}

/* ---- loading and storing ------------------------------------------------------------------- */

static size_t position(const struct ssk_axis *axis, const struct ssk_block *block, size_t l) {
  return ((block->a * axis->L + l) * axis->N + block->first) * axis->C;
}

void ssk_block_load(const struct ssk_axis *axis, const struct ssk_block *block, const ssk_real *x,
                    ssk_real *to) {
  for (size_t l = 0; l < axis->L; l++)
    ssk_transpose(block->n, axis->C, x + position(axis, block, l), axis->C, false,
                  to + l * block->n, block->stride);
}

void ssk_block_store(const struct ssk_axis *axis, const struct ssk_block *block,
                     const ssk_real *from, bool add, ssk_real *x) {
  for (size_t l = 0; l < axis->L; l++)
    ssk_transpose(axis->C, block->n, from + l * block->n, block->stride, add,
                  x + position(axis, block, l), axis->C);
}

/* ---- rows ------------------------------------------------------------------------------------ */

void ssk_block_add_bias(const struct ssk_block *block, size_t C, const ssk_real *b, ssk_real *y) {
  for (size_t c = 0; b && c < C; c++) {
    const ssk_real value = b[c];
    ssk_real *restrict row = y + c * block->stride;
    for (size_t i = 0; i < block->tokens; i++)
      row[i] += value;
  }
}

void ssk_block_add(const struct ssk_block *block, size_t C, const ssk_real *x, ssk_real *y) {
  for (size_t c = 0; c < C; c++) {
    const ssk_real *restrict from = x + c * block->stride;
    ssk_real *restrict row = y + c * block->stride;
    for (size_t i = 0; i < block->tokens; i++)
      row[i] += from[i];
  }
}

/* Rows that are summed together, and parts of a row's sum: parts of so many rows are a tile that is
 * turned and added up as vectors, for within a vector a sum is slow. */
enum { GANG = 8 };
typedef ssk_real gang __attribute__((vector_size(GANG * sizeof(ssk_real))));

/* Sum of x y, or of x where y is NULL, in parts: a block is so short that they need no double. */
static inline void sum_parts(size_t n, const ssk_real *restrict x, const ssk_real *restrict y,
                             ssk_real *restrict parts) {
  enum { gangs = 4 };
  gang sum[gangs] = {0}, left, right;
  size_t i = 0;
  for (; i + gangs * GANG <= n; i += gangs * GANG)
#pragma GCC unroll 4
    for (size_t l = 0; l < gangs; l++) {
      memcpy(&left, x + i + l * GANG, sizeof left);
      if (y)
        memcpy(&right, y + i + l * GANG, sizeof right);
      sum[l] += y ? left * right : left;
    }
  left = (sum[0] + sum[2]) + (sum[1] + sum[3]);
  memcpy(parts, &left, sizeof left);
  for (; i < n; i++)
    parts[i % GANG] += y ? x[i] * y[i] : x[i];
}

static void add_sums(const struct ssk_block *block, size_t C, const ssk_real *x, const ssk_real *y,
                     ssk_real *sums) {
  for (size_t c0 = 0; c0 < C; c0 += GANG) {
    const size_t rows = C - c0 < GANG ? C - c0 : GANG;
    ssk_real parts[GANG * GANG] = {0}, turned[GANG * GANG];
    for (size_t c = 0; c < rows; c++) {
      const size_t at = (c0 + c) * block->stride;
      sum_parts(block->tokens, x + at, y ? y + at : NULL, parts + c * GANG);
    }
    ssk_transpose(GANG, GANG, parts, GANG, false, turned, GANG);
    for (size_t half = GANG / 2; half; half /= 2)
      for (size_t k = 0; k < half * GANG; k++)
        turned[k] += turned[k + half * GANG];
    for (size_t c = 0; c < rows; c++)
      sums[c0 + c] += turned[c];
  }
}

void ssk_block_add_sums(const struct ssk_block *block, size_t C, const ssk_real *x,
                        ssk_real *sums) {
  add_sums(block, C, x, NULL, sums);
}

void ssk_block_add_products(const struct ssk_block *block, size_t C, const ssk_real *x,
                            const ssk_real *y, ssk_real *sums) {
  add_sums(block, C, x, y, sums);
}

/* ---- products -------------------------------------------------------------------------------- */

static struct ssk_matrix matrix(const ssk_real *data, size_t stride, enum ssk_transpose as) {
  return (struct ssk_matrix){data, (int)stride, as};
}

void ssk_block_product(const struct ssk_block *block, size_t I, size_t O, const ssk_real *W,
                       const ssk_real *x, bool keep, ssk_real *y) {
  ssk_gemm((int)O, (int)block->tokens, (int)I, 1, matrix(W, O, SSK_TRANSPOSED),
           matrix(x, block->stride, SSK_AS_IS), keep, y, (int)block->stride);
}

void ssk_block_product_back(const struct ssk_block *block, size_t I, size_t O, const ssk_real *W,
                            const ssk_real *dy, bool keep, ssk_real *dx) {
  ssk_gemm((int)I, (int)block->tokens, (int)O, 1, matrix(W, O, SSK_AS_IS),
           matrix(dy, block->stride, SSK_AS_IS), keep, dx, (int)block->stride);
}

/* In tiles: OpenBLAS is a quarter faster at 32 x 32 than at 32 x 64 or 32 x 96 (measured); code for
 * the shape needs none. */
void ssk_block_add_outer(const struct ssk_block *block, size_t I, size_t O, const ssk_real *x,
                         const ssk_real *dy, ssk_real *dW) {
  const size_t tile = ssk_gemm_jit_name() ? 128 : 32;
  for (size_t i = 0; i < I; i += tile)
    for (size_t o = 0; o < O; o += tile)
      ssk_gemm((int)(I - i < tile ? I - i : tile), (int)(O - o < tile ? O - o : tile),
               (int)block->tokens, 1, matrix(x + i * block->stride, block->stride, SSK_AS_IS),
               matrix(dy + o * block->stride, block->stride, SSK_TRANSPOSED), 1, dW + i * O + o,
               (int)O);
}

void ssk_block_add_outer_rows(const struct ssk_axis *axis, const struct ssk_block *block, size_t I,
                              const ssk_real *x, const ssk_real *dy, ssk_real *dW) {
  for (size_t l = 0; l < axis->L; l++)
    ssk_gemm((int)I, (int)axis->C, (int)block->n, 1,
             matrix(x + l * block->n, block->stride, SSK_AS_IS),
             matrix(dy + position(axis, block, l), axis->C, SSK_AS_IS), 1, dW, (int)axis->C);
}

/* ---- normalisation --------------------------------------------------------------------------- */

static const ssk_real epsilon = (ssk_real)1e-5;

/* A strip of n tokens, so few that their sums stay in registers. */
enum { strip = 16 };
static inline __attribute__((always_inline)) void
norm_strip(size_t n, size_t C, size_t stride, const ssk_real *restrict x,
           const ssk_real *restrict gain, const ssk_real *restrict bias, ssk_real *restrict scale,
           ssk_real *restrict normal, ssk_real *restrict h) {
  const ssk_real over = 1 / (ssk_real)C;
  ssk_real mean[strip] = {0}, square[strip] = {0};
  for (size_t c = 0; c < C; c++)
    for (size_t i = 0; i < n; i++)
      mean[i] += x[c * stride + i];
  for (size_t i = 0; i < n; i++)
    mean[i] *= over;
  for (size_t c = 0; c < C; c++)
    for (size_t i = 0; i < n; i++)
      square[i] += (x[c * stride + i] - mean[i]) * (x[c * stride + i] - mean[i]);
  for (size_t i = 0; i < n; i++)
    scale[i] = square[i] = 1 / (ssk_real)sqrt((double)(square[i] * over + epsilon));
  for (size_t c = 0; c < C; c++)
    for (size_t i = 0; i < n; i++) {
      const ssk_real value = (x[c * stride + i] - mean[i]) * square[i];
      normal[c * stride + i] = value;
      h[c * stride + i] = value * gain[c] + bias[c];
    }
}

void ssk_block_norm(const struct ssk_block *block, size_t C, const ssk_real *x,
                    const ssk_real *gain, const ssk_real *bias, ssk_real *scale, ssk_real *normal,
                    ssk_real *h) {
  size_t i = 0;
  for (; i + strip <= block->tokens; i += strip)
    norm_strip(strip, C, block->stride, x + i, gain, bias, scale + i, normal + i, h + i);
  norm_strip(block->tokens - i, C, block->stride, x + i, gain, bias, scale + i, normal + i, h + i);
}

/* With g = dh gain: dx = scale (g - mean g - normal mean(g normal)). */
void ssk_block_norm_back(const struct ssk_block *block, size_t C, const ssk_real *gain,
                         const ssk_real *scale, const ssk_real *normal, ssk_real *dh,
                         ssk_real *scratch, ssk_real *dx) {
  const ssk_real over = 1 / (ssk_real)C;
  ssk_real *restrict mean = scratch, *restrict slope = scratch + block->stride;
  memset(mean, 0, block->tokens * sizeof *mean);
  memset(slope, 0, block->tokens * sizeof *slope);
  for (size_t c = 0; c < C; c++) {
    ssk_real *restrict g = dh + c * block->stride;
    const ssk_real *restrict h = normal + c * block->stride;
    const ssk_real factor = gain[c];
    for (size_t i = 0; i < block->tokens; i++) {
      g[i] *= factor;
      mean[i] += g[i];
      slope[i] += g[i] * h[i];
    }
  }
  for (size_t i = 0; i < block->tokens; i++) {
    mean[i] *= over;
    slope[i] *= over;
  }
  for (size_t c = 0; c < C; c++) {
    const ssk_real *restrict g = dh + c * block->stride, *restrict h = normal + c * block->stride;
    ssk_real *restrict to = dx + c * block->stride;
    for (size_t i = 0; i < block->tokens; i++)
      to[i] += scale[i] * (g[i] - mean[i] - h[i] * slope[i]);
  }
}
