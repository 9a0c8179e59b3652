/* SPDX-License-Identifier: GPL-3.0-or-later */
/* slice_array.h - slices of a flat vector as arrays of a safetensors file. */
#ifndef SSK_TRAIN_SLICE_ARRAY_H
#define SSK_TRAIN_SLICE_ARRAY_H

#include "model/store.h"
#include "train/safetensors.h"

/* The safetensors type of ssk_real. */
static inline const char *ssk_own_dtype(void) {
  return sizeof(ssk_real) == sizeof(double) ? "F64" : "F32";
}

/* ssk_real values of this shape. Name and data are borrowed. */
static inline struct ssk_array ssk_real_array(const char *name, int ndim, const int *shape,
                                              size_t count, const ssk_real *values) {
  struct ssk_array array = {.name = name,
                            .dtype = ssk_own_dtype(),
                            .ndim = ndim,
                            .data = values,
                            .size = count * sizeof(ssk_real)};
  for (int axis = 0; axis < ndim; axis++)
    array.shape[axis] = shape[axis];
  return array;
}

/* The slice's part of a vector of layout.total entries. */
static inline struct ssk_array ssk_slice_array(const char *name, const struct ssk_slice *slice,
                                               const ssk_real *vector) {
  return ssk_real_array(name, slice->ndim, slice->shape, slice->count, vector + slice->offset);
}

#endif
