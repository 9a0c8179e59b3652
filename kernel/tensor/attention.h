/* SPDX-License-Identifier: GPL-3.0-or-later */
/* attention.h - what the two ways of ops_attention.c and attention_short.c share. */
#ifndef SSK_TENSOR_ATTENTION_H
#define SSK_TENSOR_ATTENTION_H

#include "tensor/ops.h"

struct ssk_attention {
  size_t L;     /* positions */
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

#endif
