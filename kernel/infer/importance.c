/* SPDX-License-Identifier: GPL-3.0-or-later */
/* importance.c - weighted estimates and their diagnostics.
 *
 * Vehtari, Simpson, Gelman, Yao, Gabry: Pareto smoothed importance sampling, JMLR 2024: which
 * weights are the tail, and the prior of its shape. Zhang, Stephens: A new and efficient estimation
 * method for the generalized Pareto distribution, Technometrics 2009: the shape. */
#include "infer/importance.h"
#include <math.h>
#include <stdlib.h>

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Mean of log(1 - theta x): minus the shape, given theta = -k/scale in their notation. */
static double mean_log(int n, const double *x, double theta) {
  double sum = 0;
  for (int i = 0; i < n; i++)
    sum += log1p(-theta * x[i]);
  return sum / n;
}

double ssk_pareto_shape(int n, const double *x) {
  enum { GRID = 30 + 64 };
  double theta[GRID], log_l[GRID], quartile = x[(int)(n / 4.0 + 0.5) - 1], total = 0, mean = 0;
  int m = 30 + (int)sqrt(n);
  m = m < GRID ? m : GRID;
  for (int j = 0; j < m; j++) {
    theta[j] = 1 / x[n - 1] + (1 - sqrt(m / (j + 0.5))) / (3 * quartile);
    double k = mean_log(n, x, theta[j]);
    log_l[j] = n * (log(-theta[j] / k) - k - 1);
  }
  for (int j = 0; j < m; j++) { /* the posterior mean of theta, under a prior on a grid */
    double others = 0;
    for (int i = 0; i < m; i++)
      others += exp(log_l[i] - log_l[j]);
    mean += theta[j] / others;
    total += 1 / others;
  }
  double k = mean_log(n, x, mean / total);
  return (n * k + 10 * 0.5) / (n + 10.0);
}

/* The tail: the largest min(n/5, 3 sqrt n) weights, less the largest that is not among them.
 * Infinite where most of it is nothing beside the largest. */
static double tail_shape(int n, const double *log_w) {
  int tail = (int)ceil(fmin(0.2 * n, 3 * sqrt(n)));
  if (tail < 5 || tail >= n)
    return NAN;
  double *x = malloc((size_t)tail * sizeof *x), top = log_w[n - 1];
  if (!x)
    return NAN;
  double threshold = exp(log_w[n - tail - 1] - top);
  for (int i = 0; i < tail; i++)
    x[i] = exp(log_w[n - tail + i] - top) - threshold;
  int from = 0;
  while (from < tail && x[from] <= 0) /* ties with the threshold */
    from++;
  const bool vanish = from && log_w[n - tail + from - 1] > log_w[n - tail - 1];
  double k = tail - from >= 5 ? ssk_pareto_shape(tail - from, x + from) : vanish ? INFINITY : NAN;
  free(x);
  return k;
}

void ssk_importance(int n, double *log_w, struct ssk_importance *out) {
  qsort(log_w, (size_t)n, sizeof *log_w, ascending);
  double top = log_w[n - 1], sum = 0, squares = 0;
  if (top == -INFINITY || isnan(top)) {
    *out = (struct ssk_importance){.log_mean = top, .effective_paths = NAN, .pareto_k = NAN};
    return;
  }
  for (int i = 0; i < n; i++) { /* ascending: small ones first */
    double w = exp(log_w[i] - top);
    sum += w;
    squares += w * w;
  }
  *out = (struct ssk_importance){.log_mean = top + log(sum / n),
                                 .effective_paths = sum * sum / squares,
                                 .pareto_k = tail_shape(n, log_w)};
}
