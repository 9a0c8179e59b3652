/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ops_attention.c - scaled dot-product attention along the first axis (Vaswani et al. 2017).
 *
 * q, k, v [L, N, C], heads side by side in C; the weights are P = softmax(q k^T / sqrt(C/heads)).
 * Row n and head h are item n*heads + h; the items lie one behind another at each position.
 *
 * Two ways, by the length of the axis. Long: for one item the queries are a matrix [L, C/heads]
 * whose rows lie N*C apart, and the matrix products take them as they lie; P is [items, L, L].
 * Short, as between the slots of a window or the latents of a state, where such products are all
 * overhead: for each pair of positions a sweep over all items (attention_short.c); P is [L, L,
 * items]. */
#include "tensor/attention.h"
#include "tensor/gemm.h"
#include "tensor/sums.h"
#include "tensor/vmath.h"
#include <math.h>

enum { short_axis = 8 };

struct attr {
  int heads;
  bool causal;
};

int ssk_shape_attention(struct ssk_call *call, int *ndim, int *shape) {
  const struct attr *attr = call->attr;
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

static struct ssk_attention layout_of(const struct ssk_call *call) {
  const struct attr *attr = call->attr;
  const ssk_tensor *q = call->in[0];
  const size_t depth = (size_t)(q->shape[2] / attr->heads);
  return (struct ssk_attention){.L = (size_t)q->shape[0],
                                .items = (size_t)q->shape[1] * (size_t)attr->heads,
                                .depth = depth,
                                .slab = (size_t)q->shape[1] * (size_t)q->shape[2],
                                .causal = attr->causal,
                                .scale = (ssk_real)(1 / sqrt((double)depth))};
}

/* Scores and weighted values; back, the gradients of P, and of q, k and v. A causal position needs
 * only what it sees. */
double ssk_flops_attention(const struct ssk_call *call, bool back) {
  const struct ssk_attention s = layout_of(call);
  const double L = (double)s.L, pairs = s.causal ? L * (L + 1) / 2 : L * L;
  const double product = 2 * pairs * (double)s.items * (double)s.depth;
  const double of_q = ssk_gradients(call->in[0]), of_k = ssk_gradients(call->in[1]);
  const double of_P = of_q + of_k > 0, of_v = ssk_gradients(call->in[2]);
  return product * (back ? of_P + of_q + of_k + of_v : 2);
}

static struct ssk_matrix as_is(const ssk_real *data, size_t stride) {
  return (struct ssk_matrix){data, (int)stride, SSK_AS_IS};
}
static struct ssk_matrix transposed(const ssk_real *data, size_t stride) {
  return (struct ssk_matrix){data, (int)stride, SSK_TRANSPOSED};
}

/* Rows of scores less their maxima, where what a causal position may not see becomes exp's zero. */
static void mask_and_shift(size_t rows, size_t L, bool causal, ssk_real *S) {
  for (size_t i = 0; i < rows; i++) {
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

static void forward_long(const struct ssk_attention *s, const ssk_real *q, const ssk_real *k,
                         const ssk_real *v, ssk_real *P, ssk_real *y) {
  const size_t square = s->L * s->L;
  const int L = (int)s->L, depth = (int)s->depth, slab = (int)s->slab;
  for (size_t i = 0, at = 0; i < s->items; i++, at += s->depth)
    ssk_gemm(L, L, depth, s->scale, as_is(q + at, s->slab), transposed(k + at, s->slab), 0,
             P + i * square, L);
  mask_and_shift(s->items * s->L, s->L, s->causal, P);
  ssk_vexp(s->items * square, P, P);
  for (size_t r = 0; r < s->items * s->L; r++) {
    ssk_real *restrict row = P + r * s->L;
    const ssk_real inverse = (ssk_real)(1 / ssk_sum_array(s->L, row));
    for (size_t c = 0; c < s->L; c++)
      row[c] *= inverse;
  }
  for (size_t i = 0, at = 0; i < s->items; i++, at += s->depth)
    ssk_gemm(L, depth, L, 1, as_is(P + i * square, s->L), as_is(v + at, s->slab), 0, y + at, slab);
}

/* dV += P^T dY; dP = dY V^T; dS = P (dP - rowsum(P dP)); dQ += scale dS K; dK += scale dS^T Q.
 * scratch: 2 L L */
static void backward_long(const struct ssk_attention *s, struct ssk_call *call, ssk_real *scratch) {
  const ssk_tensor *q = call->in[0], *k = call->in[1], *v = call->in[2];
  const size_t square = s->L * s->L;
  const int L = (int)s->L, depth = (int)s->depth, slab = (int)s->slab;
  ssk_real *restrict dS = scratch, *restrict product = scratch + square;
  for (size_t i = 0, at = 0; i < s->items; i++, at += s->depth) {
    const ssk_real *restrict P = (const ssk_real *)call->saved + i * square;
    const struct ssk_matrix dY = as_is(call->out->grad + at, s->slab);
    if (ssk_wants(v))
      ssk_gemm(L, depth, L, 1, transposed(P, s->L), dY, 1, v->grad + at, slab);
    if (!ssk_wants(q) && !ssk_wants(k))
      continue;
    ssk_gemm(L, L, depth, 1, dY, transposed(v->data + at, s->slab), 0, dS, L);
    for (size_t c = 0; c < square; c++)
      product[c] = P[c] * dS[c];
    for (size_t r = 0; r < s->L; r++) {
      const ssk_real inner = (ssk_real)ssk_sum_array(s->L, product + r * s->L);
      for (size_t c = r * s->L; c < (r + 1) * s->L; c++)
        dS[c] = P[c] * (dS[c] - inner);
    }
    if (ssk_wants(q))
      ssk_gemm(L, depth, L, s->scale, as_is(dS, s->L), as_is(k->data + at, s->slab), 1,
               q->grad + at, slab);
    if (ssk_wants(k))
      ssk_gemm(L, depth, L, s->scale, transposed(dS, s->L), as_is(q->data + at, s->slab), 1,
               k->grad + at, slab);
  }
}

/* saved: P */
void ssk_forward_attention(struct ssk_call *call) {
  const struct ssk_attention s = layout_of(call);
  const ssk_tensor *q = call->in[0], *k = call->in[1], *v = call->in[2];
  ssk_real *P = call->saved = ssk_scratch_reals(call, s.items * s.L * s.L);
  if (!P)
    return;
  if (s.L <= short_axis)
    ssk_attention_short_forward(&s, q->data, k->data, v->data, P, call->out->data);
  else
    forward_long(&s, q->data, k->data, v->data, P, call->out->data);
}
void ssk_backward_attention(struct ssk_call *call) {
  const struct ssk_attention s = layout_of(call);
  const bool is_short = s.L <= short_axis;
  ssk_real *scratch = ssk_scratch_reals(call, is_short ? (s.L + 1) * s.items : 2 * s.L * s.L);
  if (!scratch)
    return;
  if (is_short)
    ssk_attention_short_backward(&s, call, scratch);
  else
    backward_long(&s, call, scratch);
}

ssk_tensor *ssk_attention(ssk_tape *tape, ssk_tensor *q, ssk_tensor *k, ssk_tensor *v, int heads,
                          bool causal) {
  const struct attr attr = {heads, causal};
  return ssk_apply_op(tape, SSK_OP_attention, SSK_INPUTS(q, k, v), &attr, sizeof attr);
}
