/* SPDX-License-Identifier: GPL-3.0-or-later */
/* attention_short.c - attention along a short axis: for each pair of positions one sweep over the
 * items of all rows and heads, which lie side by side. */
#include "tensor/attention.h"
#include "tensor/vmath.h"
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

/* y[i] = scale * (a[i, :] . b[i, :]) */
INLINE void dots_of(size_t items, size_t depth, ssk_real scale, const ssk_real *restrict a,
                    const ssk_real *restrict b, ssk_real *restrict y) {
  for (size_t i = 0; i < items; i++, a += depth, b += depth) {
    ssk_real lane[4] = {0}, rest = 0;
    size_t d = 0;
    for (; d + 4 <= depth; d += 4)
      for (size_t l = 0; l < 4; l++)
        lane[l] += a[d + l] * b[d + l];
    for (; d < depth; d++)
      rest += a[d] * b[d];
    y[i] = scale * (((lane[0] + lane[2]) + (lane[1] + lane[3])) + rest);
  }
}

/* y[i, :] += w[i] x[i, :] */
INLINE void add_weighted_of(size_t items, size_t depth, const ssk_real *restrict w,
                            const ssk_real *restrict x, ssk_real *restrict y) {
  for (size_t i = 0; i < items; i++)
    for (size_t d = 0; d < depth; d++)
      y[i * depth + d] += w[i] * x[i * depth + d];
}

/* The usual depths as constants, so that the inner loops unroll. */
#define BY_DEPTH(f, items, depth, ...)                                                             \
  do {                                                                                             \
    if (depth == 4)                                                                                \
      f(items, 4, __VA_ARGS__);                                                                    \
    else if (depth == 8)                                                                           \
      f(items, 8, __VA_ARGS__);                                                                    \
    else if (depth == 16)                                                                          \
      f(items, 16, __VA_ARGS__);                                                                   \
    else                                                                                           \
      f(items, depth, __VA_ARGS__);                                                                \
  } while (0)

static void dots(const struct ssk_attention *s, ssk_real scale, const ssk_real *a,
                 const ssk_real *b, ssk_real *y) {
  BY_DEPTH(dots_of, s->items, s->depth, scale, a, b, y);
}

static void add_weighted(const struct ssk_attention *s, const ssk_real *w, const ssk_real *x,
                         ssk_real *y) {
  BY_DEPTH(add_weighted_of, s->items, s->depth, w, x, y);
}

/* In blocks of columns; where one block has them all, their rows are one for the exponential. */
void ssk_softmax_down(size_t m, size_t columns, ssk_real *P) {
  enum { block = 256 };
  for (size_t from = 0; from < columns; from += block) {
    const size_t n = columns - from < block ? columns - from : block;
    ssk_real most[block], sum[block] = {0};
    memcpy(most, P + from, n * sizeof *most);
    for (size_t r = 1; r < m; r++) {
      const ssk_real *row = P + r * columns + from;
      for (size_t i = 0; i < n; i++)
        most[i] = row[i] > most[i] ? row[i] : most[i];
    }
    for (size_t r = 0; r < m; r++)
      for (size_t i = 0; i < n; i++)
        P[r * columns + from + i] -= most[i];
    if (n == columns)
      ssk_vexp(m * columns, P, P);
    else
      for (size_t r = 0; r < m; r++)
        ssk_vexp(n, P + r * columns + from, P + r * columns + from);
    for (size_t r = 0; r < m; r++)
      for (size_t i = 0; i < n; i++)
        sum[i] += P[r * columns + from + i];
    for (size_t i = 0; i < n; i++)
      sum[i] = 1 / sum[i];
    for (size_t r = 0; r < m; r++) {
      ssk_real *row = P + r * columns + from;
      for (size_t i = 0; i < n; i++)
        row[i] *= sum[i];
    }
  }
}

void ssk_attention_short_forward(const struct ssk_attention *s, const ssk_real *q,
                                 const ssk_real *k, const ssk_real *v, ssk_real *P, ssk_real *y) {
  memset(y, 0, s->L * s->slab * sizeof *y);
  for (size_t l = 0; l < s->L; l++, P += s->L * s->items) {
    const size_t seen = s->causal ? l + 1 : s->L;
    for (size_t m = 0; m < seen; m++)
      dots(s, s->scale, q + l * s->slab, k + m * s->slab, P + m * s->items);
    ssk_softmax_down(seen, s->items, P);
    for (size_t m = 0; m < seen; m++)
      add_weighted(s, P + m * s->items, v + m * s->slab, y + l * s->slab);
  }
}

/* For each l: dP[m] = dy . v[m]; dS[m] = scale P[m] (dP[m] - sum of P dP); dq += dS[m] k[m];
 * dk[m] += dS[m] q; dv[m] += P[m] dy. */
void ssk_attention_short_backward(const struct ssk_attention *s, struct ssk_call *call,
                                  ssk_real *scratch) {
  const ssk_tensor *q = call->in[0], *k = call->in[1], *v = call->in[2];
  const ssk_real *P = call->saved;
  const size_t items = s->items, slab = s->slab;
  ssk_real *dS = scratch, *restrict inner = scratch + s->L * items;
  for (size_t l = 0; l < s->L; l++, P += s->L * items) {
    const size_t seen = s->causal ? l + 1 : s->L;
    const ssk_real *dy = call->out->grad + l * slab;
    memset(inner, 0, items * sizeof *inner);
    for (size_t m = 0; m < seen; m++) {
      const ssk_real *restrict p = P + m * items;
      ssk_real *restrict d = dS + m * items;
      dots(s, 1, dy, v->data + m * slab, d);
      for (size_t i = 0; i < items; i++)
        inner[i] += p[i] * d[i];
    }
    for (size_t m = 0; m < seen; m++) {
      const ssk_real *restrict p = P + m * items;
      ssk_real *restrict d = dS + m * items;
      for (size_t i = 0; i < items; i++)
        d[i] = s->scale * (p[i] * (d[i] - inner[i]));
      if (ssk_wants(q))
        add_weighted(s, d, k->data + m * slab, q->grad + l * slab);
      if (ssk_wants(k))
        add_weighted(s, d, q->data + l * slab, k->grad + m * slab);
      if (ssk_wants(v))
        add_weighted(s, p, dy, v->grad + m * slab);
    }
  }
}
