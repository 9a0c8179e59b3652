/* SPDX-License-Identifier: GPL-3.0-or-later */
/* npz.c - the header of an array is NumPy's (numpy/lib/format.py, version 1.0); the archive is
 * libzip's work. It is made in memory, so that it is written as every other file is. */
#include "train/npz.h"

#include "core/file.h"
#include "core/lazy_library.h"
#include "core/text.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#define LIBZIP(F)                                                                                  \
  F(zip_close)                                                                                     \
  F(zip_discard)                                                                                   \
  F(zip_error_fini)                                                                                \
  F(zip_error_init)                                                                                \
  F(zip_error_strerror)                                                                            \
  F(zip_file_add)                                                                                  \
  F(zip_file_set_dostime)                                                                          \
  F(zip_open_from_source)                                                                          \
  F(zip_set_file_compression)                                                                      \
  F(zip_source_buffer)                                                                             \
  F(zip_source_buffer_create)                                                                      \
  F(zip_source_close)                                                                              \
  F(zip_source_free)                                                                               \
  F(zip_source_keep)                                                                               \
  F(zip_source_open)                                                                               \
  F(zip_source_read)                                                                               \
  F(zip_source_stat)                                                                               \
  F(zip_stat_init)                                                                                 \
  F(zip_strerror)
static struct { LIBZIP(SSK_LAZY_MEMBER) } libzip;
#define ENTRY(name) SSK_LAZY_ENTRY(libzip, name)
static const struct ssk_lazy_function functions[] = {LIBZIP(ENTRY)};

enum { PREAMBLE = 10, ALIGNMENT = 64 };

/* NumPy's name of a type: "<f4"; false where it is none of those of npz.h. */
static bool descr_of(const char *dtype, char descr[24]) {
  static const char *const known[][2] = {
      {"F32", "<f4"}, {"F64", "<f8"}, {"I32", "<i4"}, {"I64", "<i8"}};
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
    if (strcmp(dtype, known[i][0]) == 0) {
      strcpy(descr, known[i][1]);
      return true;
    }
  snprintf(descr, 24, "|%.20s", dtype);
  return dtype[0] == 'S';
}

/* The .npy file of an array in malloc'ed memory; NULL without memory. */
static char *npy_bytes(const struct ssk_array *array, size_t *size) {
  char descr[24];
  struct ssk_text header = {0};
  if (!descr_of(array->dtype, descr))
    return NULL;
  ssk_text_printf(&header, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr);
  for (int i = 0; i < array->ndim; i++)
    ssk_text_printf(&header, "%s%" PRId64 "%s", i ? " " : "", array->shape[i],
                    i + 1 < array->ndim || array->ndim == 1 ? "," : "");
  ssk_text_add(&header, "), }");
  const size_t used = PREAMBLE + header.length + 1;
  const size_t start = (used + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  const size_t length = start - PREAMBLE;
  char *bytes = header.failed ? NULL : malloc(start + array->size + 1);
  if (bytes) {
    memset(bytes, ' ', start);
    memcpy(bytes, "\x93NUMPY\x01\x00", 8);
    bytes[8] = (char)(length & 0xff);
    bytes[9] = (char)(length >> 8 & 0xff);
    memcpy(bytes + PREAMBLE, header.data, header.length);
    bytes[start - 1] = '\n';
    if (array->size)
      memcpy(bytes + start, array->data, array->size);
    *size = start + array->size;
  }
  ssk_text_free(&header);
  return bytes;
}

static bool add_array(zip_t *zip, const struct ssk_array *array) {
  size_t size = 0;
  char *bytes = npy_bytes(array, &size);
  struct ssk_text name = {0};
  ssk_text_printf(&name, "%s.npy", array->name);
  zip_source_t *source =
      bytes ? libzip.zip_source_buffer(zip, bytes, size, 1) : NULL; /* its to free */
  if (!source)
    free(bytes);
  zip_int64_t index = source && !name.failed
                          ? libzip.zip_file_add(zip, name.data, source, ZIP_FL_ENC_UTF_8)
                          : (zip_int64_t)-1;
  if (source && index < 0)
    libzip.zip_source_free(source);
  ssk_text_free(&name);
  /* 1980-01-01, the first day that the format knows: the same bytes every time */
  return index >= 0 &&
         libzip.zip_set_file_compression(zip, (zip_uint64_t)index, ZIP_CM_STORE, 0) == 0 &&
         libzip.zip_file_set_dostime(zip, (zip_uint64_t)index, 0, 0x21, 0) == 0;
}

/* The finished archive that `source` holds. */
static int write_source(zip_source_t *source, const char *path, ssk_err *err) {
  zip_stat_t stat;
  libzip.zip_stat_init(&stat);
  if (libzip.zip_source_stat(source, &stat) || libzip.zip_source_open(source))
    return ssk_err_set(err, SSK_EFAIL, "cannot make '%s'", path);
  char *bytes = malloc((size_t)stat.size + 1);
  const zip_int64_t got = bytes ? libzip.zip_source_read(source, bytes, stat.size) : -1;
  libzip.zip_source_close(source);
  int code = got == (zip_int64_t)stat.size
                 ? ssk_file_write(path, bytes, (size_t)stat.size, err)
                 : ssk_err_set(err, SSK_ENOMEM, "no memory to write '%s'", path);
  free(bytes);
  return code;
}

int ssk_npz_write(const char *path, const struct ssk_array *arrays, int n_arrays, ssk_err *err) {
  int code = ssk_lazy_library(LIBZIP_SONAME, sizeof functions / sizeof *functions, functions, err);
  if (code)
    return code;
  zip_error_t reason;
  libzip.zip_error_init(&reason);
  zip_source_t *source = libzip.zip_source_buffer_create(NULL, 0, 0, &reason);
  zip_t *zip =
      source ? libzip.zip_open_from_source(source, ZIP_CREATE | ZIP_TRUNCATE, &reason) : NULL;
  if (!zip)
    code = ssk_err_set(err, SSK_EFAIL, "cannot make '%s': %s", path,
                       libzip.zip_error_strerror(&reason));
  if (zip)
    libzip.zip_source_keep(source); /* zip_close and zip_discard each give one up */
  for (int i = 0; i < n_arrays && !code; i++)
    if (!add_array(zip, &arrays[i]))
      code = ssk_err_set(err, SSK_EFAIL, "cannot put '%s' into '%s': %s", arrays[i].name, path,
                         libzip.zip_strerror(zip));
  if (zip && !code && libzip.zip_close(zip) == 0)
    zip = NULL;
  else if (zip && !code)
    code = ssk_err_set(err, SSK_EFAIL, "cannot make '%s': %s", path, libzip.zip_strerror(zip));
  if (zip)
    libzip.zip_discard(zip);
  if (!code)
    code = write_source(source, path, err);
  if (source)
    libzip.zip_source_free(source);
  libzip.zip_error_fini(&reason);
  return code;
}
