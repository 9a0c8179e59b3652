/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dip.c - the dip, from its definition.
 *
 * A distribution is unimodal when it is convex up to its mode m and concave from there on; at m it
 * may jump. To the left of m the convex function nearest to the empirical distribution F is its
 * greatest convex minorant G, lifted by half of the largest difference: a = sup(F - G)/2. To the
 * right it is the least concave majorant H, lowered by b = sup(H - F)/2. With an error of D
 * allowed, the left part may end as low as F(m-) + 2a - D, and the right part start as high as F(m)
 * - 2b + D: they make one distribution where
 *
 *     D >= a,   D >= b,   2D >= 2a + 2b - (F(m) - F(m-))
 *
 * and the dip is the smallest such D of any m in the sample. That is quadratic in n, where AS 217
 * is linear, and plain; samples here are short. Heights are counted in values: F jumps from
 * count[i] to count[i + 1] at x[i]. */
#include "core/dip.h"

#include <gsl/gsl_sort.h>
#include <math.h>

/* Equal values become one: returns how many are left, and count[.] with those below each. */
static int distinct(int n, double *x, int *count) {
  int k = 0;
  for (int i = 0; i < n; i++)
    if (i == 0 || x[i] > x[k - 1]) {
      x[k] = x[i];
      count[k++] = i;
    }
  count[k] = n;
  return k;
}

/* The corners (x[i], y[i]) of a hull, by the corner next to each: next[i] is that of the hull of i
 * and all points beyond it on the side of `step` (-1: before it, the hull from below; +1: after it,
 * the hull from above). Going that way, slopes fall. */
static void hull(int n, int step, const double *x, const int *y, int *next) {
  const int first = step < 0 ? 0 : n - 1;
  next[first] = first;
  for (int done = 1; done < n; done++) {
    const int i = first - step * done;
    int b = i + step;
    /* b is no corner where the slope beyond it is not the smaller one. */
    while (b != first && (y[b] - y[next[b]]) * (x[i] - x[b]) >= (y[i] - y[b]) * (x[b] - x[next[b]]))
      b = next[b];
    next[i] = b;
  }
}

/* The largest gap between F and the hull that starts in corner i, where F is at `other`. */
static double widest_gap(int i, int step, const double *x, const int *y, const int *other,
                         const int *next) {
  double gap = 0;
  for (int corner = i; next[corner] != corner; corner = next[corner]) {
    const int end = next[corner];
    const double slope = (y[end] - y[corner]) / (x[end] - x[corner]);
    for (int k = corner + step; k != end + step; k += step)
      gap = fmax(gap, fabs(other[k] - (y[corner] + slope * (x[k] - x[corner]))));
  }
  return gap;
}

double ssk_dip(int n, double *x, int *scratch) {
  gsl_sort(x, 1, (size_t)n);
  int *count = scratch, *before = count + n + 1, *after = before + n;
  const int k = distinct(n, x, count);
  const int *below = count, *above = count + 1;
  hull(k, -1, x, below, before);
  hull(k, +1, x, above, after);
  double dip = n;
  for (int m = 0; m < k; m++) {
    const double left = widest_gap(m, -1, x, below, above, before);
    const double right = widest_gap(m, +1, x, above, below, after);
    const double join = left + right - (above[m] - below[m]);
    dip = fmin(dip, fmax(fmax(left, right), join));
  }
  return dip / (2.0 * n);
}

double ssk_dip_limit(int n) {
  return 0.6 / sqrt(n);
}
