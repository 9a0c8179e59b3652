/* SPDX-License-Identifier: GPL-3.0-or-later */
/* importance.c - ranks in groups. */
#include "sweep/importance.h"
#include <math.h>
#include <stdlib.h>

enum { fewest = 10, most_groups = 8, per_bin = 5 };

/* A finished trial: the rank of its loss, and its place on an axis. */
struct ranked {
  double loss, rank, place;
};

static int by_loss(const void *a, const void *b) {
  const struct ranked *x = a, *y = b;
  return (x->loss > y->loss) - (x->loss < y->loss);
}
static int by_place(const void *a, const void *b) {
  const struct ranked *x = a, *y = b;
  return (x->place > y->place) - (x->place < y->place);
}

/* Equal losses share the mean of their ranks. */
static void rank(struct ranked *r, int n) {
  qsort(r, (size_t)n, sizeof *r, by_loss);
  for (int i = 0, j; i < n; i = j) {
    for (j = i + 1; j < n && r[j].loss == r[i].loss; j++)
      ;
    for (int k = i; k < j; k++)
      r[k].rank = (i + j - 1) / 2.0;
  }
}

/* Sorted by place. Bins of about equal numbers; what has the same place is in the same bin. Where
 * there are few places, each is a bin. */
static double epsilon_squared(const struct ranked *r, int n, bool few) {
  const int bins = n / per_bin < most_groups ? n / per_bin : most_groups;
  double mean = (n - 1) / 2.0, total = 0, between = 0;
  int groups = 0;
  for (int i = 0; i < n; i++)
    total += (r[i].rank - mean) * (r[i].rank - mean);
  for (int i = 0, j; i < n; i = j) {
    double sum = 0;
    const int full = few ? i + 1 : (int)((groups + 1.0) * n / bins);
    for (j = i; j < n && (j < full || r[j].place == r[j - 1].place || j == i); j++)
      sum += r[j].rank;
    between += (sum / (j - i) - mean) * (sum / (j - i) - mean) * (j - i);
    groups++;
  }
  if (groups < 2 || groups >= n || total <= 0)
    return NAN;
  const double within = (total - between) / (n - groups);
  return fmax(0, (between - (groups - 1) * within) / total);
}

void ssk_sweep_importance(const struct ssk_sweep *sweep, const struct ssk_trials *trials,
                          double *share) {
  struct ranked *r = calloc((size_t)trials->n + 1, sizeof *r);
  for (int k = 0; k < sweep->axes.n; k++) {
    const struct ssk_axis *axis = &sweep->axes.items[k];
    int n = 0;
    share[k] = NAN;
    for (int i = 0; i < trials->n && r; i++)
      if (trials->items[i].state == SSK_TRIAL_DONE) {
        r[n].loss = ssk_sweep_loss(sweep, trials->items[i].value);
        r[n++].place = axis->n ? (double)ssk_axis_index(axis, trials->items[i].point[k])
                               : trials->items[i].point[k];
      }
    if (n < fewest)
      continue;
    rank(r, n);
    qsort(r, (size_t)n, sizeof *r, by_place);
    share[k] = epsilon_squared(
        r, n, axis->n && (axis->kind == SSK_AXIS_CATEGORICAL || axis->n <= most_groups));
  }
  free(r);
}
