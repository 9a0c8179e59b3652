/* SPDX-License-Identifier: GPL-3.0-or-later */
/* npz.h - named arrays in NumPy's archive: a zip file of .npy files, not compressed. */
#ifndef SSK_TRAIN_NPZ_H
#define SSK_TRAIN_NPZ_H

#include "train/safetensors.h"

/* Write atomically; the dtypes are "F32", "F64", "I32" and "I64" of safetensors, in C order, and
 * "S<n>": texts of n bytes, filled up with NUL. Equal input gives equal bytes. */
int ssk_npz_write(const char *path, const struct ssk_array *arrays, int n_arrays, ssk_err *err);

#endif
