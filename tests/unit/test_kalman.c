/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_kalman.c - the Kalman filter and smoother against conditioning in the joint Gaussian of the
 * whole series, and against known answers. */
#include "infer/kalman.h"
#include <criterion/criterion.h>
#include <gsl/gsl_blas.h>
#include <gsl/gsl_linalg.h>
#include <math.h>
#include <stdlib.h>

TestSuite(kalman);

enum { T = 6, d = 3, D = 2, N = T * d, M = T * D };

/* Two models: everything regular; and a start and innovations of rank one, with a deterministic
 * component, for which predicted covariances are singular. */
static const double A[] = {0.9, 0.2, 0.0, -0.1, 0.7, 0.3, 0.0, 0.1, 0.5};
static const double C[] = {1.0, 0.5, -0.2, 0.3, -1.0, 0.8};
static const double R[] = {0.3, 0.1, 0.1, 0.2};
static const double start[] = {0.5, -1.0, 0.3};
static const double regular_P0[] = {1.0, 0.2, 0.1, 0.2, 0.8, 0.0, 0.1, 0.0, 0.5};
static const double regular_Q[] = {0.2, 0.05, 0.0, 0.05, 0.1, 0.02, 0.0, 0.02, 0.3};
static const double singular_P0[] = {1.0, 2.0, 0.0, 2.0, 4.0, 0.0, 0.0, 0.0, 0.0};
static const double singular_Q[] = {0.0, 0.0, 0.0, 0.0, 0.4, 0.0, 0.0, 0.0, 0.0};
static const double x[M] = {0.3, -0.4, 1.1, 0.2, -0.5, 0.9, 0.4, -1.3, 0.8, 0.1, -0.2, 0.6};
static const double mask[M] = {1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 1};

static struct ssk_linear_gaussian model_of(bool singular) {
  return (struct ssk_linear_gaussian){.size = sizeof(struct ssk_linear_gaussian),
                                      .d = d,
                                      .D = D,
                                      .m0 = start,
                                      .P0 = singular ? singular_P0 : regular_P0,
                                      .A = A,
                                      .Q = singular ? singular_Q : regular_Q,
                                      .C = C,
                                      .R = R};
}

/* out = A m, and the block row t of cov(z_t, .) = A cov(z_{t-1}, .), with P_t on the diagonal. */
static void joint_states(const struct ssk_linear_gaussian *model, double *mean, double *cov) {
  for (int t = 0; t < T; t++)
    for (int i = 0; i < d; i++) {
      mean[t * d + i] = t ? 0 : model->m0[i];
      for (int k = 0; t && k < d; k++)
        mean[t * d + i] += model->A[i * d + k] * mean[(t - 1) * d + k];
      for (int s = 0; s < t; s++)
        for (int j = 0; j < d; j++) {
          double sum = 0;
          for (int k = 0; k < d; k++)
            sum += model->A[i * d + k] * cov[((t - 1) * d + k) * N + s * d + j];
          cov[(t * d + i) * N + s * d + j] = cov[(s * d + j) * N + t * d + i] = sum;
        }
      for (int j = 0; j < d; j++) {
        double sum = t ? model->Q[i * d + j] : model->P0[i * d + j];
        for (int k = 0; t && k < d; k++) /* cov(z_t, z_{t-1}) A' is not there yet for all i */
          for (int l = 0; l < d; l++)
            sum += model->A[i * d + k] * cov[((t - 1) * d + k) * N + (t - 1) * d + l] *
                   model->A[j * d + l];
        cov[(t * d + i) * N + t * d + j] = sum;
      }
    }
}

/* Condition the joint Gaussian on the observed entries: the log-likelihood, and E[z | x], Var[z |
 * x]. */
static double condition(const struct ssk_linear_gaussian *model, double *mean, double *cov) {
  int n = 0, entry[M];
  for (int e = 0; e < M; e++)
    if (mask[e] != 0)
      entry[n++] = e;
  gsl_matrix *H = gsl_matrix_calloc((size_t)n, N), *S = gsl_matrix_calloc((size_t)n, (size_t)n);
  gsl_matrix *HP = gsl_matrix_calloc((size_t)n, N);
  gsl_vector *v = gsl_vector_calloc((size_t)n), *w = gsl_vector_calloc((size_t)n);
  gsl_matrix_view P = gsl_matrix_view_array(cov, N, N);
  for (int r = 0; r < n; r++) {
    double e = x[entry[r]];
    for (int k = 0; k < d; k++) {
      double c = model->C[(entry[r] % D) * d + k];
      gsl_matrix_set(H, (size_t)r, (size_t)(entry[r] / D * d + k), c);
      e -= c * mean[entry[r] / D * d + k];
    }
    gsl_vector_set(v, (size_t)r, e);
    for (int q = 0; q < n; q++)
      if (entry[r] / D == entry[q] / D)
        gsl_matrix_set(S, (size_t)r, (size_t)q, model->R[entry[r] % D * D + entry[q] % D]);
  }
  gsl_blas_dgemm(CblasNoTrans, CblasNoTrans, 1, H, &P.matrix, 0, HP);
  gsl_blas_dgemm(CblasNoTrans, CblasTrans, 1, HP, H, 1, S);
  gsl_linalg_cholesky_decomp1(S);
  gsl_linalg_cholesky_solve(S, v, w);
  double quadratic, log_likelihood = -0.5 * n * log(2 * M_PI);
  gsl_blas_ddot(v, w, &quadratic);
  log_likelihood -= 0.5 * quadratic;
  for (int r = 0; r < n; r++)
    log_likelihood -= log(gsl_matrix_get(S, (size_t)r, (size_t)r));
  gsl_vector_view m = gsl_vector_view_array(mean, N);
  gsl_blas_dgemv(CblasTrans, 1, HP, w, 1, &m.vector);
  gsl_blas_dtrsm(CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, 1, S, HP);
  gsl_blas_dgemm(CblasTrans, CblasNoTrans, -1, HP, HP, 1, &P.matrix);
  gsl_matrix_free(H);
  gsl_matrix_free(S);
  gsl_matrix_free(HP);
  gsl_vector_free(v);
  gsl_vector_free(w);
  return log_likelihood;
}

static void compare(bool singular) {
  struct ssk_linear_gaussian model = model_of(singular);
  double mean[N] = {0}, cov[N * N] = {0};
  joint_states(&model, mean, cov);
  double expected = condition(&model, mean, cov);
  struct ssk_kalman k;
  ssk_err *err = ssk_err_new();
  cr_assert_eq(ssk_kalman_filter(&model, T, x, mask, &k, err), SSK_OK, "%s",
               ssk_err_message(err, 0));
  cr_assert_eq(ssk_kalman_smooth(&model, &k, err), SSK_OK);
  cr_expect_float_eq(k.log_likelihood, expected, 1e-8, "%.12g, dense %.12g", k.log_likelihood,
                     expected);
  for (int t = 0; t < T; t++)
    for (int i = 0; i < d; i++) {
      cr_expect_float_eq(k.smoothed_mean[t * d + i], mean[t * d + i], 1e-8, "mean, step %d", t);
      for (int j = 0; j < d; j++)
        cr_expect_float_eq(k.smoothed_cov[(t * d + i) * d + j], cov[(t * d + i) * N + t * d + j],
                           1e-8, "covariance, step %d", t);
    }
  ssk_kalman_free(&k);
  ssk_err_free(err);
}

Test(kalman, equals_the_joint_gaussian) {
  compare(false);
}

Test(kalman, equals_the_joint_gaussian_where_covariances_are_singular) {
  compare(true);
}

/* Forecasting is filtering what was not observed. */
Test(kalman, predicts_what_the_filter_would) {
  struct ssk_linear_gaussian model = model_of(false);
  struct ssk_kalman whole, part;
  double unseen[M] = {0}, x_mean[2 * D], x_cov[2 * D * D], z_mean[2 * d], z_cov[2 * d * d];
  memcpy(unseen, mask, (M - 2 * D) * sizeof *unseen);
  cr_assert_eq(ssk_kalman_filter(&model, T, x, unseen, &whole, NULL), SSK_OK);
  cr_assert_eq(ssk_kalman_filter(&model, T - 2, x, mask, &part, NULL), SSK_OK);
  cr_assert_eq(ssk_kalman_predict(&model, part.filtered_mean + (T - 3) * d,
                                  part.filtered_cov + (T - 3) * d * d, 2, x_mean, x_cov, z_mean,
                                  z_cov, NULL),
               SSK_OK);
  for (int i = 0; i < 2 * d; i++)
    cr_expect_float_eq(z_mean[i], whole.filtered_mean[(T - 2) * d + i], 1e-12);
  for (int i = 0; i < 2 * d * d; i++)
    cr_expect_float_eq(z_cov[i], whole.filtered_cov[(T - 2) * d * d + i], 1e-12);
  for (int i = 0; i < D; i++) {
    double m = 0, v = R[i * D + i];
    for (int j = 0; j < d; j++) {
      m += C[i * d + j] * z_mean[d + j];
      for (int l = 0; l < d; l++)
        v += C[i * d + j] * z_cov[d * d + j * d + l] * C[i * d + l];
    }
    cr_expect_float_eq(x_mean[D + i], m, 1e-12);
    cr_expect_float_eq(x_cov[D * D + i * D + i], v, 1e-12);
  }
  ssk_kalman_free(&whole);
  ssk_kalman_free(&part);
}

Test(kalman, observations_without_density_are_an_error) {
  static const double zero[4] = {0}, one[4] = {1, 1, 1, 1};
  struct ssk_linear_gaussian model = {sizeof model, 1, 2, zero, one, one, one, one, zero};
  struct ssk_kalman k;
  ssk_err *err = ssk_err_new();
  cr_expect_eq(ssk_kalman_filter(&model, 1, one, NULL, &k, err), SSK_ENUMERIC);
  cr_expect_str_eq(ssk_err_message(err, 0),
                   "step 1: the covariance of the observations is not positive definite");
  ssk_kalman_free(&k);
  ssk_err_free(err);
}

/* ---- the Nile -----------------------------------------------------------------------------------
 */

enum { YEARS = 100 };

static bool read_nile(double *flow) {
  const char *folder = getenv("SSKIT_DATA");
  char path[4096], line[256];
  if (!folder)
    return false;
  snprintf(path, sizeof path, "%s/classics/Nile.csv", folder);
  FILE *file = fopen(path, "r");
  if (!file)
    return false;
  int n = 0;
  while (fgets(line, sizeof line, file) && n < YEARS)
    n += sscanf(line, "%*d,%*d,%lf", &flow[n]) == 1;
  fclose(file);
  return n == YEARS;
}

/* Flow of the Nile 1871-1970, local level at the maximum likelihood of Durbin and Koopman. */
Test(kalman, nile) {
  static const double one = 1, prior_mean = 0, prior = 1e7, level = 1469.1, noise = 15099;
  double flow[YEARS], seen[YEARS];
  if (!read_nile(flow))
    cr_skip_test("nile: SSKIT_DATA has no classics/Nile.csv");
  struct ssk_linear_gaussian model = {sizeof model, 1,      1,    &prior_mean, &prior,
                                      &one,         &level, &one, &noise};
  struct ssk_kalman k;
  cr_assert_eq(ssk_kalman_filter(&model, YEARS, flow, NULL, &k, NULL), SSK_OK);
  cr_assert_eq(ssk_kalman_smooth(&model, &k, NULL), SSK_OK);
  cr_expect_float_eq(k.log_likelihood, -641.585578, 1e-6, "%.9g", k.log_likelihood);
  cr_expect_float_eq(k.smoothed_mean[0], 1111.2203, 1e-4);
  cr_expect_float_eq(k.smoothed_mean[49], 834.7633, 1e-4);
  cr_expect_float_eq(k.smoothed_mean[99], 798.3703, 1e-4);
  double x_mean, x_cov, z_cov;
  cr_assert_eq(ssk_kalman_predict(&model, k.filtered_mean + 99, k.filtered_cov + 99, 1, &x_mean,
                                  &x_cov, NULL, &z_cov, NULL),
               SSK_OK);
  cr_expect_float_eq(x_mean, 798.3703, 1e-4);
  cr_expect_float_eq(z_cov, 5501.258, 1e-3);
  ssk_kalman_free(&k);

  for (int t = 0; t < YEARS; t++)
    seen[t] = !((t >= 20 && t < 40) || (t >= 60 && t < 80));
  cr_assert_eq(ssk_kalman_filter(&model, YEARS, flow, seen, &k, NULL), SSK_OK);
  cr_assert_eq(ssk_kalman_smooth(&model, &k, NULL), SSK_OK);
  cr_expect_float_eq(k.log_likelihood, -389.626978, 1e-6, "%.9g", k.log_likelihood);
  cr_expect_float_eq(k.smoothed_mean[29], 903.4200, 1e-4);
  cr_expect_float_eq(k.smoothed_cov[29], 9715.006, 1e-3);
  cr_expect_float_eq(k.smoothed_mean[69], 837.1773, 1e-4);
  ssk_kalman_free(&k);
}
