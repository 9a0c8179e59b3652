/* SPDX-License-Identifier: GPL-3.0-or-later */
/* decide.c - the Diebold-Mariano test and an anytime-valid interval. */
#include "report/decide.h"
#include <gsl/gsl_cdf.h>
#include <math.h>

static double autocovariance(const double *d, int64_t n, double mean, int64_t lag) {
  double sum = 0;
  for (int64_t i = lag; i < n; i++)
    sum += (d[i] - mean) * (d[i - lag] - mean);
  return sum / (double)n;
}

struct ssk_test ssk_diebold_mariano(const double *d, int64_t n, int lags) {
  struct ssk_test out = {.statistic = NAN, .p = NAN};
  if (n < 2)
    return out;
  double mean = 0, count = (double)n;
  for (int64_t i = 0; i < n; i++)
    mean += d[i] / count;
  int64_t last = lags < n / 4 ? lags : n / 4;
  double own = autocovariance(d, n, mean, 0), variance = own, weighted = own;
  for (int64_t k = 1; k <= last; k++) {
    double both = 2 * autocovariance(d, n, mean, k);
    variance += both;
    weighted += (1 - (double)k / (double)(last + 1)) * both;
  }
  if (!(variance > 1e-12 * own))
    variance = weighted;
  if (!(variance > 1e-24 * mean * mean))
    return out;
  double h = (double)last + 1;
  double small = (count + 1 - 2 * h + h * (h - 1) / count) / count;
  out.statistic = mean / sqrt(variance / count) * sqrt(small);
  out.p = 2 * gsl_cdf_tdist_Q(fabs(out.statistic), count - 1);
  return out;
}

double ssk_anytime_radius(double deviation, int64_t n, int64_t tightest, double alpha) {
  double t = (double)n, odds = -2 * log(alpha);
  double rho2 = (odds + log(odds + 1)) / (double)tightest;
  double inner = t * rho2 + 1;
  return deviation * sqrt(2 * inner / (t * t * rho2) * log(sqrt(inner) / alpha));
}
