/* SPDX-License-Identifier: GPL-3.0-or-later */
/* modes.h - the modes of a sample of one dimension: peaks of its kernel density estimate that stand
 * out, and the regions between their valleys.
 *
 * A peak is a mode when its density is at least `ratio` times that of the lowest point towards
 * every higher peak (its prominence: the persistence of Edelsbrunner, Letscher and Zomorodian 2002,
 * on a logarithmic scale), and when the region between its valleys holds the share `mass` of the
 * sample. The bandwidth is given, not chosen from the sample, so that two samples can be judged
 * alike (Silverman 1981: the number of modes depends on it). */
#ifndef SSK_METRIC_MODES_H
#define SSK_METRIC_MODES_H

#include <math.h>
#include <sskit/plugin.h>
#include <stdlib.h>
#include <string.h>

#define MODES_MAX  64
#define MODES_GRID 4096

struct modes_how {
  double bandwidth, ratio, mass;
};

struct modes {
  int n;
  double at[MODES_MAX];   /* the peaks, ascending */
  double upto[MODES_MAX]; /* where their regions end; the last one's is infinite */
};

/* The rows of a member `how` of S. */
#define MODES_ROW(S, key, member_, text, lo, hi, unit_, doc_)                                      \
  {                                                                                                \
    .name = key, .type = SSK_T_REAL, .offset = offsetof(S, member_), .default_text = text,         \
    .min = lo, .max = hi, .unit = unit_, .doc = doc_                                               \
  }
#define MODES_PARAMS(S)                                                                            \
  MODES_ROW(S, "bandwidth", how.bandwidth, "0.15", 1e-3, 10, "1",                                  \
            "Bandwidth of the density estimate, in deviations of the exact kernel."),              \
      MODES_ROW(S, "ratio", how.ratio, "2", 1, 1e6, "1",                                           \
                "A peak is a mode when it is so many times as high as the valley beside it."),     \
      MODES_ROW(S, "mass", how.mass, "0.05", 0, 0.5, "1",                                          \
                "... and when its region holds at least this share of the sample.")

/* Every stride-th of n values. */
struct column {
  const double *values;
  int n, stride;
};

static inline double column_at(const struct column *c, int i) {
  return c->values[(size_t)i * (size_t)c->stride];
}

static inline double column_deviation(const struct column *c) {
  double sum = 0, squares = 0;
  for (int i = 0; i < c->n; i++)
    sum += column_at(c, i);
  for (int i = 0; i < c->n; i++)
    squares += (column_at(c, i) - sum / c->n) * (column_at(c, i) - sum / c->n);
  return sqrt(squares / c->n);
}

/* Share of the values in [from, upto). */
static inline double column_share(const struct column *c, double from, double upto) {
  int inside = 0;
  for (int i = 0; i < c->n; i++)
    inside += column_at(c, i) >= from && column_at(c, i) < upto;
  return (double)inside / c->n;
}

/* ---- the density ------------------------------------------------------------------------------
 */

struct density {
  int n;
  double lowest, step;
  double f[MODES_GRID]; /* not normalised */
};

/* By bins of a quarter of the bandwidth; of a part of the range, where that is wide. */
static inline void density_estimate(struct density *d, const struct column *c, double bandwidth) {
  double count[MODES_GRID] = {0}, least = INFINITY, most = -INFINITY;
  for (int i = 0; i < c->n; i++) {
    least = fmin(least, column_at(c, i));
    most = fmax(most, column_at(c, i));
  }
  d->lowest = least - 4 * bandwidth;
  double range = most - least + 8 * bandwidth;
  d->step = fmax(bandwidth / 4, range / (MODES_GRID - 1));
  d->n = (int)ceil(range / d->step) + 1;
  d->n = d->n < MODES_GRID ? d->n : MODES_GRID;
  for (int i = 0; i < c->n; i++) {
    int bin = (int)((column_at(c, i) - d->lowest) / d->step);
    count[bin < d->n ? bin : d->n - 1]++;
  }
  int reach = (int)(5 * bandwidth / d->step);
  for (int i = 0; i < d->n; i++) {
    d->f[i] = 0;
    for (int k = -reach; k <= reach; k++) {
      double away = k * d->step / bandwidth;
      if (i + k >= 0 && i + k < d->n && count[i + k] > 0)
        d->f[i] += count[i + k] * exp(-0.5 * away * away);
    }
  }
}

/* ---- peaks ------------------------------------------------------------------------------------
 */

/* Peaks and the lowest grid point between neighbours: valley[i] is between peak[i] and peak[i+1].
 */
struct peaks {
  int n, peak[MODES_GRID], valley[MODES_GRID];
};

static inline void peaks_find(const struct density *d, struct peaks *p) {
  int low = 0;
  p->n = 0;
  for (int i = 1; i < d->n; i++) {
    bool rises = d->f[i] > d->f[i - 1];
    int end = i; /* of a plateau */
    while (end + 1 < d->n && d->f[end + 1] == d->f[i])
      end++;
    if (rises && (end + 1 == d->n || d->f[end + 1] < d->f[i])) {
      if (p->n)
        p->valley[p->n - 1] = low;
      p->peak[p->n++] = (i + end) / 2;
      low = end;
    } else if (d->f[i] < d->f[low]) {
      low = i;
    }
  }
}

/* Unite peaks i and i + 1. */
static inline void peaks_unite(const struct density *d, struct peaks *p, int i) {
  if (d->f[p->peak[i + 1]] > d->f[p->peak[i]])
    p->peak[i] = p->peak[i + 1];
  size_t rest = (size_t)(p->n - i - 2);
  memmove(p->peak + i + 1, p->peak + i + 2, rest * sizeof *p->peak);
  memmove(p->valley + i, p->valley + i + 1, rest * sizeof *p->valley);
  p->n--;
}

/* Those that do not stand out go to their neighbour, the least prominent first. */
static inline void peaks_unite_shallow(const struct density *d, struct peaks *p, double ratio) {
  while (p->n > 1) {
    int least = 0;
    double lowest = INFINITY;
    for (int i = 0; i + 1 < p->n; i++) {
      double r = fmin(d->f[p->peak[i]], d->f[p->peak[i + 1]]) / d->f[p->valley[i]];
      if (r < lowest)
        lowest = r, least = i;
    }
    if (!(lowest < ratio))
      return;
    peaks_unite(d, p, least);
  }
}

static inline double grid_point(const struct density *d, int i) {
  return d->lowest + (i + 0.5) * d->step;
}

/* Those that hold too little go to the neighbour across the higher valley, the lightest first. */
static inline void peaks_unite_light(const struct density *d, const struct column *c,
                                     struct peaks *p, double mass) {
  while (p->n > 1) {
    int lightest = 0;
    double least = INFINITY;
    for (int i = 0; i < p->n; i++) {
      double from = i ? grid_point(d, p->valley[i - 1]) : -INFINITY;
      double upto = i + 1 < p->n ? grid_point(d, p->valley[i]) : INFINITY;
      double share = column_share(c, from, upto);
      if (share < least)
        least = share, lightest = i;
    }
    if (!(least < mass))
      return;
    bool left = lightest + 1 == p->n ||
                (lightest && d->f[p->valley[lightest - 1]] > d->f[p->valley[lightest]]);
    peaks_unite(d, p, left ? lightest - 1 : lightest);
  }
}

/* The modes of the sample at a bandwidth in its own units. False without memory. */
static inline bool modes_find(const struct modes_how *how, double bandwidth, const struct column *c,
                              struct modes *out) {
  struct density *d = malloc(sizeof *d);
  struct peaks *p = malloc(sizeof *p);
  bool fine = d && p;
  out->n = 0;
  if (fine) {
    density_estimate(d, c, bandwidth);
    peaks_find(d, p);
    peaks_unite_shallow(d, p, how->ratio);
    peaks_unite_light(d, c, p, how->mass);
    out->n = p->n < MODES_MAX ? p->n : MODES_MAX;
    for (int i = 0; i < out->n; i++) {
      out->at[i] = grid_point(d, p->peak[i]);
      out->upto[i] = i + 1 < p->n ? grid_point(d, p->valley[i]) : INFINITY;
    }
  }
  free(d);
  free(p);
  return fine;
}

/* ---- of a case --------------------------------------------------------------------------------
 */

static inline struct column column_of(const double *draws, const struct ssk_case *c, int dim) {
  return (struct column){.values = draws + dim, .n = c->draws, .stride = c->latents};
}

/* The modes of the exact kernel, from its draws; none without spread. *bandwidth is for both. */
static inline bool modes_of_kernel(const struct modes_how *how, const struct ssk_case *c, int dim,
                                   double *bandwidth, struct modes *out) {
  struct column kernel = column_of(c->kernel, c, dim);
  *bandwidth = how->bandwidth * column_deviation(&kernel);
  out->n = 0;
  return !(*bandwidth > 0) || modes_find(how, *bandwidth, &kernel, out);
}

#endif
