/* SPDX-License-Identifier: GPL-3.0-or-later */
/* roofline.h - what this machine reaches on one thread, as a measure for what the operations reach:
 * arithmetic by OpenBLAS alone, and memory by a plain copy (Williams, Waterman and Patterson 2009).
 */
#ifndef SSK_TENSOR_ROOFLINE_H
#define SSK_TENSOR_ROOFLINE_H

#include <sskit/tape.h>

/* Side of the square whose product stands for OpenBLAS's best. */
enum { SSK_LARGE_SQUARE = 1024 };

/* Three matrices, for products of up to m*k, k*n and m*n entries. */
struct ssk_gemm_bench {
  ssk_real *a, *b, *c;
};
/* SSK_ENOMEM, or SSK_OK. */
int ssk_gemm_bench_new(int m, int n, int k, struct ssk_gemm_bench *out);
void ssk_gemm_bench_free(struct ssk_gemm_bench *bench);
/* C = A B by OpenBLAS, [m, k] times [k, n]. */
void ssk_gemm_bench_run(const struct ssk_gemm_bench *bench, int m, int n, int k);

/* y = scale x: a copy loop as the operations have them, which no library call replaces. */
void ssk_copy_bench_run(size_t count, ssk_real scale, const ssk_real *x, ssk_real *y);

#endif
