/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ops_conv.c - convolutions along the first axis, with zero padding. With that axis outermost, the
 * outputs that a tap reaches and the inputs that it sees are two runs of whole slabs: a tap is one
 * matrix product, without copying. */
#include "tensor/gemm.h"
#include "tensor/ops.h"
#include "tensor/sums.h"
#include "tensor/taps.h"
#include <string.h>

/* What both convolutions demand. */
static int check(struct ssk_call *call, int taps, int channels) {
  const struct ssk_taps *conv = call->attr;
  const ssk_tensor *x = call->in[0], *b = call->in[2];
  if (x->ndim != 3)
    return ssk_misfit(call, "inputs must be of shape [L, N, C], not %s", SSK_SHOW(x));
  if (conv->dilation < 1)
    return ssk_misfit(call, "dilation %d: it must be at least 1", conv->dilation);
  if (!conv->causal && taps % 2 == 0)
    return ssk_misfit(call, "a centred filter must have an odd length, not %d", taps);
  if (b && (b->ndim != 1 || b->shape[0] != channels))
    return ssk_misfit(call, "a bias of shape %s for %d channels", SSK_SHOW(b), channels);
  return SSK_OK;
}

/* Start the output with the bias, or zero. */
static void start(const ssk_tensor *out, const ssk_tensor *b) {
  const size_t C = (size_t)ssk_width(out), rows = (size_t)ssk_height(out);
  if (!b)
    memset(out->data, 0, out->count * sizeof *out->data);
  else
    for (size_t r = 0; r < rows; r++)
      memcpy(out->data + r * C, b->data, C * sizeof *out->data);
}

/* ---- conv: x [L, N, I], W [k, I, O], b [O] or NULL -> [L, N, O] ------------------------------ */

int ssk_shape_conv(struct ssk_call *call, int *ndim, int *shape) {
  const ssk_tensor *x = call->in[0], *W = call->in[1];
  if (W->ndim != 3 || ssk_width(x) != W->shape[1])
    return ssk_misfit(call, "inputs of shape %s do not fit filters of shape %s", SSK_SHOW(x),
                      SSK_SHOW(W));
  const int code = check(call, W->shape[0], W->shape[2]);
  ssk_shape_same(call, ndim, shape);
  shape[2] = W->shape[2];
  return code;
}

/* Of both convolutions: `width` multiply-adds for each pair of rows that a tap connects. */
static double flops(const struct ssk_call *call, bool back, double width) {
  const ssk_tensor *x = call->in[0], *W = call->in[1];
  double slabs = 0;
  for (int i = 0; i < W->shape[0]; i++)
    slabs += (double)ssk_tap_reach(call->attr, x->shape[0], W->shape[0], i).n;
  return 2 * slabs * x->shape[1] * width * (back ? ssk_gradients(x) + ssk_gradients(W) : 1);
}

double ssk_flops_conv(const struct ssk_call *call, bool back) {
  return flops(call, back, (double)call->in[1]->shape[1] * call->in[1]->shape[2]);
}

void ssk_forward_conv(struct ssk_call *call) {
  const ssk_tensor *x = call->in[0], *W = call->in[1], *out = call->out;
  const int L = x->shape[0], N = x->shape[1], I = x->shape[2], O = out->shape[2];
  const size_t x_slab = (size_t)N * (size_t)I, y_slab = (size_t)N * (size_t)O;
  start(out, call->in[2]);
  for (int i = 0; i < W->shape[0]; i++) {
    const struct ssk_reach tap = ssk_tap_reach(call->attr, L, W->shape[0], i);
    if (tap.n)
      ssk_gemm((int)tap.n * N, O, I, 1,
               (struct ssk_matrix){x->data + tap.in * x_slab, I, SSK_AS_IS},
               (struct ssk_matrix){W->data + (size_t)i * (size_t)I * (size_t)O, O, SSK_AS_IS}, 1,
               out->data + tap.out * y_slab, O);
  }
}
void ssk_backward_conv(struct ssk_call *call) {
  const ssk_tensor *x = call->in[0], *W = call->in[1], *b = call->in[2], *out = call->out;
  const int L = x->shape[0], N = x->shape[1], I = x->shape[2], O = out->shape[2];
  const size_t x_slab = (size_t)N * (size_t)I, y_slab = (size_t)N * (size_t)O;
  for (int i = 0; i < W->shape[0]; i++) {
    const struct ssk_reach tap = ssk_tap_reach(call->attr, L, W->shape[0], i);
    const size_t at = (size_t)i * (size_t)I * (size_t)O;
    const ssk_real *dy = out->grad + tap.out * y_slab;
    if (tap.n && ssk_wants(x))
      ssk_gemm((int)tap.n * N, I, O, 1, (struct ssk_matrix){dy, O, SSK_AS_IS},
               (struct ssk_matrix){W->data + at, O, SSK_TRANSPOSED}, 1, x->grad + tap.in * x_slab,
               I);
    if (tap.n && ssk_wants(W))
      ssk_gemm(I, O, (int)tap.n * N, 1,
               (struct ssk_matrix){x->data + tap.in * x_slab, I, SSK_TRANSPOSED},
               (struct ssk_matrix){dy, O, SSK_AS_IS}, 1, W->grad + at, O);
  }
  if (ssk_wants(b))
    ssk_add_column_sums((size_t)ssk_height(out), (size_t)O, 1, out->grad, b->grad);
}

/* ---- conv_depthwise: x [L, N, C], W [k, C], b [C] or NULL -> [L, N, C] ------------------------
 */

int ssk_shape_conv_depthwise(struct ssk_call *call, int *ndim, int *shape) {
  const ssk_tensor *x = call->in[0], *W = call->in[1];
  if (W->ndim != 2 || ssk_width(x) != W->shape[1])
    return ssk_misfit(call, "inputs of shape %s do not fit filters of shape %s", SSK_SHOW(x),
                      SSK_SHOW(W));
  ssk_shape_same(call, ndim, shape);
  return check(call, W->shape[0], W->shape[1]);
}

double ssk_flops_conv_depthwise(const struct ssk_call *call, bool back) {
  return flops(call, back, call->in[1]->shape[1]);
}

/* y[r, c] += a[r, c] w[c] */
static void add_weighted(size_t rows, size_t C, const ssk_real *restrict a,
                         const ssk_real *restrict w, ssk_real *restrict y) {
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < C; c++)
      y[r * C + c] += a[r * C + c] * w[c];
}

void ssk_forward_conv_depthwise(struct ssk_call *call) {
  const ssk_tensor *x = call->in[0], *W = call->in[1], *out = call->out;
  const size_t N = (size_t)x->shape[1], C = (size_t)x->shape[2];
  start(out, call->in[2]);
  for (int i = 0; i < W->shape[0]; i++) {
    const struct ssk_reach tap = ssk_tap_reach(call->attr, x->shape[0], W->shape[0], i);
    add_weighted(tap.n * N, C, x->data + tap.in * N * C, W->data + (size_t)i * C,
                 out->data + tap.out * N * C);
  }
}
void ssk_backward_conv_depthwise(struct ssk_call *call) {
  const ssk_tensor *x = call->in[0], *W = call->in[1], *b = call->in[2], *out = call->out;
  const size_t N = (size_t)x->shape[1], C = (size_t)x->shape[2];
  ssk_real *product = ssk_wants(W) ? ssk_scratch_reals(call, x->count) : NULL;
  for (int i = 0; i < W->shape[0]; i++) {
    const struct ssk_reach tap = ssk_tap_reach(call->attr, x->shape[0], W->shape[0], i);
    const ssk_real *dy = out->grad + tap.out * N * C, *seen = x->data + tap.in * N * C;
    if (ssk_wants(x))
      add_weighted(tap.n * N, C, dy, W->data + (size_t)i * C, x->grad + tap.in * N * C);
    if (product) {
      for (size_t k = 0; k < tap.n * N * C; k++)
        product[k] = dy[k] * seen[k];
      ssk_add_column_sums(tap.n * N, C, 1, product, W->grad + (size_t)i * C);
    }
  }
  if (ssk_wants(b))
    ssk_add_column_sums((size_t)ssk_height(out), C, 1, out->grad, b->grad);
}

ssk_tensor *ssk_conv(ssk_tape *tape, ssk_tensor *x, ssk_tensor *W, ssk_tensor *b, int dilation,
                     bool causal) {
  const struct ssk_taps attr = {dilation, causal};
  return ssk_apply_op(tape, SSK_OP_conv, SSK_INPUTS(x, W, b), &attr, sizeof attr);
}
ssk_tensor *ssk_conv_depthwise(ssk_tape *tape, ssk_tensor *x, ssk_tensor *W, ssk_tensor *b,
                               int dilation, bool causal) {
  const struct ssk_taps attr = {dilation, causal};
  return ssk_apply_op(tape, SSK_OP_conv_depthwise, SSK_INPUTS(x, W, b), &attr, sizeof attr);
}
