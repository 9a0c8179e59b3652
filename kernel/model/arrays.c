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
  int64_t padded; /* steps that each series is filled up to; 0: none is */
  bool found;     /* the lengths are not named by the recipe */
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
                     const char *pattern, bool optional, ssk_array_fetch *fetch, void *file,
                     struct ssk_array *out, ssk_err *err) {
  char names[400] = "";
  if (*pattern == '\0')
    return SSK_OK;
  char *name = name_of_split(files, pattern);
  if (!name)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for '%s'", path);
  int code = fetch(file, name, out, names, sizeof names, err);
  if (!code && out->ndim == 0 && !optional) {
    code = ssk_err_set(err, SSK_EDATA, "'%s' has no array '%s' (%s)", path, name, key);
    ssk_err_hint(err, "its arrays are %s", *names ? names : "none that can be read");
  }
  free(name);
  return code;
}

/* Lengths that the recipe does not name: an array of this name in the group of the values. Values
 * that say themselves where series begin have none. */
static int find_lengths(const struct ssk_arrays *arrays, const char *path, ssk_array_fetch *fetch,
                        void *file, struct arrays *a, ssk_err *err) {
  if (*arrays->lengths || !a->values.ndim || a->values.lengths)
    return SSK_OK;
  const char *slash = strrchr(arrays->values, '/');
  const int group = slash ? (int)(slash - arrays->values) + 1 : 0;
  const size_t room = (size_t)group + sizeof "lengths";
  char *name = malloc(room);
  if (!name)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for '%s'", path);
  snprintf(name, room, "%.*slengths", group, arrays->values);
  int code = fetch_one(&arrays->files, path, "lengths", name, true, fetch, file, &a->lengths, err);
  a->found = a->lengths.ndim > 0;
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

/* The entries of an array of lengths, which may be a row or a column; -1: it is no list. */
static int64_t entries_of(const struct ssk_array *list) {
  if (list->ndim == 1)
    return list->shape[0];
  return list->ndim != 2       ? -1
         : list->shape[0] == 1 ? list->shape[1]
         : list->shape[1] == 1 ? list->shape[0]
                               : -1;
}

/* Rows of values behind a series' first one up to the next series: its own, and what fills it up.
 */
static int64_t room_of(const struct arrays *a, int64_t i) {
  return a->padded ? a->padded : a->length[i];
}

/* Lengths that do not fit the values: what else may be meant. */
static int bad_lengths(const struct arrays *a, ssk_err *err) {
  const struct ssk_array *values = &a->values;
  bool side_by_side = values->ndim == 2 && a->n == values->shape[0] && a->n > 1;
  for (int64_t i = 0; side_by_side && i < a->n; i++)
    side_by_side = a->lengths.data[i] <= (double)values->shape[1];
  if (side_by_side)
    ssk_err_hint(err,
                 "series that are filled up to one length are [series, steps, dimensions]: store "
                 "these values as [%lld, %lld, 1]",
                 (long long)values->shape[0], (long long)values->shape[1]);
  else if (a->found)
    ssk_err_hint(err, "an array of the name lengths is taken for the series' lengths: give it "
                      "another name if it is something else");
  return SSK_EDATA;
}

/* The lengths that an array gives: of series one behind the other, or each of which is filled up
 * to the steps of the values. */
static int take_lengths(const char *path, struct arrays *a, int64_t rows, ssk_err *err) {
  int64_t left = rows;
  for (int64_t i = 0; i < a->n; i++) {
    const double length = a->lengths.data[i];
    const int64_t room = a->padded ? a->padded : left;
    if (!(length >= 1 && length <= (double)room && length == floor(length))) {
      if (a->padded)
        ssk_err_set(err, SSK_EDATA,
                    "'%s': series %lld has the length %.9g; 1 to %lld are allowed, the steps of "
                    "the values",
                    path, (long long)i, length, (long long)room);
      else
        ssk_err_set(err, SSK_EDATA,
                    "'%s': series %lld has the length %.9g; %lld rows of values are left for it",
                    path, (long long)i, length, (long long)room);
      return bad_lengths(a, err);
    }
    a->length[i] = (int64_t)length;
    left -= room_of(a, i);
  }
  if (left == 0)
    return SSK_OK;
  ssk_err_set(err, SSK_EDATA, "'%s': the lengths sum to %lld, and there are %lld rows", path,
              (long long)(rows - left), (long long)rows);
  return bad_lengths(a, err);
}

/* The series: as an array of lengths shares them out, or the values themselves do. */
static int share_out(const char *path, struct arrays *a, ssk_err *err) {
  int64_t series, rows, columns;
  form_of(&a->values, &series, &rows, &columns);
  if (rows < 1 || columns < 1)
    return ssk_err_set(err, SSK_EDATA, "'%s' has no values", path);
  const bool given = a->lengths.ndim > 0, apart = a->values.ndim == 3;
  if (given && a->values.lengths)
    return ssk_err_set(err, SSK_EDATA,
                       "'%s': the values say by themselves how long series are, and an array of "
                       "lengths is named, too",
                       path);
  a->n = given ? entries_of(&a->lengths) : a->values.lengths ? a->values.series : series;
  if (a->n < 0) {
    ssk_err_set(err, SSK_EDATA, "'%s': the array of lengths is no list", path);
    return bad_lengths(a, err);
  }
  if (given && apart && a->n != series) {
    ssk_err_set(err, SSK_EDATA, "'%s': %lld lengths, but %lld series of values", path,
                (long long)a->n, (long long)series);
    return bad_lengths(a, err);
  }
  a->padded = given && apart ? a->values.shape[1] : 0;
  a->length = calloc((size_t)a->n + 1, sizeof *a->length);
  if (!a->length)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the series of '%s'", path);
  if (given)
    return take_lengths(path, a, rows, err);
  for (int64_t i = 0; i < a->n; i++)
    a->length[i] = a->values.lengths ? a->values.lengths[i] : rows / series;
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
    fit = (inputs->lengths ? inputs->lengths[i] : inputs->shape[1]) == room_of(a, i);
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
  for (int64_t i = 0; !code && i < a->n; row += room_of(a, i++)) {
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
    code = fetch_one(&arrays->files, path, keys[k], names[k], false, fetch, file, all[k], err);
  if (!code)
    code = find_lengths(arrays, path, fetch, file, &a, err);
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
