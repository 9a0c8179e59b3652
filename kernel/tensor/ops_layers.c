/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ops_layers.c - WaveNet's gate (van den Oord et al. 2016) and layer normalisation (Ba et al.
 * 2016). */
#include "tensor/ops.h"
#include "tensor/sums.h"
#include "tensor/vmath.h"
#include <math.h>

/* ---- gate: sigmoid(a) tanh(b), [.., 2C] = [a, b] -> [.., C] ---------------------------------- */

int ssk_shape_gate(struct ssk_call *call, int *ndim, int *shape) {
  const ssk_tensor *x = call->in[0];
  if (x->ndim < 1 || ssk_width(x) % 2)
    return ssk_misfit(call, "the last axis of %s must have an even length", SSK_SHOW(x));
  ssk_shape_same(call, ndim, shape);
  shape[*ndim - 1] /= 2;
  return SSK_OK;
}

/* The halves of the rows are gathered first, so that the array functions have long arrays. saved:
 * sigmoid(a), then tanh(b), each of out's shape. */
void ssk_forward_gate(struct ssk_call *call) {
  const ssk_tensor *in = call->in[0], *out = call->out;
  const size_t C = (size_t)ssk_width(out), rows = (size_t)ssk_height(out), n = out->count;
  ssk_real *memory = call->saved = ssk_scratch_reals(call, 2 * n);
  if (!memory)
    return;
  ssk_real *restrict s = memory, *restrict t = memory + n, *restrict y = out->data;
  for (size_t r = 0; r < rows; r++) {
    const ssk_real *restrict x = in->data + 2 * r * C;
    for (size_t c = 0; c < C; c++)
      s[r * C + c] = x[c];
    for (size_t c = 0; c < C; c++)
      t[r * C + c] = x[C + c];
  }
  ssk_vsigmoid(n, s, s);
  ssk_vtanh(n, t, t);
  for (size_t i = 0; i < n; i++)
    y[i] = s[i] * t[i];
}
void ssk_backward_gate(struct ssk_call *call) {
  const ssk_tensor *in = call->in[0], *out = call->out;
  const size_t C = (size_t)ssk_width(out), rows = (size_t)ssk_height(out);
  const ssk_real *saved = call->saved;
  const bool set = ssk_call_fresh(call, 0);
  for (size_t r = 0; r < rows; r++) {
    const ssk_real *restrict s = saved + r * C, *restrict t = saved + out->count + r * C;
    const ssk_real *restrict dy = out->grad + r * C;
    ssk_real *restrict dx = in->grad + 2 * r * C;
    if (set) {
      for (size_t c = 0; c < C; c++)
        dx[c] = dy[c] * t[c] * (s[c] * (1 - s[c]));
      for (size_t c = 0; c < C; c++)
        dx[C + c] = dy[c] * s[c] * (1 - t[c] * t[c]);
    } else {
      for (size_t c = 0; c < C; c++)
        dx[c] += dy[c] * t[c] * (s[c] * (1 - s[c]));
      for (size_t c = 0; c < C; c++)
        dx[C + c] += dy[c] * s[c] * (1 - t[c] * t[c]);
    }
  }
}

/* ---- layer_norm: (x - mean) / sqrt(var + eps) * gain + bias, over the last axis ----------------
 */

static const double epsilon = 1e-5;

int ssk_shape_layer_norm(struct ssk_call *call, int *ndim, int *shape) {
  const ssk_tensor *x = call->in[0];
  for (int i = 1; i < 3; i++)
    if (call->in[i] && (call->in[i]->ndim != 1 || call->in[i]->shape[0] != ssk_width(x)))
      return ssk_misfit(call, "gain or bias of shape %s for inputs of shape %s",
                        SSK_SHOW(call->in[i]), SSK_SHOW(x));
  return ssk_shape_same(call, ndim, shape);
}

/* saved: the normalised rows, then 1/sqrt(var + eps) of each */
void ssk_forward_layer_norm(struct ssk_call *call) {
  const ssk_tensor *in = call->in[0], *gain = call->in[1], *bias = call->in[2], *out = call->out;
  const size_t C = (size_t)ssk_width(in), rows = (size_t)ssk_height(in);
  ssk_real *normal = call->saved = ssk_scratch_reals(call, in->count + rows);
  if (!normal)
    return;
  ssk_real *scale = normal + in->count;
  for (size_t r = 0; r < rows; r++) {
    const ssk_real *restrict x = in->data + r * C;
    ssk_real *restrict h = normal + r * C, *restrict y = out->data + r * C;
    const ssk_real mean = (ssk_real)(ssk_sum_array(C, x) / (double)C);
    for (size_t c = 0; c < C; c++)
      y[c] = (x[c] - mean) * (x[c] - mean);
    scale[r] = (ssk_real)(1 / sqrt(ssk_sum_array(C, y) / (double)C + epsilon));
    for (size_t c = 0; c < C; c++)
      y[c] = h[c] = (x[c] - mean) * scale[r];
    if (gain)
      for (size_t c = 0; c < C; c++)
        y[c] *= gain->data[c];
    if (bias)
      for (size_t c = 0; c < C; c++)
        y[c] += bias->data[c];
  }
}

/* With h the normalised row and g = dy gain: dx = scale (g - mean g - h mean(g h)). */
void ssk_backward_layer_norm(struct ssk_call *call) {
  const ssk_tensor *in = call->in[0], *gain = call->in[1], *bias = call->in[2], *out = call->out;
  const size_t C = (size_t)ssk_width(in), rows = (size_t)ssk_height(in);
  const ssk_real *normal = call->saved, *scale = normal + in->count;
  ssk_real *product = ssk_scratch_reals(call, in->count); /* dy h */
  if (!product)
    return;
  for (size_t i = 0; i < in->count; i++)
    product[i] = out->grad[i] * normal[i];
  if (ssk_wants(gain))
    ssk_add_column_sums(rows, C, 1, product, ssk_grad_to_add(call, 1));
  if (ssk_wants(bias))
    ssk_add_column_sums(rows, C, 1, out->grad, ssk_grad_to_add(call, 2));
  if (!ssk_wants(in))
    return;
  const bool set = ssk_call_fresh(call, 0);
  ssk_real *g = ssk_scratch_reals(call, C);
  if (!g)
    return;
  for (size_t r = 0; r < rows; r++) {
    const ssk_real *restrict h = normal + r * C, *restrict dy = out->grad + r * C;
    ssk_real *restrict p = product + r * C, *restrict dx = in->grad + r * C;
    for (size_t c = 0; c < C; c++) {
      const ssk_real factor = gain ? gain->data[c] : 1;
      g[c] = dy[c] * factor;
      p[c] *= factor;
    }
    const ssk_real mean = (ssk_real)(ssk_sum_array(C, g) / (double)C);
    const ssk_real slope = (ssk_real)(ssk_sum_array(C, p) / (double)C);
    if (set)
      for (size_t c = 0; c < C; c++)
        dx[c] = scale[r] * (g[c] - mean - h[c] * slope);
    else
      for (size_t c = 0; c < C; c++)
        dx[c] += scale[r] * (g[c] - mean - h[c] * slope);
  }
}

ssk_tensor *ssk_gate(ssk_tape *tape, ssk_tensor *x) {
  return ssk_apply_op(tape, SSK_OP_gate, SSK_INPUTS(x), NULL, 0);
}
ssk_tensor *ssk_layer_norm(ssk_tape *tape, ssk_tensor *x, ssk_tensor *gain, ssk_tensor *bias) {
  return ssk_apply_op(tape, SSK_OP_layer_norm, SSK_INPUTS(x, gain, bias), NULL, 0);
}
