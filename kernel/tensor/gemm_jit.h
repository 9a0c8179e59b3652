/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gemm_jit.h - matrix products by code that libxsmm makes for their shape. */
#ifndef SSK_TENSOR_GEMM_JIT_H
#define SSK_TENSOR_GEMM_JIT_H

#include "tensor/gemm.h"

/* C[m,n] = A[m,k] B[k,n] + keep * C, as ssk_gemm. False where this product is left to OpenBLAS: in
 * a build without libxsmm, on a processor that it makes no code for, or where OpenBLAS is faster.
 * In one process the answer depends on the shapes alone. */
bool ssk_gemm_jit(int m, int n, int k, struct ssk_matrix a, struct ssk_matrix b, int keep,
                  ssk_real *c, int c_stride);
/* What it is done with: "libxsmm 1.17 (clx)"; NULL in a build without. */
const char *ssk_gemm_jit_name(void);

#endif
