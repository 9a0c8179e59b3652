/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store.h - the flat weight vector: named slices with their part, flags and initial values. */
#ifndef SSK_MODEL_STORE_H
#define SSK_MODEL_STORE_H

#include "core/arena.h"
#include <sskit/weights.h>
#include <stdint.h>

const char *ssk_part_name(enum ssk_part part);

/* A span of the training, in fractions of its steps: from <= progress < to. */
struct ssk_span {
  double from, to;
};

struct ssk_slice {
  const char *name; /* "transition.mean.hidden0.W" */
  int ndim, shape[SSK_MAX_DIMS];
  size_t offset, count; /* in the flat vector; offsets are multiples of 16 */
  enum ssk_part part;
  unsigned flags; /* enum ssk_weight_flags */
  enum ssk_init init;
  double gain;          /* of a statistic: its start value */
  double decay;         /* of a statistic */
  struct ssk_span span; /* in which it is trained */
};

/* Handle w is slice[w - 1]. */
struct ssk_layout {
  int n;
  struct ssk_slice *slice;
  size_t total;   /* entries of the flat vector, padding included; padding stays zero */
  size_t trained; /* trained entries, padding and statistics not counted */
};

struct ssk_notes;

/* What ctx->weights points to: a layout and one vector of values (current or averaged); and where a
 * recorded pass writes what it saw and drew. */
struct ssk_weights {
  const struct ssk_layout *layout;
  ssk_real *values;
  const bool *trained;     /* [layout->n] the slices that get a gradient; NULL: all */
  struct ssk_notes *notes; /* NULL: the pass is not recorded */
};

struct ssk_builder {
  struct ssk_arena *arena; /* of names */
  struct ssk_layout layout;
  int capacity;
  enum ssk_part part;
  struct ssk_span span[8]; /* the open ones, each within those before it */
  int spans;
  char scope[256];
  size_t scope_length;
  int code;
  ssk_err *err;
};

/* Write the initial values of all slices: a random stream a name, keyed by `seed`. */
void ssk_layout_initialise(const struct ssk_layout *layout, uint64_t seed, ssk_real *values);
void ssk_layout_free(struct ssk_layout *layout);

#endif
