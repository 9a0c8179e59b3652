/* SPDX-License-Identifier: GPL-3.0-or-later */
/* systematic.h - systematic resampling (Kitagawa 1996; Carpenter, Clifford and Fearnhead 1999): of
 * n weighted particles draw `draws` by one uniform number, in ascending order. */
#ifndef SSK_INFER_SYSTEMATIC_H
#define SSK_INFER_SYSTEMATIC_H

struct ssk_systematic {
  const double *weight;
  int n, draws;
  double u;
  double sum; /* of the weights up to `at` */
  int at, k;
};

/* weight[n] sums to 1, and is borrowed; u is of (0, 1). */
static inline struct ssk_systematic ssk_systematic_begin(int n, const double *weight, int draws,
                                                         double u) {
  return (struct ssk_systematic){
      .weight = weight, .n = n, .draws = draws, .u = u, .sum = weight[0]};
}

/* The next particle drawn; to be called `draws` times. */
static inline int ssk_systematic_next(struct ssk_systematic *s) {
  const double want = (s->k++ + s->u) / s->draws;
  while (s->sum < want && s->at < s->n - 1)
    s->sum += s->weight[++s->at];
  return s->at;
}

/* 1 / sum of squares. */
static inline double ssk_effective_size(int n, const double *weight) {
  double squares = 0;
  for (int i = 0; i < n; i++)
    squares += weight[i] * weight[i];
  return 1 / squares;
}

#endif
