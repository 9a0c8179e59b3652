/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dip.h - has a sample one mode or several? Hartigan's dip statistic. */
#ifndef SSK_CORE_DIP_H
#define SSK_CORE_DIP_H

/* The largest difference between the empirical distribution of x[n] and the unimodal distribution
 * that is nearest to it (Hartigan and Hartigan 1985, "The dip test of unimodality", Annals of
 * Statistics 13): 1/(2n) where the values are as even as can be, 1/4 for two equal atoms, 0 for a
 * single one. Free of location and scale. n >= 1; the values are finite, in any order, and are
 * overwritten; scratch: 3n + 1 entries. */
double ssk_dip(int n, double *x, int *scratch);

/* What the dip of n values from a distribution with one mode exceeds with a probability of no more
 * than about 1 %: 0.6/sqrt(n). The uniform distribution is the worst of them (as above, section 4);
 * for most others it is far less. */
double ssk_dip_limit(int n);

#endif
