/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ops_gru.c - a whole sequence through a gated recurrent unit (Cho et al. 2014), the reset gate
 * after the product as in cuDNN:
 *
 *   r = sigmoid(x Wxr + bxr + h Whr + bhr)        reset
 *   u = sigmoid(x Wxu + bxu + h Whu + bhu)        update
 *   m = h Whn + bhn,  n = tanh(x Wxn + bxn + r m) candidate
 *   h' = (1 - u) n + u h
 *
 * What does not recur is one matrix product over all steps: the projection of the inputs, and on
 * the way back the gradients of all weights and of the inputs. What recurs there is a product with
 * the transposed weights, which are turned once for all steps. */
#include "tensor/gemm.h"
#include "tensor/ops.h"
#include "tensor/sums.h"
#include "tensor/transpose.h"
#include "tensor/vmath.h"
#include <string.h>

enum { in_x, in_Wx, in_Wh, in_bx, in_bh, in_h0 };

int ssk_shape_gru(struct ssk_call *call, int *ndim, int *shape) {
  const ssk_tensor *x = call->in[in_x], *Wx = call->in[in_Wx], *Wh = call->in[in_Wh];
  const ssk_tensor *bx = call->in[in_bx], *bh = call->in[in_bh], *h0 = call->in[in_h0];
  const int H = Wh->shape[0];
  if (x->ndim != 3 || Wx->ndim != 2 || Wx->shape[0] != x->shape[2])
    return ssk_misfit(call, "inputs of shape %s do not fit weights of shape %s", SSK_SHOW(x),
                      SSK_SHOW(Wx));
  if (Wh->ndim != 2 || Wh->shape[1] != 3 * H || Wx->shape[1] != 3 * H)
    return ssk_misfit(call, "weights of shapes %s and %s do not fit", SSK_SHOW(Wx), SSK_SHOW(Wh));
  if (bx->ndim != 1 || bh->ndim != 1 || bx->shape[0] != 3 * H || bh->shape[0] != 3 * H)
    return ssk_misfit(call, "biases of shapes %s and %s for %d units", SSK_SHOW(bx), SSK_SHOW(bh),
                      H);
  if (h0 && (h0->ndim != 2 || h0->shape[0] != x->shape[1] || h0->shape[1] != H))
    return ssk_misfit(call, "a first state of shape %s for %d rows and %d units", SSK_SHOW(h0),
                      x->shape[1], H);
  *ndim = 3;
  shape[0] = x->shape[0];
  shape[1] = x->shape[1];
  shape[2] = H;
  return SSK_OK;
}

/* The products with Wx are T, those with Wh only as many as there are states before a step. */
double ssk_flops_gru(const struct ssk_call *call, bool back) {
  const ssk_tensor *x = call->in[in_x], *h0 = call->in[in_h0];
  const int T = x->shape[0], H = call->out->shape[2];
  const double row = 2.0 * x->shape[1] * 3 * H;
  const double of_input = row * x->shape[2] * T, of_state = row * H;
  const double states = T - 1 + (h0 ? 1 : 0);
  if (!back)
    return of_input + of_state * states;
  return of_input * (ssk_gradients(x) + ssk_gradients(call->in[in_Wx])) +
         of_state * (states * ssk_gradients(call->in[in_Wh]) + T - 1 + ssk_gradients(h0));
}

/* What backward needs of each step: r and u side by side [N, 2H], n [N, H], m [N, H]; and the
 * memory of the projected inputs [T, N, 3H], for their gradients. */
struct saved {
  ssk_real *gates, *candidate, *recurrent, *projected;
};

/* One step: px and ph [N, 3H] are the projections of input and state, bx and bh [3H] what is still
 * to be added to them; h may be NULL (zeros). */
static void step(size_t N, size_t H, const ssk_real *px, const ssk_real *restrict bx,
                 const ssk_real *ph, const ssk_real *restrict bh, const ssk_real *h,
                 ssk_real *gates, ssk_real *candidate, ssk_real *recurrent, ssk_real *out) {
  for (size_t r = 0; r < N; r++) {
    const ssk_real *restrict a = px + r * 3 * H, *restrict b = ph + r * 3 * H;
    ssk_real *restrict g = gates + r * 2 * H, *restrict m = recurrent + r * H;
    for (size_t c = 0; c < 2 * H; c++)
      g[c] = (a[c] + bx[c]) + (b[c] + bh[c]);
    for (size_t c = 0; c < H; c++)
      m[c] = b[2 * H + c] + bh[2 * H + c];
  }
  ssk_vsigmoid(N * 2 * H, gates, gates);
  for (size_t r = 0; r < N; r++) {
    const ssk_real *restrict a = px + r * 3 * H + 2 * H, *restrict reset = gates + r * 2 * H;
    const ssk_real *restrict m = recurrent + r * H;
    ssk_real *restrict n = candidate + r * H;
    for (size_t c = 0; c < H; c++)
      n[c] = a[c] + bx[2 * H + c] + reset[c] * m[c];
  }
  ssk_vtanh(N * H, candidate, candidate);
  for (size_t r = 0; r < N; r++) {
    const ssk_real *restrict u = gates + r * 2 * H + H, *restrict n = candidate + r * H;
    const ssk_real *before = h ? h + r * H : NULL;
    ssk_real *restrict y = out + r * H;
    for (size_t c = 0; c < H; c++)
      y[c] = n[c] - u[c] * n[c];
    if (before)
      for (size_t c = 0; c < H; c++)
        y[c] += u[c] * before[c];
  }
}

void ssk_forward_gru(struct ssk_call *call) {
  const ssk_tensor *x = call->in[in_x], *Wx = call->in[in_Wx], *Wh = call->in[in_Wh];
  const ssk_tensor *h0 = call->in[in_h0], *out = call->out;
  const int T = x->shape[0], N = x->shape[1], I = x->shape[2], H = out->shape[2];
  const size_t slab = (size_t)N * (size_t)H, steps = (size_t)T;
  struct saved *saved = call->saved = ssk_tape_scratch(call->tape, sizeof *saved);
  /* Without a way back, the memory of one step serves all. */
  const size_t kept = out->needs_grad ? steps : 1;
  ssk_real *memory = ssk_scratch_reals(call, 4 * slab * kept);
  ssk_real *px = ssk_scratch_reals(call, 3 * slab * steps);
  ssk_real *ph = ssk_scratch_reals(call, 3 * slab);
  if (!saved || !memory || !px || !ph)
    return;
  *saved = (struct saved){memory, memory + 2 * slab * kept, memory + 3 * slab * kept, px};

  ssk_gemm(T * N, 3 * H, I, 1, (struct ssk_matrix){x->data, I, SSK_AS_IS},
           (struct ssk_matrix){Wx->data, 3 * H, SSK_AS_IS}, 0, px, 3 * H);
  const ssk_real *h = h0 ? h0->data : NULL;
  for (size_t t = 0; t < steps; t++) {
    if (h)
      ssk_gemm(N, 3 * H, H, 1, (struct ssk_matrix){h, H, SSK_AS_IS},
               (struct ssk_matrix){Wh->data, 3 * H, SSK_AS_IS}, 0, ph, 3 * H);
    else
      memset(ph, 0, 3 * slab * sizeof *ph);
    const size_t at = out->needs_grad ? t : 0;
    step((size_t)N, (size_t)H, px + 3 * slab * t, call->in[in_bx]->data, ph, call->in[in_bh]->data,
         h, saved->gates + 2 * slab * at, saved->candidate + slab * at,
         saved->recurrent + slab * at, out->data + slab * t);
    h = out->data + slab * t;
  }
}

/* One step back: from dh, the gradient of its state, to those of the two projections (which differ
 * in the candidate only, by r), and of the state before without the part through ph. */
static void step_back(size_t N, size_t H, const ssk_real *gates, const ssk_real *candidate,
                      const ssk_real *recurrent, const ssk_real *before, ssk_real *dh,
                      ssk_real *dpx, ssk_real *dph) {
  for (size_t row = 0; row < N; row++) {
    const ssk_real *restrict r = gates + row * 2 * H, *restrict u = r + H;
    const ssk_real *restrict n = candidate + row * H, *restrict m = recurrent + row * H;
    const ssk_real *h = before ? before + row * H : NULL;
    ssk_real *restrict d = dh + row * H;
    ssk_real *restrict x = dpx + row * 3 * H, *restrict p = dph + row * 3 * H;
    for (size_t c = 0; c < H; c++) {
      const ssk_real state = h ? h[c] : 0;
      const ssk_real dn = d[c] * (1 - u[c]) * (1 - n[c] * n[c]);
      const ssk_real dr = dn * m[c] * (r[c] * (1 - r[c]));
      const ssk_real du = d[c] * (state - n[c]) * (u[c] * (1 - u[c]));
      x[c] = p[c] = dr;
      x[H + c] = p[H + c] = du;
      x[2 * H + c] = dn;
      p[2 * H + c] = dn * r[c];
      d[c] *= u[c];
    }
  }
}

/* Gradients of the recurrent weights: the states before each step times dph, in one product (and
 * one for h0). */
static void add_recurrent(struct ssk_call *call, const ssk_real *dph) {
  const ssk_tensor *h0 = call->in[in_h0], *Wh = call->in[in_Wh], *out = call->out;
  const int T = out->shape[0], N = out->shape[1], H = out->shape[2];
  if (!ssk_wants(Wh))
    return;
  if (h0)
    ssk_gemm(H, 3 * H, N, 1, (struct ssk_matrix){h0->data, H, SSK_TRANSPOSED},
             (struct ssk_matrix){dph, 3 * H, SSK_AS_IS}, 1, Wh->grad, 3 * H);
  if (T > 1)
    ssk_gemm(H, 3 * H, (T - 1) * N, 1, (struct ssk_matrix){out->data, H, SSK_TRANSPOSED},
             (struct ssk_matrix){dph + (size_t)N * 3 * (size_t)H, 3 * H, SSK_AS_IS}, 1, Wh->grad,
             3 * H);
}

void ssk_backward_gru(struct ssk_call *call) {
  const ssk_tensor *x = call->in[in_x], *Wx = call->in[in_Wx], *Wh = call->in[in_Wh];
  const ssk_tensor *bx = call->in[in_bx], *bh = call->in[in_bh], *h0 = call->in[in_h0];
  const ssk_tensor *out = call->out;
  const int T = x->shape[0], N = x->shape[1], I = x->shape[2], H = out->shape[2];
  const size_t slab = (size_t)N * (size_t)H, rows = (size_t)T * (size_t)N;
  const struct saved *saved = call->saved;
  ssk_real *dpx = saved->projected;
  ssk_real *dph = ssk_scratch_reals(call, 3 * slab * (size_t)T);
  ssk_real *dh = ssk_scratch_reals(call, slab);
  ssk_real *turned = ssk_scratch_reals(call, 3 * (size_t)H * (size_t)H);
  if (!dph || !dh || !turned)
    return;
  memset(dh, 0, slab * sizeof *dh);
  ssk_transpose((size_t)H, 3 * (size_t)H, Wh->data, 3 * (size_t)H, false, turned, (size_t)H);
  for (size_t t = (size_t)T; t-- > 0;) {
    const ssk_real *before = t ? out->data + slab * (t - 1) : h0 ? h0->data : NULL;
    ssk_add_scaled(slab, 1, out->grad + slab * t, dh);
    step_back((size_t)N, (size_t)H, saved->gates + 2 * slab * t, saved->candidate + slab * t,
              saved->recurrent + slab * t, before, dh, dpx + 3 * slab * t, dph + 3 * slab * t);
    if (before)
      ssk_gemm(N, H, 3 * H, 1, (struct ssk_matrix){dph + 3 * slab * t, 3 * H, SSK_AS_IS},
               (struct ssk_matrix){turned, H, SSK_AS_IS}, 1, dh, H);
  }
  if (ssk_wants(h0))
    ssk_add_scaled(slab, 1, dh, h0->grad);
  add_recurrent(call, dph);
  if (ssk_wants(bh))
    ssk_add_column_sums(rows, 3 * (size_t)H, 1, dph, bh->grad);
  if (ssk_wants(bx))
    ssk_add_column_sums(rows, 3 * (size_t)H, 1, dpx, bx->grad);
  if (ssk_wants(Wx))
    ssk_gemm(I, 3 * H, T * N, 1, (struct ssk_matrix){x->data, I, SSK_TRANSPOSED},
             (struct ssk_matrix){dpx, 3 * H, SSK_AS_IS}, 1, Wx->grad, 3 * H);
  if (ssk_wants(x))
    ssk_gemm(T * N, I, 3 * H, 1, (struct ssk_matrix){dpx, 3 * H, SSK_AS_IS},
             (struct ssk_matrix){Wx->data, 3 * H, SSK_TRANSPOSED}, 1, x->grad, I);
}

ssk_tensor *ssk_gru(ssk_tape *tape, ssk_tensor *x, ssk_tensor *Wx, ssk_tensor *Wh, ssk_tensor *bx,
                    ssk_tensor *bh, ssk_tensor *h0) {
  return ssk_apply_op(tape, SSK_OP_gru, SSK_INPUTS(x, Wx, Wh, bx, bh, h0), NULL, 0);
}
