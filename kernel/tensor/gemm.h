/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gemm.h - matrix products on one thread. */
#ifndef SSK_TENSOR_GEMM_H
#define SSK_TENSOR_GEMM_H

#include <sskit/tape.h>

/* Pin OpenBLAS to one thread; once a process, by the first tape. */
void ssk_gemm_prepare(void);

enum ssk_transpose { SSK_AS_IS, SSK_TRANSPOSED };

/* A row-major matrix with `stride` entries from row to row, to be read as is or transposed. */
struct ssk_matrix {
  const ssk_real *data;
  int stride;
  enum ssk_transpose as;
};

/* C[m,n] = scale * A[m,k] B[k,n] + keep * C, with A and B as they are read; keep is 0 or 1. C does
 * not overlap A or B. Sums over k run in a fixed order. */
void ssk_gemm(int m, int n, int k, ssk_real scale, struct ssk_matrix a, struct ssk_matrix b,
              int keep, ssk_real *c, int c_stride);

#endif
