/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ops_attention.c - scaled dot-product attention along the first axis (Vaswani et al. 2017).
 *
 * q, k, v [L, N, C], heads side by side in C. For one row n and head h the queries are a matrix
 * [L, C/heads] whose rows lie N*C apart: the matrix products take them as they lie. The weights
 * P = softmax(q k^T / sqrt(C/heads)) of all rows and heads, [N, heads, L, L], are kept. */
#include "tensor/gemm.h"
#include "tensor/ops.h"
#include "tensor/sums.h"
#include "tensor/vmath.h"
#include <math.h>

struct attention {
  int heads;
  bool causal;
};

int ssk_shape_attention(struct ssk_call *call, int *ndim, int *shape) {
  const struct attention *attr = call->attr;
  const ssk_tensor *q = call->in[0];
  const int code = ssk_shape_alike(call, ndim, shape);
  if (code)
    return code;
  if (q->ndim != 3 || attr->heads < 1 || q->shape[2] % attr->heads)
    return ssk_misfit(call, "shape %s is not [L, N, C] with C divisible by %d heads", SSK_SHOW(q),
                      attr->heads);
  if ((int64_t)q->shape[1] * q->shape[2] > INT32_MAX)
    return ssk_misfit(call, "shape %s is too large", SSK_SHOW(q));
  return SSK_OK;
}

/* Sizes, and where row n and head h begin. */
struct layout {
  size_t L, N, heads;
  int depth, stride; /* C/heads; entries from position to position */
};
static struct layout layout_of(const struct ssk_call *call) {
  const struct attention *attr = call->attr;
  const ssk_tensor *q = call->in[0];
  return (struct layout){.L = (size_t)q->shape[0],
                         .N = (size_t)q->shape[1],
                         .heads = (size_t)attr->heads,
                         .depth = q->shape[2] / attr->heads,
                         .stride = q->shape[1] * q->shape[2]};
}
static size_t begin_of(const struct layout *l, size_t item) {
  return item * (size_t)l->depth; /* item n * heads + h: rows and heads lie one behind another */
}

/* S - its row maxima, where what a causal position may not see becomes exp's zero. */
static void mask_and_shift(size_t items, size_t L, bool causal, ssk_real *S) {
  for (size_t i = 0; i < items * L; i++) {
    ssk_real *restrict row = S + i * L;
    const size_t seen = causal ? i % L + 1 : L;
    ssk_real most = row[0];
    for (size_t c = 1; c < seen; c++)
      most = row[c] > most ? row[c] : most;
    for (size_t c = 0; c < seen; c++)
      row[c] -= most;
    for (size_t c = seen; c < L; c++)
      row[c] = -(ssk_real)INFINITY;
  }
}

/* saved: P */
void ssk_forward_attention(struct ssk_call *call) {
  const struct attention *attr = call->attr;
  const ssk_tensor *q = call->in[0], *k = call->in[1], *v = call->in[2];
  const struct layout l = layout_of(call);
  const size_t items = l.N * l.heads;
  const int L = (int)l.L;
  const ssk_real scale = (ssk_real)(1 / sqrt((double)l.depth));
  ssk_real *P = call->saved = ssk_scratch_reals(call, items * l.L * l.L);
  if (!P)
    return;
  for (size_t i = 0; i < items; i++)
    ssk_gemm(L, L, l.depth, scale,
             (struct ssk_matrix){q->data + begin_of(&l, i), l.stride, SSK_AS_IS},
             (struct ssk_matrix){k->data + begin_of(&l, i), l.stride, SSK_TRANSPOSED}, 0,
             P + i * l.L * l.L, L);
  mask_and_shift(items, l.L, attr->causal, P);
  ssk_vexp(items * l.L * l.L, P, P);
  for (size_t i = 0; i < items * l.L; i++) {
    ssk_real *restrict row = P + i * l.L;
    const ssk_real inverse = (ssk_real)(1 / ssk_sum_array(l.L, row));
    for (size_t c = 0; c < l.L; c++)
      row[c] *= inverse;
  }
  for (size_t i = 0; i < items; i++)
    ssk_gemm(L, l.depth, L, 1, (struct ssk_matrix){P + i * l.L * l.L, L, SSK_AS_IS},
             (struct ssk_matrix){v->data + begin_of(&l, i), l.stride, SSK_AS_IS}, 0,
             call->out->data + begin_of(&l, i), l.stride);
}

/* dV += P^T dO; dP = dO V^T; dS = P (dP - rowsum(P dP)); dQ += scale dS K; dK += scale dS^T Q. */
void ssk_backward_attention(struct ssk_call *call) {
  const ssk_tensor *q = call->in[0], *k = call->in[1], *v = call->in[2], *out = call->out;
  const struct layout l = layout_of(call);
  const int L = (int)l.L;
  const ssk_real scale = (ssk_real)(1 / sqrt((double)l.depth));
  ssk_real *dS = ssk_scratch_reals(call, l.L * l.L);
  if (!dS)
    return;
  for (size_t i = 0; i < l.N * l.heads; i++) {
    const size_t at = begin_of(&l, i);
    const ssk_real *P = (const ssk_real *)call->saved + i * l.L * l.L;
    const struct ssk_matrix dO = {out->grad + at, l.stride, SSK_AS_IS};
    if (ssk_wants(v))
      ssk_gemm(L, l.depth, L, 1, (struct ssk_matrix){P, L, SSK_TRANSPOSED}, dO, 1, v->grad + at,
               l.stride);
    if (!ssk_wants(q) && !ssk_wants(k))
      continue;
    ssk_gemm(L, L, l.depth, 1, dO, (struct ssk_matrix){v->data + at, l.stride, SSK_TRANSPOSED}, 0,
             dS, L);
    for (size_t r = 0; r < l.L; r++) {
      ssk_real *restrict d = dS + r * l.L;
      const ssk_real *restrict p = P + r * l.L;
      double inner = 0;
      for (size_t c = 0; c < l.L; c++)
        inner += (double)p[c] * (double)d[c];
      for (size_t c = 0; c < l.L; c++)
        d[c] = p[c] * (d[c] - (ssk_real)inner);
    }
    if (ssk_wants(q))
      ssk_gemm(L, l.depth, L, scale, (struct ssk_matrix){dS, L, SSK_AS_IS},
               (struct ssk_matrix){k->data + at, l.stride, SSK_AS_IS}, 1, q->grad + at, l.stride);
    if (ssk_wants(k))
      ssk_gemm(L, l.depth, L, scale, (struct ssk_matrix){dS, L, SSK_TRANSPOSED},
               (struct ssk_matrix){q->data + at, l.stride, SSK_AS_IS}, 1, k->grad + at, l.stride);
  }
}

ssk_tensor *ssk_attention(ssk_tape *tape, ssk_tensor *q, ssk_tensor *k, ssk_tensor *v, int heads,
                          bool causal) {
  const struct attention attr = {heads, causal};
  return ssk_apply_op(tape, SSK_OP_attention, SSK_INPUTS(q, k, v), &attr, sizeof attr);
}
