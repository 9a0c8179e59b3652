/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ops_film.c - feature-wise modulation by rows of a table, with its activation, in one pass.
 *
 * The table holds what depends on a condition that many rows share (the noise level of a denoiser):
 * its few rows stay in the cache, where their gradients are gathered. */
#include "tensor/activation.h"
#include "tensor/ops.h"
#include "tensor/sums.h"

struct film {
  const int *index; /* [rows of x] */
  int from;
  enum ssk_act act;
};

enum { in_x, in_table, in_given };

int ssk_shape_film(struct ssk_call *call, int *ndim, int *shape) {
  const struct film *a = call->attr;
  const ssk_tensor *x = call->in[in_x], *table = call->in[in_table], *given = call->in[in_given];
  if (x->ndim < 1 || table->ndim != 2 || a->from < 0 ||
      a->from > table->shape[1] - 2 * ssk_width(x))
    return ssk_misfit(call, "no scales and shifts for %s from column %d of a table of shape %s",
                      SSK_SHOW(x), a->from, SSK_SHOW(table));
  if (given && (ssk_width(given) != ssk_width(x) || ssk_height(x) % ssk_height(given)))
    return ssk_misfit(call, "rows of shape %s cannot be repeated for %s", SSK_SHOW(given),
                      SSK_SHOW(x));
  return ssk_shape_same(call, ndim, shape);
}

/* saved: the slopes, for those activations that keep them. The activation follows in blocks of rows
 * that are still in the first cache. */
void ssk_forward_film(struct ssk_call *call) {
  const struct film *a = call->attr;
  const ssk_tensor *x = call->in[in_x], *table = call->in[in_table], *given = call->in[in_given];
  const ssk_tensor *out = call->out;
  const size_t C = (size_t)ssk_width(x), W = (size_t)table->shape[1], rows = out->count / C;
  const size_t M = given ? rows / (given->count / C) : 1, block = C < 2048 ? 2048 / C : 1;
  if (out->needs_grad && ssk_act_keeps_slope(a->act) &&
      !(call->saved = ssk_scratch_reals(call, out->count)))
    return;
  ssk_real *slope = call->saved;
  for (size_t r0 = 0; r0 < rows; r0 += block) {
    const size_t end = rows - r0 < block ? rows : r0 + block;
    for (size_t r = r0; r < end; r++) {
      const ssk_real *restrict v = x->data + r * C;
      const ssk_real *restrict scale = table->data + (size_t)a->index[r] * W + (size_t)a->from;
      const ssk_real *restrict shift = scale + C;
      ssk_real *restrict y = out->data + r * C;
      if (given) {
        const ssk_real *restrict g = given->data + r / M * C;
        for (size_t c = 0; c < C; c++)
          y[c] = (v[c] + g[c]) * (1 + scale[c]) + shift[c];
      } else {
        for (size_t c = 0; c < C; c++)
          y[c] = v[c] * (1 + scale[c]) + shift[c];
      }
    }
    ssk_real *y = out->data + r0 * C;
    ssk_act_forward(a->act, (end - r0) * C, y, y, slope ? slope + r0 * C : NULL);
  }
}

/* p = dy act'; d(x + given) = p (1 + scale), dscale += p (x + given), dshift += p. */
static void row_back(size_t C, const ssk_real *restrict v, const ssk_real *restrict g,
                     const ssk_real *restrict scale, const ssk_real *restrict p,
                     ssk_real *restrict dv, ssk_real *restrict dscale, ssk_real *restrict dshift) {
  if (g)
    for (size_t c = 0; c < C; c++)
      dscale[c] += p[c] * (v[c] + g[c]);
  else
    for (size_t c = 0; c < C; c++)
      dscale[c] += p[c] * v[c];
  for (size_t c = 0; c < C; c++) {
    dv[c] = p[c] * (1 + scale[c]);
    dshift[c] += p[c];
  }
}

void ssk_backward_film(struct ssk_call *call) {
  const struct film *a = call->attr;
  const ssk_tensor *x = call->in[in_x], *table = call->in[in_table], *given = call->in[in_given];
  const ssk_tensor *out = call->out;
  const size_t C = (size_t)ssk_width(x), W = (size_t)table->shape[1], rows = out->count / C;
  const size_t M = given ? rows / (given->count / C) : 1, block = C < 2048 ? 2048 / C : 1;
  const bool set = ssk_wants(x) && ssk_call_fresh(call, in_x);
  ssk_real *dtable = ssk_wants(table) ? ssk_grad_to_add(call, in_table) : NULL;
  ssk_real *dgiven = ssk_wants(given) ? ssk_grad_to_add(call, in_given) : NULL;
  ssk_real *p = ssk_scratch_reals(call, block * C), *apart = ssk_scratch_reals(call, 3 * C);
  if (!p || !apart)
    return;
  for (size_t r0 = 0; r0 < rows; r0 += block) {
    const size_t end = rows - r0 < block ? rows : r0 + block;
    const ssk_real *slope = call->saved;
    ssk_act_backward(a->act, (end - r0) * C, out->data + r0 * C, slope ? slope + r0 * C : NULL,
                     out->grad + r0 * C, p);
    for (size_t r = r0; r < end; r++) {
      const size_t at = (size_t)a->index[r] * W + (size_t)a->from;
      ssk_real *dscale = dtable ? dtable + at : apart + C; /* or where nobody looks */
      ssk_real *dv = set ? x->grad + r * C : apart;
      row_back(C, x->data + r * C, given ? given->data + r / M * C : NULL, table->data + at,
               p + (r - r0) * C, dv, dscale, dscale + C);
      if (ssk_wants(x) && !set)
        ssk_add_scaled(C, 1, dv, x->grad + r * C);
      if (dgiven)
        ssk_add_scaled(C, 1, dv, dgiven + r / M * C);
    }
  }
}

ssk_tensor *ssk_film(ssk_tape *tape, ssk_tensor *x, ssk_tensor *table, ssk_tensor *given,
                     const int *index, int from, enum ssk_act act) {
  const struct film attr = {.index = index, .from = from, .act = act};
  return ssk_apply_op(tape, SSK_OP_film, SSK_INPUTS(x, table, given), &attr, sizeof attr);
}
