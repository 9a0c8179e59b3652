/* SPDX-License-Identifier: GPL-3.0-or-later */
/* importance.h - importance sampling: the estimate, and how far it can be trusted. */
#ifndef SSK_INFER_IMPORTANCE_H
#define SSK_INFER_IMPORTANCE_H

#include <sskit/err.h>

struct ssk_importance {
  double log_mean; /* log of the mean weight: of an integral, an estimate whose exp has no bias */
  double effective_paths; /* (sum w)^2 / sum w^2, of n (Kong 1992): 1...n */
  /* Shape k of the generalised Pareto distribution that fits the largest weights: above 0.7 the
   * estimate is not to be trusted (Vehtari et al. 2024). NaN with fewer than five tail weights. */
  double pareto_k;
};

/* Of the log weights log_w[n], n >= 1, which are sorted. Weights of 0 (-infinity) are allowed. */
void ssk_importance(int n, double *log_w, struct ssk_importance *out);

/* Shape of the generalised Pareto distribution of x[n], n >= 5, positive and ascending: Zhang and
 * Stephens 2009, with the prior of Vehtari et al. 2024 that pulls small samples towards 1/2. */
double ssk_pareto_shape(int n, const double *x);

#endif
