/* SPDX-License-Identifier: GPL-3.0-or-later */
/* loop.h - the one training loop. A batch is cut into a fixed number of shards, each with its own
 * forward and backward pass and gradient; ranks have blocks of shards, their threads take shards,
 * and sums over shards follow a fixed tree. So the bits depend on recipe, data and seed alone. Each
 * rank keeps all weights and makes the same updates. After the first step, a step allocates
 * nothing. */
#ifndef SSK_TRAIN_LOOP_H
#define SSK_TRAIN_LOOP_H

#include "core/pool.h"
#include "model/health.h"
#include "train/checkpoint.h"
#include "train/optimiser.h"
#include "train/ranks.h"

/* What one step did: means over the sequences of its batch. The loss is what was minimised, on the
 * data as the model sees them; the parts of the bound are in the data's own units, at lambda = 1.
 */
struct ssk_step_record {
  int64_t step; /* steps done, this one included */
  double loss, distortion, initial, transition;
  double steps;       /* observed length of the sequences */
  double lambda;      /* weight of the rate in the loss; NaN when the objective has none */
  double rate_factor; /* on all learning rates */
  struct ssk_gradient_norms gradient; /* before clipping */
  bool skipped;                       /* not finite: nothing was updated */
};

struct ssk_trainer;
struct ssk_profile;

/* What the loop tells, and asks. Every slot is optional; a slot's non-zero code ends the loop. With
 * several ranks, each has an observer, those that follow perhaps with no more than `poll`: what one
 * rank's observer fails in or wishes counts for all. */
struct ssk_observer {
  void *state;
  /* After each step; `due` when it is one of training.log_every. */
  int (*stepped)(void *state, const struct ssk_trainer *trainer,
                 const struct ssk_step_record *record, bool due, ssk_err *err);
  /* After each step that a validation is due after, and before that: where its time went, in n
   * profiles, one a thread, borrowed. Where this slot is NULL nothing is profiled. */
  int (*profiled)(void *state, const struct ssk_trainer *trainer,
                  const struct ssk_profile *profiles, int n, ssk_err *err);
  /* After a validation; `best` when its bound is the lowest so far. */
  int (*validated)(void *state, const struct ssk_trainer *trainer, bool best, ssk_err *err);
  /* After a validation at which the recipe's section `health` asks for it; `health` is borrowed.
   * Where this slot is NULL nothing is measured. */
  int (*examined)(void *state, const struct ssk_trainer *trainer, const struct ssk_health *health,
                  ssk_err *err);
  /* At training.checkpoint_every, at the end, and when `poll` asks for it. */
  int (*save)(void *state, const struct ssk_trainer *trainer, ssk_err *err);
  /* After each step: what is wished from outside. */
  enum ssk_request { SSK_GO_ON, SSK_SAVE, SSK_SAVE_AND_STOP } (*poll)(void *state);
};

/* All arguments are borrowed; the pool may be NULL (one thread), and so may ranks (one process).
 * This one call may fail on one rank alone. */
int ssk_trainer_new(const struct ssk_experiment *experiment, const struct ssk_data *data,
                    const struct ssk_model *model, struct ssk_pool *pool, struct ssk_ranks *ranks,
                    struct ssk_trainer **out, ssk_err *err);
void ssk_trainer_free(struct ssk_trainer *trainer);

/* Before the first step: the weights of frozen parts from another training's averaged ones. */
int ssk_trainer_start(struct ssk_trainer *trainer, const struct ssk_checkpoint *checkpoint,
                      ssk_err *err);
/* Continue from a checkpoint instead of from the initial weights. Rank 0 alone may do it... */
int ssk_trainer_restore(struct ssk_trainer *trainer, const struct ssk_checkpoint *checkpoint,
                        ssk_err *err);
/* ... and then give all ranks its state. */
void ssk_trainer_share(struct ssk_trainer *trainer);
/* One step. */
int ssk_trainer_step(struct ssk_trainer *trainer, struct ssk_step_record *record, ssk_err *err);
/* The steps that are left, with validations and saves. SSK_EINTERRUPTED when poll asked to stop. */
int ssk_trainer_run(struct ssk_trainer *trainer, const struct ssk_observer *observer, ssk_err *err);

/* Where the time of the following steps goes: one profile a thread of the pool, borrowed; NULL ends
 * that. Between steps the clocks are booked on no component. */
void ssk_trainer_profile(struct ssk_trainer *trainer, struct ssk_profile *profiles);
/* What the following steps see, draw and obtain; borrowed, NULL ends that. For batches of one
 * shard, in which no threads write into it side by side, and one segment, which draws but once. */
struct ssk_notes;
void ssk_trainer_record(struct ssk_trainer *trainer, struct ssk_notes *notes);
/* Bytes that the tape of each thread has held at most, summed over the threads. */
size_t ssk_trainer_tape_peak(const struct ssk_trainer *trainer);

const struct ssk_counters *ssk_trainer_counters(const struct ssk_trainer *trainer);
const struct ssk_optimiser *ssk_trainer_optimiser(const struct ssk_trainer *trainer);

#endif
