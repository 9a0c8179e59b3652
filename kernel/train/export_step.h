/* SPDX-License-Identifier: GPL-3.0-or-later */
/* export_step.h - one training step in a file, for comparison with other implementations of the
 * same model. */
#ifndef SSK_TRAIN_EXPORT_STEP_H
#define SSK_TRAIN_EXPORT_STEP_H

#include "model/experiment.h"

/* Train for `after` steps, the batch in one shard and one segment, and write the step after them as
 * safetensors. (In the first step the last layers of most networks are zero, and little can be
 * compared.)
 *
 *   weights/NAME                      before the step; running statistics too
 *   gradients/NAME                    of the mean loss, before clipping; of a running statistic the
 *                                     batch's value
 *   data/x, data/mask                 [T, B, D] the batch as the model sees it: standardised
 *   draws/COMPONENT/PURPOSE/INDEX     random numbers in the order of drawing's shape; of a
 * diffusion's levels, the network's second input bound/distortion, bound/initial, bound/transition,
 * bound/loss     [P] of each path
 *
 * The metadata hold the loss, lambda, and trained parameters by part (parameters.encoder, ...).
 * Sets experiment->training.shards to 1 and .segment to 0. */
int ssk_export_step(struct ssk_experiment *experiment, int after, const char *path, ssk_err *err);

#endif
