/* SPDX-License-Identifier: GPL-3.0-or-later */
/* transformer_attend.c - the attention of a transformer block, on one block of tokens.
 *
 * With a channel a row, the score of two positions is a sum of products of rows. For each head and
 * each query position l the weights are P [L, n] over the positions m seen from there:
 * P = softmax over m of scale q_l . k_m. */
#include "tensor/transformer.h"
#include "tensor/vmath.h"
#include <math.h>
#include <string.h>

/* Work memory: what forward makes, and, for backward, dO and the gradients of q, k and v. */
struct work {
  ssk_real *scale, *normal, *h;      /* 1 row, C, C */
  ssk_real *q, *k, *v, *o;           /* C each */
  ssk_real *P;                       /* [heads, L, L, n] */
  ssk_real *dq, *dk, *dv, *d_o, *dh; /* C each */
  ssk_real *score;                   /* [L, n], then 2 rows */
};

static size_t lay_out(const struct ssk_transformer_shape *s, size_t stride, ssk_real *memory,
                      struct work *w) {
  const size_t part = s->C * stride;
  size_t used = 0;
  ssk_real **const parts[] = {&w->normal, &w->h,  &w->q,  &w->k,   &w->v, &w->o,
                              &w->dq,     &w->dk, &w->dv, &w->d_o, &w->dh};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++, used += part)
    *parts[i] = memory ? memory + used : NULL;
  ssk_real **const rows[] = {&w->scale, &w->score, &w->P};
  const size_t counts[] = {1, 3, s->heads * s->L};
  for (size_t i = 0; i < 3; used += counts[i++] * stride)
    *rows[i] = memory ? memory + used : NULL;
  return used;
}

size_t ssk_attend_work(const struct ssk_transformer_shape *s, size_t stride) {
  struct work w;
  return lay_out(s, stride, NULL, &w);
}

/* S[i] = scale * sum over d of a[d, i] b[d, i] */
static void dot(size_t depth, size_t n, size_t stride, ssk_real scale, const ssk_real *restrict a,
                const ssk_real *restrict b, ssk_real *restrict S) {
  size_t d = depth % 4;
  for (size_t i = 0; i < n; i++)
    S[i] = 0;
  for (size_t r = 0; r < d; r++)
    for (size_t i = 0; i < n; i++)
      S[i] += scale * (a[r * stride + i] * b[r * stride + i]);
  for (; d < depth; d += 4) {
    const ssk_real *restrict x = a + d * stride, *restrict y = b + d * stride;
    for (size_t i = 0; i < n; i++)
      S[i] +=
          scale * ((x[i] * y[i] + x[stride + i] * y[stride + i]) +
                   (x[2 * stride + i] * y[2 * stride + i] + x[3 * stride + i] * y[3 * stride + i]));
  }
}

/* Softmax over the m rows of S [m, n]. */
static void softmax(size_t m, size_t n, ssk_real *restrict S, ssk_real *restrict row) {
  memcpy(row, S, n * sizeof *row);
  for (size_t r = 1; r < m; r++)
    for (size_t i = 0; i < n; i++)
      row[i] = S[r * n + i] > row[i] ? S[r * n + i] : row[i];
  for (size_t r = 0; r < m; r++)
    for (size_t i = 0; i < n; i++)
      S[r * n + i] -= row[i];
  ssk_vexp(m * n, S, S);
  memcpy(row, S, n * sizeof *row);
  for (size_t r = 1; r < m; r++)
    for (size_t i = 0; i < n; i++)
      row[i] += S[r * n + i];
  for (size_t i = 0; i < n; i++)
    row[i] = 1 / row[i];
  for (size_t r = 0; r < m; r++)
    for (size_t i = 0; i < n; i++)
      S[r * n + i] *= row[i];
}

/* y[d, i] (+)= sum over m of w[m, i] x[d, m, i], x's rows holding all positions */
static void weigh(size_t depth, size_t m, size_t n, size_t stride, const ssk_real *restrict w,
                  const ssk_real *restrict x, ssk_real *restrict y) {
  for (size_t d = 0; d < depth; d++, x += stride, y += stride) {
    for (size_t i = 0; i < n; i++)
      y[i] = w[i] * x[i];
    size_t r = 1;
    for (; r + 3 <= m; r += 3)
      for (size_t i = 0; i < n; i++)
        y[i] += w[r * n + i] * x[r * n + i] + w[(r + 1) * n + i] * x[(r + 1) * n + i] +
                w[(r + 2) * n + i] * x[(r + 2) * n + i];
    for (; r < m; r++)
      for (size_t i = 0; i < n; i++)
        y[i] += w[r * n + i] * x[r * n + i];
  }
}

/* y[d, m, i] += w[m, i] x[d, i] */
static void spread(size_t depth, size_t m, size_t n, size_t stride, const ssk_real *restrict w,
                   const ssk_real *restrict x, ssk_real *restrict y) {
  for (size_t d = 0; d < depth; d++, x += stride, y += stride)
    for (size_t r = 0; r < m; r++)
      for (size_t i = 0; i < n; i++)
        y[r * n + i] += w[r * n + i] * x[i];
}

/* From x to o. */
static void attend(const struct ssk_transformer_shape *s, const struct ssk_block *block,
                   const ssk_real *const *value, const ssk_real *x, const struct work *w) {
  const size_t depth = s->C / s->heads, n = block->n;
  const ssk_real scale = (ssk_real)(1 / sqrt((double)depth));
  ssk_block_norm(block, s->C, x, value[SSK_NORM1_GAIN], value[SSK_NORM1_BIAS], w->scale, w->normal,
                 w->h);
  ssk_real *const y[] = {w->q, w->k, w->v};
  for (int i = 0; i < 3; i++) {
    ssk_block_product(block, s->C, s->C, value[SSK_QUERY_W + 2 * i], w->h, false, y[i]);
    ssk_block_add_bias(block, s->C, value[SSK_QUERY_B + 2 * i], y[i]);
  }
  for (size_t head = 0; head < s->heads; head++)
    for (size_t l = 0; l < s->L; l++) {
      const size_t at = head * depth * block->stride, seen = s->causal ? l + 1 : s->L;
      ssk_real *P = w->P + (head * s->L + l) * s->L * n;
      for (size_t m = 0; m < seen; m++)
        dot(depth, n, block->stride, scale, w->q + at + l * n, w->k + at + m * n, P + m * n);
      softmax(seen, n, P, w->score);
      weigh(depth, seen, n, block->stride, P, w->v + at, w->o + at + l * n);
    }
}

void ssk_attend_forward(const struct ssk_transformer_shape *s, const struct ssk_block *block,
                        const ssk_real *const *value, const ssk_real *x, ssk_real *y,
                        ssk_real *work) {
  struct work w;
  lay_out(s, block->stride, work, &w);
  attend(s, block, value, x, &w);
  ssk_block_product(block, s->C, s->C, value[SSK_MIX_W], w.o, false, y);
  ssk_block_add_bias(block, s->C, value[SSK_MIX_B], y);
  ssk_block_add(block, s->C, x, y);
}

/* From dO to dq, dk, dv: dP[m] = dO . v[m]; dS = scale P (dP - sum of P dP). */
static void attend_back(const struct ssk_transformer_shape *s, const struct ssk_block *block,
                        const struct work *w) {
  const size_t depth = s->C / s->heads, n = block->n;
  const ssk_real scale = (ssk_real)(1 / sqrt((double)depth));
  memset(w->dk, 0, s->C * block->stride * sizeof(ssk_real));
  memset(w->dv, 0, s->C * block->stride * sizeof(ssk_real));
  for (size_t head = 0; head < s->heads; head++)
    for (size_t l = 0; l < s->L; l++) {
      const size_t at = head * depth * block->stride, seen = s->causal ? l + 1 : s->L;
      const ssk_real *restrict P = w->P + (head * s->L + l) * s->L * n;
      const ssk_real *dO = w->d_o + at + l * n;
      ssk_real *restrict dS = w->score, *restrict inner = w->score + s->L * n;
      for (size_t m = 0; m < seen; m++)
        dot(depth, n, block->stride, 1, dO, w->v + at + m * n, dS + m * n);
      memset(inner, 0, n * sizeof *inner);
      for (size_t m = 0; m < seen; m++)
        for (size_t i = 0; i < n; i++)
          inner[i] += P[m * n + i] * dS[m * n + i];
      for (size_t m = 0; m < seen; m++)
        for (size_t i = 0; i < n; i++)
          dS[m * n + i] = scale * (P[m * n + i] * (dS[m * n + i] - inner[i]));
      weigh(depth, seen, n, block->stride, dS, w->k + at, w->dq + at + l * n);
      spread(depth, seen, n, block->stride, dS, w->q + at + l * n, w->dk + at);
      spread(depth, seen, n, block->stride, P, dO, w->dv + at);
    }
}

void ssk_attend_backward(const struct ssk_transformer_shape *s, const struct ssk_block *block,
                         const ssk_real *const *value, ssk_real *const *grad, const ssk_real *x,
                         ssk_real *dx, ssk_real *work) {
  struct work w;
  lay_out(s, block->stride, work, &w);
  attend(s, block, value, x, &w);
  ssk_block_add_outer(block, s->C, s->C, w.o, dx, grad[SSK_MIX_W]);
  ssk_block_add_sums(block, s->C, dx, grad[SSK_MIX_B]);
  ssk_block_product_back(block, s->C, s->C, value[SSK_MIX_W], dx, false, w.d_o);
  attend_back(s, block, &w);
  const ssk_real *const dy[] = {w.dq, w.dk, w.dv};
  for (int i = 0; i < 3; i++) {
    const int at = SSK_QUERY_W + 2 * i;
    ssk_block_add_outer(block, s->C, s->C, w.h, dy[i], grad[at]);
    ssk_block_add_sums(block, s->C, dy[i], grad[at + 1]);
    ssk_block_product_back(block, s->C, s->C, value[at], dy[i], i > 0, w.dh);
  }
  ssk_block_add_products(block, s->C, w.dh, w.normal, grad[SSK_NORM1_GAIN]);
  ssk_block_add_sums(block, s->C, w.dh, grad[SSK_NORM1_BIAS]);
  ssk_block_norm_back(block, s->C, value[SSK_NORM1_GAIN], w.scale, w.normal, w.dh, w.score, dx);
}
