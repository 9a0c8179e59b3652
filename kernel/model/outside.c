/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/outside.h"
#include <math.h>
#include <sskit/files.h>
#include <stdlib.h>
#include <string.h>

/* ---- series ---------------------------------------------------------------------------------- */

static double *copy_of(const double *from, int n) {
  double *copy = malloc(((size_t)n + 1) * sizeof *copy);
  if (copy && n)
    memcpy(copy, from, (size_t)n * sizeof *copy);
  return copy;
}

static bool copy_units(struct ssk_data *data, const struct ssk_data *like) {
  const int D = like->shape.D, V = like->shape.V, E = like->shape.E, d = like->latents;
  data->centre = copy_of(like->centre, D);
  data->scale = copy_of(like->scale, D);
  data->u_centre = copy_of(like->u_centre, V);
  data->u_scale = copy_of(like->u_scale, V);
  data->s_centre = copy_of(like->s_centre, E);
  data->s_scale = copy_of(like->s_scale, E);
  data->z_centre = copy_of(like->z_centre, d);
  data->z_scale = copy_of(like->z_scale, d);
  return data->centre && data->scale && data->u_centre && data->u_scale && data->s_centre &&
         data->s_scale && data->z_centre && data->z_scale;
}

/* [n, room, width]; NULL for no width, and without memory. */
static double *series_of(int64_t n, int64_t room, int width) {
  size_t count;
  if (!width || __builtin_mul_overflow((size_t)n, (size_t)room, &count) ||
      __builtin_mul_overflow(count, (size_t)width, &count))
    return NULL;
  return calloc(count, sizeof(double));
}

int ssk_outside_make(const struct ssk_data *like, int64_t n, int64_t room, struct ssk_data **out,
                     ssk_err *err) {
  *out = NULL;
  struct ssk_data *data = calloc(1, sizeof *data);
  if (!data)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for %lld series", (long long)n);
  data->shape = like->shape;
  data->shape.latent = 0;
  data->shape.max_length = (int)room;
  data->dataset = like->dataset;
  data->standardised = like->standardised;
  data->latents = like->latents;
  data->window_length = like->window_length;
  struct ssk_split_data *split = &data->split[SSK_TEST];
  const struct ssk_data_shape *shape = &data->shape;
  *split = (struct ssk_split_data){.n = n,
                                   .room = room,
                                   .length = calloc((size_t)n + 1, sizeof *split->length),
                                   .x = series_of(n, room, shape->D),
                                   .mask = series_of(n, room, shape->D),
                                   .u = series_of(n, room, shape->V),
                                   .s = series_of(n, 1, shape->E)};
  if (!copy_units(data, like) || !split->length || !split->x || !split->mask ||
      (shape->V && !split->u) || (shape->E && !split->s)) {
    ssk_data_free(data);
    return ssk_err_set(err, SSK_ENOMEM, "no memory for %lld series of %lld steps", (long long)n,
                       (long long)room);
  }
  *out = data;
  return SSK_OK;
}

/* Covariates, in the units of the model. */
static int put_covariates(const double *from, int64_t rows, int width, const double *centre,
                          const double *scale, const char *what, double *to, ssk_err *err) {
  for (int64_t i = 0; i < rows * width; i++) {
    if (!isfinite(from[i]))
      return ssk_err_set(err, SSK_EDATA, "step %lld: %s %lld is not finite", (long long)(i / width),
                         what, (long long)(i % width));
    to[i] = (from[i] - centre[i % width]) / scale[i % width];
  }
  return SSK_OK;
}

int ssk_outside_put(struct ssk_data *data, int64_t i, int length, const double *x, const double *u,
                    const double *s, ssk_err *err) {
  struct ssk_split_data *split = &data->split[SSK_TEST];
  const int D = data->shape.D, V = data->shape.V, E = data->shape.E;
  double *to = split->x + i * split->room * D, *mask = split->mask + i * split->room * D;
  for (int64_t k = 0; k < (int64_t)length * D; k++) {
    if (isinf(x[k]))
      return ssk_err_set(err, SSK_EDATA, "step %lld, dimension %lld is infinite",
                         (long long)(k / D), (long long)(k % D));
    mask[k] = !isnan(x[k]);
    to[k] = isnan(x[k]) ? 0 : x[k];
  }
  split->length[i] = length;
  int code = SSK_OK;
  if (V)
    code = put_covariates(u, length, V, data->u_centre, data->u_scale, "covariate",
                          split->u + i * split->room * V, err);
  if (E && !code)
    code = put_covariates(s, 1, E, data->s_centre, data->s_scale, "static covariate",
                          split->s + i * E, err);
  return code;
}

/* ---- files ----------------------------------------------------------------------------------- */

static const struct ssk_dataset_ops *ops_of(const struct ssk_instance *instance) {
  return instance->component->ops;
}

/* The reader for a file of this name where the recipe's data were generated. */
static const char *reader_of(const char *path) {
  static const char *const known[][2] = {{".npz", "npz"}, {".npy", "npz"},   {".jsonl", "jsonl"},
                                         {".h5", "hdf5"}, {".hdf5", "hdf5"}, {".mat", "mat"}};
  const size_t n = strlen(path);
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    const size_t k = strlen(known[i][0]);
    if (n > k && strcmp(path + n - k, known[i][0]) == 0)
      return known[i][1];
  }
  return "csv";
}

/* The member of this name becomes "", where the reader has one. */
static void clear_text(const struct ssk_instance *instance, const char *name) {
  for (const struct ssk_param *row = instance->component->params; row->name; row++)
    if (strcmp(row->name, name) == 0 && row->type == SSK_T_STRING)
      *(const char **)((char *)instance->self + row->offset) = "";
}

/* Columns that the recipe does not name are those of the training, by their names. */
static void set_columns(const struct ssk_instance *instance, const struct ssk_data *like) {
  for (const struct ssk_param *row = instance->component->params; row->name; row++)
    if (strcmp(row->name, "columns") == 0 && row->type == SSK_T_STRINGS) {
      struct ssk_strings *columns = (void *)((char *)instance->self + row->offset);
      *columns = columns->n ? *columns : like->names;
    }
}

/* An instance of the reader that takes all of the file, each series as a whole. */
static int make_reader(const struct ssk_experiment *e, struct ssk_registry *registry,
                       const struct ssk_data *like, const char *path, struct ssk_outside *out,
                       ssk_err *err) {
  static const char any[] = "path: file\n";
  struct ssk_maker maker = ssk_registry_maker(registry);
  const struct ssk_component *component = e->data->component;
  const struct ssk_node *map = ssk_node_find(e->tree->root, "data");
  if (ops_of(e->data)->fill != ssk_files_fill) {
    component = ssk_registry_find(registry, SSK_DATASET, reader_of(path), NULL, err);
    out->tree = component ? ssk_tree_parse("data", any, strlen(any), 0, NULL, NULL, err) : NULL;
    map = out->tree ? out->tree->root : NULL;
    if (!map)
      return ssk_err_code(err);
  }
  out->reader = ssk_schema_instance(component, map, "data", &maker, &out->arena, err);
  double *all = ssk_arena_zalloc(&out->arena, 3 * sizeof *all);
  if (!out->reader || !all)
    return ssk_err_code(err) ? ssk_err_code(err)
                             : ssk_err_set(err, SSK_ENOMEM, "no memory to read '%s'", path);
  all[0] = 1;
  struct ssk_files *files = out->reader->self;
  files->path = path;
  files->train = files->valid = files->test = files->source = "";
  files->split_by = SSK_FILES_BY_SERIES;
  files->split = (struct ssk_reals){.n = 3, .items = all};
  files->overlap = files->test_length = files->test_stride = 0;
  clear_text(out->reader, "split_column");
  set_columns(out->reader, like);
  return SSK_OK;
}

static int check_shape(const struct ssk_data_shape *has, const struct ssk_data_shape *wants,
                       const char *path, ssk_err *err) {
  if (has->D == wants->D && has->V == wants->V && has->E == wants->E)
    return SSK_OK;
  return ssk_err_set(err, SSK_EDATA,
                     "'%s' has %d dimensions, %d covariates and %d static ones, but the model was "
                     "trained on %d, %d and %d",
                     path, has->D, has->V, has->E, wants->D, wants->V, wants->E);
}

/* Steps up to the last that has an observation. */
static int last_observed(const double *mask, int length, int D) {
  for (int64_t k = (int64_t)length * D; k > 0; k--)
    if (mask[k - 1] != 0)
      return (int)((k - 1) / D) + 1;
  return 0;
}

static int fill_series(struct ssk_outside *out, int64_t i, ssk_err *err) {
  const struct ssk_data *data = out->data;
  const struct ssk_split_data *split = &data->split[SSK_TEST];
  const int D = data->shape.D, V = data->shape.V, E = data->shape.E;
  const int64_t at = i * split->room;
  struct ssk_series series = {.size = sizeof series,
                              .x = split->x + at * D,
                              .mask = split->mask + at * D,
                              .u = V ? split->u + at * V : NULL,
                              .s = E ? split->s + i * E : NULL};
  for (int64_t k = 0; k < split->room * D; k++)
    series.mask[k] = 1;
  int code = ops_of(out->reader)->fill(out->reader->self, SSK_TRAIN, i, &series, err);
  if (code)
    return code;
  for (int64_t k = (int64_t)series.length * D; k < split->room * D; k++)
    series.mask[k] = 0;
  split->length[i] = series.length;
  out->history[i] = V ? last_observed(series.mask, series.length, D) : series.length;
  if (V)
    code = put_covariates(series.u, series.length, V, data->u_centre, data->u_scale, "covariate",
                          series.u, err);
  if (E && !code)
    code = put_covariates(series.s, 1, E, data->s_centre, data->s_scale, "static covariate",
                          series.s, err);
  if (!code && out->history[i] == 0)
    code = ssk_err_set(err, SSK_EDATA, "nothing of it is observed");
  if (code)
    ssk_err_context(err, "series %s", ssk_outside_name(out, i));
  return code;
}

static int read_series(const struct ssk_experiment *e, const struct ssk_data *like,
                       const char *path, struct ssk_outside *out, ssk_err *err) {
  const struct ssk_dataset_ops *ops = ops_of(out->reader);
  struct ssk_data_shape shape = {.size = sizeof shape};
  int code = ops->open(out->reader->self, 0, err);
  if (code)
    return code;
  ops->shape(out->reader->self, &shape);
  const int64_t n = ops->count(out->reader->self, SSK_TRAIN);
  code = check_shape(&shape, &like->shape, path, err);
  if (!code)
    code = ssk_outside_make(like, n, shape.max_length, &out->data, err);
  if (!code && (!(out->history = calloc((size_t)n + 1, sizeof *out->history)) ||
                !(out->first = calloc((size_t)n + 1, sizeof *out->first))))
    code = ssk_err_set(err, SSK_ENOMEM, "no memory for %lld series", (long long)n);
  for (int64_t i = 0; i < n && !code; i++)
    code = fill_series(out, i, err);
  if (!code)
    code = ssk_data_check_values(out->data, e->model.emission, SSK_TEST, err);
  return code;
}

int ssk_outside_read(const struct ssk_experiment *experiment, struct ssk_registry *registry,
                     const struct ssk_data *like, const char *path, struct ssk_outside *out,
                     ssk_err *err) {
  *out = (struct ssk_outside){0};
  int code = make_reader(experiment, registry, like, path, out, err);
  if (!code)
    code = read_series(experiment, like, path, out, err);
  if (code)
    ssk_outside_free(out);
  return code;
}

/* The first `steps` rows of [length, width] go; NULL stays NULL. */
static void drop_rows(double *rows, int steps, int length, int width) {
  if (rows)
    memmove(rows, rows + (size_t)steps * (size_t)width,
            (size_t)(length - steps) * (size_t)width * sizeof *rows);
}

void ssk_outside_keep(struct ssk_outside *outside, int steps) {
  struct ssk_split_data *split = &outside->data->split[SSK_TEST];
  const int D = outside->data->shape.D, V = outside->data->shape.V;
  for (int64_t i = 0; i < split->n; i++) {
    const int dropped = outside->history[i] - steps, length = split->length[i];
    if (dropped <= 0)
      continue;
    double *mask = split->mask + i * split->room * D;
    drop_rows(split->x + i * split->room * D, dropped, length, D);
    drop_rows(mask, dropped, length, D);
    drop_rows(V ? split->u + i * split->room * V : NULL, dropped, length, V);
    memset(mask + (size_t)(length - dropped) * (size_t)D, 0,
           (size_t)dropped * (size_t)D * sizeof *mask);
    split->length[i] -= dropped;
    outside->history[i] -= dropped;
    outside->first[i] += dropped;
  }
}

const char *ssk_outside_name(const struct ssk_outside *outside, int64_t i) {
  struct ssk_series_origin from = {.size = sizeof from};
  ops_of(outside->reader)->origin(outside->reader->self, SSK_TRAIN, i, &from);
  return from.name;
}

void ssk_outside_free(struct ssk_outside *outside) {
  ssk_data_free(outside->data);
  free(outside->history);
  free(outside->first);
  ssk_schema_instance_free(outside->reader);
  ssk_tree_free(outside->tree);
  ssk_arena_free(&outside->arena);
  *outside = (struct ssk_outside){0};
}
