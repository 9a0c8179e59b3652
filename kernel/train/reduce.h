/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reduce.h - sums over shards in a fixed binary tree: ((0+1)+(2+3))+((4+5)+(6+7)). The order of the
 * additions depends on the number of shards alone, so the bits do not depend on who computed what.
 */
#ifndef SSK_TRAIN_REDUCE_H
#define SSK_TRAIN_REDUCE_H

#include "core/pool.h"
#include <sskit/tape.h>

/* vectors[0] becomes the sum of all n vectors of `count` entries; the others are overwritten with
 * partial sums. The work is shared out over the pool by ranges of entries. */
void ssk_reduce_vectors(struct ssk_pool *pool, ssk_real *const *vectors, int n, size_t count);

/* The same for n rows of `width` doubles, row after row; row 0 becomes the sum. */
void ssk_reduce_rows(double *rows, int n, int width);

#endif
