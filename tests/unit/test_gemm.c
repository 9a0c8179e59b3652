/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Matrix products against three plain loops in double, whoever computes them: plain loops, libxsmm
 * in pieces, OpenBLAS. */
#include "tensor/gemm.h"
#include "tensor/gemm_jit.h"
#include "tensor/transpose.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

enum { MOST = 80000 };

struct product {
  int m, n, k;
};

/* Few rows, pieces with and without a rest, widths that no vector divides, factors too large for
 * the cache, hardly any columns; then several panels of columns, of rows of B, and of C. */
static const struct product products[] = {
    {1, 1, 1},     {3, 5, 7},     {8, 32, 32},   {33, 17, 9},   {256, 4, 4},
    {300, 33, 31}, {64, 2, 80},   {80, 300, 70}, {5, 280, 77},  {31, 32, 300},
    {290, 80, 80}, {12, 600, 90}, {9, 100, 700}, {70, 600, 30}, {300, 130, 270}};

static void fill(ssk_rng *rng, ssk_real *x) {
  for (int i = 0; i < MOST; i++)
    x[i] = (ssk_real)ssk_rng_normal(rng);
}

static struct ssk_matrix matrix(const ssk_real *data, int rows, int columns, bool transposed) {
  return (struct ssk_matrix){data, (transposed ? rows : columns) + 3,
                             transposed ? SSK_TRANSPOSED : SSK_AS_IS};
}

static double entry(struct ssk_matrix a, int i, int j) {
  return (double)(a.as == SSK_AS_IS ? a.data[i * a.stride + j] : a.data[j * a.stride + i]);
}

static void check(const struct product *p, ssk_real scale, struct ssk_matrix a, struct ssk_matrix b,
                  int keep, ssk_real *c, const ssk_real *before) {
  const int stride = p->n + 1;
  for (int i = 0; i < MOST; i++)
    c[i] = before[i];
  ssk_gemm(p->m, p->n, p->k, scale, a, b, keep, c, stride);
  for (int i = 0; i < p->m; i++)
    for (int j = 0; j < p->n; j++) {
      const int at = i * stride + j;
      double sum = 0;
      for (int l = 0; l < p->k; l++)
        sum += entry(a, i, l) * entry(b, l, j);
      const double wanted = (double)scale * sum + keep * (double)before[at];
      const double off = fabs((double)c[at] - wanted);
      cr_assert_lt(off, (sizeof *c == 4 ? 4e-6 : 1e-13) * p->k + 1e-14,
                   "[%d,%d,%d] transposed %d %d keep %d: entry %d,%d", p->m, p->n, p->k, a.as, b.as,
                   keep, i, j);
    }
  for (int i = 0; i < p->m; i++)
    cr_assert_eq(c[i * stride + p->n], before[i * stride + p->n], "beyond row %d", i);
}

Test(gemm, every_way_to_read_the_factors) {
  ssk_rng rng = ssk_rng_open(1, "test", "gemm", 0, 0);
  ssk_real *x = malloc(4 * MOST * sizeof *x);
  for (int i = 0; i < 4; i++)
    fill(&rng, x + i * MOST);
  ssk_gemm_prepare();
  for (size_t i = 0; i < sizeof products / sizeof *products; i++)
    for (int way = 0; way < 8; way++) {
      const struct product *p = &products[i];
      struct ssk_matrix a = matrix(x, p->m, p->k, way & 1);
      struct ssk_matrix b = matrix(x + MOST, p->k, p->n, way & 2);
      check(p, 1, a, b, way >> 2, x + 2 * MOST, x + 3 * MOST);
      check(p, (ssk_real)0.5, a, b, way >> 2, x + 2 * MOST, x + 3 * MOST);
    }
  free(x);
}

/* What made code computes does not hang on what else was made before. */
Test(gemm, the_same_bits_again_after_many_other_shapes) {
  ssk_rng rng = ssk_rng_open(2, "test", "gemm", 0, 0);
  ssk_real *x = malloc(4 * MOST * sizeof *x);
  for (int i = 0; i < 4; i++)
    fill(&rng, x + i * MOST);
  ssk_gemm_prepare();
  struct ssk_matrix a = {x, 64, SSK_AS_IS}, b = {x + MOST, 32, SSK_AS_IS};
  ssk_gemm(70, 32, 64, 1, a, b, 0, x + 2 * MOST, 32);
  for (int m = 1; m < 400; m++)
    ssk_gemm(m % 280 + 1, 32, 8 + m % 50, 1, a, b, 0, x + 3 * MOST, 32);
  ssk_gemm(70, 32, 64, 1, a, b, 0, x + 3 * MOST, 32);
  cr_assert_arr_eq(x + 2 * MOST, x + 3 * MOST, 70 * 32 * sizeof *x);
  free(x);
}

Test(gemm, rows_become_columns) {
  ssk_real x[19 * 21], y[21 * 20];
  for (int i = 0; i < 19 * 21; i++)
    x[i] = (ssk_real)i;
  for (int i = 0; i < 21 * 20; i++)
    y[i] = 1;
  ssk_transpose(19, 20, x, 21, true, y, 20);
  for (int r = 0; r < 19; r++)
    for (int c = 0; c < 20; c++)
      cr_assert_eq(y[c * 20 + r], x[r * 21 + c] + 1);
  cr_assert_eq(y[19], 1);
}
