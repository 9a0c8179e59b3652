/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/units.h"
#include <jansson.h>
#include <stdlib.h>

/* A list of centres or scales: one row each, so that writing and reading cannot disagree. */
struct list {
  const char *key;
  int n;
  double *values;
};
enum { LISTS = 8 };

static void lists_of(const struct ssk_data *data, struct list lists[LISTS]) {
  const struct ssk_data_shape *shape = &data->shape;
  const struct list all[LISTS] = {{"centre", shape->D, data->centre},
                                  {"scale", shape->D, data->scale},
                                  {"covariate_centre", shape->V, data->u_centre},
                                  {"covariate_scale", shape->V, data->u_scale},
                                  {"static_centre", shape->E, data->s_centre},
                                  {"static_scale", shape->E, data->s_scale},
                                  {"latent_centre", data->latents, data->z_centre},
                                  {"latent_scale", data->latents, data->z_scale}};
  for (int i = 0; i < LISTS; i++)
    lists[i] = all[i];
}

/* NULL where one is no UTF-8, which JSON must be in: then columns go by their order. */
static json_t *names_of(const struct ssk_data *data) {
  json_t *names = json_array();
  bool text = true;
  for (int k = 0; k < data->names.n && text; k++)
    text = json_array_append_new(names, json_string(data->names.items[k])) == 0;
  if (!text) {
    json_decref(names);
    names = NULL;
  }
  return names;
}

char *ssk_units_write(const struct ssk_data *data) {
  struct list lists[LISTS];
  lists_of(data, lists);
  json_t *object =
      json_pack("{s:i, s:i, s:i, s:i, s:i, s:b}", "dimensions", data->shape.D, "covariates",
                data->shape.V, "static", data->shape.E, "latents", data->latents, "window",
                data->window_length, "standardised", data->standardised);
  bool fits = object != NULL;
  for (int i = 0; i < LISTS && fits; i++) {
    json_t *list = json_array();
    for (int k = 0; k < lists[i].n && fits; k++)
      fits = json_array_append_new(list, json_real(lists[i].values[k])) == 0;
    fits = json_object_set_new(object, lists[i].key, list) == 0 && fits;
  }
  json_t *names = fits && data->names.n ? names_of(data) : NULL;
  if (names)
    fits = json_object_set_new(object, "names", names) == 0;
  char *text = fits ? json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
  json_decref(object);
  return text;
}

static bool read_lists(const json_t *object, const struct ssk_data *data) {
  struct list lists[LISTS];
  lists_of(data, lists);
  for (int i = 0; i < LISTS; i++) {
    const json_t *list = json_object_get(object, lists[i].key);
    if (json_array_size(list) != (size_t)lists[i].n)
      return false;
    for (int k = 0; k < lists[i].n; k++) {
      const json_t *value = json_array_get(list, (size_t)k);
      if (!json_is_number(value))
        return false;
      lists[i].values[k] = json_number_value(value);
      if (i % 2 && lists[i].values[k] <= 0)
        return false;
    }
  }
  return true;
}

/* Names of the dimensions, where there are any. */
static int read_names(const json_t *object, struct ssk_data *data) {
  const json_t *list = json_object_get(object, "names");
  struct ssk_strings names = {.n = (int)json_array_size(list)};
  if (!list)
    return SSK_OK;
  if (names.n != data->shape.D || !(names.items = calloc((size_t)names.n + 1, sizeof *names.items)))
    return names.n != data->shape.D ? SSK_EDATA : SSK_ENOMEM;
  bool whole = true;
  for (int k = 0; k < names.n && whole; k++)
    whole = (names.items[k] = json_string_value(json_array_get(list, (size_t)k)));
  const int code = !whole ? SSK_EDATA : ssk_data_set_names(data, &names) ? SSK_OK : SSK_ENOMEM;
  free(names.items);
  return code;
}

/* Sizes that no file may claim: what they allocate would not fit anywhere. */
static bool sane(const struct ssk_data *data) {
  const int most = 1 << 24;
  const struct ssk_data_shape *shape = &data->shape;
  return shape->D >= 1 && shape->D <= most && shape->V >= 0 && shape->V <= most && shape->E >= 0 &&
         shape->E <= most && data->latents >= 0 && data->latents <= most &&
         data->window_length >= 1;
}

static int damaged(const char *path, ssk_err *err) {
  return ssk_err_set(err, SSK_EDATA, "checkpoint '%s' is damaged: its entry 'units' is wrong",
                     path);
}

int ssk_units_take(const char *path, const char *text, struct ssk_data *data, ssk_err *err) {
  json_t *object = json_loads(text, 0, NULL);
  int D, V, E, latents;
  int code = SSK_OK;
  if (json_unpack(object, "{s:i, s:i, s:i, s:i}", "dimensions", &D, "covariates", &V, "static", &E,
                  "latents", &latents))
    code = damaged(path, err);
  else if (D == data->shape.D && V == data->shape.V && E == data->shape.E &&
           latents == data->latents && !read_lists(object, data))
    code = damaged(path, err);
  json_decref(object);
  return code;
}

int ssk_units_read(const char *path, const char *text, const struct ssk_experiment *experiment,
                   struct ssk_data **out, ssk_err *err) {
  *out = NULL;
  struct ssk_data *data = calloc(1, sizeof *data);
  if (!data)
    return ssk_err_set(err, SSK_ENOMEM, "no memory to open '%s'", path);
  data->dataset = experiment->data;
  data->shape.size = sizeof data->shape;
  json_t *object = json_loads(text, 0, NULL);
  int standardised = 0;
  int failed =
      json_unpack(object, "{s:i, s:i, s:i, s:i, s:i, s:b}", "dimensions", &data->shape.D,
                  "covariates", &data->shape.V, "static", &data->shape.E, "latents", &data->latents,
                  "window", &data->window_length, "standardised", &standardised);
  data->standardised = standardised;
  int code = SSK_OK;
  if (failed || !sane(data))
    code = SSK_EDATA;
  else if (!ssk_data_units_alloc(data))
    code = SSK_ENOMEM;
  else
    code = read_lists(object, data) ? read_names(object, data) : SSK_EDATA;
  json_decref(object);
  if (code == SSK_ENOMEM)
    ssk_err_set(err, SSK_ENOMEM, "no memory to open '%s'", path);
  if (code == SSK_EDATA)
    damaged(path, err);
  if (code) {
    ssk_data_free(data);
    return code;
  }
  *out = data;
  return SSK_OK;
}
