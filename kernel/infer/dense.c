/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dense.c - see dense.h. */
#include "infer/dense.h"
#include <float.h>
#include <math.h>
#include <string.h>

void ssk_dense_product(int n, int k, int m, const double *a, const double *b, double *out) {
  for (int i = 0; i < n; i++)
    for (int j = 0; j < m; j++) {
      double sum = 0;
      for (int l = 0; l < k; l++)
        sum += a[i * k + l] * b[l * m + j];
      out[i * m + j] = sum;
    }
}

void ssk_dense_product_t(int n, int k, int m, const double *a, const double *b, double *out) {
  for (int i = 0; i < n; i++)
    for (int j = 0; j < m; j++) {
      double sum = 0;
      for (int l = 0; l < k; l++)
        sum += a[i * k + l] * b[j * k + l];
      out[i * m + j] = sum;
    }
}

void ssk_dense_symmetrise(int n, double *a) {
  for (int i = 0; i < n; i++)
    for (int j = 0; j < i; j++)
      a[i * n + j] = a[j * n + i] = 0.5 * (a[i * n + j] + a[j * n + i]);
}

void ssk_dense_sandwich(int n, int k, const double *a, const double *s, const double *plus,
                        double *work, double *out) {
  ssk_dense_product(n, k, k, a, s, work);
  ssk_dense_product_t(n, k, n, work, a, out);
  for (int i = 0; plus && i < n * n; i++)
    out[i] += plus[i];
  ssk_dense_symmetrise(n, out);
}

bool ssk_dense_cholesky(int n, double *a) {
  for (int j = 0; j < n; j++) {
    double d = a[j * n + j];
    for (int k = 0; k < j; k++)
      d -= a[j * n + k] * a[j * n + k];
    if (!(d > 0) || !isfinite(d))
      return false;
    a[j * n + j] = sqrt(d);
    for (int i = j + 1; i < n; i++) {
      double sum = a[i * n + j];
      for (int k = 0; k < j; k++)
        sum -= a[i * n + k] * a[j * n + k];
      a[i * n + j] = sum / a[j * n + j];
    }
  }
  return true;
}

void ssk_dense_solve(int n, const double *L, int m, double *x) {
  for (int r = 0; r < m; r++, x += n) {
    for (int i = 0; i < n; i++) {
      for (int k = 0; k < i; k++)
        x[i] -= L[i * n + k] * x[k];
      x[i] /= L[i * n + i];
    }
    for (int i = n - 1; i >= 0; i--) {
      for (int k = i + 1; k < n; k++)
        x[i] -= L[k * n + i] * x[k];
      x[i] /= L[i * n + i];
    }
  }
}

/* What is left of a variance after its projection on the chosen ones is zero when it is rounding
 * error of what it was: so the scale of each row counts, not that of the largest. */
int ssk_dense_semidefinite(int n, double *a, double *factor, int *pivot) {
  int rank = 0;
  memset(factor, 0, (size_t)(n * n) * sizeof *factor);
  for (int i = 0; i < n; i++)
    pivot[i] = i;
  for (; rank < n; rank++) {
    int best = -1;
    double best_share = 16 * n * DBL_EPSILON, best_left = 0;
    for (int c = rank; c < n; c++) {
      int i = pivot[c];
      double left = a[i * n + i];
      for (int k = 0; k < rank; k++)
        left -= factor[i * n + k] * factor[i * n + k];
      double share = a[i * n + i] > 0 ? left / a[i * n + i] : 0;
      if (share > best_share) {
        best = c;
        best_share = share;
        best_left = left;
      }
    }
    if (best < 0)
      break;
    int p = pivot[best];
    pivot[best] = pivot[rank];
    pivot[rank] = p;
    factor[p * n + rank] = sqrt(best_left);
    for (int c = rank + 1; c < n; c++) {
      int i = pivot[c];
      double sum = a[i * n + p];
      for (int k = 0; k < rank; k++)
        sum -= factor[i * n + k] * factor[p * n + k];
      factor[i * n + rank] = sum / factor[p * n + rank];
    }
  }
  return rank;
}

void ssk_dense_divide(int n, int m, const double *b, double *a, double *const work[3], int *pivot,
                      double *out) {
  double *factor = work[0], *L = work[1], *rows = work[2];
  int rank = ssk_dense_semidefinite(n, a, factor, pivot);
  for (int i = 0; i < rank; i++)
    for (int k = 0; k < rank; k++)
      L[i * rank + k] = factor[pivot[i] * n + k];
  for (int i = 0; i < m; i++)
    for (int k = 0; k < rank; k++)
      rows[i * rank + k] = b[i * n + pivot[k]];
  ssk_dense_solve(rank, L, m, rows);
  memset(out, 0, (size_t)m * (size_t)n * sizeof *out);
  for (int i = 0; i < m; i++)
    for (int k = 0; k < rank; k++)
      out[i * n + pivot[k]] = rows[i * rank + k];
}
