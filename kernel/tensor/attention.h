/* SPDX-License-Identifier: GPL-3.0-or-later */
/* attention.h - what ops_attention.c and its two ways, attention_short.c and attention_long.c,
 * share. */
#ifndef SSK_TENSOR_ATTENTION_H
#define SSK_TENSOR_ATTENTION_H

#include "tensor/ops.h"

struct ssk_attention {
  size_t L;    /* positions */
  size_t rows; /* N */
  size_t heads;
  size_t items; /* rows times heads */
  size_t depth; /* entries of an item: C/heads */
  size_t slab;  /* entries of a position: N*C */
  bool causal;
  ssk_real scale; /* of the scores */
};

/* By sweeps over all items. P, for backward call->saved, is [L, L, items], where pairs that must
 * not be seen are left as they are; scratch holds (L + 1) * items numbers. */
void ssk_attention_short_forward(const struct ssk_attention *s, const ssk_real *q,
                                 const ssk_real *k, const ssk_real *v, ssk_real *P, ssk_real *y);
void ssk_attention_short_backward(const struct ssk_attention *s, struct ssk_call *call,
                                  ssk_real *scratch);

/* By matrix products, row after row; nothing is kept for backward. scratch holds
 * ssk_attention_long_room(s, back) numbers. */
size_t ssk_attention_long_room(const struct ssk_attention *s, bool back);
void ssk_attention_long_forward(const struct ssk_attention *s, const ssk_real *q, const ssk_real *k,
                                const ssk_real *v, ssk_real *scratch, ssk_real *y);
void ssk_attention_long_backward(const struct ssk_attention *s, struct ssk_call *call,
                                 ssk_real *scratch);

/* Softmax down the m rows of P [m, columns]; a score of -INFINITY becomes 0 (the first row has
 * none). */
void ssk_softmax_down(size_t m, size_t columns, ssk_real *P);

#endif
