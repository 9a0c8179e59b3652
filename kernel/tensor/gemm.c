/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gemm.c - matrix products: OpenBLAS on one thread, code made for the shape where that is faster
 * (gemm_jit.h), and plain loops where a call costs more than the product (measured: about 0.1 to
 * 0.2 us, some 200 multiplications of the plain loops) or there is one row or column only.
 *
 * OpenBLAS's own threads are switched off: they slow products of this size down, and would compete
 * with the threads that run the shards. */
#include "tensor/gemm.h"
#include "tensor/gemm_blas.h"
#include "tensor/gemm_jit.h"
#include "tensor/transpose.h"
#include <pthread.h>

static void use_one_thread(void) {
  openblas_set_num_threads(1);
}

void ssk_gemm_prepare(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, use_one_thread);
}

/* For small m*n*k. Row by row of C, so that with B as is the inner loop runs along rows of B and C.
 */
static void small_gemm(int m, int n, int k, ssk_real scale, struct ssk_matrix a,
                       struct ssk_matrix b, int keep, ssk_real *restrict c, int c_stride) {
  const size_t a_row = a.as == SSK_AS_IS ? (size_t)a.stride : 1;
  const size_t a_col = a.as == SSK_AS_IS ? 1 : (size_t)a.stride;
  for (int i = 0; i < m; i++) {
    ssk_real *restrict row = c + (size_t)i * (size_t)c_stride;
    const ssk_real *left = a.data + (size_t)i * a_row;
    if (!keep)
      for (int j = 0; j < n; j++)
        row[j] = 0;
    if (b.as == SSK_AS_IS) {
      for (int l = 0; l < k; l++) {
        const ssk_real factor = scale * left[(size_t)l * a_col];
        const ssk_real *right = b.data + (size_t)l * (size_t)b.stride;
        for (int j = 0; j < n; j++)
          row[j] += factor * right[j];
      }
    } else {
      for (int j = 0; j < n; j++) {
        const ssk_real *right = b.data + (size_t)j * (size_t)b.stride;
        ssk_real sum = 0;
        for (int l = 0; l < k; l++)
          sum += left[(size_t)l * a_col] * right[l];
        row[j] += scale * sum;
      }
    }
  }
}

/* One column times one row, where the rows of C are as short as a layer's. */
static void outer_product(int m, int n, ssk_real scale, struct ssk_matrix a,
                          const ssk_real *restrict b, int keep, ssk_real *restrict c,
                          int c_stride) {
  const size_t a_row = a.as == SSK_AS_IS ? (size_t)a.stride : 1;
  for (int i = 0; i < m; i++) {
    const ssk_real factor = scale * a.data[(size_t)i * a_row];
    ssk_real *restrict row = c + (size_t)i * (size_t)c_stride;
    if (keep)
      for (int j = 0; j < n; j++)
        row[j] += factor * b[j];
    else
      for (int j = 0; j < n; j++)
        row[j] = factor * b[j];
  }
}

/* One column of C, from short rows of A: several rows at a time, turned, for within a row the sum
 * is slow. */
enum { SHORT_ROW = 32 };
static void times_vector(int m, int k, ssk_real scale, struct ssk_matrix a,
                         const ssk_real *restrict b, int keep, ssk_real *c, int c_stride) {
  enum { rows = 64 };
  ssk_real turned[SHORT_ROW * rows], sum[rows];
  for (int i = 0; i < m; i += rows) {
    const size_t n = m - i < rows ? (size_t)(m - i) : rows;
    ssk_transpose(n, (size_t)k, a.data + (size_t)i * (size_t)a.stride, (size_t)a.stride, false,
                  turned, rows);
    for (size_t r = 0; r < n; r++)
      sum[r] = 0;
    for (int l = 0; l < k; l++)
      for (size_t r = 0; r < n; r++)
        sum[r] += b[l] * turned[l * rows + r];
    for (size_t r = 0; r < n; r++) {
      ssk_real *to = c + ((size_t)i + r) * (size_t)c_stride;
      *to = (keep ? *to : 0) + scale * sum[r];
    }
  }
}

/* Products without a second dimension to block, where OpenBLAS packs more than it multiplies. */
static bool thin_gemm(int m, int n, int k, ssk_real scale, struct ssk_matrix a, struct ssk_matrix b,
                      int keep, ssk_real *c, int c_stride) {
  const bool b_runs = n == 1 ? b.as == SSK_TRANSPOSED || b.stride == 1 : b.as == SSK_AS_IS;
  if (k == 1 && b_runs)
    outer_product(m, n, scale, a, b.data, keep, c, c_stride);
  else if (n == 1 && k <= SHORT_ROW && b_runs && a.as == SSK_AS_IS)
    times_vector(m, k, scale, a, b.data, keep, c, c_stride);
  else
    return false;
  return true;
}

void ssk_gemm(int m, int n, int k, ssk_real scale, struct ssk_matrix a, struct ssk_matrix b,
              int keep, ssk_real *c, int c_stride) {
  if ((double)m * n * k <= 200) {
    small_gemm(m, n, k, scale, a, b, keep, c, c_stride);
    return;
  }
  if (thin_gemm(m, n, k, scale, a, b, keep, c, c_stride))
    return;
  if (scale == 1 && ssk_gemm_jit(m, n, k, a, b, keep, c, c_stride))
    return;
  ssk_gemm_blas(m, n, k, scale, a, b, keep, c, c_stride);
}
