/* SPDX-License-Identifier: GPL-3.0-or-later */
/* safetensors.c - the safetensors format, https://github.com/huggingface/safetensors: reader and
 * writer. The reader trusts nothing: every length is checked before it is used. */
#include "train/safetensors.h"

#include "core/file.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH_BYTES = 8, DATA_ALIGNMENT = 64 };
static const size_t header_limit = 100000000; /* as in the reference implementation */
static const size_t file_limit = (size_t)1 << 36;

/* ---- writing -------------------------------------------------------------------------------- */

static json_t *describe_array(const struct ssk_array *array, size_t begin) {
  json_t *shape = json_array();
  for (int i = 0; i < array->ndim; i++)
    json_array_append_new(shape, json_integer(array->shape[i]));
  return json_pack("{s:s, s:o, s:[I, I]}", "dtype", array->dtype, "shape", shape, "data_offsets",
                   (json_int_t)begin, (json_int_t)(begin + array->size));
}

static json_t *describe_all(const struct ssk_array *arrays, int n_arrays,
                            const struct ssk_metadata *metadata, int n_metadata) {
  json_t *header = json_object();
  json_t *texts = json_object();
  bool fine = header && texts;
  for (int i = 0; i < n_metadata && fine; i++)
    fine = json_object_set_new(texts, metadata[i].key, json_string(metadata[i].value)) == 0;
  if (fine && n_metadata > 0)
    fine = json_object_set(header, "__metadata__", texts) == 0;
  size_t begin = 0;
  for (int i = 0; i < n_arrays && fine; i++) {
    fine = json_object_set_new(header, arrays[i].name, describe_array(&arrays[i], begin)) == 0;
    begin += arrays[i].size;
  }
  json_decref(texts);
  if (fine)
    return header;
  json_decref(header);
  return NULL;
}

/* Length, JSON and spaces up to the alignment of the data, in malloc'ed memory. */
static char *header_bytes(json_t *header, size_t *size) {
  const size_t flags = JSON_COMPACT | JSON_PRESERVE_ORDER;
  const size_t json = json_dumpb(header, NULL, 0, flags);
  if (json == 0)
    return NULL;
  const size_t total = (LENGTH_BYTES + json + DATA_ALIGNMENT - 1) / DATA_ALIGNMENT * DATA_ALIGNMENT;
  char *bytes = malloc(total);
  if (!bytes)
    return NULL;
  memset(bytes, ' ', total);
  json_dumpb(header, bytes + LENGTH_BYTES, json, flags);
  const uint64_t length = total - LENGTH_BYTES;
  for (int i = 0; i < LENGTH_BYTES; i++)
    bytes[i] = (char)(length >> (8 * i) & 0xff);
  *size = total;
  return bytes;
}

int ssk_safetensors_write(const char *path, const struct ssk_array *arrays, int n_arrays,
                          const struct ssk_metadata *metadata, int n_metadata, ssk_err *err) {
  json_t *header = describe_all(arrays, n_arrays, metadata, n_metadata);
  size_t size = 0;
  char *bytes = header ? header_bytes(header, &size) : NULL;
  json_decref(header);
  struct ssk_piece *pieces = malloc(((size_t)n_arrays + 1) * sizeof *pieces);
  int code;
  if (bytes && pieces) {
    pieces[0] = (struct ssk_piece){bytes, size};
    for (int i = 0; i < n_arrays; i++)
      pieces[i + 1] = (struct ssk_piece){arrays[i].data, arrays[i].size};
    code = ssk_file_write_pieces(path, pieces, n_arrays + 1, err);
  } else {
    code = ssk_err_set(err, SSK_EFAIL,
                       "cannot write '%s': no memory, or a name or text that is not UTF-8", path);
  }
  free(bytes);
  free(pieces);
  return code;
}

/* ---- reading -------------------------------------------------------------------------------- */

struct ssk_safetensors {
  char *bytes; /* the whole file */
  json_t *header;
  struct ssk_array *arrays;
  int n;
};

static size_t size_of_dtype(const char *dtype) {
  static const struct {
    const char *name;
    size_t size;
  } known[] = {{"F64", 8}, {"F32", 4}, {"F16", 2}, {"BF16", 2}, {"I64", 8}, {"I32", 4}, {"I16", 2},
               {"I8", 1},  {"U64", 8}, {"U32", 4}, {"U16", 2},  {"U8", 1},  {"BOOL", 1}};
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
    if (strcmp(known[i].name, dtype) == 0)
      return known[i].size;
  return 0;
}

/* Why this entry of the header describes no array in `size` bytes of data; NULL when it does. */
static const char *read_entry(const char *name, json_t *entry, const char *data, size_t size,
                              struct ssk_array *out) {
  const json_t *shape = json_object_get(entry, "shape");
  const json_t *offsets = json_object_get(entry, "data_offsets");
  const char *dtype = json_string_value(json_object_get(entry, "dtype"));
  if (!json_is_object(entry) || !dtype || !json_is_array(shape) || json_array_size(offsets) != 2)
    return "it lacks dtype, shape or data_offsets";
  if (size_of_dtype(dtype) == 0)
    return "its dtype is unknown";
  if (json_array_size(shape) > SSK_ARRAY_DIMS)
    return "it has too many axes";
  *out = (struct ssk_array){.name = name, .dtype = dtype, .ndim = (int)json_array_size(shape)};
  size_t bytes = size_of_dtype(dtype);
  for (int i = 0; i < out->ndim; i++) {
    const json_t *axis = json_array_get(shape, (size_t)i);
    if (!json_is_integer(axis) || json_integer_value(axis) < 0)
      return "its shape is not a list of lengths";
    out->shape[i] = json_integer_value(axis);
    if (__builtin_mul_overflow(bytes, (size_t)out->shape[i], &bytes))
      return "its shape is larger than memory";
  }
  const json_t *from = json_array_get(offsets, 0), *to = json_array_get(offsets, 1);
  if (!json_is_integer(from) || !json_is_integer(to))
    return "its data_offsets are not integers";
  const json_int_t begin = json_integer_value(from), end = json_integer_value(to);
  if (begin < 0 || end < begin || (uint64_t)end > size)
    return "its data_offsets lie outside the file";
  if ((size_t)(end - begin) != bytes)
    return "its data_offsets do not fit its shape";
  out->data = data + begin;
  out->size = bytes;
  return NULL;
}

static int by_place(const void *a, const void *b) {
  const struct ssk_array *x = a, *y = b;
  if (x->data != y->data)
    return (const char *)x->data < (const char *)y->data ? -1 : 1;
  if (x->size != y->size)
    return x->size < y->size ? -1 : 1;
  return strcmp(x->name, y->name);
}

/* The arrays must cover the data without gap and overlap. */
static int check_places(const struct ssk_safetensors *file, const char *path, const char *data,
                        size_t size, ssk_err *err) {
  const char *at = data;
  for (int i = 0; i < file->n; i++) {
    const struct ssk_array *array = &file->arrays[i];
    if ((const char *)array->data != at)
      return ssk_err_set(err, SSK_EDATA, "'%s' is damaged: the data of '%s' %s", path, array->name,
                         (const char *)array->data < at ? "overlap those of another tensor"
                                                        : "leave a gap before them");
    at += array->size;
  }
  if (at != data + size)
    return ssk_err_set(err, SSK_EDATA, "'%s' is damaged: %zu bytes belong to no tensor", path,
                       (size_t)(data + size - at));
  return SSK_OK;
}

static int read_header(struct ssk_safetensors *file, const char *path, const char *data,
                       size_t size, ssk_err *err) {
  file->arrays = calloc(json_object_size(file->header) + 1, sizeof *file->arrays);
  if (!file->arrays)
    return ssk_err_set(err, SSK_ENOMEM, "no memory to read '%s'", path);
  const char *name;
  json_t *entry;
  json_object_foreach(file->header, name, entry) {
    if (strcmp(name, "__metadata__") == 0)
      continue;
    const char *reason = read_entry(name, entry, data, size, &file->arrays[file->n]);
    if (reason)
      return ssk_err_set(err, SSK_EDATA, "'%s' is damaged: tensor '%.200s': %s", path, name,
                         reason);
    file->n++;
  }
  qsort(file->arrays, (size_t)file->n, sizeof *file->arrays, by_place);
  return check_places(file, path, data, size, err);
}

/* The length of the header that these bytes begin with; 0: of none. */
static size_t header_length(const char bytes[LENGTH_BYTES]) {
  uint64_t length = 0;
  for (int i = 0; i < LENGTH_BYTES; i++)
    length |= (uint64_t)(unsigned char)bytes[i] << (8 * i);
  return length < 2 || length > header_limit ? 0 : (size_t)length;
}

static int read_bytes(struct ssk_safetensors *file, const char *path, size_t size, ssk_err *err) {
  const size_t length = size < LENGTH_BYTES ? 0 : header_length(file->bytes);
  if (!length || length > size - LENGTH_BYTES)
    return ssk_err_set(err, SSK_EDATA,
                       "'%s' is no safetensors file: its header length does not fit its size",
                       path);
  json_error_t problem;
  file->header = json_loadb(file->bytes + LENGTH_BYTES, length, JSON_REJECT_DUPLICATES, &problem);
  if (!json_is_object(file->header))
    return ssk_err_set(err, SSK_EDATA, "'%s' is no safetensors file: its header is no JSON object",
                       path);
  const size_t before = LENGTH_BYTES + length;
  return read_header(file, path, file->bytes + before, size - before, err);
}

int ssk_safetensors_open(const char *path, struct ssk_safetensors **out, ssk_err *err) {
  *out = NULL;
  struct ssk_safetensors *file = calloc(1, sizeof *file);
  if (!file)
    return ssk_err_set(err, SSK_ENOMEM, "no memory to read '%s'", path);
  size_t size = 0;
  int code = ssk_file_read(path, file_limit, &file->bytes, &size, err);
  if (!code)
    code = read_bytes(file, path, size, err);
  if (code)
    ssk_safetensors_close(file);
  else
    *out = file;
  return code;
}

void ssk_safetensors_close(struct ssk_safetensors *file) {
  if (!file)
    return;
  json_decref(file->header);
  free(file->arrays);
  free(file->bytes);
  free(file);
}

const struct ssk_array *ssk_safetensors_at(const struct ssk_safetensors *file, int i) {
  return i >= 0 && i < file->n ? &file->arrays[i] : NULL;
}

const struct ssk_array *ssk_safetensors_find(const struct ssk_safetensors *file, const char *name) {
  for (int i = 0; i < file->n; i++)
    if (strcmp(file->arrays[i].name, name) == 0)
      return &file->arrays[i];
  return NULL;
}

static const char *text_of(const json_t *header, const char *key) {
  return json_string_value(json_object_get(json_object_get(header, "__metadata__"), key));
}

const char *ssk_safetensors_text(const struct ssk_safetensors *file, const char *key) {
  return text_of(file->header, key);
}

char *ssk_safetensors_peek(const char *path, const char *key) {
  char bytes[LENGTH_BYTES];
  FILE *file = fopen(path, "rbe");
  const bool begun = file && fread(bytes, 1, sizeof bytes, file) == sizeof bytes;
  const size_t length = begun ? header_length(bytes) : 0;
  char *text = length ? malloc(length) : NULL;
  const bool whole = text && fread(text, 1, length, file) == length;
  json_t *header = whole ? json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL) : NULL;
  const char *found = text_of(header, key);
  char *copy = found ? strdup(found) : NULL;
  json_decref(header);
  free(text);
  if (file)
    fclose(file);
  return copy;
}
