/* SPDX-License-Identifier: GPL-3.0-or-later */
/* arrays.c - series from files of named arrays, whatever wrote them. */
#include <math.h>
#include <sskit/files.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The arrays of one file, and how their rows are shared out. */
struct arrays {
  struct ssk_array values, inputs, lengths, statics;
  int64_t n; /* series */
  int64_t *length;
};

int ssk_array_count(const char *path, const char *name, int ndim, const int64_t *shape,
                    int64_t *count, ssk_err *err) {
  *count = 1;
  bool fits = true;
  for (int k = 0; k < ndim; k++)
    fits = fits && shape[k] >= 0 && !__builtin_mul_overflow(*count, shape[k], count);
  if (!fits || *count > (int64_t)(PTRDIFF_MAX / sizeof(double)))
    return ssk_err_set(err, SSK_EDATA, "'%s': array '%s' is larger than any memory", path, name);
  return SSK_OK;
}

/* The name with the split in the place of *; malloc'ed, NULL: no memory. */
static char *name_of_split(const struct ssk_files *files, const char *name) {
  static const char *const splits[SSK_SPLIT_COUNT] = {
      [SSK_TRAIN] = "train", [SSK_VALID] = "valid", [SSK_TEST] = "test"};
  const char *star = strchr(name, '*');
  const int split = ssk_files_split(files);
  if (!star || split < 0)
    return strdup(name);
  const size_t room = strlen(name) + strlen(splits[split]) + 1;
  char *out = malloc(room);
  if (out)
    snprintf(out, room, "%.*s%s%s", (int)(star - name), name, splits[split], star + 1);
  return out;
}

static int fetch_one(const struct ssk_files *files, const char *path, const char *key,
                     const char *pattern, ssk_array_fetch *fetch, void *file, struct ssk_array *out,
                     ssk_err *err) {
  char names[400] = "";
  if (*pattern == '\0')
    return SSK_OK;
  char *name = name_of_split(files, pattern);
  if (!name)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for '%s'", path);
  int code = fetch(file, name, out, names, sizeof names, err);
  if (!code && out->ndim == 0) {
    code = ssk_err_set(err, SSK_EDATA, "'%s' has no array '%s' (%s)", path, name, key);
    ssk_err_hint(err, "its arrays are %s", *names ? names : "none that can be read");
  }
  free(name);
  return code;
}

/* Series, steps and columns of values or inputs: [steps], [steps, columns] or [series, steps,
 * columns]. */
static void form_of(const struct ssk_array *a, int64_t *series, int64_t *rows, int64_t *columns) {
  *series = a->ndim == 3 ? a->shape[0] : 1;
  *rows = *series * (a->ndim == 3 ? a->shape[1] : a->shape[0]);
  *columns = a->ndim == 1 ? 1 : a->shape[a->ndim - 1];
}

/* The lengths: as an array gives them, or as the values themselves do. */
static int share_out(const char *path, struct arrays *a, ssk_err *err) {
  int64_t series, rows, columns, sum = 0;
  form_of(&a->values, &series, &rows, &columns);
  if (rows < 1 || columns < 1)
    return ssk_err_set(err, SSK_EDATA, "'%s' has no values", path);
  const struct ssk_array *given = &a->lengths;
  bool ragged = given->ndim > 0;
  if (ragged && (a->values.ndim == 3 || a->values.lengths))
    return ssk_err_set(err, SSK_EDATA,
                       "'%s': the values say by themselves how long series are, and an array of "
                       "lengths is named, too",
                       path);
  a->n = ragged ? given->shape[0] : a->values.lengths ? a->values.series : series;
  if (ragged && given->ndim == 2 && given->shape[0] == 1)
    a->n = given->shape[1]; /* a row */
  else if (ragged && given->ndim > 1 && given->shape[1] != 1)
    return ssk_err_set(err, SSK_EDATA, "'%s': the array of lengths is no list", path);
  a->length = calloc((size_t)a->n + 1, sizeof *a->length);
  if (!a->length)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the series of '%s'", path);
  for (int64_t i = 0; i < a->n; i++) {
    double length = ragged              ? given->data[i]
                    : a->values.lengths ? (double)a->values.lengths[i]
                                        : (double)(rows / series);
    if (!(length >= 1 && length <= (double)(rows - sum) && length == floor(length)))
      return ssk_err_set(err, SSK_EDATA,
                         "'%s': series %lld has the length %.9g; %lld rows of values are left for "
                         "it",
                         path, (long long)i, length, (long long)(rows - sum));
    a->length[i] = (int64_t)length;
    sum += a->length[i];
  }
  if (sum != rows)
    return ssk_err_set(err, SSK_EDATA, "'%s': the lengths sum to %lld, and there are %lld rows",
                       path, (long long)sum, (long long)rows);
  return SSK_OK;
}

/* Keep the columns of the recipe. */
static int select_columns(const char *path, const struct ssk_reals *list, struct ssk_array *values,
                          ssk_err *err) {
  int64_t series, rows, columns;
  form_of(values, &series, &rows, &columns);
  if (!list->n)
    return SSK_OK;
  for (int k = 0; k < list->n; k++)
    if (list->items[k] != floor(list->items[k]) || list->items[k] >= (double)columns)
      return ssk_err_set(err, SSK_EDATA, "'%s' has columns 0 to %lld, no column %.9g", path,
                         (long long)columns - 1, list->items[k]);
  double *kept = calloc((size_t)rows * (size_t)list->n, sizeof *kept);
  if (!kept)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the values of '%s'", path);
  for (int64_t r = 0; r < rows; r++)
    for (int k = 0; k < list->n; k++)
      kept[r * list->n + k] = values->data[r * columns + (int64_t)list->items[k]];
  free(values->data);
  values->data = kept;
  values->ndim = 2;
  values->shape[0] = rows, values->shape[1] = list->n;
  return SSK_OK;
}

/* Inputs that say themselves where series begin say what the values say. */
static bool inputs_fit(const struct arrays *a) {
  const struct ssk_array *inputs = &a->inputs;
  const bool apart = inputs->ndim == 3 || inputs->lengths;
  bool fit = !apart || (inputs->lengths ? inputs->series : inputs->shape[0]) == a->n;
  for (int64_t i = 0; apart && fit && i < a->n; i++)
    fit = (inputs->lengths ? inputs->lengths[i] : inputs->shape[1]) == a->length[i];
  return fit;
}

static int check_shapes(const char *path, const struct arrays *a, int *D, int *V, int *E,
                        ssk_err *err) {
  int64_t series, rows, columns, inputs = 0, input_rows, statics = 0;
  form_of(&a->values, &series, &rows, &columns);
  if (a->inputs.ndim) {
    form_of(&a->inputs, &series, &input_rows, &inputs);
    if (input_rows != rows)
      return ssk_err_set(err, SSK_EDATA, "'%s': %lld rows of values, but %lld of inputs", path,
                         (long long)rows, (long long)input_rows);
    if (!inputs_fit(a))
      return ssk_err_set(err, SSK_EDATA,
                         "'%s': the series of the inputs are not as many, or not as long, as those "
                         "of the values",
                         path);
  }
  if (a->statics.ndim) {
    form_of(&a->statics, &series, &input_rows, &statics);
    if (a->statics.ndim == 1 && a->n == 1) /* a list: of the one series */
      statics = input_rows, input_rows = 1;
    if (input_rows != a->n)
      return ssk_err_set(err, SSK_EDATA, "'%s': %lld series, but %lld rows of static covariates",
                         path, (long long)a->n, (long long)input_rows);
  }
  if (columns > 1000000 || inputs > 1000000 || statics > 1000000)
    return ssk_err_set(err, SSK_EDATA, "'%s': more than a million columns", path);
  *D = (int)columns, *V = (int)inputs, *E = (int)statics;
  return SSK_OK;
}

static int add_all(struct ssk_arrays *arrays, const char *path, struct arrays *a, ssk_err *err) {
  int D = 0, V = 0, E = 0;
  int code = share_out(path, a, err);
  code = code ? code : select_columns(path, &arrays->columns, &a->values, err);
  code = code ? code : check_shapes(path, a, &D, &V, &E, err);
  code = code ? code : ssk_files_dims(&arrays->files, D, V, E, err);
  int64_t row = 0;
  for (int64_t i = 0; !code && i < a->n; row += a->length[i++]) {
    struct ssk_files_series series = {.size = sizeof series,
                                      .steps = a->length[i],
                                      .x = a->values.data + row * D,
                                      .u = V ? a->inputs.data + row * V : NULL,
                                      .s = E ? a->statics.data + i * E : NULL};
    code = ssk_files_add(&arrays->files, &series, err);
  }
  return code;
}

int ssk_arrays_add(struct ssk_arrays *arrays, const char *path, ssk_array_fetch *fetch, void *file,
                   ssk_err *err) {
  struct arrays a = {.n = 0};
  struct ssk_array *const all[] = {&a.values, &a.inputs, &a.lengths, &a.statics};
  const char *const names[] = {arrays->values, arrays->inputs, arrays->lengths, arrays->statics};
  static const char *const keys[] = {"values", "inputs", "lengths", "statics"};
  int code = SSK_OK;
  for (int k = 0; !code && k < 4; k++)
    code = fetch_one(&arrays->files, path, keys[k], names[k], fetch, file, all[k], err);
  if (!code && !a.values.ndim)
    code = ssk_err_set(err, SSK_EDATA, "'%s': the name of the array of values is empty", path);
  code = code ? code : add_all(arrays, path, &a, err);
  for (int k = 0; k < 4; k++) {
    free(all[k]->data);
    free(all[k]->lengths);
  }
  free(a.length);
  return code;
}
