/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ops_binary.c - sum, difference, product and quotient, with broadcasting of either side.
 *
 * The loops over a broadcast pair are written once (SPAN), for each operation in two forms: y = a
 * op b and y += a op b. The second serves the way back, where the gradient of a side that was not
 * repeated is added in one pass; that of a repeated side is computed in full and then summed. */
#include "tensor/broadcast.h"
#include "tensor/ops.h"
#include "tensor/sums.h"
#include <string.h>

/* Rows by columns of y (contiguous), the operands moving by (ar, ac) and (br, bc); ac and bc are 0
 * or 1, and not both 0. */
#define SPAN(name, ASSIGN, OP)                                                                     \
  static void name(size_t rows, size_t columns, const ssk_real *a, size_t ar, size_t ac,           \
                   const ssk_real *b, size_t br, size_t bc, ssk_real *restrict y) {                \
    for (size_t r = 0; r < rows; r++, a += ar, b += br, y += columns) {                            \
      if (ac && bc) {                                                                              \
        for (size_t c = 0; c < columns; c++)                                                       \
          y[c] ASSIGN a[c] OP b[c];                                                                \
      } else if (ac) {                                                                             \
        const ssk_real fixed = *b;                                                                 \
        for (size_t c = 0; c < columns; c++)                                                       \
          y[c] ASSIGN a[c] OP fixed;                                                               \
      } else {                                                                                     \
        const ssk_real fixed = *a;                                                                 \
        for (size_t c = 0; c < columns; c++)                                                       \
          y[c] ASSIGN fixed OP b[c];                                                               \
      }                                                                                            \
    }                                                                                              \
  }
SPAN(set_add, =, +)
SPAN(set_sub, =, -)
SPAN(set_mul, =, *)
SPAN(set_div, =, /)
SPAN(add_mul, +=, *)
SPAN(add_div, +=, /)

typedef void span_fn(size_t rows, size_t columns, const ssk_real *a, size_t ar, size_t ac,
                     const ssk_real *b, size_t br, size_t bc, ssk_real *y);

/* y (of out's shape) from operands of the shapes of a and b, whose numbers are in x and z. */
static void run_spans(span_fn *span, const ssk_tensor *out, const ssk_tensor *a, const ssk_real *x,
                      const ssk_tensor *b, const ssk_real *z, ssk_real *y) {
  const struct ssk_loops l = ssk_broadcast_loops(out, a, b);
  if (out->count == 1) {
    span(1, 1, x, 0, 1, z, 0, 1, y);
    return;
  }
  for (size_t i = 0; i < l.n[0]; i++)
    for (size_t j = 0; j < l.n[1]; j++, y += l.n[2] * l.n[3])
      span(l.n[2], l.n[3], x + i * l.a[0] + j * l.a[1], l.a[2], l.a[3], z + i * l.b[0] + j * l.b[1],
           l.b[2], l.b[3], y);
}

int ssk_shape_broadcast(struct ssk_call *call, int *ndim, int *shape) {
  const ssk_tensor *a = call->in[0], *b = call->in[1];
  *ndim = a->ndim > b->ndim ? a->ndim : b->ndim;
  for (int i = 0; i < *ndim; i++) {
    const int ia = i - (*ndim - a->ndim), ib = i - (*ndim - b->ndim);
    const int na = ia < 0 ? 1 : a->shape[ia], nb = ib < 0 ? 1 : b->shape[ib];
    if (na != nb && na != 1 && nb != 1)
      return ssk_misfit(call, "shapes %s and %s cannot be broadcast", SSK_SHOW(a), SSK_SHOW(b));
    shape[i] = na == 1 ? nb : na;
  }
  return SSK_OK;
}

/* input i's gradient += scale * (x span z), x of out's shape, z of other's. */
static void add_gradient(struct ssk_call *call, int i, ssk_real scale, span_fn *set, span_fn *add,
                         const ssk_real *x, const ssk_tensor *other, const ssk_real *z) {
  const ssk_tensor *out = call->out;
  ssk_tensor *in = call->in[i];
  const int passes = ssk_reduction_passes(out, in);
  if (passes == 0 && scale == 1) {
    run_spans(add, out, out, x, other, z, in->grad);
    return;
  }
  ssk_real *full = ssk_scratch_reals(call, out->count * (passes > 1 ? 2 : 1));
  if (!full)
    return;
  run_spans(set, out, out, x, other, z, full);
  ssk_add_reduced(out, in, scale, full, in->grad, full + out->count);
}

/* input i's gradient += scale * gradient of out */
static void add_plain(struct ssk_call *call, int i, ssk_real scale) {
  const ssk_tensor *out = call->out;
  ssk_tensor *in = call->in[i];
  ssk_real *scratch = NULL;
  if (!ssk_wants(in))
    return;
  const int passes = ssk_reduction_passes(out, in);
  if (passes == 0) {
    ssk_hand_gradient(call, i, scale);
    return;
  }
  if (passes > 1 && !(scratch = ssk_scratch_reals(call, out->count)))
    return;
  ssk_add_reduced(out, in, scale, out->grad, ssk_grad_to_add(call, i), scratch);
}

static void forward(struct ssk_call *call, span_fn *span) {
  const ssk_tensor *a = call->in[0], *b = call->in[1];
  run_spans(span, call->out, a, a->data, b, b->data, call->out->data);
}

void ssk_forward_add(struct ssk_call *call) {
  forward(call, set_add);
  for (int i = 0; i < 2; i++)
    call->hands_on |= (uint32_t)(call->in[i]->count == call->out->count) << i;
}
void ssk_backward_add(struct ssk_call *call) {
  add_plain(call, 0, 1);
  add_plain(call, 1, 1);
}

void ssk_forward_sub(struct ssk_call *call) {
  forward(call, set_sub);
}
void ssk_backward_sub(struct ssk_call *call) {
  add_plain(call, 0, 1);
  add_plain(call, 1, -1);
}

void ssk_forward_mul(struct ssk_call *call) {
  forward(call, set_mul);
}
void ssk_backward_mul(struct ssk_call *call) {
  for (int i = 0; i < 2; i++) {
    const ssk_tensor *other = call->in[1 - i];
    if (ssk_wants(call->in[i]))
      add_gradient(call, i, 1, set_mul, add_mul, call->out->grad, other, other->data);
  }
}

void ssk_forward_div(struct ssk_call *call) {
  forward(call, set_div);
}
/* With y = a/b: da = dy/b, db = -dy y/b. */
void ssk_backward_div(struct ssk_call *call) {
  const ssk_tensor *out = call->out, *b = call->in[1];
  if (ssk_wants(call->in[0]))
    add_gradient(call, 0, 1, set_div, add_div, out->grad, b, b->data);
  if (!ssk_wants(b))
    return;
  ssk_real *weighted = ssk_scratch_reals(call, out->count);
  if (!weighted)
    return;
  for (size_t i = 0; i < out->count; i++)
    weighted[i] = out->grad[i] * out->data[i];
  add_gradient(call, 1, -1, set_div, add_div, weighted, b, b->data);
}

ssk_tensor *ssk_add(ssk_tape *tape, ssk_tensor *a, ssk_tensor *b) {
  return ssk_apply_op(tape, SSK_OP_add, SSK_INPUTS(a, b), NULL, 0);
}
ssk_tensor *ssk_sub(ssk_tape *tape, ssk_tensor *a, ssk_tensor *b) {
  return ssk_apply_op(tape, SSK_OP_sub, SSK_INPUTS(a, b), NULL, 0);
}
ssk_tensor *ssk_mul(ssk_tape *tape, ssk_tensor *a, ssk_tensor *b) {
  return ssk_apply_op(tape, SSK_OP_mul, SSK_INPUTS(a, b), NULL, 0);
}
ssk_tensor *ssk_div(ssk_tape *tape, ssk_tensor *a, ssk_tensor *b) {
  return ssk_apply_op(tape, SSK_OP_div, SSK_INPUTS(a, b), NULL, 0);
}
