/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ops_density.c - diagonal Gaussians (draw, log-density, divergence, variance head), and the
 * weighted squared error of denoising. Rows are summed in double. */
#include "tensor/ops.h"
#include "tensor/sums.h"
#include "tensor/vmath.h"
#include <math.h>
#include <string.h>

/* y = exp(scale * x) */
static void exp_scaled(size_t n, ssk_real scale, const ssk_real *restrict x, ssk_real *restrict y) {
  for (size_t i = 0; i < n; i++)
    y[i] = scale * x[i];
  ssk_vexp(n, y, y);
}

/* ---- reparam: mean + exp(logvar/2) eps ------------------------------------------------------- */

/* saved: exp(logvar/2) */
void ssk_forward_reparam(struct ssk_call *call) {
  const size_t n = call->out->count;
  const ssk_real *restrict mean = call->in[0]->data, *restrict eps = call->in[2]->data;
  ssk_real *restrict y = call->out->data;
  ssk_real *s = call->saved = ssk_scratch_reals(call, n);
  if (!s)
    return;
  exp_scaled(n, (ssk_real)0.5, call->in[1]->data, s);
  for (size_t i = 0; i < n; i++)
    y[i] = mean[i] + s[i] * eps[i];
}
void ssk_backward_reparam(struct ssk_call *call) {
  const size_t n = call->out->count;
  const ssk_tensor *logvar = call->in[1], *eps = call->in[2];
  const ssk_real *restrict dy = call->out->grad, *restrict s = call->saved;
  ssk_hand_gradient(call, 0, 1);
  if (ssk_wants(logvar)) {
    ssk_real *dlogvar = ssk_grad_to_add(call, 1);
    for (size_t i = 0; i < n; i++)
      dlogvar[i] += (ssk_real)0.5 * dy[i] * s[i] * eps->data[i];
  }
  if (ssk_wants(eps)) {
    ssk_real *deps = ssk_grad_to_add(call, 2);
    for (size_t i = 0; i < n; i++)
      deps[i] += dy[i] * s[i];
  }
}

/* ---- gaussian_log_prob: sum of mask log N(x; mean, exp(logvar)) -> [..] -----------------------
 */

static const double log_two_pi = 1.83787706640934548356;

/* Inputs x, mean, logvar, mask. saved: exp(-logvar) */
void ssk_forward_gaussian_log_prob(struct ssk_call *call) {
  const ssk_tensor *x = call->in[0], *mean = call->in[1], *logvar = call->in[2];
  const ssk_tensor *mask = call->in[3];
  const size_t C = (size_t)ssk_width(x), rows = call->out->count;
  ssk_real *precision = call->saved = ssk_scratch_reals(call, x->count);
  if (!precision)
    return;
  exp_scaled(x->count, -1, logvar->data, precision);
  for (size_t r = 0; r < rows; r++) {
    const ssk_real *restrict a = x->data + r * C, *restrict m = mean->data + r * C;
    const ssk_real *restrict v = logvar->data + r * C, *restrict p = precision + r * C;
    const ssk_real *w = mask ? mask->data + r * C : NULL;
    double sum = 0;
    for (size_t c = 0; c < C; c++) {
      const double apart = (double)a[c] - (double)m[c];
      const double term = log_two_pi + (double)v[c] + apart * apart * (double)p[c];
      sum += w ? (double)w[c] * term : term;
    }
    call->out->data[r] = (ssk_real)(-0.5 * sum);
  }
}
void ssk_backward_gaussian_log_prob(struct ssk_call *call) {
  const ssk_tensor *x = call->in[0], *mean = call->in[1], *logvar = call->in[2];
  const ssk_tensor *mask = call->in[3];
  const size_t C = (size_t)ssk_width(x), rows = call->out->count;
  const ssk_real *precision = call->saved;
  ssk_real *dx = ssk_wants(x) ? x->grad : NULL, *dmean = ssk_wants(mean) ? mean->grad : NULL;
  ssk_real *dlogvar = ssk_wants(logvar) ? logvar->grad : NULL;
  ssk_real *dmask = ssk_wants(mask) ? mask->grad : NULL;
  for (size_t r = 0, i = 0; r < rows; r++) {
    const ssk_real g = call->out->grad[r];
    for (size_t c = 0; c < C; c++, i++) {
      const ssk_real apart = x->data[i] - mean->data[i], pull = apart * precision[i];
      const ssk_real weighted = mask ? g * mask->data[i] : g;
      if (dx)
        dx[i] -= weighted * pull;
      if (dmean)
        dmean[i] += weighted * pull;
      if (dlogvar)
        dlogvar[i] += (ssk_real)0.5 * weighted * (apart * pull - 1);
      if (dmask)
        dmask[i] -= (ssk_real)0.5 * g * ((ssk_real)log_two_pi + logvar->data[i] + apart * pull);
    }
  }
}

/* ---- gaussian_kl: sum of KL(N(m1, exp(v1)) || N(m2, exp(v2))) -> [..] --------------------------
 */

/* Inputs m1, v1, m2, v2. KL = (v2 - v1 + exp(v1 - v2) - 1 + (m1 - m2)^2 exp(-v2)) / 2.
 * saved: exp(v1 - v2), then exp(-v2) */
void ssk_forward_gaussian_kl(struct ssk_call *call) {
  const ssk_tensor *m1 = call->in[0], *v1 = call->in[1], *m2 = call->in[2], *v2 = call->in[3];
  const size_t C = (size_t)ssk_width(m1), rows = call->out->count, n = m1->count;
  ssk_real *ratio = call->saved = ssk_scratch_reals(call, 2 * n);
  if (!ratio)
    return;
  ssk_real *precision = ratio + n;
  for (size_t i = 0; i < n; i++)
    ratio[i] = v1->data[i] - v2->data[i];
  ssk_vexp(n, ratio, ratio);
  exp_scaled(n, -1, v2->data, precision);
  for (size_t r = 0, i = 0; r < rows; r++) {
    double sum = 0;
    for (size_t c = 0; c < C; c++, i++) {
      const double apart = (double)m1->data[i] - (double)m2->data[i];
      sum += ((double)v2->data[i] - (double)v1->data[i]) + ((double)ratio[i] - 1) +
             apart * apart * (double)precision[i];
    }
    call->out->data[r] = (ssk_real)(0.5 * sum);
  }
}
void ssk_backward_gaussian_kl(struct ssk_call *call) {
  const ssk_tensor *m1 = call->in[0], *v1 = call->in[1], *m2 = call->in[2], *v2 = call->in[3];
  const size_t C = (size_t)ssk_width(m1), rows = call->out->count;
  const ssk_real *ratio = call->saved, *precision = ratio + m1->count;
  ssk_real *dm1 = ssk_wants(m1) ? m1->grad : NULL, *dv1 = ssk_wants(v1) ? v1->grad : NULL;
  ssk_real *dm2 = ssk_wants(m2) ? m2->grad : NULL, *dv2 = ssk_wants(v2) ? v2->grad : NULL;
  for (size_t r = 0, i = 0; r < rows; r++) {
    const ssk_real g = call->out->grad[r], half = (ssk_real)0.5 * g;
    for (size_t c = 0; c < C; c++, i++) {
      const ssk_real apart = m1->data[i] - m2->data[i], pull = apart * precision[i];
      if (dm1)
        dm1[i] += g * pull;
      if (dm2)
        dm2[i] -= g * pull;
      if (dv1)
        dv1[i] += half * (ratio[i] - 1);
      if (dv2)
        dv2[i] += half * (1 - ratio[i] - apart * pull);
    }
  }
}

/* ---- logvar: clamp(log(softplus(raw) + var_min), lo, hi) --------------------------------------
 */

struct logvar {
  ssk_real var_min, lo, hi;
};

/* saved: the slope */
void ssk_forward_logvar(struct ssk_call *call) {
  const struct logvar *a = call->attr;
  const ssk_real var_min = a->var_min, lo = a->lo, hi = a->hi;
  const size_t n = call->out->count;
  const ssk_real *raw = call->in[0]->data;
  ssk_real *restrict y = call->out->data;
  ssk_real *restrict slope = NULL;
  if (call->out->needs_grad && !(slope = call->saved = ssk_scratch_reals(call, n)))
    return;
  ssk_vsoftplus(n, raw, y);
  for (size_t i = 0; i < n; i++)
    y[i] += var_min;
  if (slope) {
    ssk_vsigmoid(n, raw, slope);
    for (size_t i = 0; i < n; i++)
      slope[i] /= y[i];
  }
  ssk_vlog(n, y, y);
  if (slope)
    for (size_t i = 0; i < n; i++)
      slope[i] = y[i] < lo || y[i] > hi ? 0 : slope[i];
  for (size_t i = 0; i < n; i++)
    y[i] = y[i] < lo ? lo : y[i] > hi ? hi : y[i];
}
void ssk_backward_logvar(struct ssk_call *call) {
  const ssk_real *restrict slope = call->saved, *restrict dy = call->out->grad;
  ssk_real *restrict dx = call->in[0]->grad;
  for (size_t i = 0; i < call->out->count; i++)
    dx[i] += dy[i] * slope[i];
}

/* ---- weighted_error: w ||f - y||^2 over the last axis -> [..]; w [..] or NULL -----------------
 */

int ssk_shape_weighted_error(struct ssk_call *call, int *ndim, int *shape) {
  const ssk_tensor *f = call->in[0], *y = call->in[1], *w = call->in[2];
  if (!ssk_same_shape(f, y))
    return ssk_misfit(call, "shapes %s and %s differ", SSK_SHOW(f), SSK_SHOW(y));
  const int code = ssk_shape_rows(call, ndim, shape);
  if (code == SSK_OK && w && (w->ndim != *ndim || memcmp(w->shape, shape, sizeof w->shape) != 0))
    return ssk_misfit(call, "weights of shape %s for errors of shape %s", SSK_SHOW(w), SSK_SHOW(f));
  return code;
}

void ssk_forward_weighted_error(struct ssk_call *call) {
  const ssk_tensor *f = call->in[0], *y = call->in[1], *w = call->in[2];
  const size_t C = (size_t)ssk_width(f);
  for (size_t r = 0, i = 0; r < call->out->count; r++) {
    double sum = 0;
    for (size_t c = 0; c < C; c++, i++) {
      const double apart = (double)f->data[i] - (double)y->data[i];
      sum += apart * apart;
    }
    call->out->data[r] = (ssk_real)(w ? (double)w->data[r] * sum : sum);
  }
}
void ssk_backward_weighted_error(struct ssk_call *call) {
  const ssk_tensor *f = call->in[0], *y = call->in[1], *w = call->in[2];
  const size_t C = (size_t)ssk_width(f);
  ssk_real *df = ssk_wants(f) ? f->grad : NULL, *dy = ssk_wants(y) ? y->grad : NULL;
  for (size_t r = 0, i = 0; r < call->out->count; r++) {
    const ssk_real g = 2 * call->out->grad[r] * (w ? w->data[r] : 1);
    for (size_t c = 0; c < C; c++, i++) {
      const ssk_real pull = g * (f->data[i] - y->data[i]);
      if (df)
        df[i] += pull;
      if (dy)
        dy[i] -= pull;
    }
  }
}

/* ---- public --------------------------------------------------------------------------------- */

ssk_tensor *ssk_reparam(ssk_tape *tape, struct ssk_gaussian q, ssk_tensor *eps) {
  return ssk_apply_op(tape, SSK_OP_reparam, SSK_INPUTS(q.mean, q.logvar, eps), NULL, 0);
}
ssk_tensor *ssk_gaussian_log_prob(ssk_tape *tape, ssk_tensor *x, struct ssk_gaussian p,
                                  ssk_tensor *mask) {
  return ssk_apply_op(tape, SSK_OP_gaussian_log_prob, SSK_INPUTS(x, p.mean, p.logvar, mask), NULL,
                      0);
}
ssk_tensor *ssk_gaussian_kl(ssk_tape *tape, struct ssk_gaussian q, struct ssk_gaussian p) {
  return ssk_apply_op(tape, SSK_OP_gaussian_kl, SSK_INPUTS(q.mean, q.logvar, p.mean, p.logvar),
                      NULL, 0);
}
ssk_tensor *ssk_logvar(ssk_tape *tape, ssk_tensor *raw, ssk_real var_min, ssk_real lo,
                       ssk_real hi) {
  const struct logvar attr = {var_min, lo, hi};
  return ssk_apply_op(tape, SSK_OP_logvar, SSK_INPUTS(raw), &attr, sizeof attr);
}
ssk_tensor *ssk_weighted_error(ssk_tape *tape, ssk_tensor *f, ssk_tensor *y, ssk_tensor *w) {
  return ssk_apply_op(tape, SSK_OP_weighted_error, SSK_INPUTS(f, y, w), NULL, 0);
}
