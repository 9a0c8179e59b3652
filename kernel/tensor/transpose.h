/* SPDX-License-Identifier: GPL-3.0-or-later */
/* transpose.h - exchanging rows and columns. */
#ifndef SSK_TENSOR_TRANSPOSE_H
#define SSK_TENSOR_TRANSPOSE_H

#include <sskit/tape.h>
#include <stddef.h>

/* x [rows, columns] to y [columns, rows], set or added to; strides in entries, no overlap. */
void ssk_transpose(size_t rows, size_t columns, const ssk_real *x, size_t x_stride, bool add,
                   ssk_real *y, size_t y_stride);

#endif
