/* SPDX-License-Identifier: GPL-3.0-or-later */
/* transformer_feed.c - the two-layer network of a transformer block, on one block of tokens. */
#include "tensor/activation.h"
#include "tensor/transformer.h"

struct work {
  ssk_real *scale, *normal, *h; /* 1 row, C, C */
  ssk_real *u, *slope;          /* hidden each: gelu(up(h)), and its slope, later the gradient */
  ssk_real *dh;                 /* C */
  ssk_real *rows;               /* 2 rows */
};

static size_t lay_out(const struct ssk_transformer_shape *s, size_t stride, ssk_real *memory,
                      struct work *w) {
  ssk_real **const parts[] = {&w->normal, &w->h, &w->dh, &w->u, &w->slope, &w->scale, &w->rows};
  const size_t counts[] = {s->C, s->C, s->C, s->hidden, s->hidden, 1, 2};
  size_t used = 0;
  for (size_t i = 0; i < sizeof parts / sizeof *parts; used += counts[i++] * stride)
    *parts[i] = memory ? memory + used : NULL;
  return used;
}

size_t ssk_feed_forward_work(const struct ssk_transformer_shape *s, size_t stride) {
  struct work w;
  return lay_out(s, stride, NULL, &w);
}

/* From x to u; the slopes too where they are wanted. */
static void up(const struct ssk_transformer_shape *s, const struct ssk_block *block,
               const ssk_real *const *value, const ssk_real *x, bool slopes, const struct work *w) {
  ssk_block_norm(block, s->C, x, value[SSK_NORM2_GAIN], value[SSK_NORM2_BIAS], w->scale, w->normal,
                 w->h);
  ssk_block_product(block, s->C, s->hidden, value[SSK_UP_W], w->h, false, w->u);
  ssk_block_add_bias(block, s->hidden, value[SSK_UP_B], w->u);
  for (size_t c = 0; c < s->hidden; c++)
    ssk_act_forward(SSK_GELU, block->tokens, w->u + c * block->stride, w->u + c * block->stride,
                    slopes ? w->slope + c * block->stride : NULL);
}

void ssk_feed_forward_forward(const struct ssk_transformer_shape *s, const struct ssk_block *block,
                              const ssk_real *const *value, const ssk_real *x, ssk_real *y,
                              ssk_real *work) {
  struct work w;
  lay_out(s, block->stride, work, &w);
  up(s, block, value, x, false, &w);
  ssk_block_product(block, s->hidden, s->C, value[SSK_DOWN_W], w.u, false, y);
  ssk_block_add_bias(block, s->C, value[SSK_DOWN_B], y);
  ssk_block_add(block, s->C, x, y);
}

void ssk_feed_forward_backward(const struct ssk_transformer_shape *s, const struct ssk_block *block,
                               const ssk_real *const *value, ssk_real *const *grad,
                               const ssk_real *x, ssk_real *dx, ssk_real *work) {
  struct work w;
  lay_out(s, block->stride, work, &w);
  up(s, block, value, x, true, &w);
  ssk_block_add_outer(block, s->hidden, s->C, w.u, dx, grad[SSK_DOWN_W]);
  ssk_block_add_sums(block, s->C, dx, grad[SSK_DOWN_B]);
  ssk_real *du = w.u;
  ssk_block_product_back(block, s->hidden, s->C, value[SSK_DOWN_W], dx, false, du);
  for (size_t c = 0; c < s->hidden; c++) {
    const ssk_real *restrict slope = w.slope + c * block->stride;
    ssk_real *restrict row = du + c * block->stride;
    for (size_t i = 0; i < block->tokens; i++)
      row[i] *= slope[i];
  }
  ssk_block_add_outer(block, s->C, s->hidden, w.h, du, grad[SSK_UP_W]);
  ssk_block_add_sums(block, s->hidden, du, grad[SSK_UP_B]);
  ssk_block_product_back(block, s->C, s->hidden, value[SSK_UP_W], du, false, w.dh);
  ssk_block_add_products(block, s->C, w.dh, w.normal, grad[SSK_NORM2_GAIN]);
  ssk_block_add_sums(block, s->C, w.dh, grad[SSK_NORM2_BIAS]);
  ssk_block_norm_back(block, s->C, value[SSK_NORM2_GAIN], w.scale, w.normal, w.dh, w.rows, dx);
}
