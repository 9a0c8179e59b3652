/* SPDX-License-Identifier: GPL-3.0-or-later */
/* csdi_add.h - one operation of csdi.c: add to a grid of activations what depends on the noise
 * level, on the place in the grid, and on the conditioning row, without spreading any of these over
 * the grid. */
#ifndef CSDI_ADD_H
#define CSDI_ADD_H

#include <sskit/tape.h>
#include <string.h>

struct adding {
  int M;
  const int *level;                    /* [n*M] row of `levels` */
  int at_level, at_place, at_row;      /* first columns used */
  int first_place, features, row_slot; /* place of the first group; groups a slot; slot of `rows` */
};

/* x [S, features, n*M, C] (G = S*features groups), levels [U, .] or NULL, places [L*d, .] or NULL,
 * rows [slots, n, .] or NULL (one slot: the same for all) -> x plus the C columns of each. */
static int adding_shape(struct ssk_call *call, int *ndim, int *shape) {
  *ndim = call->in[0]->ndim;
  for (int i = 0; i < *ndim; i++)
    shape[i] = call->in[0]->shape[i];
  return SSK_OK;
}

/* Where in input `which` lies what is added to row i of group g. */
static ptrdiff_t adding_offset(const struct ssk_call *call, int which, int g, int i) {
  const struct adding *a = call->attr;
  const ssk_tensor *x = call->in[which];
  ptrdiff_t width = ssk_width(x);
  if (which == 1)
    return a->level[i] * width + a->at_level;
  if (which == 2)
    return (a->first_place + g) * width + a->at_place;
  int slot = x->shape[0] > 1 ? a->row_slot + g / a->features : 0;
  return ((ptrdiff_t)slot * x->shape[1] + i / a->M) * width + a->at_row;
}

static void adding_forward(struct ssk_call *call) {
  const ssk_tensor *x = call->in[0];
  int G = x->shape[0] * x->shape[1], rows = x->shape[2], C = x->shape[3];
  call->hands_on = 1;
  memcpy(call->out->data, x->data, x->count * sizeof(ssk_real));
  for (int which = 1; which < 4; which++) {
    ssk_real *restrict out = call->out->data;
    for (int g = 0; call->in[which] && g < G; g++)
      for (int i = 0; i < rows; i++, out += C) {
        const ssk_real *add = call->in[which]->data + adding_offset(call, which, g, i);
        for (int c = 0; c < C; c++)
          out[c] += add[c];
      }
  }
}

static void adding_backward(struct ssk_call *call) {
  const ssk_tensor *x = call->in[0];
  int G = x->shape[0] * x->shape[1], rows = x->shape[2], C = x->shape[3];
  if (x->grad && ssk_call_fresh(call, 0))
    memcpy(x->grad, call->out->grad, x->count * sizeof(ssk_real));
  else if (x->grad)
    for (size_t i = 0; i < x->count; i++)
      x->grad[i] += call->out->grad[i];
  for (int which = 1; which < 4; which++) {
    const ssk_real *dout = call->out->grad;
    if (call->in[which] && ssk_call_fresh(call, which))
      memset(call->in[which]->grad, 0, call->in[which]->count * sizeof(ssk_real));
    for (int g = 0; call->in[which] && call->in[which]->grad && g < G; g++)
      for (int i = 0; i < rows; i++, dout += C) {
        ssk_real *restrict add = call->in[which]->grad + adding_offset(call, which, g, i);
        for (int c = 0; c < C; c++)
          add[c] += dout[c];
      }
  }
}

static const struct ssk_op adding_op = {.size = sizeof(struct ssk_op),
                                        .name = "csdi_add",
                                        .shape = adding_shape,
                                        .forward = adding_forward,
                                        .backward = adding_backward,
                                        .sets = true};

#endif
