/* SPDX-License-Identifier: GPL-3.0-or-later */
/* replicas.c - the copies of a training's state on its ranks: made equal, and checked. */
#include "core/hash.h"
#include "train/trainer.h"
#include <inttypes.h>
#include <stdio.h>

enum { N_VECTORS = 4 };

static void vectors_of(const struct ssk_trainer *t, ssk_real *vectors[N_VECTORS]) {
  const struct ssk_optimiser *o = &t->optimiser;
  vectors[0] = o->values;
  vectors[1] = o->average;
  vectors[2] = o->m;
  vectors[3] = o->v;
}

void ssk_trainer_share(struct ssk_trainer *t) {
  ssk_real *vectors[N_VECTORS];
  vectors_of(t, vectors);
  for (int i = 0; i < N_VECTORS; i++)
    ssk_ranks_broadcast(t->ranks, vectors[i], t->model->layout.total * sizeof *vectors[i]);
  ssk_ranks_broadcast(t->ranks, &t->optimiser.updates, sizeof t->optimiser.updates);
  ssk_ranks_broadcast(t->ranks, &t->counters, sizeof t->counters);
}

int ssk_trainer_compare(const struct ssk_trainer *t, ssk_err *err) {
  if (ssk_ranks_count(t->ranks) == 1)
    return SSK_OK;
  ssk_real *vectors[N_VECTORS];
  vectors_of(t, vectors);
  uint64_t hash = ssk_hash((uint64_t)t->optimiser.updates, &t->counters.step, sizeof(int64_t));
  for (int i = 0; i < N_VECTORS; i++)
    hash = ssk_hash(hash, vectors[i], t->model->layout.total * sizeof *vectors[i]);
  char what[80];
  snprintf(what, sizeof what, "the state of the training after step %" PRId64, t->counters.step);
  return ssk_ranks_compare(t->ranks, hash, what, err);
}
