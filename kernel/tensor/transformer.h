/* SPDX-License-Identifier: GPL-3.0-or-later */
/* transformer.h - the two sublayers of a pre-norm transformer block, on one block of tokens
 * (channels.h); ops_transformer.c makes an operation of them. */
#ifndef SSK_TENSOR_TRANSFORMER_H
#define SSK_TENSOR_TRANSFORMER_H

#include "tensor/channels.h"

/* The weights of a block, in the order of struct ssk_transformer_block. */
enum ssk_transformer_weight {
  SSK_NORM1_GAIN,
  SSK_NORM1_BIAS,
  SSK_QUERY_W,
  SSK_QUERY_B,
  SSK_KEY_W,
  SSK_KEY_B,
  SSK_VALUE_W,
  SSK_VALUE_B,
  SSK_MIX_W,
  SSK_MIX_B,
  SSK_NORM2_GAIN,
  SSK_NORM2_BIAS,
  SSK_UP_W,
  SSK_UP_B,
  SSK_DOWN_W,
  SSK_DOWN_B,
  SSK_TRANSFORMER_WEIGHTS
};

struct ssk_transformer_shape {
  size_t C, heads, hidden, L;
  bool causal;
};

/* One of the two: y = x + f(x), and on the way back dx, which comes as dy. `value` and `grad` hold
 * SSK_TRANSFORMER_WEIGHTS pointers; grad[] is added to. `work` is what *_work says, in numbers, for
 * blocks of this stride. */
typedef void ssk_sublayer_forward(const struct ssk_transformer_shape *s,
                                  const struct ssk_block *block, const ssk_real *const *value,
                                  const ssk_real *x, ssk_real *y, ssk_real *work);
typedef void ssk_sublayer_backward(const struct ssk_transformer_shape *s,
                                   const struct ssk_block *block, const ssk_real *const *value,
                                   ssk_real *const *grad, const ssk_real *x, ssk_real *dx,
                                   ssk_real *work);

/* x + mix(attention(q, k, v of norm1(x))) along the positions of the block. */
ssk_sublayer_forward ssk_attend_forward;
ssk_sublayer_backward ssk_attend_backward;
size_t ssk_attend_work(const struct ssk_transformer_shape *s, size_t stride);

/* x + down(gelu(up(norm2(x)))) */
ssk_sublayer_forward ssk_feed_forward_forward;
ssk_sublayer_backward ssk_feed_forward_backward;
size_t ssk_feed_forward_work(const struct ssk_transformer_shape *s, size_t stride);

#endif
