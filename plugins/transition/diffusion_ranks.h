/* SPDX-License-Identifier: GPL-3.0-or-later */
/* diffusion_ranks.h - a random permutation of n rows as a function: the rank of one row without the
 * others, so that a part of the rows finds the ranks that it has among all.
 *
 * A Feistel network on the pairs (l, r), l < a, r < b, a b >= n, whose rounds add a hash of one
 * half to the other; what leaves [0, n) goes through it again. Black and Rogaway: Ciphers with
 * arbitrary finite domains, CT-RSA 2002, section 5. */
#ifndef DIFFUSION_RANKS_H
#define DIFFUSION_RANKS_H

#include <sskit/rng.h>

#define RANK_ROUNDS 6

struct ranks {
  uint32_t n, a, b;
  uint32_t key[RANK_ROUNDS];
};

static inline struct ranks ranks_open(ssk_rng *rng, int n) {
  struct ranks ranks = {.n = (uint32_t)n, .a = 1};
  while (ranks.a * (uint64_t)ranks.a < ranks.n)
    ranks.a++;
  ranks.b = (ranks.n + ranks.a - 1) / ranks.a;
  for (int i = 0; i < RANK_ROUNDS; i++)
    ranks.key[i] = ssk_rng_u32(rng);
  return ranks;
}

/* A hash of x below m: the finaliser of MurmurHash3, and the high half of a product. */
static inline uint32_t ranks_hash(uint32_t key, uint32_t x, uint32_t m) {
  x = (x + 1) * 0x9e3779b9u ^ key;
  x = (x ^ x >> 16) * 0x85ebca6bu;
  x = (x ^ x >> 13) * 0xc2b2ae35u;
  x ^= x >> 16;
  return (uint32_t)((uint64_t)x * m >> 32);
}

static inline uint32_t ranks_of(const struct ranks *ranks, uint32_t row) {
  uint32_t a = ranks->a, b = ranks->b;
  do {
    uint32_t l = row / b, r = row % b;
    for (int i = 0; i < RANK_ROUNDS; i += 2) {
      l += ranks_hash(ranks->key[i], r, a);
      l -= l < a ? 0 : a;
      r += ranks_hash(ranks->key[i + 1], l, b);
      r -= r < b ? 0 : b;
    }
    row = l * b + r;
  } while (row >= ranks->n);
  return row;
}

#endif
