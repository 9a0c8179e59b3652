/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reduce.h - sums over shards in a fixed binary tree: ((0+1)+(2+3))+((4+5)+(6+7)). The order of the
 * additions depends on the number of shards alone, so the bits do not depend on who computed what.
 * Each rank holds a block of the shards (ranks.h). */
#ifndef SSK_TRAIN_REDUCE_H
#define SSK_TRAIN_REDUCE_H

#include "core/pool.h"
#include "train/ranks.h"
#include <sskit/tape.h>

struct ssk_reducer;

/* For sums of n vectors of `count` entries, one a shard. All arguments are borrowed; vectors[0] and
 * those of this rank's block must be there, the others are not looked at. */
int ssk_reducer_new(struct ssk_pool *pool, struct ssk_ranks *ranks, ssk_real *const *vectors, int n,
                    size_t count, struct ssk_reducer **out, ssk_err *err);
void ssk_reducer_free(struct ssk_reducer *reducer);

/* On every rank, vectors[0] becomes the sum of all; the others are overwritten with partial sums.
 * The work is shared out over ranks and threads by ranges of entries. Allocates nothing. */
void ssk_reduce_vectors(struct ssk_reducer *reducer);

/* The same for n rows of `width` doubles, row after row, on every rank; row 0 becomes the sum, the
 * rows beside it that of others. */
void ssk_reduce_rows(const struct ssk_ranks *ranks, double *rows, int n, int width);

#endif
