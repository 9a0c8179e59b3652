/* SPDX-License-Identifier: GPL-3.0-or-later */
/* attention_long.c - attention along a long axis, by matrix products, a row (all heads of it) after
 * the other, so that what one needs stays in the cache.
 *
 * A position's entries lie N*C apart: they are gathered first, as [L, C] and as [C, L], so that the
 * products run along whole vectors of positions, not along the few entries of a head. The scores
 * of a head are a matrix of keys by queries, and their softmax goes down its columns. The way back
 * makes the weights again: that is sooner done than they are fetched from memory, which they would
 * fill (Dao et al. 2022). */
#include "tensor/attention.h"
#include "tensor/gemm.h"
#include "tensor/transpose.h"
#include <math.h>

static size_t width(const struct ssk_attention *s) {
  return s->heads * s->depth;
}

static struct ssk_matrix as_is(const ssk_real *data, size_t stride) {
  return (struct ssk_matrix){data, (int)stride, SSK_AS_IS};
}

/* Row n of x [L, N, C], times scale, as rows [L, C] and as columns [C, L]. */
static void gather(const struct ssk_attention *s, size_t n, const ssk_real *x, ssk_real scale,
                   ssk_real *restrict rows, ssk_real *columns) {
  const size_t C = width(s);
  for (size_t l = 0; l < s->L; l++)
    for (size_t c = 0; c < C; c++)
      rows[l * C + c] = scale * x[l * s->slab + n * C + c];
  ssk_transpose(s->L, C, rows, C, false, columns, s->L);
}

/* P [keys, queries] of a head, from its keys [L, depth] in rows of C, and its scaled queries
 * [depth, L]. */
static void weigh(const struct ssk_attention *s, const ssk_real *keys, const ssk_real *queries,
                  ssk_real *P) {
  const size_t L = s->L;
  ssk_gemm((int)L, (int)L, (int)s->depth, 1, as_is(keys, width(s)), as_is(queries, L), 0, P,
           (int)L);
  if (s->causal)
    for (size_t key = 1; key < L; key++)
      for (size_t query = 0; query < key; query++)
        P[key * L + query] = -(ssk_real)INFINITY;
  ssk_softmax_down(L, L, P);
}

size_t ssk_attention_long_room(const struct ssk_attention *s, bool back) {
  return back ? 11 * s->L * width(s) + 2 * s->L * s->L : 7 * s->L * width(s) + s->L * s->L;
}

void ssk_attention_long_forward(const struct ssk_attention *s, const ssk_real *q, const ssk_real *k,
                                const ssk_real *v, ssk_real *scratch, ssk_real *y) {
  const size_t L = s->L, C = width(s), part = L * C;
  const int length = (int)L, depth = (int)s->depth;
  ssk_real *const rows[] = {scratch, scratch + part, scratch + 2 * part};
  ssk_real *const columns[] = {scratch + 3 * part, scratch + 4 * part, scratch + 5 * part};
  ssk_real *out = scratch + 6 * part, *P = scratch + 7 * part;
  for (size_t n = 0; n < s->rows; n++) {
    gather(s, n, q, s->scale, rows[0], columns[0]);
    gather(s, n, k, 1, rows[1], columns[1]);
    gather(s, n, v, 1, rows[2], columns[2]);
    for (size_t at = 0; at < C; at += s->depth) {
      weigh(s, rows[1] + at, columns[0] + at * L, P);
      ssk_gemm(depth, length, length, 1, as_is(columns[2] + at * L, L), as_is(P, L), 0,
               out + at * L, length);
    }
    ssk_transpose(C, L, out, L, false, y + n * C, s->slab);
  }
}

/* dS = P (dP - sum over keys of P dP), in place of dP; the inner products in blocks of queries. */
static void softmax_back(size_t L, const ssk_real *restrict P, ssk_real *restrict dP) {
  enum { block = 256 };
  for (size_t from = 0; from < L; from += block) {
    const size_t n = L - from < block ? L - from : block;
    ssk_real inner[block] = {0};
    for (size_t at = from; at < L * L; at += L)
      for (size_t i = 0; i < n; i++)
        inner[i] += P[at + i] * dP[at + i];
    for (size_t at = from; at < L * L; at += L)
      for (size_t i = 0; i < n; i++)
        dP[at + i] = P[at + i] * (dP[at + i] - inner[i]);
  }
}

static void add_rows(const struct ssk_attention *s, size_t n, const ssk_real *restrict x,
                     ssk_real *restrict grad) {
  const size_t C = width(s);
  for (size_t l = 0; l < s->L; l++)
    for (size_t c = 0; c < C; c++)
      grad[l * s->slab + n * C + c] += x[l * C + c];
}

/* With P and dP of keys by queries, and scaled queries: dV += P dY; dP = V dY^T;
 * dS = softmax_back(dP); dQ^T += scale K^T dS; dK += dS Q. */
void ssk_attention_long_backward(const struct ssk_attention *s, struct ssk_call *call,
                                 ssk_real *scratch) {
  const ssk_tensor *q = call->in[0], *k = call->in[1], *v = call->in[2];
  const size_t L = s->L, C = width(s), part = L * C;
  const int length = (int)L, depth = (int)s->depth, stride = (int)C;
  enum { of_q, of_k, of_v, of_y, parts };
  ssk_real *rows[parts], *columns[parts];
  for (size_t i = 0; i < parts; i++) {
    rows[i] = scratch + 2 * i * part;
    columns[i] = scratch + (2 * i + 1) * part;
  }
  ssk_real *dq = scratch + 8 * part, *dk = dq + part, *dv = dk + part;
  ssk_real *P = dv + part, *dP = P + L * L;
  for (size_t n = 0; n < s->rows; n++) {
    gather(s, n, q->data, s->scale, rows[of_q], columns[of_q]);
    gather(s, n, k->data, 1, rows[of_k], columns[of_k]);
    gather(s, n, v->data, 1, rows[of_v], columns[of_v]);
    gather(s, n, call->out->grad, 1, rows[of_y], columns[of_y]);
    for (size_t at = 0; at < C; at += s->depth) {
      weigh(s, rows[of_k] + at, columns[of_q] + at * L, P);
      if (ssk_wants(v))
        ssk_gemm(length, depth, length, 1, as_is(P, L), as_is(rows[of_y] + at, C), 0, dv + at,
                 stride);
      if (!ssk_wants(q) && !ssk_wants(k))
        continue;
      ssk_gemm(length, length, depth, 1, as_is(rows[of_v] + at, C),
               as_is(columns[of_y] + at * L, L), 0, dP, length);
      softmax_back(L, P, dP);
      if (ssk_wants(q))
        ssk_gemm(depth, length, length, 1, as_is(columns[of_k] + at * L, L), as_is(dP, L), 0,
                 dq + at * L, length);
      if (ssk_wants(k))
        ssk_gemm(length, depth, length, 1, as_is(dP, L), as_is(rows[of_q] + at, C), 0, dk + at,
                 stride);
    }
    if (ssk_wants(q)) {
      for (size_t i = 0; i < part; i++)
        dq[i] *= s->scale;
      ssk_transpose(C, L, dq, L, true, q->grad + n * C, s->slab);
    }
    if (ssk_wants(k))
      add_rows(s, n, dk, k->grad);
    if (ssk_wants(v))
      add_rows(s, n, dv, v->grad);
  }
}
