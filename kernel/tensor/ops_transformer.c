/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ops_transformer.c - pre-norm transformer blocks (Xiong et al. 2020) along a short axis, as one
 * operation: x [A, L, N, C] or [L, N, C] -> the same shape.
 *
 * N is cut into blocks of tokens that stay in the cache through all sublayers (channels.h). Kept
 * for the way back is what enters each sublayer but the first; the rest is computed again: at the
 * speed of a matrix product in the cache that takes less time than a trip to memory (measured). */
#include "tensor/ops.h"
#include "tensor/transformer.h"
#include <string.h>

enum { most_positions = SSK_TRANSFORMER_POSITIONS };

struct attr {
  int heads;
  bool causal;
  int n_inputs;
  ssk_tensor *const *inputs; /* x, then the weights of each block */
};

static bool has_shape(const ssk_tensor *x, int rows, int columns) {
  return rows ? x->ndim == 2 && x->shape[0] == rows && x->shape[1] == columns
              : x->ndim == 1 && x->shape[0] == columns;
}

int ssk_shape_transformer(struct ssk_call *call, int *ndim, int *shape) {
  const struct attr *attr = call->attr;
  const ssk_tensor *x = attr->inputs[0];
  const int C = ssk_width(x);
  if (x->ndim < 3 || attr->heads < 1 || C % attr->heads)
    return ssk_misfit(call, "shape %s is not [A, L, N, C] with C divisible by %d heads",
                      SSK_SHOW(x), attr->heads);
  if (x->shape[x->ndim - 3] > most_positions)
    return ssk_misfit(call, "an axis of %d positions: at most %d are allowed",
                      x->shape[x->ndim - 3], most_positions);
  for (int i = 1; i < attr->n_inputs; i++) {
    const int which = (i - 1) % SSK_TRANSFORMER_WEIGHTS,
              hidden = ssk_width(attr->inputs[1 + SSK_UP_B]);
    const bool matrix = which == SSK_QUERY_W || which == SSK_KEY_W || which == SSK_VALUE_W ||
                        which == SSK_MIX_W || which == SSK_UP_W || which == SSK_DOWN_W;
    const int rows = !matrix ? 0 : which == SSK_DOWN_W ? hidden : C;
    const int columns = which == SSK_UP_W || which == SSK_UP_B ? hidden : C;
    if (!has_shape(attr->inputs[i], rows, columns))
      return ssk_misfit(call, "weights of shape %s do not fit inputs of shape %s",
                        SSK_SHOW(attr->inputs[i]), SSK_SHOW(x));
  }
  return ssk_shape_same(call, ndim, shape);
}

/* Back, scores and weighted values cost twice what they cost forward; and every weight matrix has a
 * gradient of its own beside that of its input, which is needed wherever a gradient goes further
 * down. */
double ssk_flops_transformer(const struct ssk_call *call, bool back) {
  const struct attr *attr = call->attr;
  const ssk_tensor *x = attr->inputs[0];
  const double tokens = ssk_height(x), L = x->shape[x->ndim - 3];
  const double pairs = attr->causal ? (L + 1) / 2 : L;
  double flops = 0;
  for (int i = 1; i < attr->n_inputs; i++)
    if (attr->inputs[i]->ndim == 2)
      flops += 2 * tokens * (double)attr->inputs[i]->count *
               (back ? 1 + ssk_gradients(attr->inputs[i]) : 1);
  const int blocks = (attr->n_inputs - 1) / SSK_TRANSFORMER_WEIGHTS;
  return flops + blocks * 4 * tokens * pairs * ssk_width(x) * (back ? 2 : 1);
}

/* What forward and backward share. */
struct run {
  struct ssk_axis axis;
  struct ssk_transformer_shape shape;
  int stages;             /* sublayers: two a block */
  size_t part;            /* numbers of a block of tokens with C channels */
  size_t work;            /* numbers of work memory for any sublayer */
  const ssk_real **value; /* of all weights */
};

static bool begin(struct ssk_call *call, struct run *run) {
  const struct attr *attr = call->attr;
  const int n = attr->n_inputs - 1;
  run->axis = ssk_axis_of(attr->inputs[0]);
  run->shape =
      (struct ssk_transformer_shape){.C = run->axis.C,
                                     .heads = (size_t)attr->heads,
                                     .hidden = (size_t)ssk_width(attr->inputs[1 + SSK_UP_B]),
                                     .L = run->axis.L,
                                     .causal = attr->causal};
  run->stages = 2 * n / SSK_TRANSFORMER_WEIGHTS;
  const size_t stride = ssk_block_stride(run->axis.n * run->axis.L);
  const size_t attend = ssk_attend_work(&run->shape, stride);
  const size_t feed = ssk_feed_forward_work(&run->shape, stride);
  run->part = run->axis.C * stride;
  run->work = attend > feed ? attend : feed;
  run->value = ssk_tape_scratch(call->tape, (size_t)n * sizeof *run->value);
  if (!run->value)
    ssk_tape_fail(call->tape, SSK_ENOMEM, "operation '%s': no memory", call->op->name);
  for (int i = 0; run->value && i < n; i++)
    run->value[i] = attr->inputs[1 + i]->data;
  return run->value != NULL;
}

static size_t weights_of(int stage) {
  return (size_t)(stage / 2) * SSK_TRANSFORMER_WEIGHTS;
}

/* saved: what enters each sublayer but the first, block by block */
void ssk_forward_transformer(struct ssk_call *call) {
  const struct attr *attr = call->attr;
  const struct ssk_axis axis = ssk_axis_of(attr->inputs[0]);
  const size_t blocks = ssk_axis_blocks(&axis);
  struct run run;
  if (!begin(call, &run))
    return;
  call->hands_on = 1; /* x + ...: backward adds the rest in place */
  const size_t kept = (size_t)(run.stages - 1) * run.part;
  const bool keep = call->out->needs_grad && kept;
  if (keep && !(call->saved = ssk_scratch_reals(call, blocks * kept)))
    return;
  const size_t mark = ssk_arena_mark(&call->tape->arena);
  ssk_real *x = ssk_scratch_reals(call, 3 * run.part + run.work);
  if (!x)
    return;
  ssk_real *work = x + 3 * run.part, *saved = call->saved;
  for (size_t b = 0; b < blocks; b++) {
    const struct ssk_block block = ssk_block_at(&run.axis, b);
    const ssk_real *from = x;
    ssk_block_load(&run.axis, &block, attr->inputs[0]->data, x);
    for (int i = 0; i < run.stages; i++) {
      ssk_real *to = x + (size_t)(1 + i % 2) * run.part;
      if (keep && i + 1 < run.stages)
        to = saved + b * kept + (size_t)i * run.part;
      (i % 2 ? ssk_feed_forward_forward
             : ssk_attend_forward)(&run.shape, &block, run.value + weights_of(i), from, to, work);
      from = to;
    }
    ssk_block_store(&run.axis, &block, from, false, call->out->data);
  }
  ssk_arena_rewind(&call->tape->arena, mark);
}

/* Where the gradients of the weights go: of those that want none, to a place that nobody reads. */
static ssk_real **gradients(struct ssk_call *call) {
  const struct attr *attr = call->attr;
  size_t most = 0;
  for (int i = 1; i < attr->n_inputs; i++)
    most = attr->inputs[i]->count > most ? attr->inputs[i]->count : most;
  ssk_real **grad = ssk_tape_scratch(call->tape, (size_t)attr->n_inputs * sizeof *grad);
  ssk_real *nowhere = ssk_scratch_reals(call, most);
  if (!grad || !nowhere)
    return NULL;
  memset(nowhere, 0, most * sizeof *nowhere);
  for (int i = 1; i < attr->n_inputs; i++) {
    ssk_tensor *w = attr->inputs[i];
    grad[i - 1] = ssk_wants(w) ? w->grad : nowhere;
    if (ssk_wants(w) && ssk_call_fresh(call, i))
      memset(w->grad, 0, w->count * sizeof *w->grad);
  }
  return grad;
}

void ssk_backward_transformer(struct ssk_call *call) {
  const struct attr *attr = call->attr;
  ssk_tensor *in = attr->inputs[0];
  struct run run;
  if (!begin(call, &run))
    return;
  const size_t blocks = ssk_axis_blocks(&run.axis), kept = (size_t)(run.stages - 1) * run.part;
  ssk_real **grad = gradients(call);
  ssk_real *x = ssk_scratch_reals(call, 2 * run.part + run.work);
  if (!grad || !x)
    return;
  ssk_real *dx = x + run.part, *work = dx + run.part;
  const ssk_real *saved = call->saved;
  for (size_t b = 0; b < blocks; b++) {
    const struct ssk_block block = ssk_block_at(&run.axis, b);
    ssk_block_load(&run.axis, &block, in->data, x);
    ssk_block_load(&run.axis, &block, call->out->grad, dx);
    for (int i = run.stages - 1; i >= 0; i--)
      (i % 2 ? ssk_feed_forward_backward : ssk_attend_backward)(
          &run.shape, &block, run.value + weights_of(i), grad + weights_of(i),
          i ? saved + b * kept + (size_t)(i - 1) * run.part : x, dx, work);
    if (in->needs_grad) /* without a gradient of its own it is given out's after this */
      ssk_block_store(&run.axis, &block, dx, in->grad && !ssk_call_fresh(call, 0),
                      in->grad ? in->grad : call->out->grad);
  }
}

ssk_tensor *ssk_transformer_blocks(ssk_tape *tape, ssk_tensor *x, int n,
                                   const struct ssk_transformer_block *blocks, int heads,
                                   bool causal) {
  const int n_inputs = 1 + n * SSK_TRANSFORMER_WEIGHTS;
  if (n < 1)
    return ssk_tape_fail(tape, SSK_EUSAGE, "operation 'transformer': no block");
  ssk_tensor **list = ssk_tape_scratch(tape, (size_t)n_inputs * sizeof(ssk_tensor *));
  if (!list)
    return ssk_tape_fail(tape, SSK_ENOMEM, "operation 'transformer': no memory");
  list[0] = x;
  for (int i = 0; i < n; i++) {
    const struct ssk_transformer_block *b = &blocks[i];
    ssk_tensor *const weights[SSK_TRANSFORMER_WEIGHTS] = {[SSK_NORM1_GAIN] = b->norm1_gain,
                                                          [SSK_NORM1_BIAS] = b->norm1_bias,
                                                          [SSK_QUERY_W] = b->query_W,
                                                          [SSK_QUERY_B] = b->query_b,
                                                          [SSK_KEY_W] = b->key_W,
                                                          [SSK_KEY_B] = b->key_b,
                                                          [SSK_VALUE_W] = b->value_W,
                                                          [SSK_VALUE_B] = b->value_b,
                                                          [SSK_MIX_W] = b->mix_W,
                                                          [SSK_MIX_B] = b->mix_b,
                                                          [SSK_NORM2_GAIN] = b->norm2_gain,
                                                          [SSK_NORM2_BIAS] = b->norm2_bias,
                                                          [SSK_UP_W] = b->up_W,
                                                          [SSK_UP_B] = b->up_b,
                                                          [SSK_DOWN_W] = b->down_W,
                                                          [SSK_DOWN_B] = b->down_b};
    memcpy(list + 1 + i * SSK_TRANSFORMER_WEIGHTS, weights, sizeof weights);
  }
  const struct attr attr = {heads, causal, n_inputs, list};
  return ssk_apply_op(tape, SSK_OP_transformer, n_inputs, list, &attr, sizeof attr);
}
