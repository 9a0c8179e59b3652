/* SPDX-License-Identifier: GPL-3.0-or-later */
/* path_targets.h - what a training step hides of what is known of a path, and what it leaves:
 * CSDI's strategies of self-supervision (Tashiro et al. 2021, section 4.3 and algorithm 1).
 *
 * Each of N known entries is hidden by the chance r, where the paper hides round(r N) of them. As r
 * is uniform, the numbers 0..N are equally likely (the integral of the binomial probabilities over
 * r is 1/(N + 1) for each), and so are the sets of each number: it is the paper's distribution but
 * for 0 and N, to which rounding gives half of the weight of the others. */
#ifndef PATH_TARGETS_H
#define PATH_TARGETS_H

#include <sskit/plugin.h>

enum targets { TARGETS_RANDOM, TARGETS_MIX, TARGETS_FORECAST };
static const char *const targets_names[] = {"random", "mix", "forecast", NULL};

/* Is a known entry left? `other`: is it known of the path that lends its gaps. */
struct hiding {
  enum targets how;
  double ratio; /* random: the chance to be hidden */
  int from;     /* forecast: the first step that is */
};

/* The way of path p: mix is random for every other path, by chance, and else historical. */
static inline struct hiding targets_of_path(enum targets how, int horizon, int T, ssk_rng *rng) {
  const double coin = ssk_rng_uniform(rng), ratio = ssk_rng_uniform(rng);
  if (how == TARGETS_MIX && coin < 0.5)
    how = TARGETS_RANDOM;
  return (struct hiding){.how = how, .ratio = ratio, .from = T > horizon ? T - horizon : 0};
}

/* left [T, P, d] gets 1 where an entry is known and left, weight [T, P, d] 1/(number of them in the
 * path) where it is hidden; both are zero elsewhere. */
static inline void targets_choose(enum targets how, int horizon, const struct ssk_path *path, int S,
                                  ssk_rng *rng, ssk_tensor *left, ssk_tensor *weight) {
  const int T = path->T, P = path->P, d = path->known->shape[2];
  for (int p = 0; p < P; p++) {
    const struct hiding hiding = targets_of_path(how, horizon, T, rng);
    const int lender = (p + S) % P; /* of another series, where there is one */
    int hidden = 0;
    for (int t = 0; t < T; t++)
      for (int k = 0; k < d; k++) {
        const int e = (t * P + p) * d + k;
        const double u = ssk_rng_uniform(rng);
        bool keep = path->known->data[e] != 0;
        const bool known = keep;
        if (hiding.how == TARGETS_RANDOM)
          keep = keep && u >= hiding.ratio;
        else if (hiding.how == TARGETS_FORECAST)
          keep = keep && t < hiding.from;
        else
          keep = keep && path->known->data[(t * P + lender) * d + k] != 0;
        left->data[e] = keep;
        weight->data[e] = known && !keep;
        hidden += known && !keep;
      }
    for (int t = 0; t < T; t++)
      for (int k = 0; k < d && hidden; k++)
        weight->data[(t * P + p) * d + k] /= (ssk_real)hidden;
  }
}

#endif
