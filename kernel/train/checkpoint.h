/* SPDX-License-Identifier: GPL-3.0-or-later */
/* checkpoint.h - the whole state of a training in one safetensors file. It holds no times and no
 * names of machines: equal states give equal bytes. The resolved recipe is inside, so that the
 * model can be rebuilt from the file alone. */
#ifndef SSK_TRAIN_CHECKPOINT_H
#define SSK_TRAIN_CHECKPOINT_H

#include "model/evaluate_bound.h"
#include "train/optimiser.h"

/* Where a training stands, besides its vectors. */
struct ssk_counters {
  int64_t step;                        /* steps done, skipped ones included */
  int64_t updates;                     /* steps that the optimiser's moments are of */
  int64_t skipped;                     /* steps with a non-finite gradient */
  int64_t skipped_in_row;              /* of them, the latest without a good one between */
  int64_t best_step;                   /* of the lowest validation bound; 0: none yet */
  double best;                         /* that bound, in nats a sequence */
  int64_t validated_step;              /* of the latest validation; 0: none yet */
  struct ssk_bound_summary validation; /* its result */
};

/* What is written besides weights, moments and counters. */
struct ssk_origin {
  const char *recipe; /* resolved */
  uint64_t seed;
  uint64_t fingerprint; /* of the data */
  const char *units;    /* sizes and units of the data (model/units.h); NULL: not told, as by
                           checkpoints of earlier versions */
};

int ssk_checkpoint_save(const char *path, const struct ssk_optimiser *optimiser,
                        const struct ssk_counters *counters, const struct ssk_origin *origin,
                        ssk_err *err);

struct ssk_safetensors;
struct ssk_checkpoint {
  struct ssk_safetensors *file;
  const char *path; /* borrowed from the caller */
  struct ssk_counters counters;
  struct ssk_origin origin; /* its texts are borrowed from the file */
};
/* Read the file and all that is in it but the vectors. Close also after a failure is allowed. */
int ssk_checkpoint_open(struct ssk_checkpoint *checkpoint, const char *path, ssk_err *err);
void ssk_checkpoint_close(struct ssk_checkpoint *checkpoint);
/* The step of the training that a file holds, of which only the header is read; -1: it holds none.
 */
int64_t ssk_checkpoint_step(const char *path);

/* The vectors of a checkpoint. */
enum ssk_vector { SSK_VECTOR_WEIGHTS, SSK_VECTOR_AVERAGE, SSK_VECTOR_M, SSK_VECTOR_V };
/* What the names of its tensors begin with. */
const char *ssk_vector_prefix(enum ssk_vector vector);
/* Read one into `values` (layout->total entries). Its tensors must be those of the layout. */
int ssk_checkpoint_read(const struct ssk_checkpoint *checkpoint, enum ssk_vector vector,
                        const struct ssk_layout *layout, ssk_real *values, ssk_err *err);
/* Read the slices of these parts alone (a set of enum ssk_parts) into `values`; the other entries
 * stay, and what else the checkpoint has does not matter. */
int ssk_checkpoint_read_parts(const struct ssk_checkpoint *checkpoint, enum ssk_vector vector,
                              const struct ssk_layout *layout, unsigned parts, ssk_real *values,
                              ssk_err *err);
/* Read all of them into the optimiser, and set its counter of updates. */
int ssk_checkpoint_restore(const struct ssk_checkpoint *checkpoint, struct ssk_optimiser *optimiser,
                           ssk_err *err);

#endif
