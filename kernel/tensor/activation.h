/* SPDX-License-Identifier: GPL-3.0-or-later */
/* activation.h - activation functions over arrays, for operations that end in one. */
#ifndef SSK_TENSOR_ACTIVATION_H
#define SSK_TENSOR_ACTIVATION_H

#include <sskit/tape.h>

/* Can the slope not be told from the result, so that forward must store it? */
bool ssk_act_keeps_slope(enum ssk_act act);
/* y = act(x), in place (y == x) or apart; where `slope` is not NULL and the activation keeps it,
 * the derivative goes there. */
void ssk_act_forward(enum ssk_act act, size_t n, const ssk_real *x, ssk_real *y, ssk_real *slope);
/* dx = dy * act'(x), from the result y, or the slope that was kept. dx may be dy. */
void ssk_act_backward(enum ssk_act act, size_t n, const ssk_real *y, const ssk_real *slope,
                      const ssk_real *dy, ssk_real *dx);

#endif
