/* SPDX-License-Identifier: GPL-3.0-or-later */
/* diffusion_levels.h - which levels a training step looks at.
 *
 * The sum over K levels of the bound is estimated by M draws a row: k ~ p, weight w_k / (p_k M).
 * Two choices are free, and leave the expectation alone:
 *   the proposal p   uniform      1/K
 *                    importance   w_k^gamma
 *                    adaptive     sigma_k / (sigma_data^2 + sigma_k^2)^2: the levels at which the
 *                                 structure of the data is decided
 *                    each mixed with a part of the uniform, which bounds the weights (a defensive
 *                    mixture: Hesterberg, Technometrics 1995);
 *   the draws        at u of p's cumulative distribution, of n rows with M draws each, rank(r) a
 *                    random permutation of the rows (diffusion_ranks.h):
 *                    iid              u = U_rm, independent
 *                    stratified       u = ((m + s mod M) + (rank(r) + U_rm)/n)/M: n M strata, with
 *                                     an independent draw in each (Cochran, Sampling techniques,
 *                                     chapter 5); s is one random number for all
 *                    low_discrepancy  u = frac(U + (m + rank(r)/n)/M): one uniform for all
 *                                     (systematic sampling; Kingma et al., Variational diffusion
 *                                     models, NeurIPS 2021, appendix I.1)
 *                    In the last two the draws of a row are spread over the levels, and so are the
 *                    rows together, while each draw alone has the distribution p. */
#ifndef DIFFUSION_LEVELS_H
#define DIFFUSION_LEVELS_H

#include "diffusion_bound.h"
#include "diffusion_ranks.h"

enum proposal { PROPOSAL_UNIFORM, PROPOSAL_IMPORTANCE, PROPOSAL_ADAPTIVE };
enum draw_mode { DRAW_IID, DRAW_STRATIFIED, DRAW_LOW_DISCREPANCY };

/* Fill p[K], which sums to 1. w: the weights of the bound. */
static inline void levels_proposal(enum proposal kind, int K, const double *sigma, const double *w,
                                   double sigma_data, double gamma, double uniform_part,
                                   double *p) {
  double total = 0;
  for (int k = 0; k < K; k++) {
    double spread = sigma_data * sigma_data + sigma[k] * sigma[k];
    p[k] = kind == PROPOSAL_UNIFORM      ? 1
           : kind == PROPOSAL_IMPORTANCE ? pow(w[k], gamma)
                                         : sigma[k] / (spread * spread);
    total += p[k];
  }
  for (int k = 0; k < K; k++)
    p[k] = (1 - uniform_part) * p[k] / total + uniform_part / K;
}

/* How many levels the draws are spread over: exp of the entropy of p, from 1 to K. */
static inline double levels_effective(int K, const double *p) {
  double entropy = 0;
  for (int k = 0; k < K; k++)
    entropy -= p[k] > 0 ? p[k] * log(p[k]) : 0;
  return exp(entropy);
}

/* Effective sample size of a draw with the weight w_k/p_k, as a share (Kish 1965, section 11.7):
 * (E weight)^2 / E weight^2, 1 where all draws count the same. The squared error that the weight
 * stands before is taken to be the same at all levels. */
static inline double levels_efficiency(int K, const double *p, const double *w) {
  double sum = 0, squares = 0;
  for (int k = 0; k < K; k++) {
    sum += w[k];
    squares += w[k] > 0 ? w[k] * w[k] / p[k] : 0;
  }
  return squares > 0 ? sum * sum / squares : 0;
}

/* The level at u in [0, 1) of the distribution whose cumulative sums are `upto`. */
static inline int levels_at(int K, const double *upto, double u) {
  int low = 0, high = K - 1; /* upto[K-1] stands for 1 whatever it rounded to */
  while (low < high) {
    int middle = (low + high) / 2;
    if (u < upto[middle])
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

/* The same, and the part of the level's probability that lies below u. */
static inline int levels_place(int K, const double *p, const double *upto, double u,
                               double *within) {
  int k = levels_at(K, upto, u);
  if (within)
    *within = fmin(fmax((u - (k ? upto[k - 1] : 0)) / p[k], 0), 1);
  return k;
}

/* Draw level[n*M] for n rows, those from `first` on of `total`: they are what a draw for all would
 * give them. Where `within` is not NULL, it gets the place in the cell between the level below (0)
 * and this one (1): uniform, from what the level's draw leaves over, so that strata are strata in
 * continuous time. The stream is fresh; upto is scratch of K entries. */
static inline void levels_draw(enum draw_mode mode, ssk_rng *rng, int K, const double *p, int first,
                               int n, int total, int M, double *upto, int *level, double *within) {
  double sum = 0;
  for (int k = 0; k < K; k++)
    upto[k] = sum += p[k];
  if (mode == DRAW_IID) {
    ssk_rng_skip_uniforms(rng, (uint64_t)first * (uint64_t)M);
    for (int i = 0; i < n * M; i++)
      level[i] = levels_place(K, p, upto, ssk_rng_uniform(rng), within ? &within[i] : NULL);
    return;
  }
  double shift = ssk_rng_uniform(rng);
  const struct ranks ranks = ranks_open(rng, total);
  bool jitter = mode == DRAW_STRATIFIED;
  if (jitter) {
    shift = floor(shift * M) / M;
    ssk_rng_skip_uniforms(rng, (uint64_t)first * (uint64_t)M);
  }
  for (int r = 0; r < n; r++) {
    double rank = ranks_of(&ranks, (uint32_t)(first + r));
    for (int m = 0; m < M; m++) {
      double u = shift + (m + (rank + (jitter ? ssk_rng_uniform(rng) : 0)) / total) / M;
      level[r * M + m] =
          levels_place(K, p, upto, u < 1 ? u : u - 1, within ? &within[r * M + m] : NULL);
    }
  }
}

#endif
