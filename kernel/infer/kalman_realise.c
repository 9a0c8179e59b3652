/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kalman_realise.c - a linear-Gaussian model from autocovariances, where EM can begin.
 *
 * Lambda_k = E[x_{t+k} x_t'] = C A^{k-1} G for k > 0, so that the block Hankel matrix H_ij =
 * Lambda_{i+j-1}, i, j = 1..r, has rank d and the factors [C; C A; ...; C A^{r-1}] and [G, A G,
 * ...]. Its singular value decomposition U S V' cut at rank d gives the first factor, O = U S^1/2;
 * A is what shifts O by a block. The observation noise is not in it, as k > 0. */
#include "infer/dense.h"
#include "infer/kalman_em.h"
#include <gsl/gsl_blas.h>
#include <gsl/gsl_complex_math.h>
#include <gsl/gsl_eigen.h>
#include <gsl/gsl_linalg.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HANKEL_SIDE      96   /* rows of H that are aimed at */
#define LARGEST_RADIUS   0.99 /* of the eigenvalues of A: EM is to begin with a stable model */
#define SMALLEST_SHARE   1e-6 /* of the first singular value */
#define INNOVATION_LEAST 0.01 /* share of a state's variance that is new in each step */
#define NOISE_LEAST      0.1  /* share of an observation's variance that is noise */

static int longest(int n, const struct ssk_kalman_series *series) {
  int T = 0;
  for (int i = 0; i < n; i++)
    T = series[i].T > T ? series[i].T : T;
  return T;
}

/* Blocks r of a side of H: its largest lag is 2 r - 1. */
static int blocks_for(int n, const struct ssk_kalman_series *series, int D, int d) {
  const int most = longest(n, series) / 2, least = (d + D - 1) / D + 1;
  const int wanted = HANKEL_SIDE / D > least ? HANKEL_SIDE / D : least;
  return wanted < most ? wanted : most;
}

int ssk_kalman_realisable(int n, const struct ssk_kalman_series *series, int D, int wanted) {
  const int most = (longest(n, series) / 2 - 1) * D;
  return most < wanted ? (most > 0 ? most : 0) : wanted;
}

/* lambda[D, D] of a lag, over the pairs that were both observed. */
static void autocovariance(int n, const struct ssk_kalman_series *series, int D, int lag,
                           double *lambda) {
  for (int a = 0; a < D; a++)
    for (int b = 0; b < D; b++) {
      double sum = 0, pairs = 0;
      for (int i = 0; i < n; i++)
        for (int t = 0; t + lag < series[i].T; t++) {
          const int later = (t + lag) * D + a, now = t * D + b;
          if (series[i].mask[later] != 0 && series[i].mask[now] != 0) {
            sum += series[i].x[later] * series[i].x[now];
            pairs++;
          }
        }
      lambda[a * D + b] = pairs > 0 ? sum / pairs : 0;
    }
}

/* Scale A [d, d] so that its powers vanish. */
static int stabilise(int d, double *A, ssk_err *err) {
  gsl_matrix *copy = gsl_matrix_alloc((size_t)d, (size_t)d);
  gsl_vector_complex *values = gsl_vector_complex_alloc((size_t)d);
  gsl_eigen_nonsymm_workspace *work = gsl_eigen_nonsymm_alloc((size_t)d);
  int code = SSK_ENOMEM;
  if (copy && values && work) {
    memcpy(copy->data, A, (size_t)(d * d) * sizeof *A);
    code = gsl_eigen_nonsymm(copy, values, work) ? SSK_ENUMERIC : SSK_OK;
  }
  double radius = 0;
  for (int i = 0; i < d && !code; i++)
    radius = fmax(radius, gsl_complex_abs(gsl_vector_complex_get(values, (size_t)i)));
  for (int i = 0; i < d * d && radius > LARGEST_RADIUS; i++)
    A[i] *= LARGEST_RADIUS / radius;
  gsl_eigen_nonsymm_free(work);
  gsl_vector_complex_free(values);
  gsl_matrix_free(copy);
  return code ? ssk_err_set(err, code, "the eigenvalues of a transition could not be found")
              : SSK_OK;
}

/* C and A of O [rows, d] = U S^1/2, of which U has more columns. */
static int read_factor(const gsl_matrix *U, const double *S, struct ssk_kalman_fit *fit,
                       ssk_err *err) {
  const int d = fit->d, D = fit->D, rows = (int)U->size1;
  const size_t m = (size_t)(d * d);
  double *work = malloc(((size_t)(rows * d) + 5 * m) * sizeof *work);
  int *pivot = malloc((size_t)d * sizeof *pivot);
  if (!work || !pivot) {
    free(work);
    free(pivot);
    return ssk_err_set(err, SSK_ENOMEM, "no memory for a linear model");
  }
  double *O = work, *square = O + rows * d, *cross = square + m;
  double *const scratch[] = {cross + m, cross + 2 * m, cross + 3 * m};
  for (int i = 0; i < rows; i++)
    for (int k = 0; k < d; k++)
      O[i * d + k] = gsl_matrix_get(U, (size_t)i, (size_t)k) * sqrt(S[k]);
  memcpy(fit->C, O, (size_t)(D * d) * sizeof *O);
  memset(square, 0, 2 * m * sizeof *square);
  for (int i = 0; i < rows - D; i++) /* A' O_up' O_up = O_down' O_up, row by row of A' */
    for (int k = 0; k < d; k++)
      for (int l = 0; l < d; l++) {
        square[k * d + l] += O[i * d + k] * O[i * d + l];
        cross[k * d + l] += O[(i + D) * d + k] * O[i * d + l];
      }
  double *transposed = O; /* O is done with */
  ssk_dense_divide(d, d, cross, square, scratch, pivot, transposed);
  for (int k = 0; k < d; k++)
    for (int l = 0; l < d; l++)
      fit->A[l * d + k] = transposed[k * d + l];
  free(work);
  free(pivot);
  return stabilise(d, fit->A, err);
}

/* Variances that go with states of the variances S: what a step leaves over, and what C does. */
static void set_variances(const double *S, const double *variance, struct ssk_kalman_fit *fit) {
  const int d = fit->d, D = fit->D;
  for (int i = 0; i < d; i++) {
    double kept = 0;
    for (int k = 0; k < d; k++)
      kept += fit->A[i * d + k] * fit->A[i * d + k] * S[k];
    fit->P0[i * d + i] = S[i];
    fit->Q[i * d + i] = fmax(S[i] - kept, INNOVATION_LEAST * S[i]);
  }
  for (int i = 0; i < D; i++) {
    double seen = 0;
    for (int k = 0; k < d; k++)
      seen += fit->C[i * d + k] * fit->C[i * d + k] * S[k];
    fit->R[i * D + i] = fmax(variance[i * D + i] - seen, NOISE_LEAST * variance[i * D + i]);
    if (fit->R[i * D + i] <= 0)
      fit->R[i * D + i] = 1; /* never seen, or always zero */
  }
}

int ssk_kalman_realise(int n, const struct ssk_kalman_series *series, struct ssk_kalman_fit *fit,
                       ssk_err *err) {
  const int D = fit->D, r = blocks_for(n, series, D, fit->d), side = r * D;
  double *lambda = malloc((size_t)(2 * r * D * D) * sizeof *lambda);
  gsl_matrix *H = gsl_matrix_alloc((size_t)side, (size_t)side);
  gsl_matrix *V = gsl_matrix_alloc((size_t)side, (size_t)side);
  gsl_vector *S = gsl_vector_alloc((size_t)side), *work = gsl_vector_alloc((size_t)side);
  int code = lambda && H && V && S && work ? SSK_OK : SSK_ENOMEM;
  for (int k = 0; k < 2 * r && !code; k++)
    autocovariance(n, series, D, k, lambda + k * D * D);
  for (int i = 0; i < 2 * r * D * D && !code; i++)
    if (!isfinite(lambda[i])) /* GSL's own answer would be to abort */
      code = SSK_ENUMERIC;
  for (int i = 0; i < side && !code; i++)
    for (int j = 0; j < side; j++)
      gsl_matrix_set(H, (size_t)i, (size_t)j,
                     lambda[((i / D + j / D + 1) * D + i % D) * D + j % D]);
  if (!code)
    code = gsl_linalg_SV_decomp(H, V, S, work) ? SSK_ENUMERIC : SSK_OK;
  if (code) {
    ssk_err_set(err, code, "the autocovariances of the series could not be decomposed");
  } else {
    const double first = S->data[0] > 0 ? S->data[0] : 1;
    for (int i = 0; i < fit->d; i++)
      S->data[i] = fmax(S->data[i], SMALLEST_SHARE * first);
    code = read_factor(H, S->data, fit, err);
    set_variances(S->data, lambda, fit);
  }
  gsl_vector_free(work);
  gsl_vector_free(S);
  gsl_matrix_free(V);
  gsl_matrix_free(H);
  free(lambda);
  return code;
}
