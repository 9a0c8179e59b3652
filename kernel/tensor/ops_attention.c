/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ops_attention.c - scaled dot-product attention along the first axis (Vaswani et al. 2017).
 *
 * q, k, v [L, N, C], heads side by side in C; the weights are P = softmax(q k^T / sqrt(C/heads)).
 * Row n and head h are item n*heads + h; the items lie one behind another at each position.
 *
 * Two ways, by the length of the axis. Long: matrix products (attention_long.c). Short, as between
 * the slots of a window or the latents of a state, where such products are all overhead: for each
 * pair of positions a sweep over all items (attention_short.c). */
#include "tensor/attention.h"
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
                                .rows = (size_t)q->shape[1],
                                .heads = (size_t)attr->heads,
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

/* saved: P of the short way */
void ssk_forward_attention(struct ssk_call *call) {
  const struct ssk_attention s = layout_of(call);
  const ssk_real *q = call->in[0]->data, *k = call->in[1]->data, *v = call->in[2]->data;
  const bool is_short = s.L <= short_axis;
  ssk_real *memory =
      ssk_scratch_reals(call, is_short ? s.items * s.L * s.L : ssk_attention_long_room(&s, false));
  if (!memory)
    return;
  if (is_short)
    ssk_attention_short_forward(&s, q, k, v, call->saved = memory, call->out->data);
  else
    ssk_attention_long_forward(&s, q, k, v, memory, call->out->data);
}
void ssk_backward_attention(struct ssk_call *call) {
  const struct ssk_attention s = layout_of(call);
  const bool is_short = s.L <= short_axis;
  ssk_real *scratch =
      ssk_scratch_reals(call, is_short ? (s.L + 1) * s.items : ssk_attention_long_room(&s, true));
  if (!scratch)
    return;
  if (is_short)
    ssk_attention_short_backward(&s, call, scratch);
  else
    ssk_attention_long_backward(&s, call, scratch);
}

ssk_tensor *ssk_attention(ssk_tape *tape, ssk_tensor *q, ssk_tensor *k, ssk_tensor *v, int heads,
                          bool causal) {
  const struct attr attr = {heads, causal};
  return ssk_apply_op(tape, SSK_OP_attention, SSK_INPUTS(q, k, v), &attr, sizeof attr);
}
