/* SPDX-License-Identifier: GPL-3.0-or-later */
/* decide.h - is a mean difference other than zero: by a test once, and by a sequence of intervals
 * that may be looked at as often as one likes. */
#ifndef SSK_REPORT_DECIDE_H
#define SSK_REPORT_DECIDE_H

#include <stdint.h>

/* Statistic and two-sided p-value; NaN where there is none (under two values, or no spread). */
struct ssk_test {
  double statistic, p;
};

/* Diebold and Mariano's test (1995) of the loss differences d[n], which stand in the order of the
 * forecasts' origins: their mean over its standard error, whose variance has `lags`
 * autocovariances (horizon - 1 where origins follow each other, as forecast errors of h steps
 * correlate over h - 1 origins), with Harvey, Leybourne and Newbold's correction for small samples
 * (1997) and Student's distribution of n - 1 degrees of freedom. Where that variance is not
 * positive, Newey and West's (1987), whose autocovariances have falling weights, takes its place.
 * Lags beyond n/4 are left out. */
struct ssk_test ssk_diebold_mariano(const double *d, int64_t n, int lags);

/* Half the width of the asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and
 * Ramdas (2024, "Time-uniform central limit theory and asymptotic confidence sequences", theorem
 * 2.2) after n values of that standard deviation: with probability 1 - alpha the mean lies within
 * it at all n at once, so that one may stop when one likes. Narrowest at n = `tightest`. */
double ssk_anytime_radius(double deviation, int64_t n, int64_t tightest, double alpha);

#endif
