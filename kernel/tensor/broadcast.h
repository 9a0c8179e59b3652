/* SPDX-License-Identifier: GPL-3.0-or-later */
/* broadcast.h - two operands of different shapes as few nested loops, and the way back: summing a
 * gradient over the axes that were repeated. */
#ifndef SSK_TENSOR_BROADCAST_H
#define SSK_TENSOR_BROADCAST_H

#include <sskit/tape.h>

/* Loops over an output, outermost first: its lengths, and how far the operands move at each step (0
 * where they are repeated). Neighbouring axes that behave alike are merged, axes of length 1
 * dropped; so same shapes give one loop, [rows, C] with [C] or [rows, 1] two. Unused outer loops
 * have length 1 and stride 0. */
struct ssk_loops {
  size_t n[SSK_MAX_DIMS];
  size_t a[SSK_MAX_DIMS], b[SSK_MAX_DIMS];
};
struct ssk_loops ssk_broadcast_loops(const ssk_tensor *out, const ssk_tensor *a,
                                     const ssk_tensor *b);

/* y += scale * x, where x has the shape of `out` and y that of `target`: sums over the axes along
 * which target was repeated. `scratch` holds out->count / 2 numbers; it is needed (may else be
 * NULL) where ssk_reduction_passes > 1. */
int ssk_reduction_passes(const ssk_tensor *out, const ssk_tensor *target);
void ssk_add_reduced(const ssk_tensor *out, const ssk_tensor *target, ssk_real scale,
                     const ssk_real *x, ssk_real *y, ssk_real *scratch);

#endif
