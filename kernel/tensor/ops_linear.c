/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ops_linear.c - matrix products: the dense layer with its bias and activation, and batches of
 * products. */
#include "tensor/activation.h"
#include "tensor/gemm.h"
#include "tensor/ops.h"
#include "tensor/rows.h"
#include "tensor/sums.h"
#include <string.h>

/* ---- linear: act(x W + b + a), x [.., I], W [I, O], b [O], a [.., O], or NULL, -> [.., O] ------
 */

int ssk_shape_linear(struct ssk_call *call, int *ndim, int *shape) {
  const ssk_tensor *x = call->in[0], *W = call->in[1], *b = call->in[2];
  if (x->ndim < 1 || W->ndim != 2 || ssk_width(x) != W->shape[0])
    return ssk_misfit(call, "inputs of shape %s do not fit weights of shape %s", SSK_SHOW(x),
                      SSK_SHOW(W));
  if (b && (b->ndim != 1 || b->shape[0] != W->shape[1]))
    return ssk_misfit(call, "a bias of shape %s does not fit weights of shape %s", SSK_SHOW(b),
                      SSK_SHOW(W));
  ssk_shape_same(call, ndim, shape);
  shape[*ndim - 1] = W->shape[1];
  if (call->in[3] && (call->in[3]->ndim != *ndim ||
                      memcmp(call->in[3]->shape, shape, sizeof call->in[3]->shape) != 0))
    return ssk_misfit(call, "cannot add %s to a result of shape %s", SSK_SHOW(call->in[3]),
                      ssk_shape_text(*ndim, shape).text);
  return SSK_OK;
}

double ssk_flops_linear(const struct ssk_call *call, bool back) {
  const ssk_tensor *x = call->in[0], *W = call->in[1];
  const double product = 2.0 * (double)x->count * W->shape[1];
  return product * (back ? ssk_gradients(x) + ssk_gradients(W) : 1);
}

/* Rows are worked on in blocks: OpenBLAS multiplies small matrices without packing them (below 10^6
 * multiplications), which is faster than one long product, and what follows a product finds its
 * rows in the cache. Where the weights alone are large, packing pays: one block. */
static int block_rows(int rows, int in, int width) {
  const double most = 1e6 / ((double)in * width);
  return most < 32 || most >= rows ? rows : (int)most;
}

/* y = act(y + b) for n rows, in steps that stay in the first cache; the slopes go to `slope`. */
static void finish(enum ssk_act act, size_t n, size_t C, const ssk_real *b, ssk_real *y,
                   ssk_real *slope) {
  const size_t step = C < 2048 ? 2048 / C : 1;
  for (size_t r0 = 0; r0 < n; r0 += step) {
    const size_t m = n - r0 < step ? n - r0 : step;
    ssk_real *restrict part = y + r0 * C;
    if (b)
      ssk_rows_add(m, C, b, part, part);
    ssk_act_forward(act, m * C, part, part, slope ? slope + r0 * C : NULL);
  }
}

/* saved: the slopes, for those activations that keep them. */
void ssk_forward_linear(struct ssk_call *call) {
  const ssk_tensor *x = call->in[0], *W = call->in[1], *b = call->in[2], *out = call->out;
  const ssk_real *a = call->in[3] ? call->in[3]->data : NULL;
  const enum ssk_act act = *(const enum ssk_act *)call->attr;
  const int rows = ssk_height(x), in = W->shape[0], width = W->shape[1];
  if (act == SSK_LINEAR)
    call->hands_on = 1u << 3;
  if (out->needs_grad && ssk_act_keeps_slope(act) &&
      !(call->saved = ssk_scratch_reals(call, out->count)))
    return;
  ssk_real *slope = call->saved;
  const int block = block_rows(rows, in, width);
  for (int r = 0; r < rows; r += block) {
    const int n = rows - r < block ? rows - r : block;
    const size_t at = (size_t)r * (size_t)width;
    if (a)
      memcpy(out->data + at, a + at, (size_t)n * (size_t)width * sizeof *a);
    ssk_gemm(n, width, in, 1, (struct ssk_matrix){x->data + (size_t)r * (size_t)in, in, SSK_AS_IS},
             (struct ssk_matrix){W->data, width, SSK_AS_IS}, a != NULL, out->data + at, width);
    if (b || act != SSK_LINEAR)
      finish(act, (size_t)n, (size_t)width, b ? b->data : NULL, out->data + at,
             slope ? slope + at : NULL);
  }
}

/* W as the right factor of P W^T: transposed beforehand where many blocks will use it. */
static struct ssk_matrix transposed(struct ssk_call *call, int rows, int block) {
  const ssk_tensor *W = call->in[1];
  const int in = W->shape[0], width = W->shape[1];
  if (rows < 4 * block)
    return (struct ssk_matrix){W->data, width, SSK_TRANSPOSED};
  ssk_real *copy = ssk_scratch_reals(call, W->count);
  if (copy)
    for (int i = 0; i < in; i++)
      for (int o = 0; o < width; o++)
        copy[o * in + i] = W->data[i * width + o];
  return (struct ssk_matrix){copy, in, SSK_AS_IS};
}

/* With P = dY act': dX += P W^T, dW += X^T P, db += sum of the rows of P, da += P. A fresh da is
 * where P is computed. */
void ssk_backward_linear(struct ssk_call *call) {
  const ssk_tensor *x = call->in[0], *W = call->in[1], *b = call->in[2], *out = call->out;
  const enum ssk_act act = *(const enum ssk_act *)call->attr;
  const int rows = ssk_height(x), in = W->shape[0], width = W->shape[1];
  const int block = block_rows(rows, in, width);
  ssk_real *product = NULL, *db = ssk_wants(b) ? ssk_grad_to_add(call, 2) : NULL;
  const ssk_tensor *a = ssk_wants(call->in[3]) ? call->in[3] : NULL;
  const bool in_place = a && ssk_call_fresh(call, 3);
  if (act != SSK_LINEAR && !in_place &&
      !(product = ssk_scratch_reals(call, (size_t)block * (size_t)width)))
    return;
  const struct ssk_matrix right =
      ssk_wants(x) ? transposed(call, rows, block) : (struct ssk_matrix){W->data, width, SSK_AS_IS};
  if (!right.data)
    return;
  for (int r = 0; r < rows; r += block) {
    const int n = rows - r < block ? rows - r : block;
    const size_t at = (size_t)r * (size_t)width, from = (size_t)r * (size_t)in;
    const size_t count = (size_t)n * (size_t)width;
    const ssk_real *P = out->grad + at;
    if (product || in_place) {
      const ssk_real *slope = call->saved;
      ssk_real *to = in_place ? a->grad + at : product;
      ssk_act_backward(act, count, out->data + at, slope ? slope + at : NULL, P, to);
      P = to;
    }
    if (a && !in_place)
      ssk_add_scaled(count, 1, P, a->grad + at);
    if (ssk_wants(x))
      ssk_gemm(n, in, width, 1, (struct ssk_matrix){P, width, SSK_AS_IS}, right,
               !ssk_call_fresh(call, 0), x->grad + from, in);
    if (ssk_wants(W))
      ssk_gemm(in, width, n, 1, (struct ssk_matrix){x->data + from, in, SSK_TRANSPOSED},
               (struct ssk_matrix){P, width, SSK_AS_IS}, r > 0 || !ssk_call_fresh(call, 1), W->grad,
               width);
    if (db)
      ssk_add_column_sums((size_t)n, (size_t)width, 1, P, db);
  }
}

/* ---- bmm: a [N, M, K], b [N, K, P] -> [N, M, P]; either N may be 1 --------------------------- */

int ssk_shape_bmm(struct ssk_call *call, int *ndim, int *shape) {
  const ssk_tensor *a = call->in[0], *b = call->in[1];
  if (a->ndim != 3 || b->ndim != 3 || a->shape[2] != b->shape[1] ||
      (a->shape[0] != b->shape[0] && a->shape[0] != 1 && b->shape[0] != 1))
    return ssk_misfit(call, "shapes %s and %s do not multiply", SSK_SHOW(a), SSK_SHOW(b));
  *ndim = 3;
  shape[0] = a->shape[0] == 1 ? b->shape[0] : a->shape[0];
  shape[1] = a->shape[1];
  shape[2] = b->shape[2];
  return SSK_OK;
}

double ssk_flops_bmm(const struct ssk_call *call, bool back) {
  const double product = 2.0 * (double)call->out->count * call->in[0]->shape[2];
  return product * (back ? ssk_gradients(call->in[0]) + ssk_gradients(call->in[1]) : 1);
}

static size_t slab(const ssk_tensor *x, int i) {
  return x->shape[0] == 1 ? 0 : (size_t)i * (size_t)x->shape[1] * (size_t)x->shape[2];
}

void ssk_forward_bmm(struct ssk_call *call) {
  const ssk_tensor *a = call->in[0], *b = call->in[1], *out = call->out;
  const int M = out->shape[1], P = out->shape[2], K = a->shape[2];
  for (int i = 0; i < out->shape[0]; i++)
    ssk_gemm(M, P, K, 1, (struct ssk_matrix){a->data + slab(a, i), K, SSK_AS_IS},
             (struct ssk_matrix){b->data + slab(b, i), P, SSK_AS_IS}, 0, out->data + slab(out, i),
             P);
}
/* dA += dY B^T, dB += A^T dY; a side with N = 1 gathers all. */
void ssk_backward_bmm(struct ssk_call *call) {
  const ssk_tensor *a = call->in[0], *b = call->in[1], *out = call->out;
  const int M = out->shape[1], P = out->shape[2], K = a->shape[2];
  for (int i = 0; i < out->shape[0]; i++) {
    const struct ssk_matrix dy = {out->grad + slab(out, i), P, SSK_AS_IS};
    if (ssk_wants(a))
      ssk_gemm(M, K, P, 1, dy, (struct ssk_matrix){b->data + slab(b, i), P, SSK_TRANSPOSED}, 1,
               a->grad + slab(a, i), K);
    if (ssk_wants(b))
      ssk_gemm(K, P, M, 1, (struct ssk_matrix){a->data + slab(a, i), K, SSK_TRANSPOSED}, dy, 1,
               b->grad + slab(b, i), P);
  }
}

ssk_tensor *ssk_linear(ssk_tape *tape, ssk_tensor *x, ssk_tensor *W, ssk_tensor *b,
                       enum ssk_act act) {
  return ssk_linear_add(tape, x, W, b, NULL, act);
}
ssk_tensor *ssk_linear_add(ssk_tape *tape, ssk_tensor *x, ssk_tensor *W, ssk_tensor *b,
                           ssk_tensor *a, enum ssk_act act) {
  return ssk_apply_op(tape, SSK_OP_linear, SSK_INPUTS(x, W, b, a), &act, sizeof act);
}
ssk_tensor *ssk_bmm(ssk_tape *tape, ssk_tensor *a, ssk_tensor *b) {
  return ssk_apply_op(tape, SSK_OP_bmm, SSK_INPUTS(a, b), NULL, 0);
}
