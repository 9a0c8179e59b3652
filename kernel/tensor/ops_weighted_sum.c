/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ops_weighted_sum.c - sum over the first axis, each entry with a weight for each channel:
 * y [N, C] = sum over l of x[l] w[l] + b, of x [L, N, C], w [L, C], b [C]. */
#include "tensor/ops.h"
#include "tensor/rows.h"
#include <string.h>

enum { in_x, in_w, in_b };

int ssk_shape_weighted_sum(struct ssk_call *call, int *ndim, int *shape) {
  const ssk_tensor *x = call->in[in_x], *w = call->in[in_w], *b = call->in[in_b];
  if (x->ndim != 3)
    return ssk_misfit(call, "inputs must be of shape [L, N, C], not %s", SSK_SHOW(x));
  if (w->ndim != 2 || w->shape[0] != x->shape[0] || w->shape[1] != x->shape[2] || b->ndim != 1 ||
      b->shape[0] != x->shape[2])
    return ssk_misfit(call, "inputs of shape %s do not fit weights of shape %s", SSK_SHOW(x),
                      SSK_SHOW(w));
  *ndim = 2;
  shape[0] = x->shape[1];
  shape[1] = x->shape[2];
  return SSK_OK;
}

/* Rows that are summed at once: so few that their sums need no double. */
enum { BLOCK = 256 };

void ssk_forward_weighted_sum(struct ssk_call *call) {
  const ssk_tensor *x = call->in[in_x];
  const size_t L = (size_t)x->shape[0], N = (size_t)x->shape[1], C = (size_t)x->shape[2];
  const struct ssk_filter by = {L, call->in[in_w]->data, (ptrdiff_t)(N * C)};
  ssk_real *y = call->out->data;
  for (size_t r = 0, n; r < N; r += n) {
    n = N - r < BLOCK ? N - r : BLOCK;
    ssk_rows_filter(n, C, by, x->data + r * C, call->in[in_b]->data, true, y + r * C);
  }
}

void ssk_backward_weighted_sum(struct ssk_call *call) {
  const ssk_tensor *x = call->in[in_x], *w = call->in[in_w], *b = call->in[in_b];
  const size_t L = (size_t)x->shape[0], N = (size_t)x->shape[1], C = (size_t)x->shape[2];
  ssk_real *dw = ssk_wants(w) ? ssk_grad_to_add(call, in_w) : NULL;
  ssk_real *db = ssk_wants(b) ? ssk_grad_to_add(call, in_b) : NULL;
  ssk_real *zero = ssk_scratch_reals(call, C);
  if (!zero)
    return;
  memset(zero, 0, C * sizeof *zero);
  const bool fresh = ssk_wants(x) && ssk_call_fresh(call, in_x);
  for (size_t r = 0, n; r < N; r += n) {
    n = N - r < BLOCK ? N - r : BLOCK;
    const ssk_real *dy = call->out->grad + r * C;
    if (db)
      ssk_rows_sum(n, C, dy, db);
    for (size_t l = 0; l < L; l++) {
      const size_t at = (l * N + r) * C;
      if (dw)
        ssk_rows_sum_products(n, C, x->data + at, dy, dw + l * C);
      if (ssk_wants(x))
        ssk_rows_filter(n, C, (struct ssk_filter){1, w->data + l * C, 0}, dy,
                        fresh ? zero : x->grad + at, fresh, x->grad + at);
    }
  }
}

ssk_tensor *ssk_weighted_sum(ssk_tape *tape, ssk_tensor *x, ssk_tensor *w, ssk_tensor *b) {
  return ssk_apply_op(tape, SSK_OP_weighted_sum, SSK_INPUTS(x, w, b), NULL, 0);
}
