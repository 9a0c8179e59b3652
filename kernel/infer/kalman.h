/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kalman.h - exact inference in linear-Gaussian state-space models, with missing observations. */
#ifndef SSK_INFER_KALMAN_H
#define SSK_INFER_KALMAN_H

#include <sskit/plugin.h>

/* The states of T steps: means [T, d] and covariances [T, d, d], given the observations before the
 * step (predicted), up to it (filtered), and all (smoothed). */
struct ssk_kalman {
  int T, d;
  double log_likelihood; /* log p(x_{1:T}) over the observed entries, in nats */
  double *predicted_mean, *predicted_cov;
  double *filtered_mean, *filtered_cov;
  double *smoothed_mean, *smoothed_cov; /* set by ssk_kalman_smooth; else NULL */
  double *smoothed_cross; /* so, too: [T, d, d] of each step with the one before; the first is 0 */
  double *memory;
};

/* Filter x[T, D] with mask[T, D] (1 observed, 0 missing; NULL: all observed). Free the result with
 * ssk_kalman_free, also after a failure: SSK_ENUMERIC when observations have no density under the
 * model (their covariance is singular), SSK_ENOMEM. */
int ssk_kalman_filter(const struct ssk_linear_gaussian *model, int T, const double *x,
                      const double *mask, struct ssk_kalman *out, ssk_err *err);
/* The fixed-interval smoother of Rauch, Tung and Striebel (1965) on a filtered series. */
int ssk_kalman_smooth(const struct ssk_linear_gaussian *model, struct ssk_kalman *series,
                      ssk_err *err);
/* Draw n paths z[n, T, d] of the states given all observations of a filtered series, from the last
 * step backwards (Carter and Kohn 1994; Fruehwirth-Schnatter 1994). */
int ssk_kalman_draw(const struct ssk_linear_gaussian *model, const struct ssk_kalman *series, int n,
                    ssk_rng *rng, double *z, ssk_err *err);
/* Mean and covariance of the next `horizon` observations, one step at a time, given a filtered
 * state: x_mean[horizon, D], x_cov[horizon, D, D]; z_mean [horizon, d] and z_cov [horizon, d, d] of
 * the states, both may be NULL. */
int ssk_kalman_predict(const struct ssk_linear_gaussian *model, const double *mean,
                       const double *cov, int horizon, double *x_mean, double *x_cov,
                       double *z_mean, double *z_cov, ssk_err *err);
void ssk_kalman_free(struct ssk_kalman *series);

#endif
