/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hdf5.c - series from the data sets of an HDF5 file. The format is libhdf5's work. */
#include <hdf5.h>
#include <sskit/files.h>
#include <stdlib.h>
#include <string.h>

struct hdf5 {
  struct ssk_arrays arrays;
};

struct hdf5_file {
  const char *path;
  hid_t id;
};

/* ---- names, for a message -------------------------------------------------------------------- */

struct hdf5_names {
  char *text;
  size_t room, used;
};

/* Links are visited, as the calls that visit objects differ among the library's versions. */
static herr_t hdf5_name(hid_t file, const char *name, const H5L_info_t *info, void *state) {
  (void)info;
  struct hdf5_names *names = state;
  const hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
  if (set < 0)
    return 0;
  H5Dclose(set);
  if (names->used < names->room)
    names->used += (size_t)snprintf(names->text + names->used, names->room - names->used, "%s%s",
                                    names->used ? ", " : "", name);
  return 0;
}

/* ---- one array ------------------------------------------------------------------------------- */

/* The innermost of the library's messages: what was wrong, not what was tried. */
static herr_t hdf5_innermost(unsigned n, const H5E_error2_t *error, void *state) {
  if (n == 0)
    snprintf(state, 160, "%s", error->desc);
  return 0;
}

static int hdf5_fail(const char *path, const char *name, ssk_err *err) {
  char reason[160] = "no reason is known";
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, hdf5_innermost, reason);
  return ssk_err_set(err, SSK_EDATA, "'%s': array '%s' is damaged: %s", path, name, reason);
}

/* Numbers of any type, size and byte order become doubles. */
static int hdf5_read_set(const struct hdf5_file *file, const char *name, hid_t set,
                         struct ssk_array *out, ssk_err *err) {
  hid_t space = H5Dget_space(set), type = H5Dget_type(set);
  const H5T_class_t class = H5Tget_class(type);
  const int ndim = H5Sget_simple_extent_ndims(space);
  hsize_t shape[3] = {0};
  int code = SSK_OK;
  int64_t count = 0;
  if (class != H5T_INTEGER && class != H5T_FLOAT)
    code = ssk_err_set(err, SSK_EDATA, "'%s': array '%s' holds no numbers", file->path, name);
  else if (ndim < 1 || ndim > 3)
    code = ssk_err_set(err, SSK_EDATA, "'%s': array '%s' has %d dimensions, not one to three",
                       file->path, name, ndim);
  else if (H5Sget_simple_extent_dims(space, shape, NULL) < 0)
    code = hdf5_fail(file->path, name, err);
  for (int k = 0; k < 3; k++)
    out->shape[k] = shape[k] <= INT64_MAX ? (int64_t)shape[k] : -1;
  code = code ? code : ssk_array_count(file->path, name, ndim, out->shape, &count, err);
  if (!code && !(out->data = malloc(((size_t)count + 1) * sizeof *out->data)))
    code = ssk_err_set(err, SSK_ENOMEM, "no memory for array '%s' of '%s'", name, file->path);
  if (!code && H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, out->data) < 0)
    code = hdf5_fail(file->path, name, err);
  out->ndim = code ? 0 : ndim;
  H5Tclose(type);
  H5Sclose(space);
  return code;
}

static int hdf5_fetch(void *self, const char *name, struct ssk_array *out, char *names, size_t room,
                      ssk_err *err) {
  const struct hdf5_file *file = self;
  const hid_t set = H5Dopen2(file->id, name, H5P_DEFAULT);
  if (set < 0) {
    struct hdf5_names list = {.text = names, .room = room};
    H5Lvisit(file->id, H5_INDEX_NAME, H5_ITER_INC, hdf5_name, &list);
    return SSK_OK;
  }
  int code = hdf5_read_set(file, name, set, out, err);
  H5Dclose(set);
  return code;
}

/* ---- the component --------------------------------------------------------------------------- */

static int hdf5_read(void *self, const char *path, ssk_err *err) {
  struct hdf5 *d = self;
  H5E_auto2_t print;
  void *to;
  H5Eget_auto2(H5E_DEFAULT, &print, &to);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* it would print what ssk_err says */
  struct hdf5_file file = {.path = path, .id = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT)};
  int code = SSK_OK;
  if (file.id < 0)
    code = ssk_err_set(err, SSK_EDATA, "'%s' is not in the format HDF5, or damaged", path);
  code = code ? code : ssk_arrays_add(&d->arrays, path, hdf5_fetch, &file, err);
  if (file.id >= 0)
    H5Fclose(file.id);
  H5Eset_auto2(H5E_DEFAULT, print, to);
  return code;
}

static int hdf5_open(void *self, uint64_t seed, ssk_err *err) {
  (void)seed;
  return ssk_files_open(self, hdf5_read, err);
}

static const struct ssk_param hdf5_params[] = {SSK_PARAMS_ARRAYS, SSK_PARAM_END};

static const struct ssk_dataset_ops hdf5_ops = SSK_FILES_OPS(hdf5_open);

static const struct ssk_component hdf5_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_DATASET,
    .name = "hdf5",
    .summary = "series from the data sets of an HDF5 file",
    .doc = "`values` is one series [steps, D]; or several of one length, [series, steps, D]; or "
           "several of any lengths, with an array `lengths` beside them: filled up to one length, "
           "or one behind the other. A name may "
           "lead through groups: run1/values. NaN is missing. Numbers of any type and either byte "
           "order, chunked and compressed as libhdf5 can unpack.",
    .self_size = sizeof(struct hdf5),
    .params = hdf5_params,
    .ops = &hdf5_ops,
    .init = ssk_files_init,
    .done = ssk_files_done,
};

SSK_PLUGIN(&hdf5_component)
