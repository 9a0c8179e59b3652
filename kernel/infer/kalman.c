/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kalman.c - the Kalman filter and the smoother of Rauch, Tung and Striebel.
 *
 * The filter's update is in Joseph's form, (I - K C) P (I - K C)' + K R K', which keeps covariances
 * symmetric and positive semidefinite; so is the smoother's, (I - J A) P (I - J A)' + J (Q + P_s)
 * J'. Predicted covariances may be singular (a known start, deterministic components): the
 * smoother's gain J = P A' P_pred^- takes a generalised inverse, that of a maximal set of
 * independent rows. A missing entry drops its row of C and R.
 *
 * Source: Saerkkae, Bayesian Filtering and Smoothing, 2013, theorems 4.2 and 8.2. Known value: the
 * Nile's local level with variances 15099 and 1469.1 and prior N(0, 1e7): -641.585578. */
#include "infer/kalman.h"
#include "infer/dense.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t max_size(size_t a, size_t b) {
  return a > b ? a : b;
}

/* Scratch for one step, for the larger of d and D: `n` matrices and a vector. */
struct work {
  double *memory, *matrix[6], *vector;
  int *index;
};

static int work_init(struct work *w, int d, int D, ssk_err *err) {
  size_t n = max_size((size_t)d, (size_t)D);
  w->memory = calloc(6 * n * n + n, sizeof *w->memory);
  w->index = calloc(n, sizeof *w->index);
  if (!w->memory || !w->index) {
    free(w->memory);
    free(w->index);
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the Kalman filter");
  }
  for (int i = 0; i < 6; i++)
    w->matrix[i] = w->memory + (size_t)i * n * n;
  w->vector = w->memory + 6 * n * n;
  return SSK_OK;
}

static void work_free(struct work *w) {
  free(w->memory);
  free(w->index);
}

void ssk_kalman_free(struct ssk_kalman *series) {
  free(series->memory);
  *series = (struct ssk_kalman){0};
}

/* m, P -> A m, A P A' + Q */
static void predict(const struct ssk_linear_gaussian *model, const double *m, const double *P,
                    double *m_next, double *P_next, struct work *w) {
  ssk_dense_product(model->d, model->d, 1, model->A, m, m_next);
  ssk_dense_sandwich(model->d, model->d, model->A, P, model->Q, w->matrix[0], P_next);
}

/* Condition m, P (in place) on the observed entries of x; adds their log density. */
static int update(const struct ssk_linear_gaussian *model, const double *x, const double *mask,
                  double *m, double *P, double *log_likelihood, struct work *w) {
  int d = model->d, D = model->D, n = 0;
  double *C = w->matrix[0], *R = w->matrix[1], *F = w->matrix[2], *K = w->matrix[3];
  double *I_KC = w->matrix[4], *scratch = w->matrix[5], *v = w->vector;
  for (int i = 0; i < D; i++)
    if (!mask || mask[i] != 0)
      w->index[n++] = i;
  if (n == 0)
    return SSK_OK;
  for (int i = 0; i < n; i++) {
    const double *row = model->C + w->index[i] * d;
    v[i] = x[w->index[i]];
    for (int k = 0; k < d; k++) {
      C[i * d + k] = row[k];
      v[i] -= row[k] * m[k];
    }
    for (int k = 0; k < n; k++)
      R[i * n + k] = model->R[w->index[i] * D + w->index[k]];
  }
  ssk_dense_sandwich(n, d, C, P, R, scratch, F);
  if (!ssk_dense_cholesky(n, F))
    return SSK_ENUMERIC;
  ssk_dense_product_t(d, d, n, P, C, K); /* K = P C' F^-1, row by row */
  ssk_dense_solve(n, F, d, K);
  for (int i = 0; i < d; i++)
    for (int k = 0; k < n; k++)
      m[i] += K[i * n + k] * v[k];
  ssk_dense_product(d, n, d, K, C, I_KC);
  for (int i = 0; i < d * d; i++)
    I_KC[i] = (i % (d + 1) == 0) - I_KC[i];
  ssk_dense_sandwich(d, d, I_KC, P, NULL, C, scratch); /* C is done with */
  memcpy(P, scratch, (size_t)(d * d) * sizeof *P);
  ssk_dense_sandwich(d, n, K, R, P, C, scratch);
  memcpy(P, scratch, (size_t)(d * d) * sizeof *P);
  double quadratic = 0, log_det = 0; /* |L^-1 v|^2, by forward substitution */
  for (int i = 0; i < n; i++) {
    for (int k = 0; k < i; k++)
      v[i] -= F[i * n + k] * v[k];
    v[i] /= F[i * n + i];
    quadratic += v[i] * v[i];
    log_det += 2 * log(F[i * n + i]);
  }
  *log_likelihood -= 0.5 * (quadratic + log_det + n * log(2 * M_PI));
  return SSK_OK;
}

int ssk_kalman_filter(const struct ssk_linear_gaussian *model, int T, const double *x,
                      const double *mask, struct ssk_kalman *out, ssk_err *err) {
  int d = model->d, D = model->D;
  size_t means = (size_t)T * (size_t)d, covs = means * (size_t)d;
  *out = (struct ssk_kalman){.T = T, .d = d};
  struct work w;
  int code = work_init(&w, d, D, err);
  if (code)
    return code;
  out->memory = malloc((3 * means + 4 * covs) * sizeof *out->memory);
  if (!out->memory) {
    work_free(&w);
    return ssk_err_set(err, SSK_ENOMEM, "no memory for %d steps of the Kalman filter", T);
  }
  out->predicted_mean = out->memory;
  out->filtered_mean = out->memory + means;
  out->predicted_cov = out->memory + 3 * means;
  out->filtered_cov = out->predicted_cov + covs;
  for (int t = 0; t < T && !code; t++) {
    double *m = out->predicted_mean + t * d, *P = out->predicted_cov + t * d * d;
    double *m_f = out->filtered_mean + t * d, *P_f = out->filtered_cov + t * d * d;
    if (t == 0) {
      memcpy(m, model->m0, (size_t)d * sizeof *m);
      memcpy(P, model->P0, (size_t)(d * d) * sizeof *P);
    } else {
      predict(model, m_f - d, P_f - d * d, m, P, &w);
    }
    memcpy(m_f, m, (size_t)d * sizeof *m);
    memcpy(P_f, P, (size_t)(d * d) * sizeof *P);
    code = update(model, x + t * D, mask ? mask + t * D : NULL, m_f, P_f, &out->log_likelihood, &w);
    if (code)
      ssk_err_set(err, code, "step %d: the covariance of the observations is not positive definite",
                  t + 1);
  }
  work_free(&w);
  return code;
}

/* gain[d, d] = P A' P_pred^-: nonzero in the columns of independent rows of P_pred only. */
static void smoother_gain(const struct ssk_linear_gaussian *model, const double *P,
                          const double *P_pred, double *gain, struct work *w) {
  int d = model->d;
  double *copy = w->matrix[1], *cross = w->matrix[3];
  memcpy(copy, P_pred, (size_t)(d * d) * sizeof *copy);
  ssk_dense_product_t(d, d, d, P, model->A, cross);
  double *const work[] = {w->matrix[2], w->matrix[4], w->matrix[5]};
  ssk_dense_divide(d, d, cross, copy, work, w->index, gain);
}

/* out[d, d] = (I - J A) P (I - J A)' + J inner J': the covariance of a state of covariance P when
 * the next one is known up to the covariance inner - Q. Uses matrices 1, 3 and 4 of the work. */
static void step_back(const struct ssk_linear_gaussian *model, const double *P, const double *J,
                      const double *inner, double *out, struct work *w) {
  int d = model->d;
  double *I_JA = w->matrix[1], *sum = w->matrix[3];
  ssk_dense_product(d, d, d, J, model->A, I_JA);
  for (int i = 0; i < d * d; i++)
    I_JA[i] = (i % (d + 1) == 0) - I_JA[i];
  ssk_dense_sandwich(d, d, I_JA, P, NULL, w->matrix[4], sum);
  ssk_dense_sandwich(d, d, J, inner, sum, w->matrix[4], out);
}

int ssk_kalman_smooth(const struct ssk_linear_gaussian *model, struct ssk_kalman *series,
                      ssk_err *err) {
  int d = series->d, T = series->T;
  size_t means = (size_t)T * (size_t)d, covs = means * (size_t)d;
  struct work w;
  int code = work_init(&w, d, d, err);
  if (code)
    return code;
  series->smoothed_mean = series->memory + 2 * means;
  series->smoothed_cov = series->memory + 3 * means + 2 * covs;
  series->smoothed_cross = series->smoothed_cov + covs;
  memset(series->smoothed_cross, 0, (size_t)(d * d) * sizeof(double));
  memcpy(series->smoothed_mean, series->filtered_mean, means * sizeof(double));
  memcpy(series->smoothed_cov, series->filtered_cov, covs * sizeof(double));
  for (int t = T - 2; t >= 0; t--) {
    const double *P = series->filtered_cov + t * d * d;
    double *m = series->smoothed_mean + t * d, *J = w.matrix[0];
    smoother_gain(model, P, series->predicted_cov + (t + 1) * d * d, J, &w);
    for (int i = 0; i < d; i++)
      for (int k = 0; k < d; k++)
        m[i] += J[i * d + k] * (m[d + k] - series->predicted_mean[(t + 1) * d + k]);
    double *inner = w.matrix[2];
    for (int i = 0; i < d * d; i++)
      inner[i] = model->Q[i] + series->smoothed_cov[(t + 1) * d * d + i];
    step_back(model, P, J, inner, series->smoothed_cov + t * d * d, &w);
    ssk_dense_product_t(d, d, d, series->smoothed_cov + (t + 1) * d * d, J,
                        series->smoothed_cross + (t + 1) * d * d);
  }
  work_free(&w);
  return SSK_OK;
}

int ssk_kalman_draw(const struct ssk_linear_gaussian *model, const struct ssk_kalman *series, int n,
                    ssk_rng *rng, double *z, ssk_err *err) {
  int d = series->d, T = series->T;
  struct work w;
  int code = work_init(&w, d, d, err);
  if (code)
    return code;
  for (int t = T - 1; t >= 0; t--) {
    const double *m = series->filtered_mean + t * d, *P = series->filtered_cov + t * d * d;
    double *J = w.matrix[0], *cov = w.matrix[2], *factor = w.matrix[5];
    if (t < T - 1) {
      smoother_gain(model, P, series->predicted_cov + (t + 1) * d * d, J, &w);
      step_back(model, P, J, model->Q, cov, &w);
    } else {
      memcpy(cov, P, (size_t)(d * d) * sizeof *cov);
    }
    ssk_dense_semidefinite(d, cov, factor, w.index);
    for (int s = 0; s < n; s++) {
      double *now = z + ((size_t)s * (size_t)T + (size_t)t) * (size_t)d, *normal = w.vector;
      for (int i = 0; i < d; i++)
        normal[i] = ssk_rng_normal(rng);
      for (int i = 0; i < d; i++) {
        now[i] = m[i];
        for (int k = 0; k < d; k++)
          now[i] += factor[i * d + k] * normal[k];
        for (int k = 0; k < d && t < T - 1; k++)
          now[i] += J[i * d + k] * (now[d + k] - series->predicted_mean[(t + 1) * d + k]);
      }
    }
  }
  work_free(&w);
  return SSK_OK;
}

int ssk_kalman_predict(const struct ssk_linear_gaussian *model, const double *mean,
                       const double *cov, int horizon, double *x_mean, double *x_cov,
                       double *z_mean, double *z_cov, ssk_err *err) {
  int d = model->d, D = model->D;
  struct work w;
  int code = work_init(&w, d, D, err);
  if (code)
    return code;
  double *state = calloc((size_t)(2 * d * (d + 1)), sizeof *state);
  if (!state) {
    work_free(&w);
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the Kalman filter");
  }
  double *m = state, *m_next = m + d, *P = m_next + d, *P_next = P + d * d;
  memcpy(m, mean, (size_t)d * sizeof *m);
  memcpy(P, cov, (size_t)(d * d) * sizeof *P);
  for (int h = 0; h < horizon; h++) {
    predict(model, m, P, m_next, P_next, &w);
    memcpy(m, m_next, (size_t)d * sizeof *m);
    memcpy(P, P_next, (size_t)(d * d) * sizeof *P);
    ssk_dense_product(D, d, 1, model->C, m, x_mean + h * D);
    ssk_dense_sandwich(D, d, model->C, P, model->R, w.matrix[0], x_cov + h * D * D);
    if (z_mean)
      memcpy(z_mean + h * d, m, (size_t)d * sizeof *m);
    if (z_cov)
      memcpy(z_cov + h * d * d, P, (size_t)(d * d) * sizeof *P);
  }
  free(state);
  work_free(&w);
  return SSK_OK;
}
