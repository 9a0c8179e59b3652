/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reduce.c - sums over shards in a fixed binary tree, over threads and ranks.
 *
 * The vertex (i, stride) of the tree stands for the shards [i, i + stride) and is kept at shard i's
 * place. Each rank first makes the additions whose shards are all its own. What is left are a few
 * partial sums a rank (one, where blocks are whole subtrees). Then the ranks exchange them by
 * ranges of entries: each gets its range of all partial sums, makes the rest of the additions
 * there, and the finished ranges are gathered. A rank so sends and receives about two vectors,
 * however many ranks there are. */
#include "train/reduce.h"

#include <limits.h>
#include <stdlib.h>

/* Entries that one task adds up: a shard's range of this length stays in the first-level cache. */
enum { RANGE = 2048 };

struct ssk_reducer {
  struct ssk_pool *pool;
  struct ssk_ranks *ranks;
  ssk_real *const *vectors;
  int n;
  size_t count;
  /* Between ranks: this rank's range of the partial sums. */
  size_t range;
  ssk_real **rows; /* [n]; NULL: no partial sum stands there */
  ssk_real *received;
  struct ssk_message *messages;
  int n_messages;
};

/* The additions of one pass over the tree. */
struct additions {
  const struct ssk_ranks *ranks;
  ssk_real *const *rows;
  int n;
  size_t count;
  bool within; /* those within this rank's block; or those that no rank makes within its own */
};

/* The rank whose block holds all shards of the sum (i, 2 stride); -1 where there is none. */
static int holder(const struct ssk_ranks *ranks, int n, int i, int stride) {
  const int last = n - i < 2 * stride ? n - 1 : i + 2 * stride - 1;
  const int rank = ssk_ranks_owner(ranks, i, n);
  return rank == ssk_ranks_owner(ranks, last, n) ? rank : -1;
}

static void add_range(int task, int thread, void *state) {
  (void)thread;
  const struct additions *a = state;
  const size_t from = (size_t)task * RANGE;
  const size_t to = a->count - from < RANGE ? a->count : from + RANGE;
  const int who = a->within ? ssk_ranks_self(a->ranks) : -1;
  for (int stride = 1; stride < a->n; stride *= 2)
    for (int i = 0; i + stride < a->n; i += 2 * stride) {
      if (holder(a->ranks, a->n, i, stride) != who)
        continue;
      ssk_real *restrict sum = a->rows[i];
      const ssk_real *restrict add = a->rows[i + stride];
      for (size_t k = from; k < to; k++)
        sum[k] += add[k];
    }
}

static void add(struct ssk_pool *pool, struct additions *additions) {
  ssk_pool_run(pool, (int)((additions->count + RANGE - 1) / RANGE), add_range, additions);
}

/* ---- between ranks -------------------------------------------------------------------------- */

/* Whether a partial sum is left at shard i when every rank has added up what it can. */
static bool is_left(const struct ssk_reducer *r, int i) {
  for (int stride = 1; stride < r->n; stride *= 2)
    if (i % (2 * stride) == stride)
      return holder(r->ranks, r->n, i - stride, stride) < 0;
  return true;
}

static size_t first_entry(const struct ssk_reducer *r, int rank) {
  return (size_t)ssk_ranks_first(r->ranks, rank, (int64_t)r->count);
}

static void add_message(struct ssk_reducer *r, int rank, int shard, bool outgoing, ssk_real *data,
                        size_t entries) {
  if (entries)
    r->messages[r->n_messages++] =
        (struct ssk_message){rank, shard, outgoing, data, entries * sizeof *data};
}

/* Where this rank's ranges of the partial sums stand, and the messages that bring them. Shard 0's
 * place is that of the result. */
static int plan_messages(struct ssk_reducer *r) {
  const int self = ssk_ranks_self(r->ranks), ranks = ssk_ranks_count(r->ranks);
  const size_t start = first_entry(r, self);
  r->range = first_entry(r, self + 1) - start;
  size_t others = 0;
  for (int i = 1; i < r->n; i++)
    others += is_left(r, i) && ssk_ranks_owner(r->ranks, i, r->n) != self;
  r->rows = calloc((size_t)r->n, sizeof *r->rows);
  r->received = calloc(others * r->range + 1, sizeof *r->received);
  r->messages = calloc((size_t)r->n * (size_t)ranks, sizeof *r->messages);
  if (!r->rows || !r->received || !r->messages)
    return SSK_ENOMEM;
  ssk_real *place = r->received;
  for (int i = 0; i < r->n; i++) {
    const int owner = ssk_ranks_owner(r->ranks, i, r->n);
    if (!is_left(r, i))
      continue;
    r->rows[i] = i == 0 || owner == self ? r->vectors[i] + start : place;
    place += r->rows[i] == place ? r->range : 0;
    if (owner != self)
      add_message(r, owner, i, false, r->rows[i], r->range);
    for (int to = 0; to < ranks; to++)
      if (owner == self && to != self)
        add_message(r, to, i, true, r->vectors[i] + first_entry(r, to),
                    first_entry(r, to + 1) - first_entry(r, to));
  }
  return SSK_OK;
}

/* ---- the interface -------------------------------------------------------------------------- */

int ssk_reducer_new(struct ssk_pool *pool, struct ssk_ranks *ranks, ssk_real *const *vectors, int n,
                    size_t count, struct ssk_reducer **out, ssk_err *err) {
  *out = NULL;
  const bool alone = ssk_ranks_count(ranks) == 1;
  if (!alone && count > INT_MAX / sizeof(ssk_real))
    return ssk_err_set(err, SSK_EUSAGE, "%zu weights are too many for messages between ranks",
                       count);
  struct ssk_reducer *r = calloc(1, sizeof *r);
  int code = r ? SSK_OK : SSK_ENOMEM;
  if (!code) {
    *r = (struct ssk_reducer){
        .pool = pool, .ranks = ranks, .vectors = vectors, .n = n, .count = count};
    code = alone ? SSK_OK : plan_messages(r);
  }
  if (code) {
    ssk_reducer_free(r);
    return ssk_err_set(err, code, "no memory to add up the gradients of %d shards", n);
  }
  *out = r;
  return SSK_OK;
}

void ssk_reducer_free(struct ssk_reducer *r) {
  if (!r)
    return;
  free(r->rows);
  free(r->received);
  free(r->messages);
  free(r);
}

void ssk_reduce_vectors(struct ssk_reducer *r) {
  struct additions additions = {r->ranks, r->vectors, r->n, r->count, true};
  add(r->pool, &additions);
  if (ssk_ranks_count(r->ranks) == 1)
    return;
  ssk_ranks_exchange(r->ranks, r->messages, r->n_messages);
  additions = (struct additions){r->ranks, r->rows, r->n, r->range, false};
  add(r->pool, &additions);
  ssk_ranks_gather(r->ranks, r->vectors[0], (int64_t)r->count, sizeof(ssk_real));
}

void ssk_reduce_rows(const struct ssk_ranks *ranks, double *rows, int n, int width) {
  ssk_ranks_gather(ranks, rows, n, (size_t)width * sizeof *rows);
  for (int stride = 1; stride < n; stride *= 2)
    for (int i = 0; i + stride < n; i += 2 * stride)
      for (int k = 0; k < width; k++)
        rows[i * width + k] += rows[(i + stride) * width + k];
}
