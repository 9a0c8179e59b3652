/* SPDX-License-Identifier: GPL-3.0-or-later */
/* npy.h - one array of NumPy's format .npy, versions 1 to 3, as numbers in C order.
 *
 * Magic, version, length of the header, the header (a Python dict of descr, fortran_order and
 * shape), then the bytes of the elements. Layout: numpy/lib/format.py. */
#ifndef DATASET_NPY_H
#define DATASET_NPY_H

#include <math.h>
#include <sskit/files.h>
#include <stdlib.h>
#include <string.h>

struct npy_type {
  char kind; /* b, i, u, f */
  int size;
  bool swapped; /* in the other byte order than this machine's */
};

static bool npy_is(const char *data, size_t size) {
  return size >= 6 && memcmp(data, "\x93NUMPY", 6) == 0;
}

/* The text behind 'key': in the header; NULL when there is none. */
static const char *npy_entry(const char *header, const char *key) {
  const char *at = strstr(header, key);
  if (!at)
    return NULL;
  at += strlen(key);
  at += strspn(at, "'\" ");
  return *at == ':' ? at + 1 + strspn(at + 1, " ") : NULL;
}

static bool npy_descr(const char *text, struct npy_type *type) {
  char order, kind;
  int size, end = 0;
  if (!text || sscanf(text, "'%c%c%d'%n", &order, &kind, &size, &end) != 3 || end == 0 ||
      !strchr("<>|=", order))
    return false;
  bool big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
  *type = (struct npy_type){.kind = kind, .size = size};
  type->swapped = size > 1 && ((order == '>' && !big) || (order == '<' && big));
  return (kind == 'b' && size == 1) || (kind == 'f' && (size == 2 || size == 4 || size == 8)) ||
         ((kind == 'i' || kind == 'u') && (size == 1 || size == 2 || size == 4 || size == 8));
}

/* "(3, 4)" or "(3,)"; false where it is malformed or has no or more than three dimensions. */
static bool npy_shape(const char *text, struct ssk_array *out) {
  if (!text || *text++ != '(')
    return false;
  for (out->ndim = 0;;) {
    text += strspn(text, " ,");
    if (*text == ')')
      return out->ndim > 0;
    char *end;
    long long n = strtoll(text, &end, 10);
    if (end == text || *text == '-' || *text == '+' || out->ndim == 3 || n < 0 || n == INT64_MAX ||
        !strchr(",) ", *end))
      return false;
    out->shape[out->ndim++] = n;
    text = end;
  }
}

/* IEEE 754 half precision. */
static double npy_half(uint16_t bits) {
  int exponent = bits >> 10 & 31, fraction = bits & 1023;
  double size = exponent == 31  ? (fraction ? NAN : INFINITY)
                : exponent == 0 ? ldexp(fraction, -24)
                                : ldexp(1024 + fraction, exponent - 25);
  return bits & 0x8000 ? -size : size;
}

static double npy_number(const char *at, struct npy_type type) {
  unsigned char bytes[8] = {0};
  for (int i = 0; i < type.size; i++)
    bytes[i] = (unsigned char)at[type.swapped ? type.size - 1 - i : i];
#define NPY_AS(T)                                                                                  \
  do {                                                                                             \
    T value;                                                                                       \
    memcpy(&value, bytes, sizeof value);                                                           \
    return (double)value;                                                                          \
  } while (0)
  switch (type.kind) {
  case 'f':
    if (type.size == 8)
      NPY_AS(double);
    if (type.size == 4)
      NPY_AS(float);
    uint16_t half;
    memcpy(&half, bytes, sizeof half);
    return npy_half(half);
  case 'i':
    if (type.size == 8)
      NPY_AS(int64_t);
    if (type.size == 4)
      NPY_AS(int32_t);
    if (type.size == 2)
      NPY_AS(int16_t);
    NPY_AS(signed char);
  default:
    if (type.size == 8)
      NPY_AS(uint64_t);
    if (type.size == 4)
      NPY_AS(uint32_t);
    if (type.size == 2)
      NPY_AS(uint16_t);
    return bytes[0];
  }
#undef NPY_AS
}

/* Where element i of the C order stands in the file. */
static int64_t npy_place(const struct ssk_array *a, int64_t i, bool fortran) {
  if (!fortran)
    return i;
  int64_t place = 0, index[3], stride = 1;
  for (int k = a->ndim - 1; k >= 0; k--) {
    index[k] = i % a->shape[k];
    i /= a->shape[k];
  }
  for (int k = 0; k < a->ndim; k++) {
    place += index[k] * stride;
    stride *= a->shape[k];
  }
  return place;
}

/* Read the array `name` of the file `path` from its bytes. */
static int npy_read(const char *path, const char *name, const char *data, size_t size,
                    struct ssk_array *out, ssk_err *err) {
  const unsigned char *byte = (const unsigned char *)data;
  if (!npy_is(data, size) || size < 12)
    return ssk_err_set(err, SSK_EDATA, "'%s': array '%s' is not in NumPy's format", path, name);
  size_t start = byte[6] == 1 ? 10 : 12;
  size_t length = byte[6] == 1 ? byte[8] + 256u * byte[9]
                               : byte[8] + ((size_t)byte[9] << 8) + ((size_t)byte[10] << 16) +
                                     ((size_t)byte[11] << 24);
  if (byte[6] < 1 || byte[6] > 3)
    return ssk_err_set(err, SSK_EDATA, "'%s': array '%s' has version %d of NumPy's format", path,
                       name, byte[6]);
  if (length > size - start)
    return ssk_err_set(err, SSK_EDATA, "'%s': array '%s' ends within its header", path, name);
  char *header = strndup(data + start, length);
  if (!header)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for '%s'", path);
  struct npy_type type = {.size = 1};
  const char *fortran = npy_entry(header, "fortran_order");
  bool by_columns = fortran && strncmp(fortran, "True", 4) == 0;
  bool known = npy_descr(npy_entry(header, "descr"), &type);
  bool shaped = npy_shape(npy_entry(header, "shape"), out);
  int code = SSK_OK;
  int64_t count = 0;
  if (!known || !shaped)
    code =
        ssk_err_set(err, SSK_EDATA, "'%s': array '%s' %s; its header is %.120s", path, name,
                    known ? "does not have one to three dimensions" : "holds no numbers", header);
  free(header);
  code = code ? code : ssk_array_count(path, name, out->ndim, out->shape, &count, err);
  if (!code && (size - start - length) / (size_t)type.size < (size_t)count)
    code = ssk_err_set(err, SSK_EDATA, "'%s': array '%s' has %zu bytes for %lld numbers of %d",
                       path, name, size - start - length, (long long)count, type.size);
  if (!code && !(out->data = malloc(((size_t)count + 1) * sizeof *out->data)))
    code = ssk_err_set(err, SSK_ENOMEM, "no memory for array '%s' of '%s'", name, path);
  if (code) {
    out->ndim = 0;
    return code;
  }
  for (int64_t i = 0; i < count; i++)
    out->data[i] =
        npy_number(data + start + length + npy_place(out, i, by_columns) * type.size, type);
  return SSK_OK;
}

#endif
