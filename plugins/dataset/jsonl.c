/* SPDX-License-Identifier: GPL-3.0-or-later */
/* jsonl.c - series as lines of JSON, one object a series: the files of GluonTS.
 *
 *   {"item_id": "a", "start": "2020-01-01", "target": [1, null, 3], "feat_dynamic_real": [[0, 1,
 * 2]], "feat_static_real": [0.5]}
 *
 * target [T], or [D][T] where it has several dimensions; feat_dynamic_real [V][T or more];
 * feat_static_real [E]. JSON is jansson's work. */
#include <jansson.h>
#include <math.h>
#include <sskit/files.h>
#include <stdlib.h>
#include <string.h>

struct jsonl {
  struct ssk_files files;
  const char *target, *dynamic, *fixed, *name; /* parameters: keys */
};

#define JSONL_WANTED                                                                               \
  "each line is one object, {\"target\": [...]}: of a file with one list of objects, 'jq -c .[]' " \
  "makes such lines, of objects over several lines 'jq -c .' does"

struct jsonl_line {
  const char *path;
  int number;
};

SSK_PRINTF(3, 4)
static int jsonl_bad(const struct jsonl_line *line, ssk_err *err, const char *format, ...) {
  char text[256];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  struct ssk_pos pos = {.file = line->path, .line = line->number, .column = 1, .width = 1};
  return ssk_err_at(err, SSK_EDATA, &pos, "%s", text);
}

/* A number; NaN for null and, as GluonTS writes it, "NaN". False for anything else. */
static bool jsonl_number(const struct jsonl *d, const json_t *value, double *out) {
  const char *text = json_string_value(value);
  bool missing =
      json_is_null(value) || (text && (!strcmp(text, "NaN") || ssk_files_missing(&d->files, text)));
  *out = missing ? NAN : json_number_value(value);
  return missing || json_is_number(value);
}

/* Entry t of list k is neither a number nor missing. */
static int jsonl_no_number(const struct jsonl_line *line, const char *key, int64_t t, int k,
                           const json_t *value, ssk_err *err) {
  char *found = json_dumps(value, JSON_ENCODE_ANY);
  jsonl_bad(line, err, "'%s': entry %lld of list %d is no number and not null: %.40s", key,
            (long long)t, k, found ? found : "");
  free(found);
  const char *text = json_string_value(value);
  if (text && ssk_files_comma_number(text))
    ssk_err_hint(err, "numbers stand without quotes, and with a decimal point");
  else if (text)
    ssk_err_hint(err, "numbers stand without quotes; list under 'missing' what stands for a "
                      "missing value");
  return SSK_EDATA;
}

/* The series is not where it is looked for: say what there is. */
static int jsonl_no_target(const struct jsonl *d, const struct jsonl_line *line,
                           const json_t *object, ssk_err *err) {
  char list[400] = "";
  size_t used = 0;
  const char *key;
  json_t *value;
  jsonl_bad(line, err, "there is no '%s'", d->target);
  json_object_foreach((json_t *)object, key, value) {
    if (used < sizeof list)
      used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", key);
  }
  if (used)
    ssk_err_hint(err, "its keys are %s: name that of the series under 'target' in the recipe",
                 list);
  return SSK_EDATA;
}

/* The rows of a value: itself, when it is a list of numbers, or the lists in it. */
static int jsonl_rows(const json_t *value) {
  return json_is_array(json_array_get(value, 0)) ? (int)json_array_size(value) : 1;
}

/* Entries [0, n) of each of the rows, as columns first...first + rows of `out` [n, width]. */
static int jsonl_transpose(const struct jsonl *d, const struct jsonl_line *line, const char *key,
                           const json_t *value, int64_t n, double *out, ssk_err *err) {
  int rows = jsonl_rows(value);
  bool nested = json_is_array(json_array_get(value, 0));
  for (int k = 0; k < rows; k++) {
    const json_t *row = nested ? json_array_get(value, (size_t)k) : value;
    if (!json_is_array(row) || (int64_t)json_array_size(row) < n)
      return jsonl_bad(line, err, "'%s': list %d has %lld entries, and %lld steps need one", key, k,
                       (long long)json_array_size(row), (long long)n);
    for (int64_t t = 0; t < n; t++)
      if (!jsonl_number(d, json_array_get(row, (size_t)t), &out[t * rows + k]))
        return jsonl_no_number(line, key, t, k, json_array_get(row, (size_t)t), err);
  }
  return SSK_OK;
}

/* All lists of the target have one length: that of the series. */
static int jsonl_steps(const struct jsonl *d, const struct jsonl_line *line, const json_t *target,
                       int64_t *steps, ssk_err *err) {
  if (!json_is_array(target) || json_array_size(target) == 0)
    return jsonl_bad(line, err, "'%s' is not a list with something in it", d->target);
  const json_t *first = json_array_get(target, 0);
  *steps = (int64_t)json_array_size(json_is_array(first) ? first : target);
  for (size_t k = 0; json_is_array(first) && k < json_array_size(target); k++)
    if ((int64_t)json_array_size(json_array_get(target, k)) != *steps)
      return jsonl_bad(line, err, "'%s': list %d has %lld entries, list 0 has %lld", d->target,
                       (int)k, (long long)json_array_size(json_array_get(target, k)),
                       (long long)*steps);
  return SSK_OK;
}

/* A key that may be absent is a list where it is there. */
static int jsonl_list(const struct jsonl_line *line, const char *key, const json_t *value,
                      bool nested, ssk_err *err) {
  if (!value || json_is_null(value))
    return SSK_OK;
  if (!json_is_array(value))
    return jsonl_bad(line, err, "'%s' is no list", key);
  return nested || !json_is_array(json_array_get(value, 0))
             ? SSK_OK
             : jsonl_bad(line, err, "'%s' is a list of lists, not of numbers", key);
}

static int jsonl_take(struct jsonl *d, const struct jsonl_line *line, const json_t *object,
                      ssk_err *err) {
  const json_t *target = json_object_get(object, d->target);
  const json_t *dynamic = *d->dynamic ? json_object_get(object, d->dynamic) : NULL;
  const json_t *fixed = *d->fixed ? json_object_get(object, d->fixed) : NULL;
  const json_t *name = json_object_get(object, d->name);
  int64_t steps = 0;
  int code = target ? SSK_OK : jsonl_no_target(d, line, object, err);
  code = code ? code : jsonl_steps(d, line, target, &steps, err);
  code = code ? code : jsonl_list(line, d->dynamic, dynamic, true, err);
  code = code ? code : jsonl_list(line, d->fixed, fixed, false, err);
  if (code)
    return code;
  if (steps < 1 || json_array_size(target) > 1000000 || json_array_size(fixed) > 1000000 ||
      json_array_size(dynamic) > 1000000 * (size_t)steps)
    return jsonl_bad(line, err, "the series has no steps, or more than a million columns");
  int D = jsonl_rows(target);
  int V = json_array_size(dynamic) ? jsonl_rows(dynamic) : 0, E = (int)json_array_size(fixed);
  ssk_files_at_line(&d->files, line->number);
  code = ssk_files_dims(&d->files, D, V, E, err);
  double *x = calloc((size_t)steps, (size_t)D * sizeof *x);
  double *u = calloc((size_t)steps, (size_t)(V + 1) * sizeof *u);
  double *s = calloc((size_t)E + 1, sizeof *s);
  if (!x || !u || !s)
    code = ssk_err_set(err, SSK_ENOMEM, "no memory for a series of '%s'", line->path);
  code = code ? code : jsonl_transpose(d, line, d->target, target, steps, x, err);
  code = code || !V ? code : jsonl_transpose(d, line, d->dynamic, dynamic, steps, u, err);
  code = code || !E ? code : jsonl_transpose(d, line, d->fixed, fixed, E, s, err);
  if (!code) {
    struct ssk_files_series series = {.size = sizeof series,
                                      .name = json_string_value(name),
                                      .steps = steps,
                                      .x = x,
                                      .u = u,
                                      .s = s};
    code = ssk_files_add(&d->files, &series, err);
  }
  free(x);
  free(u);
  free(s);
  return code;
}

static int jsonl_parse(struct jsonl *d, const struct jsonl_line *line, const char *text,
                       size_t length, ssk_err *err) {
  json_error_t error;
  json_t *object = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
  if (!object) {
    struct ssk_pos pos = {.file = line->path,
                          .line = line->number,
                          .column = error.column > 0 ? error.column : 1,
                          .width = 1};
    ssk_err_at(err, SSK_EDATA, &pos, "this line is no JSON: %s", error.text);
    if (strstr(error.text, "NaN"))
      ssk_err_hint(err, "JSON has no NaN: write null where a value is missing");
    else
      ssk_err_hint(err, JSONL_WANTED);
    return SSK_EDATA;
  }
  int code = SSK_EDATA;
  if (json_is_object(object))
    code = jsonl_take(d, line, object, err);
  else {
    jsonl_bad(line, err, "this line is no JSON object");
    ssk_err_hint(err, JSONL_WANTED);
  }
  json_decref(object);
  return code;
}

static int jsonl_read(void *self, const char *path, ssk_err *err) {
  struct jsonl *d = self;
  char *data;
  size_t size;
  int code = ssk_files_text(path, &data, &size, err);
  struct jsonl_line line = {.path = path};
  for (size_t at = 0, next; !code && at < size; at = next) {
    const char *end = memchr(data + at, '\n', size - at);
    size_t length = end ? (size_t)(end - data) - at : size - at;
    next = at + length + 1;
    line.number++;
    if (strspn(data + at, " \t\r") < length)
      code = jsonl_parse(d, &line, data + at, length, err);
  }
  free(data);
  return code;
}

static int jsonl_open(void *self, uint64_t seed, ssk_err *err) {
  (void)seed;
  return ssk_files_open(self, jsonl_read, err);
}

static const struct ssk_param jsonl_params[] = {
    SSK_PARAMS_FILES,
    SSK_PARAM_STRING(struct jsonl, target, "target", "Key of what is observed: [T] or [D][T]."),
    {.name = "dynamic",
     .type = SSK_T_STRING,
     .offset = SSK_MEMBER_(struct jsonl, dynamic, const char *),
     .default_text = "feat_dynamic_real",
     .doc = "Key of the known inputs, [V][T or more]; a series without it has none."},
    {.name = "static",
     .type = SSK_T_STRING,
     .offset = SSK_MEMBER_(struct jsonl, fixed, const char *),
     .default_text = "feat_static_real",
     .doc = "Key of the static covariates, [E]."},
    SSK_PARAM_STRING(struct jsonl, name, "item_id", "Key of the series' name."),
    SSK_PARAM_END};

static const struct ssk_dataset_ops jsonl_ops = SSK_FILES_OPS(jsonl_open);

static const struct ssk_component jsonl_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_DATASET,
    .name = "jsonl",
    .summary = "series as lines of JSON, as GluonTS writes them",
    .doc = "One object a line, one line a series: `target` is a list, or a list for each "
           "dimension; `feat_dynamic_real` has a list for each known input, `feat_static_real` "
           "numbers of the series; null and \"NaN\" are missing. Other keys are not looked at; "
           "there is no need of `start`, as steps are counted.",
    .self_size = sizeof(struct jsonl),
    .params = jsonl_params,
    .ops = &jsonl_ops,
    .init = ssk_files_init,
    .done = ssk_files_done,
};

SSK_PLUGIN(&jsonl_component)
