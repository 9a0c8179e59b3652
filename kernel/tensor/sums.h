/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sums.h - sums in a fixed order that stay accurate in float, and the other small loops that many
 * operations share. */
#ifndef SSK_TENSOR_SUMS_H
#define SSK_TENSOR_SUMS_H

#include <sskit/tape.h>

/* Sum of n numbers, accumulated in double. */
double ssk_sum_array(size_t n, const ssk_real *x);
/* y[c] += scale * sum over r of x[r, c]. Accumulated in double over blocks of rows. */
void ssk_add_column_sums(size_t rows, size_t columns, ssk_real scale, const ssk_real *x,
                         ssk_real *y);
/* y[r] += scale * sum over c of x[r, c] */
void ssk_add_row_sums(size_t rows, size_t columns, ssk_real scale, const ssk_real *x, ssk_real *y);
/* y = scale * x, apart from each other. */
void ssk_set_scaled(size_t n, ssk_real scale, const ssk_real *x, ssk_real *y);
/* y += scale * x; y and x are the same or do not overlap. */
void ssk_add_scaled(size_t n, ssk_real scale, const ssk_real *x, ssk_real *y);

#endif
