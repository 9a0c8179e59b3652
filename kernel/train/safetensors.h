/* SPDX-License-Identifier: GPL-3.0-or-later */
/* safetensors.h - named arrays in one file, in the safetensors format (Hugging Face): eight bytes
 * of little-endian header length, a JSON header {"name": {"dtype", "shape", "data_offsets"}, ...,
 * "__metadata__": {text: text}}, then the arrays without gaps. */
#ifndef SSK_TRAIN_SAFETENSORS_H
#define SSK_TRAIN_SAFETENSORS_H

#include <sskit/err.h>
#include <stdint.h>

#define SSK_ARRAY_DIMS 8

/* One array. Name and data are borrowed: from the caller when writing, from the file when read. */
struct ssk_array {
  const char *name;
  const char *dtype; /* "F32", "F64", "I64", ... */
  int ndim;
  int64_t shape[SSK_ARRAY_DIMS];
  const void *data; /* little-endian, not necessarily aligned */
  size_t size;      /* bytes */
};

struct ssk_metadata {
  const char *key, *value;
};

/* Write atomically. Arrays stand in the file in the given order; equal input gives equal bytes. */
int ssk_safetensors_write(const char *path, const struct ssk_array *arrays, int n_arrays,
                          const struct ssk_metadata *metadata, int n_metadata, ssk_err *err);

struct ssk_safetensors;
/* Read and check a whole file: whatever bytes it holds, this returns a valid table of arrays that
 * lie in the file without overlap, or an error. */
int ssk_safetensors_open(const char *path, struct ssk_safetensors **out, ssk_err *err);
void ssk_safetensors_close(struct ssk_safetensors *file);
/* Arrays in the order of their data, i from 0; NULL at the end. */
const struct ssk_array *ssk_safetensors_at(const struct ssk_safetensors *file, int i);
const struct ssk_array *ssk_safetensors_find(const struct ssk_safetensors *file, const char *name);
/* A metadata text; NULL when there is none. */
const char *ssk_safetensors_text(const struct ssk_safetensors *file, const char *key);
/* The same of a file of which only the header is read, malloc'ed; NULL also where it is none. */
char *ssk_safetensors_peek(const char *path, const char *key);

#endif
