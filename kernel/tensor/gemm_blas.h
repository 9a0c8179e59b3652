/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gemm_blas.h - a matrix product by OpenBLAS. */
#ifndef SSK_TENSOR_GEMM_BLAS_H
#define SSK_TENSOR_GEMM_BLAS_H

#include "tensor/gemm.h"
#include <cblas.h>

/* As ssk_gemm(). */
static inline void ssk_gemm_blas(int m, int n, int k, ssk_real scale, struct ssk_matrix a,
                                 struct ssk_matrix b, int keep, ssk_real *c, int c_stride) {
  const CBLAS_TRANSPOSE left = a.as == SSK_AS_IS ? CblasNoTrans : CblasTrans;
  const CBLAS_TRANSPOSE right = b.as == SSK_AS_IS ? CblasNoTrans : CblasTrans;
#ifdef SSK_DOUBLE
  cblas_dgemm(CblasRowMajor, left, right, m, n, k, scale, a.data, a.stride, b.data, b.stride, keep,
              c, c_stride);
#else
  cblas_sgemm(CblasRowMajor, left, right, m, n, k, scale, a.data, a.stride, b.data, b.stride,
              (ssk_real)keep, c, c_stride);
#endif
}

#endif
