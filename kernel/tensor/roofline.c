/* SPDX-License-Identifier: GPL-3.0-or-later */
/* roofline.c - what this machine reaches on one thread. */
#include "tensor/roofline.h"
#include "tensor/gemm_blas.h"
#include <stdlib.h>

static ssk_real *ones(int rows, int columns) {
  const size_t count = (size_t)rows * (size_t)columns, bytes = count * sizeof(ssk_real);
  ssk_real *x = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
  for (size_t i = 0; x && i < count; i++)
    x[i] = 1;
  return x;
}

int ssk_gemm_bench_new(int m, int n, int k, struct ssk_gemm_bench *out) {
  ssk_gemm_prepare();
  *out = (struct ssk_gemm_bench){ones(m, k), ones(k, n), ones(m, n)};
  if (out->a && out->b && out->c)
    return SSK_OK;
  ssk_gemm_bench_free(out);
  return SSK_ENOMEM;
}

void ssk_gemm_bench_free(struct ssk_gemm_bench *bench) {
  free(bench->a);
  free(bench->b);
  free(bench->c);
  *bench = (struct ssk_gemm_bench){0};
}

void ssk_gemm_bench_run(const struct ssk_gemm_bench *bench, int m, int n, int k) {
  ssk_gemm_blas(m, n, k, 1, (struct ssk_matrix){bench->a, k, SSK_AS_IS},
                (struct ssk_matrix){bench->b, n, SSK_AS_IS}, 0, bench->c, n);
}

void ssk_copy_bench_run(size_t count, ssk_real scale, const ssk_real *restrict x,
                        ssk_real *restrict y) {
  for (size_t i = 0; i < count; i++)
    y[i] = scale * x[i];
}
