/* SPDX-License-Identifier: GPL-3.0-or-later */
/* optimiser.h - AdamW over the flat weight vector, with averaged weights and running statistics. */
#ifndef SSK_TRAIN_OPTIMISER_H
#define SSK_TRAIN_OPTIMISER_H

#include "model/experiment.h"
#include "model/store.h"

/* Four vectors of layout.total entries. */
struct ssk_optimiser {
  const struct ssk_layout *layout;             /* borrowed */
  const struct ssk_training_section *settings; /* borrowed */
  ssk_real *values;                            /* the weights that are trained */
  ssk_real *average; /* their exponential moving average, which evaluation uses */
  ssk_real *m, *v;   /* first and second moments of the gradient */
  bool *trained;     /* [layout->n] the slices that this step trains */
  int64_t updates;   /* of these moments: steps that were not skipped, since they were zero */
};

/* Vectors are zeroed: the caller writes `values`, then calls ssk_optimiser_start. */
int ssk_optimiser_init(struct ssk_optimiser *optimiser, const struct ssk_layout *layout,
                       const struct ssk_training_section *settings, ssk_err *err);
void ssk_optimiser_free(struct ssk_optimiser *optimiser);
/* A zeroed, 64-byte aligned vector; free() it. NULL without memory. */
ssk_real *ssk_vector_new(size_t count);
/* Begin at the present values: the average becomes a copy of them. */
void ssk_optimiser_start(struct ssk_optimiser *optimiser);

/* What a step trains. All else rests: values, averages and moments stay as they are. */
struct ssk_phase {
  unsigned parts;  /* set of enum ssk_parts; what is the objective's own is always trained */
  double progress; /* of the training: of the parts those slices whose span it lies in */
};
/* Choose what the step trains that begins now, given what the step before it trained (NULL: there
 * was none). Where something begins to be trained that rested, the optimiser is rebuilt: another
 * training begins there, and moments of the former gradients would scale the new ones. */
void ssk_optimiser_choose(struct ssk_optimiser *optimiser, const struct ssk_phase *now,
                          const struct ssk_phase *before);

/* Euclidean norm over the weights of the slices that are trained ([layout->n] flags), in double, in
 * a fixed order, and the norms over those of each part. `finite` says whether every entry of them,
 * those of statistics included, is a finite number. */
struct ssk_gradient_norms {
  double total, part[SSK_PART_COUNT];
  bool finite;
};
struct ssk_gradient_norms ssk_gradient_norms(const struct ssk_layout *layout,
                                             const ssk_real *gradient, const bool *trained);
/* Name of the first of these slices with an entry that is not finite; NULL when there is none. */
const char *ssk_gradient_culprit(const struct ssk_layout *layout, const ssk_real *gradient,
                                 const bool *trained);

/* The factor on all learning rates at a step (from 0): linear warm-up, then constant, or cosine
 * down to final_rate (Loshchilov and Hutter 2017). */
double ssk_rate_factor(const struct ssk_training_section *settings, int64_t step);
/* The learning rate of a part before that factor. */
double ssk_rate_of_part(const struct ssk_training_section *settings, enum ssk_part part);

/* One update from the summed gradient, whose norm is `norm`. */
void ssk_optimiser_step(struct ssk_optimiser *optimiser, const ssk_real *gradient, double norm,
                        int64_t step);

#endif
