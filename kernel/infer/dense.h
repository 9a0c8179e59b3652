/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dense.h - small dense matrices in double, row-major, in plain loops of fixed order: the state
 * spaces of the exact filters have a handful of dimensions. */
#ifndef SSK_INFER_DENSE_H
#define SSK_INFER_DENSE_H

#include <stdbool.h>

/* out[n, m] = a[n, k] b[k, m]; out is neither a nor b. */
void ssk_dense_product(int n, int k, int m, const double *a, const double *b, double *out);
/* out[n, m] = a[n, k] b[m, k]' */
void ssk_dense_product_t(int n, int k, int m, const double *a, const double *b, double *out);
/* out[n, n] = a[n, k] s[k, k] a' + plus[n, n], made symmetric; work: n*k entries; plus may be NULL.
 */
void ssk_dense_sandwich(int n, int k, const double *a, const double *s, const double *plus,
                        double *work, double *out);
/* a = (a + a') / 2 */
void ssk_dense_symmetrise(int n, double *a);
/* Cholesky: the lower triangle of a becomes L with a = L L'; false if a is not positive definite.
 */
bool ssk_dense_cholesky(int n, double *a);
/* x[m, n], row by row: solve L L' x = b in place. */
void ssk_dense_solve(int n, const double *L, int m, double *x);
/* Cholesky with pivoting of a positive semidefinite matrix (Higham 2002, section 10.3), on the
 * scale of its diagonal: factor[n, n] with a = factor factor', its columns beyond the rank zero;
 * pivot[n]: the order in which rows were chosen. Returns the rank. `a` is overwritten. */
int ssk_dense_semidefinite(int n, double *a, double *factor, int *pivot);
/* out[m, n] = b[m, n] a^- for a positive semidefinite a[n, n], which is overwritten: a generalised
 * inverse, that of a maximal set of independent rows; out is zero in the columns of the others.
 * work: two matrices [n, n] and one [m, n]; pivot: n entries. */
void ssk_dense_divide(int n, int m, const double *b, double *a, double *const work[3], int *pivot,
                      double *out);

#endif
