/* SPDX-License-Identifier: GPL-3.0-or-later */
/* npz.c - series from NumPy's arrays: a zip archive of .npy files, or one of those by itself. The
 * archive is libzip's work. */
#include "npy.h"
#include <zip.h>

struct npz {
  struct ssk_arrays arrays;
};

struct npz_file {
  const char *path;
  zip_t *zip; /* NULL: a lone .npy, in data */
  bool taken; /* that, for the values, which are asked for first: it is nothing else */
  char *data;
  size_t size;
};

static void npz_names(const struct npz_file *file, char *names, size_t room) {
  size_t used = 0;
  for (zip_int64_t i = 0; i < zip_get_num_entries(file->zip, 0) && used < room; i++) {
    const char *name = zip_get_name(file->zip, (zip_uint64_t)i, 0);
    int length = name ? (int)strlen(name) : 0;
    if (length > 4 && strcmp(name + length - 4, ".npy") == 0)
      used +=
          (size_t)snprintf(names + used, room - used, "%s%.*s", used ? ", " : "", length - 4, name);
  }
}

/* Unpack the member `index` of the archive. */
static int npz_unpack(const struct npz_file *file, const char *name, zip_uint64_t index,
                      char **data, size_t *size, ssk_err *err) {
  zip_stat_t stat;
  if (zip_stat_index(file->zip, index, 0, &stat) || !(stat.valid & ZIP_STAT_SIZE) ||
      stat.size > PTRDIFF_MAX - 1)
    return ssk_err_set(err, SSK_EDATA, "'%s': array '%s': %s", file->path, name,
                       zip_strerror(file->zip));
  *size = (size_t)stat.size;
  *data = malloc(*size + 1);
  if (!*data)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for array '%s' of '%s'", name, file->path);
  zip_file_t *member = zip_fopen_index(file->zip, index, 0);
  zip_int64_t got = member ? zip_fread(member, *data, *size) : -1;
  bool whole = got >= 0 && (size_t)got == *size;
  char extra; /* the checksum is compared at the end */
  whole = whole && zip_fread(member, &extra, 1) == 0;
  int code = SSK_OK;
  if (!whole)
    code = ssk_err_set(err, SSK_EDATA, "'%s': array '%s' is damaged: %s", file->path, name,
                       member && got >= 0 ? zip_file_strerror(member) : zip_strerror(file->zip));
  if (member)
    zip_fclose(member);
  return code;
}

static int npz_fetch(void *self, const char *name, struct ssk_array *out, char *names, size_t room,
                     ssk_err *err) {
  struct npz_file *file = self;
  if (!file->zip && file->taken) {
    snprintf(names, room, "none but the values: it is a file of one array");
    return SSK_OK;
  }
  if (!file->zip) {
    file->taken = true;
    return npy_read(file->path, name, file->data, file->size, out, err);
  }
  size_t length = strlen(name) + sizeof ".npy", size = 0;
  char *member = malloc(length), *data = NULL;
  if (!member)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for '%s'", file->path);
  snprintf(member, length, "%s.npy", name);
  zip_int64_t index = zip_name_locate(file->zip, member, 0);
  free(member);
  if (index < 0) {
    npz_names(file, names, room);
    return SSK_OK;
  }
  int code = npz_unpack(file, name, (zip_uint64_t)index, &data, &size, err);
  code = code ? code : npy_read(file->path, name, data, size, out, err);
  free(data);
  return code;
}

static int npz_read(void *self, const char *path, ssk_err *err) {
  struct npz *d = self;
  struct npz_file file = {.path = path};
  int reason = 0;
  file.zip = zip_open(path, ZIP_RDONLY, &reason);
  int code = SSK_OK;
  if (!file.zip) {
    code = ssk_files_text(path, &file.data, &file.size, err);
    if (!code && !npy_is(file.data, file.size)) {
      zip_error_t error;
      zip_error_init_with_code(&error, reason);
      code = ssk_err_set(err, SSK_EDATA, "'%s' holds no NumPy arrays: %s", path,
                         zip_error_strerror(&error));
      zip_error_fini(&error);
    }
  }
  code = code ? code : ssk_arrays_add(&d->arrays, path, npz_fetch, &file, err);
  if (file.zip)
    zip_discard(file.zip);
  free(file.data);
  return code;
}

static int npz_open(void *self, uint64_t seed, ssk_err *err) {
  (void)seed;
  return ssk_files_open(self, npz_read, err);
}

static const struct ssk_param npz_params[] = {SSK_PARAMS_ARRAYS, SSK_PARAM_END};

static const struct ssk_dataset_ops npz_ops = SSK_FILES_OPS(npz_open);

static const struct ssk_component npz_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_DATASET,
    .name = "npz",
    .summary = "series from NumPy's arrays (.npz, .npy)",
    .doc = "`values` is one series [steps, D]; or several of one length, [series, steps, D]; or "
           "several of any lengths, with an array `lengths` beside them: filled up to one length, "
           "or one behind the other. NaN is "
           "missing. Numbers of any type and either byte order, in C or Fortran order. Of a .npy "
           "file its only array is taken, whatever it is called.",
    .self_size = sizeof(struct npz),
    .params = npz_params,
    .ops = &npz_ops,
    .init = ssk_files_init,
    .done = ssk_files_done,
};

SSK_PLUGIN(&npz_component)
