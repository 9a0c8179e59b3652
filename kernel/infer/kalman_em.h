/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kalman_em.h - a linear-Gaussian state-space model fitted to series with missing entries. */
#ifndef SSK_INFER_KALMAN_EM_H
#define SSK_INFER_KALMAN_EM_H

#include <sskit/plugin.h>

/* A series of T steps: x[T, D] and mask[T, D] (1 observed, 0 missing), borrowed. */
struct ssk_kalman_series {
  int T;
  const double *x, *mask;
};

/* The parameters of a model, owned, and the same as `model`, which points to them. R is diagonal.
 */
struct ssk_kalman_fit {
  int d, D;
  double *m0, *P0, *A, *Q, *C, *R;
  struct ssk_linear_gaussian model;
};
/* All zero. Free with ssk_kalman_fit_free, also after a failure of what follows. */
int ssk_kalman_fit_init(struct ssk_kalman_fit *fit, int d, int D, ssk_err *err);
void ssk_kalman_fit_free(struct ssk_kalman_fit *fit);

/* The largest latent size that ssk_kalman_realise can find in such series, at most `wanted`; 0:
 * none, the series are shorter than four steps. */
int ssk_kalman_realisable(int n, const struct ssk_kalman_series *series, int D, int wanted);
/* A first model from the autocovariances of the series, which have mean zero: the observability
 * matrix is that of the block Hankel matrix of autocovariances, by its singular values (Ho and
 * Kalman 1966; Akaike 1974; Aoki 1990, chapter 9). Its variances are rough. fit->d is at most
 * ssk_kalman_realisable. */
int ssk_kalman_realise(int n, const struct ssk_kalman_series *series, struct ssk_kalman_fit *fit,
                       ssk_err *err);

/* Expectation maximisation from the model that `fit` is (Shumway and Stoffer 1982; Ghahramani and
 * Hinton 1996), at most `iterations` times, until one brings less than `tolerance` nats an observed
 * entry. log_likelihood[iterations + 1]: before each, and of the result; *done: how many there
 * were. They never fall, but for rounding. Variances of R stay over a floor of 1e-6: what maximises
 * above it, as R is diagonal. SSK_ENUMERIC when a model has no likelihood, SSK_ENOMEM. */
int ssk_kalman_em(int n, const struct ssk_kalman_series *series, struct ssk_kalman_fit *fit,
                  int iterations, double tolerance, double *log_likelihood, int *done,
                  ssk_err *err);

#endif
