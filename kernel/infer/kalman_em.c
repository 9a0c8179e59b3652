/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kalman_em.c - expectation maximisation of a linear-Gaussian model.
 *
 * E: the smoother's moments of states, and of each with the one before. M, all in closed form, with
 * sums over the steps of all series, E[.] the smoother's, and i an entry of the observation, whose
 * sums leave out the steps at which it is missing:
 *
 *   A = S10 S00^-1               S10 = sum E[z_t z_{t-1}'],  S00 = sum E[z_{t-1} z_{t-1}'],  t > 1
 *   Q = (S11 - A S10' - S10 A' + A S00 A') / N              S11 = sum E[z_t z_t'],           t > 1
 *   C_i = Sxz Szz^-1             Sxz = sum x_ti E[z_t]',     Szz = sum E[z_t z_t']
 *   R_ii = (Sxx - 2 C_i Sxz' + C_i Szz C_i') / N_i           Sxx = sum x_ti^2
 *   m0, P0: mean and covariance of the first states
 *
 * With R diagonal the entries are fitted one by one, and a missing one drops out exactly. Source:
 * Shumway and Stoffer, An approach to time series smoothing and forecasting using the EM algorithm,
 * Journal of Time Series Analysis 3 (1982). */
#include "infer/kalman_em.h"
#include "infer/dense.h"
#include "infer/kalman.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define VARIANCE_FLOOR 1e-6

/* Sums of the E step, and scratch for the M step. */
struct sums {
  double *memory;
  double *S11, *S10, *S00, *first;      /* [d, d]; first: of the first states about zero */
  double *first_mean;                   /* [d] */
  double *Szz, *Sxz, *Sxx, *n_observed; /* [D, d, d], [D, d], [D], [D] */
  double *work[4];                      /* [d, d] */
  int *pivot;
  double steps; /* with one before them */
  double log_likelihood;
};

static int sums_init(struct sums *s, int d, int D, ssk_err *err) {
  size_t m = (size_t)(d * d), n = (size_t)D;
  *s = (struct sums){.memory =
                         malloc((8 * m + (size_t)d + n * (m + (size_t)d + 2)) * sizeof *s->memory),
                     .pivot = malloc((size_t)d * sizeof *s->pivot)};
  if (!s->memory || !s->pivot) {
    free(s->memory);
    free(s->pivot);
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the EM algorithm");
  }
  double *at = s->memory;
  double **const square[] = {&s->S11,     &s->S10,     &s->S00,     &s->first,
                             &s->work[0], &s->work[1], &s->work[2], &s->work[3]};
  for (size_t i = 0; i < sizeof square / sizeof square[0]; i++, at += m)
    *square[i] = at;
  s->first_mean = at;
  s->Szz = s->first_mean + d;
  s->Sxz = s->Szz + n * m;
  s->Sxx = s->Sxz + n * (size_t)d;
  s->n_observed = s->Sxx + n;
  return SSK_OK;
}

static void sums_free(struct sums *s) {
  free(s->memory);
  free(s->pivot);
}

/* out += a b' + cov */
static void add_moment(int d, const double *a, const double *b, const double *cov, double *out) {
  for (int i = 0; i < d; i++)
    for (int k = 0; k < d; k++)
      out[i * d + k] += a[i] * b[k] + cov[i * d + k];
}

static void add_series(const struct ssk_kalman_series *series, const struct ssk_kalman *states,
                       int D, struct sums *s) {
  const int d = states->d;
  for (int t = 0; t < states->T; t++) {
    const double *m = states->smoothed_mean + t * d, *P = states->smoothed_cov + t * d * d;
    if (t == 0) {
      add_moment(d, m, m, P, s->first);
      for (int i = 0; i < d; i++)
        s->first_mean[i] += m[i];
    } else {
      add_moment(d, m, m, P, s->S11);
      add_moment(d, m, m - d, states->smoothed_cross + t * d * d, s->S10);
      add_moment(d, m - d, m - d, P - d * d, s->S00);
      s->steps++;
    }
    for (int i = 0; i < D; i++) {
      const double x = series->x[t * D + i];
      if (series->mask[t * D + i] == 0)
        continue;
      add_moment(d, m, m, P, s->Szz + i * d * d);
      for (int k = 0; k < d; k++)
        s->Sxz[i * d + k] += x * m[k];
      s->Sxx[i] += x * x;
      s->n_observed[i]++;
    }
  }
}

static int expect(int n, const struct ssk_kalman_series *series, const struct ssk_kalman_fit *fit,
                  struct sums *s, ssk_err *err) {
  const size_t m = (size_t)(fit->d * fit->d), entries = (size_t)fit->D;
  memset(s->S11, 0, 4 * m * sizeof *s->S11); /* S11 to first lie together */
  memset(s->first_mean, 0,
         ((size_t)fit->d + entries * (m + (size_t)fit->d + 2)) * sizeof *s->first_mean);
  s->steps = s->log_likelihood = 0;
  int code = SSK_OK;
  for (int i = 0; i < n && !code; i++) {
    struct ssk_kalman states;
    code = ssk_kalman_filter(&fit->model, series[i].T, series[i].x, series[i].mask, &states, err);
    if (!code)
      code = ssk_kalman_smooth(&fit->model, &states, err);
    if (!code) {
      add_series(&series[i], &states, fit->D, s);
      s->log_likelihood += states.log_likelihood;
    }
    ssk_kalman_free(&states);
  }
  return code;
}

/* out[m, d] = b[m, d] a^-1; a is kept. */
static void regress(int d, int m, const double *b, const double *a, double *out, struct sums *s) {
  memcpy(s->work[3], a, (size_t)(d * d) * sizeof *a);
  ssk_dense_divide(d, m, b, s->work[3], s->work, s->pivot, out);
}

static void maximise_transition(struct ssk_kalman_fit *fit, struct sums *s) {
  const int d = fit->d;
  if (s->steps == 0)
    return;
  regress(d, d, s->S10, s->S00, fit->A, s);
  double *cross = s->work[0], *AS = s->work[1], *square = s->work[2];
  ssk_dense_product_t(d, d, d, fit->A, s->S10, cross);
  ssk_dense_sandwich(d, d, fit->A, s->S00, NULL, AS, square);
  for (int i = 0; i < d; i++)
    for (int k = 0; k < d; k++)
      fit->Q[i * d + k] =
          (s->S11[i * d + k] - cross[i * d + k] - cross[k * d + i] + square[i * d + k]) / s->steps;
  ssk_dense_symmetrise(d, fit->Q);
}

static void maximise_emission(struct ssk_kalman_fit *fit, struct sums *s) {
  const int d = fit->d, D = fit->D;
  for (int i = 0; i < D; i++) {
    double *C = fit->C + i * d, *R = fit->R + i * D + i;
    const double *Szz = s->Szz + i * d * d, *Sxz = s->Sxz + i * d;
    if (s->n_observed[i] == 0)
      continue;
    regress(d, 1, Sxz, Szz, C, s);
    double sum = s->Sxx[i];
    for (int k = 0; k < d; k++) {
      sum -= 2 * C[k] * Sxz[k];
      for (int l = 0; l < d; l++)
        sum += C[k] * Szz[k * d + l] * C[l];
    }
    *R = fmax(sum / s->n_observed[i], VARIANCE_FLOOR);
  }
}

static void maximise(int n, struct ssk_kalman_fit *fit, struct sums *s) {
  const int d = fit->d;
  maximise_transition(fit, s);
  maximise_emission(fit, s);
  for (int i = 0; i < d; i++)
    fit->m0[i] = s->first_mean[i] / n;
  for (int i = 0; i < d; i++)
    for (int k = 0; k < d; k++)
      fit->P0[i * d + k] = s->first[i * d + k] / n - fit->m0[i] * fit->m0[k];
  ssk_dense_symmetrise(d, fit->P0);
}

int ssk_kalman_em(int n, const struct ssk_kalman_series *series, struct ssk_kalman_fit *fit,
                  int iterations, double tolerance, double *log_likelihood, int *done,
                  ssk_err *err) {
  struct sums s;
  int code = sums_init(&s, fit->d, fit->D, err);
  if (code)
    return code;
  *done = 0;
  code = expect(n, series, fit, &s, err);
  log_likelihood[0] = s.log_likelihood;
  double entries = 0;
  for (int i = 0; i < fit->D; i++)
    entries += s.n_observed[i];
  while (!code && *done < iterations) {
    maximise(n, fit, &s);
    code = expect(n, series, fit, &s, err);
    const double before = log_likelihood[*done];
    log_likelihood[++*done] = s.log_likelihood;
    if (s.log_likelihood - before < tolerance * entries)
      break;
  }
  sums_free(&s);
  return code;
}

/* ---- the parameters -------------------------------------------------------------------------- */

int ssk_kalman_fit_init(struct ssk_kalman_fit *fit, int d, int D, ssk_err *err) {
  size_t m = (size_t)(d * d);
  *fit = (struct ssk_kalman_fit){.d = d, .D = D};
  fit->m0 = calloc((size_t)d + 3 * m + (size_t)(D * d) + (size_t)(D * D), sizeof *fit->m0);
  if (!fit->m0)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for a linear model");
  fit->P0 = fit->m0 + d;
  fit->A = fit->P0 + m;
  fit->Q = fit->A + m;
  fit->C = fit->Q + m;
  fit->R = fit->C + D * d;
  fit->model = (struct ssk_linear_gaussian){.size = sizeof fit->model,
                                            .d = d,
                                            .D = D,
                                            .m0 = fit->m0,
                                            .P0 = fit->P0,
                                            .A = fit->A,
                                            .Q = fit->Q,
                                            .C = fit->C,
                                            .R = fit->R};
  return SSK_OK;
}

void ssk_kalman_fit_free(struct ssk_kalman_fit *fit) {
  free(fit->m0);
  *fit = (struct ssk_kalman_fit){0};
}
