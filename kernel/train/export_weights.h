/* SPDX-License-Identifier: GPL-3.0-or-later */
/* export_weights.h - the weights of a checkpoint for other programs. */
#ifndef SSK_TRAIN_EXPORT_WEIGHTS_H
#define SSK_TRAIN_EXPORT_WEIGHTS_H

#include "train/checkpoint.h"

/* Write one vector of a checkpoint to `path`: to NumPy's archive where its name ends in .npz, as
 * safetensors where it ends in .safetensors; SSK_EUSAGE for others. Tensors have the names of the
 * model's weights, without a prefix. The recipe and the units of the data (as JSON) are in the
 * metadata of safetensors, and texts `recipe` and `units` of the archive. */
int ssk_export_weights(const struct ssk_checkpoint *checkpoint, enum ssk_vector vector,
                       const char *path, ssk_err *err);

#endif
