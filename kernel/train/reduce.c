/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reduce.c - sums over shards in a fixed binary tree. */
#include "train/reduce.h"

/* Entries that one task adds up: a shard's range of this length stays in the first-level cache. */
enum { RANGE = 2048 };

struct reduction {
  ssk_real *const *vectors;
  int n;
  size_t count;
};

static void reduce_range(int task, int thread, void *state) {
  (void)thread;
  const struct reduction *r = state;
  const size_t from = (size_t)task * RANGE;
  const size_t to = r->count - from < RANGE ? r->count : from + RANGE;
  for (int stride = 1; stride < r->n; stride *= 2)
    for (int i = 0; i + stride < r->n; i += 2 * stride) {
      ssk_real *restrict sum = r->vectors[i];
      const ssk_real *restrict add = r->vectors[i + stride];
      for (size_t k = from; k < to; k++)
        sum[k] += add[k];
    }
}

void ssk_reduce_vectors(struct ssk_pool *pool, ssk_real *const *vectors, int n, size_t count) {
  struct reduction reduction = {vectors, n, count};
  ssk_pool_run(pool, (int)((count + RANGE - 1) / RANGE), reduce_range, &reduction);
}

void ssk_reduce_rows(double *rows, int n, int width) {
  for (int stride = 1; stride < n; stride *= 2)
    for (int i = 0; i + stride < n; i += 2 * stride)
      for (int k = 0; k < width; k++)
        rows[i * width + k] += rows[(i + stride) * width + k];
}
