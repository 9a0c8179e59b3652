/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mat.c - series from the matrices and cell arrays of a MATLAB file. The format is matio's work. */
#include <matio.h>
#include <sskit/files.h>
#include <stdlib.h>
#include <string.h>

struct mat {
  struct ssk_arrays arrays;
};

struct mat_file {
  const char *path;
  mat_t *mat;
};

static void mat_names(const struct mat_file *file, char *names, size_t room) {
  size_t used = 0, n = 0;
  char **name = Mat_GetDir(file->mat, &n);
  for (size_t i = 0; name && i < n && used < room; i++)
    used += (size_t)snprintf(names + used, room - used, "%s%s", used ? ", " : "", name[i]);
}

/* ---- matrices -------------------------------------------------------------------------------- */

static double mat_number(const matvar_t *v, size_t i) {
  switch (v->class_type) {
  case MAT_C_DOUBLE:
    return ((const double *)v->data)[i];
  case MAT_C_SINGLE:
    return (double)((const float *)v->data)[i];
  case MAT_C_INT64:
    return (double)((const int64_t *)v->data)[i];
  case MAT_C_UINT64:
    return (double)((const uint64_t *)v->data)[i];
  case MAT_C_INT32:
    return ((const int32_t *)v->data)[i];
  case MAT_C_UINT32:
    return ((const uint32_t *)v->data)[i];
  case MAT_C_INT16:
    return ((const int16_t *)v->data)[i];
  case MAT_C_UINT16:
    return ((const uint16_t *)v->data)[i];
  case MAT_C_INT8:
    return ((const int8_t *)v->data)[i];
  default:
    return ((const uint8_t *)v->data)[i];
  }
}

/* A full array of real numbers of two or three dimensions; so many of them in *count. */
static int mat_check(const char *path, const char *name, const matvar_t *v, int64_t *count,
                     ssk_err *err) {
  const bool numbers = v->class_type >= MAT_C_DOUBLE && v->class_type <= MAT_C_UINT64;
  int64_t shape[3] = {0};
  if (!numbers || v->isComplex || v->rank < 2 || v->rank > 3)
    return ssk_err_set(err, SSK_EDATA, "'%s': array '%s' is %s", path, name,
                       v->class_type == MAT_C_SPARSE ? "sparse: store it as full(...)"
                       : !numbers                    ? "neither numbers nor cells of numbers"
                       : v->isComplex                ? "complex"
                                                     : "not of two or three dimensions");
  for (int k = 0; k < v->rank; k++)
    shape[k] = v->dims[k] <= INT64_MAX ? (int64_t)v->dims[k] : -1;
  int code = ssk_array_count(path, name, v->rank, shape, count, err);
  if (!code && *count && (!v->data || (size_t)*count > v->nbytes / (size_t)v->data_size))
    code = ssk_err_set(err, SSK_EDATA, "'%s': array '%s' is damaged", path, name);
  return code;
}

/* From MATLAB's order, the first index fastest, to C's. */
static void mat_copy(const matvar_t *v, double *to) {
  const size_t rows = v->dims[0], columns = v->dims[1], depth = v->rank == 3 ? v->dims[2] : 1;
  for (size_t i = 0; i < rows; i++)
    for (size_t j = 0; j < columns; j++)
      for (size_t k = 0; k < depth; k++)
        *to++ = mat_number(v, i + rows * (j + columns * k));
}

static int mat_matrix(const char *path, const char *name, const matvar_t *v, struct ssk_array *out,
                      ssk_err *err) {
  int64_t count = 0;
  int code = mat_check(path, name, v, &count, err);
  if (!code && !(out->data = malloc(((size_t)count + 1) * sizeof *out->data)))
    code = ssk_err_set(err, SSK_ENOMEM, "no memory for array '%s' of '%s'", name, path);
  if (code)
    return code;
  mat_copy(v, out->data);
  out->ndim = v->rank;
  for (int k = 0; k < v->rank; k++)
    out->shape[k] = (int64_t)v->dims[k];
  if (out->ndim == 2 && out->shape[0] == 1) { /* a row is a list, as MATLAB has no other */
    out->ndim = 1;
    out->shape[0] = out->shape[1];
  }
  return SSK_OK;
}

/* ---- cell arrays: a series each -------------------------------------------------------------- */

/* Are all cells rows? These are lists of steps, as a matrix that is one. */
static bool mat_are_rows(const struct ssk_array *out, const matvar_t *const *cell) {
  bool rows = true;
  for (int64_t i = 0; rows && i < out->series; i++)
    rows = cell[i] && cell[i]->rank == 2 && cell[i]->dims[0] == 1;
  return rows;
}

/* Sizes of the cells' matrices [length, columns], one below the other. */
static int mat_measure(const char *path, const char *name, const matvar_t *v, struct ssk_array *out,
                       ssk_err *err) {
  const matvar_t *const *cell = v->data;
  int64_t count = 0;
  int code = SSK_OK;
  const bool rows = mat_are_rows(out, cell);
  out->shape[0] = 0;
  for (int64_t i = 0; !code && i < out->series; i++) {
    if (!cell[i])
      return ssk_err_set(err, SSK_EDATA, "'%s': array '%s' is damaged", path, name);
    code = mat_check(path, name, cell[i], &count, err);
    if (code)
      return code;
    const int64_t columns = rows ? 1 : (int64_t)cell[i]->dims[1];
    out->shape[1] = i ? out->shape[1] : columns;
    if (cell[i]->rank != 2 || columns != out->shape[1])
      return ssk_err_set(err, SSK_EDATA,
                         "'%s': array '%s': cell %lld has not the %lld columns of the first", path,
                         name, (long long)i + 1, (long long)out->shape[1]);
    out->lengths[i] = (int64_t)cell[i]->dims[rows ? 1 : 0];
    out->shape[0] += out->lengths[i];
  }
  return ssk_array_count(path, name, 2, out->shape, &count, err);
}

static int mat_cells(const char *path, const char *name, const matvar_t *v, struct ssk_array *out,
                     ssk_err *err) {
  const matvar_t *const *cell = v->data;
  out->series = cell ? (int64_t)(v->nbytes / (size_t)v->data_size) : 0;
  out->lengths = calloc((size_t)out->series + 1, sizeof *out->lengths);
  if (!out->lengths)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for array '%s' of '%s'", name, path);
  int code = mat_measure(path, name, v, out, err);
  if (code)
    return code;
  double *to = malloc(((size_t)(out->shape[0] * out->shape[1]) + 1) * sizeof *to);
  if (!to)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for array '%s' of '%s'", name, path);
  out->data = to;
  out->ndim = 2;
  for (int64_t i = 0; i < out->series; i++) {
    mat_copy(cell[i], to);
    to += out->lengths[i] * out->shape[1];
  }
  return SSK_OK;
}

/* ---- the component --------------------------------------------------------------------------- */

static int mat_fetch(void *self, const char *name, struct ssk_array *out, char *names, size_t room,
                     ssk_err *err) {
  const struct mat_file *file = self;
  matvar_t *v = Mat_VarRead(file->mat, name);
  if (!v) {
    mat_names(file, names, room);
    return SSK_OK;
  }
  int code = v->class_type == MAT_C_CELL ? mat_cells(file->path, name, v, out, err)
                                         : mat_matrix(file->path, name, v, out, err);
  Mat_VarFree(v);
  return code;
}

static int mat_read(void *self, const char *path, ssk_err *err) {
  struct mat *d = self;
  struct mat_file file = {.path = path, .mat = Mat_Open(path, MAT_ACC_RDONLY)};
  if (!file.mat)
    return ssk_err_set(err, SSK_EDATA, "'%s' is no MATLAB file", path);
  int code = ssk_arrays_add(&d->arrays, path, mat_fetch, &file, err);
  Mat_Close(file.mat);
  return code;
}

static int mat_open(void *self, uint64_t seed, ssk_err *err) {
  (void)seed;
  return ssk_files_open(self, mat_read, err);
}

static const struct ssk_param mat_params[] = {SSK_PARAMS_ARRAYS, SSK_PARAM_END};

static const struct ssk_dataset_ops mat_ops = SSK_FILES_OPS(mat_open);

static const struct ssk_component mat_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_DATASET,
    .name = "mat",
    .summary = "series from the matrices and cell arrays of a MATLAB file",
    .doc = "`values` is one series [steps, D]; or several of one length, [series, steps, D]; or a "
           "cell array of matrices [steps, D], which is a series a cell; or several of any "
           "lengths one below the other, with `lengths` beside them. A row is a list of steps, and "
           "so is each cell where all are rows. NaN is missing. Versions 4, 5 and 7, and 7.3, "
           "which is HDF5.",
    .self_size = sizeof(struct mat),
    .params = mat_params,
    .ops = &mat_ops,
    .init = ssk_files_init,
    .done = ssk_files_done,
};

SSK_PLUGIN(&mat_component)
