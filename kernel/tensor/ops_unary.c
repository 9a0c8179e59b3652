/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ops_unary.c - functions of one tensor, entry by entry. */
#include "tensor/activation.h"
#include "tensor/ops.h"
#include "tensor/sums.h"
#include "tensor/vmath.h"
#include <math.h>

enum { block = 512 };

/* y = EXPRESSION of x[i] and attribute a / dx += EXPRESSION of dy[i], x[i], y[i]. */
#define FORWARD(EXPRESSION)                                                                        \
  const size_t n = call->out->count;                                                               \
  const ssk_real *restrict x = call->in[0]->data;                                                  \
  ssk_real *restrict y = call->out->data;                                                          \
  for (size_t i = 0; i < n; i++)                                                                   \
  y[i] = (EXPRESSION)
#define BACKWARD(EXPRESSION)                                                                       \
  const size_t n = call->out->count;                                                               \
  const ssk_real *restrict x = call->in[0]->data;                                                  \
  const ssk_real *restrict y = call->out->data;                                                    \
  const ssk_real *restrict dy = call->out->grad;                                                   \
  ssk_real *restrict dx = call->in[0]->grad;                                                       \
  (void)x, (void)y;                                                                                \
  for (size_t i = 0; i < n; i++)                                                                   \
  dx[i] += (EXPRESSION)

/* dx += sign * dy * slope(x), the slope being an array function. */
static void add_by_slope(struct ssk_call *call, ssk_real sign,
                         void (*slope)(size_t, const ssk_real *, ssk_real *)) {
  const ssk_tensor *in = call->in[0], *out = call->out;
  ssk_real s[block];
  for (size_t from = 0; from < out->count; from += block) {
    const size_t n = out->count - from < block ? out->count - from : block;
    const ssk_real *restrict dy = out->grad + from;
    ssk_real *restrict dx = in->grad + from;
    slope(n, in->data + from, s);
    for (size_t i = 0; i < n; i++)
      dx[i] += sign * (dy[i] * s[i]);
  }
}

struct pair {
  ssk_real first, second;
};

void ssk_forward_affine(struct ssk_call *call) {
  const struct pair *a = call->attr;
  const ssk_real scale = a->first, shift = a->second;
  FORWARD(scale * x[i] + shift);
}
void ssk_backward_affine(struct ssk_call *call) {
  const struct pair *a = call->attr;
  ssk_hand_gradient(call, 0, a->first);
}

/* saved: the slopes, for those activations that keep them */
void ssk_forward_activate(struct ssk_call *call) {
  const enum ssk_act *act = call->attr;
  const size_t n = call->out->count;
  if (call->out->needs_grad && ssk_act_keeps_slope(*act) &&
      !(call->saved = ssk_scratch_reals(call, n)))
    return;
  ssk_act_forward(*act, n, call->in[0]->data, call->out->data, call->saved);
}
void ssk_backward_activate(struct ssk_call *call) {
  const enum ssk_act *act = call->attr;
  const ssk_tensor *out = call->out;
  const ssk_real *slope = call->saved;
  if (ssk_call_fresh(call, 0)) {
    ssk_act_backward(*act, out->count, out->data, slope, out->grad, call->in[0]->grad);
    return;
  }
  ssk_real dx[block];
  for (size_t from = 0; from < out->count; from += block) {
    const size_t n = out->count - from < block ? out->count - from : block;
    ssk_act_backward(*act, n, out->data + from, slope ? slope + from : NULL, out->grad + from, dx);
    ssk_add_scaled(n, 1, dx, call->in[0]->grad + from);
  }
}

void ssk_forward_exp(struct ssk_call *call) {
  ssk_vexp(call->out->count, call->in[0]->data, call->out->data);
}
void ssk_backward_exp(struct ssk_call *call) {
  BACKWARD(dy[i] * y[i]);
}

void ssk_forward_log(struct ssk_call *call) {
  ssk_vlog(call->out->count, call->in[0]->data, call->out->data);
}
void ssk_backward_log(struct ssk_call *call) {
  BACKWARD(dy[i] / x[i]);
}

void ssk_forward_log1p(struct ssk_call *call) {
  ssk_vlog1p(call->out->count, call->in[0]->data, call->out->data);
}
void ssk_backward_log1p(struct ssk_call *call) {
  BACKWARD(dy[i] / (1 + x[i]));
}

void ssk_forward_lgamma(struct ssk_call *call) {
  ssk_vlgamma(call->out->count, call->in[0]->data, call->out->data);
}
void ssk_backward_lgamma(struct ssk_call *call) {
  add_by_slope(call, 1, ssk_vdigamma);
}

void ssk_forward_sqrt(struct ssk_call *call) {
  FORWARD((ssk_real)sqrt((double)x[i]));
}
void ssk_backward_sqrt(struct ssk_call *call) {
  BACKWARD(dy[i] * (ssk_real)0.5 / y[i]);
}

void ssk_forward_square(struct ssk_call *call) {
  FORWARD(x[i] * x[i]);
}
void ssk_backward_square(struct ssk_call *call) {
  BACKWARD(2 * dy[i] * x[i]);
}

void ssk_forward_sin(struct ssk_call *call) {
  ssk_vsin(call->out->count, call->in[0]->data, call->out->data);
}
void ssk_backward_sin(struct ssk_call *call) {
  add_by_slope(call, 1, ssk_vcos);
}

void ssk_forward_cos(struct ssk_call *call) {
  ssk_vcos(call->out->count, call->in[0]->data, call->out->data);
}
void ssk_backward_cos(struct ssk_call *call) {
  add_by_slope(call, -1, ssk_vsin);
}

/* The comparisons let NaN through: it must not be hidden in the middle of the range. */
void ssk_forward_clamp(struct ssk_call *call) {
  const struct pair *a = call->attr;
  const ssk_real lo = a->first, hi = a->second;
  FORWARD(x[i] < lo ? lo : x[i] > hi ? hi : x[i]);
}
void ssk_backward_clamp(struct ssk_call *call) {
  const struct pair *a = call->attr;
  const ssk_real lo = a->first, hi = a->second;
  const ssk_real *restrict x = call->in[0]->data, *restrict dy = call->out->grad;
  ssk_real *restrict dx = call->in[0]->grad;
  for (size_t i = 0; i < call->out->count; i++) {
    const ssk_real passed = dy[i]; /* read in any case: so the loop has no branch */
    dx[i] += x[i] < lo || x[i] > hi ? 0 : passed;
  }
}

ssk_tensor *ssk_affine(ssk_tape *tape, ssk_tensor *x, ssk_real scale, ssk_real shift) {
  const struct pair attr = {scale, shift};
  return ssk_apply_op(tape, SSK_OP_affine, SSK_INPUTS(x), &attr, sizeof attr);
}
ssk_tensor *ssk_activate(ssk_tape *tape, ssk_tensor *x, enum ssk_act act) {
  return ssk_apply_op(tape, SSK_OP_activate, SSK_INPUTS(x), &act, sizeof act);
}
ssk_tensor *ssk_exp(ssk_tape *tape, ssk_tensor *x) {
  return ssk_apply_op(tape, SSK_OP_exp, SSK_INPUTS(x), NULL, 0);
}
ssk_tensor *ssk_log(ssk_tape *tape, ssk_tensor *x) {
  return ssk_apply_op(tape, SSK_OP_log, SSK_INPUTS(x), NULL, 0);
}
ssk_tensor *ssk_log1p(ssk_tape *tape, ssk_tensor *x) {
  return ssk_apply_op(tape, SSK_OP_log1p, SSK_INPUTS(x), NULL, 0);
}
ssk_tensor *ssk_lgamma(ssk_tape *tape, ssk_tensor *x) {
  return ssk_apply_op(tape, SSK_OP_lgamma, SSK_INPUTS(x), NULL, 0);
}
ssk_tensor *ssk_sqrt(ssk_tape *tape, ssk_tensor *x) {
  return ssk_apply_op(tape, SSK_OP_sqrt, SSK_INPUTS(x), NULL, 0);
}
ssk_tensor *ssk_square(ssk_tape *tape, ssk_tensor *x) {
  return ssk_apply_op(tape, SSK_OP_square, SSK_INPUTS(x), NULL, 0);
}
ssk_tensor *ssk_sin(ssk_tape *tape, ssk_tensor *x) {
  return ssk_apply_op(tape, SSK_OP_sin, SSK_INPUTS(x), NULL, 0);
}
ssk_tensor *ssk_cos(ssk_tape *tape, ssk_tensor *x) {
  return ssk_apply_op(tape, SSK_OP_cos, SSK_INPUTS(x), NULL, 0);
}
ssk_tensor *ssk_clamp(ssk_tape *tape, ssk_tensor *x, ssk_real lo, ssk_real hi) {
  const struct pair attr = {lo, hi};
  return ssk_apply_op(tape, SSK_OP_clamp, SSK_INPUTS(x), &attr, sizeof attr);
}
