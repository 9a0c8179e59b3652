/* SPDX-License-Identifier: GPL-3.0-or-later */
/* trainer.h - inside of struct ssk_trainer, shared by step.c (one step) and loop.c (all of them).
 */
#ifndef SSK_TRAIN_TRAINER_H
#define SSK_TRAIN_TRAINER_H

#include "train/loop.h"
#include "train/reduce.h"

/* The numbers that a shard adds to the step's record, each times the shard's share. */
enum ssk_part_sum {
  SSK_SUM_LOSS,
  SSK_SUM_DISTORTION,
  SSK_SUM_INITIAL,
  SSK_SUM_TRANSITION,
  SSK_SUM_STEPS,
  SSK_SUM_FAILED, /* 1 where the shard met an error */
  SSK_SUMS
};

struct ssk_shard_error {
  int code;
  char message[240];
};

struct ssk_trainer {
  const struct ssk_experiment *experiment;
  const struct ssk_data *data;
  const struct ssk_model *model;
  struct ssk_pool *pool;
  struct ssk_ranks *ranks;
  struct ssk_optimiser optimiser;
  struct ssk_counters counters;

  struct ssk_pass *passes; /* one a thread */
  int n_passes;            /* of them initialised */
  int shards, shard_batch;
  int first_shard, end_shard;     /* the block that this rank runs */
  ssk_real **gradients;           /* one a shard of the block; [0] becomes the batch's */
  struct ssk_reducer *reducer;    /* of the gradients */
  double *sums;                   /* [shards, SSK_SUMS] */
  struct ssk_shard_error *errors; /* [shards] */
  struct ssk_window *windows;     /* of the batch */
  struct ssk_window_order order;
};

/* The same weights, moments and counters on every rank? Collective. */
int ssk_trainer_compare(const struct ssk_trainer *trainer, ssk_err *err);

#endif
