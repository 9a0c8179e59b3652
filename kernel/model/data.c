/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data.c - reading a data set into memory, standardising it, and shuffling its windows. */
#include "model/data.h"
#include "core/hash.h"
#include "core/log.h"
#include "core/text.h"
#include <sskit/files.h>
#include <stdlib.h>
#include <string.h>

const char *ssk_split_name(enum ssk_split split) {
  static const char *const names[SSK_SPLIT_COUNT] = {"train", "valid", "test"};
  return names[split];
}

static const struct ssk_dataset_ops *ops_of(const struct ssk_data *data) {
  return data->dataset->component->ops;
}

static double *new_array(int64_t n, int64_t length, int width, bool *failed) {
  if (!width || !n)
    return NULL;
  double *array = calloc((size_t)n * (size_t)length * (size_t)width, sizeof *array);
  if (!array)
    *failed = true;
  return array;
}

/* A value that was observed must be a number: a model has no use for NaN, and a sum would spread
 * it. */
static int check_series(const struct ssk_data *data, enum ssk_split split, int64_t i, int length,
                        const double *x, double *mask, ssk_err *err) {
  int D = data->shape.D;
  const int64_t room = data->split[split].room;
  if (length < 1 || length > room)
    return ssk_err_set(
        err, SSK_EDATA, "data set '%s': %s series %lld has %d steps; 1 to %d expected",
        data->dataset->component->name, ssk_split_name(split), (long long)i, length, (int)room);
  for (int k = 0; k < length * D; k++)
    if (mask[k] != 0 && !isfinite(x[k]))
      return ssk_err_set(
          err, SSK_EDATA, "data set '%s': %s series %lld, step %d, dimension %d is not finite",
          data->dataset->component->name, ssk_split_name(split), (long long)i, k / D, k % D);
  for (int k = length * D; k < room * D; k++)
    mask[k] = 0;
  return SSK_OK;
}

/* An emission of binary or count data must not be asked for the density of anything else. */
int ssk_data_check_values(const struct ssk_data *data, const struct ssk_instance *emission,
                          enum ssk_split which, ssk_err *err) {
  const struct ssk_emission_ops *ops = emission->component->ops;
  const struct ssk_split_data *split = &data->split[which];
  int64_t row = split->room * data->shape.D;
  for (int64_t k = 0; ops->refuse && k < split->n * row; k++) {
    const char *wanted = split->mask[k] != 0 ? ops->refuse(emission->self, split->x[k]) : NULL;
    if (!wanted)
      continue;
    ssk_err_set(err, SSK_EDATA,
                "data set '%s': %s series %lld, step %d, dimension %d is %.9g, but the emission "
                "'%s' takes %s",
                data->dataset->component->name, ssk_split_name(which), (long long)(k / row),
                (int)(k % row) / data->shape.D, (int)(k % row) % data->shape.D, split->x[k],
                emission->component->name, wanted);
    ssk_err_hint(err, "choose other columns, or an emission of real-valued observations");
    return SSK_EDATA;
  }
  return SSK_OK;
}

/* Rows for each series of a split: the longest, where the data set tells it beforehand. */
static int64_t room_of(const struct ssk_data *data, enum ssk_split which) {
  const struct ssk_dataset_ops *ops = ops_of(data);
  int longest = ops->length ? 1 : data->shape.max_length;
  for (int64_t i = 0; ops->length && i < data->split[which].n; i++) {
    int length = ops->length(data->dataset->self, which, i);
    longest = length > longest ? length : longest;
  }
  return longest;
}

/* Where a split, and each of its series, begins belongs to the data, too. */
static void hash_sizes(struct ssk_data *data, enum ssk_split which) {
  const struct ssk_split_data *split = &data->split[which];
  const int64_t sizes[] = {(int64_t)which, split->n, data->shape.D, data->shape.V, data->shape.E};
  data->fingerprint = ssk_hash(data->fingerprint, sizes, sizeof sizes);
  for (int64_t i = 0; i < split->n; i++) {
    const int64_t length = split->length[i];
    data->fingerprint = ssk_hash(data->fingerprint, &length, sizeof length);
  }
}

static int load_split(struct ssk_data *data, enum ssk_split which, ssk_err *err) {
  const struct ssk_data_shape *shape = &data->shape;
  struct ssk_split_data *split = &data->split[which];
  split->n = ops_of(data)->count(data->dataset->self, which);
  if (split->n <= 0) {
    split->n = 0;
    return SSK_OK;
  }
  const int64_t L = split->room = room_of(data, which);
  bool failed = false;
  split->length = calloc((size_t)split->n, sizeof *split->length);
  split->x = new_array(split->n, L, shape->D, &failed);
  split->mask = new_array(split->n, L, shape->D, &failed);
  split->u = new_array(split->n, L, shape->V, &failed);
  split->s = new_array(split->n, 1, shape->E, &failed);
  split->z = new_array(split->n, L, shape->latent, &failed);
  if (failed || !split->length)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the %s split", ssk_split_name(which));
  for (int64_t i = 0; i < split->n; i++) {
    double *mask = split->mask + i * L * shape->D;
    for (int64_t k = 0; k < L * shape->D; k++)
      mask[k] = 1;
    struct ssk_series series = {.size = sizeof series,
                                .x = split->x + i * L * shape->D,
                                .mask = mask,
                                .u = split->u ? split->u + i * L * shape->V : NULL,
                                .s = split->s ? split->s + i * shape->E : NULL,
                                .z = split->z ? split->z + i * L * shape->latent : NULL};
    int code = ops_of(data)->fill(data->dataset->self, which, i, &series, err);
    if (!code)
      code = check_series(data, which, i, series.length, series.x, mask, err);
    if (code)
      return code;
    split->length[i] = series.length;
    data->fingerprint = ssk_hash(data->fingerprint, series.x,
                                 (size_t)series.length * (size_t)shape->D * sizeof(double));
    data->fingerprint = ssk_hash(data->fingerprint, mask,
                                 (size_t)series.length * (size_t)shape->D * sizeof(double));
    if (shape->V)
      data->fingerprint = ssk_hash(data->fingerprint, series.u,
                                   (size_t)series.length * (size_t)shape->V * sizeof(double));
    if (shape->E)
      data->fingerprint = ssk_hash(data->fingerprint, series.s, (size_t)shape->E * sizeof(double));
  }
  hash_sizes(data, which);
  return SSK_OK;
}

/* Is entry k of a row of training values there: observed, or, without a mask, within its series? */
static bool is_there(const struct ssk_data *data, const double *mask, int64_t room, int64_t row,
                     int width, int k) {
  return mask ? mask[row * width + k] != 0 : row % room < data->split[SSK_TRAIN].length[row / room];
}

/* Mean and deviation of entry k of `width` training values a row, of which a series has `room`; a
 * constant one keeps the scale 1. */
static void standardise(const struct ssk_data *data, const double *values, const double *mask,
                        int64_t room, int width, int k, double *centre, double *scale) {
  int64_t rows = data->split[SSK_TRAIN].n * room;
  double n = 0, sum = 0, squares = 0;
  for (int64_t r = 0; r < rows; r++)
    if (is_there(data, mask, room, r, width, k))
      n++, sum += values[r * width + k];
  double mean = n > 0 ? sum / n : 0;
  for (int64_t r = 0; r < rows; r++)
    if (is_there(data, mask, room, r, width, k))
      squares += (values[r * width + k] - mean) * (values[r * width + k] - mean);
  double deviation = n > 0 ? sqrt(squares / n) : 0;
  *centre = mean;
  *scale = deviation > 1e-12 * (1 + fabs(mean)) ? deviation : 1;
}

bool ssk_data_units_alloc(struct ssk_data *data) {
  struct {
    int n;
    double **centre, **scale;
  } const all[] = {{data->shape.D, &data->centre, &data->scale},
                   {data->shape.V, &data->u_centre, &data->u_scale},
                   {data->shape.E, &data->s_centre, &data->s_scale},
                   {data->latents, &data->z_centre, &data->z_scale}};
  bool fits = true;
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
    *all[i].centre = calloc((size_t)all[i].n + 1, sizeof **all[i].centre);
    *all[i].scale = calloc((size_t)all[i].n + 1, sizeof **all[i].scale);
    fits = fits && *all[i].centre && *all[i].scale;
    for (int k = 0; fits && k < all[i].n; k++)
      (*all[i].scale)[k] = 1;
  }
  return fits;
}

void ssk_data_units(const struct ssk_data *data, int k, double *centre, double *scale) {
  const struct ssk_split_data *train = &data->split[SSK_TRAIN];
  standardise(data, train->x, train->mask, train->room, data->shape.D, k, centre, scale);
}

/* The units of the model: observations, unless its emission takes them as they are, and latents. */
static int choose_units(struct ssk_data *data, const struct ssk_experiment *e, ssk_err *err) {
  const struct ssk_emission_ops *emission = e->model.emission->component->ops;
  const struct ssk_split_data *train = &data->split[SSK_TRAIN];
  if (!ssk_data_units_alloc(data))
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the data set");
  data->standardised = e->standardise && !emission->discrete;
  for (int k = 0; k < data->shape.D && data->standardised; k++)
    ssk_data_units(data, k, &data->centre[k], &data->scale[k]);
  for (int k = 0; k < data->latents && e->standardise; k++)
    standardise(data, train->z, NULL, train->room, data->shape.latent, k, &data->z_centre[k],
                &data->z_scale[k]);
  return SSK_OK;
}

/* Covariates, too, have the units of the training series: nobody asks for them in their own, so
 * that they are changed where they are. A static one is a row by itself. */
static void scale_covariate(struct ssk_data *data, bool is_static, int width, int k) {
  const struct ssk_split_data *train = &data->split[SSK_TRAIN];
  double *centre = (is_static ? data->s_centre : data->u_centre) + k;
  double *scale = (is_static ? data->s_scale : data->u_scale) + k;
  standardise(data, is_static ? train->s : train->u, NULL, is_static ? 1 : train->room, width, k,
              centre, scale);
  for (int s = 0; s < SSK_SPLIT_COUNT; s++) {
    const struct ssk_split_data *split = &data->split[s];
    const int64_t room = is_static ? 1 : split->room;
    double *values = is_static ? split->s : split->u;
    for (int64_t r = 0; r < split->n * room; r++)
      if (r % room < split->length[r / room])
        values[r * width + k] = (values[r * width + k] - *centre) / *scale;
  }
}

static void scale_covariates(struct ssk_data *data) {
  for (int k = 0; k < data->shape.V; k++)
    scale_covariate(data, false, data->shape.V, k);
  for (int k = 0; k < data->shape.E; k++)
    scale_covariate(data, true, data->shape.E, k);
}

static int cut_windows(struct ssk_data *data, const struct ssk_experiment *e, ssk_err *err) {
  const struct ssk_split_data *train = &data->split[SSK_TRAIN];
  int longest = 0, shortest = data->shape.max_length;
  for (int64_t i = 0; i < train->n; i++) {
    longest = train->length[i] > longest ? train->length[i] : longest;
    shortest = train->length[i] < shortest ? train->length[i] : shortest;
  }
  int length = e->window.length ? (int)e->window.length : longest;
  if (e->window.length > longest) {
    const struct ssk_node *node = ssk_node_find(e->tree->root, "window.length");
    return ssk_err_at(err, SSK_ERECIPE, node ? &node->pos : NULL,
                      "window.length is %lld, but the longest training series has %d steps",
                      (long long)e->window.length, longest);
  }
  data->window_length = length;
  /* A series shorter than the window gives one window, whose end is masked. */
  for (int pass = 0; pass < 2; pass++) {
    int64_t n = 0;
    for (int64_t i = 0; i < train->n; i++) {
      int last = train->length[i] > length ? train->length[i] - length : 0;
      for (int start = 0; start <= last; start += (int)e->window.stride, n++)
        if (pass)
          data->windows[n] = (struct ssk_window){.series = i, .start = start};
    }
    data->n_windows = n;
    if (!pass && !(data->windows = calloc((size_t)n, sizeof *data->windows)))
      return ssk_err_set(err, SSK_ENOMEM, "no memory for training windows");
  }
  return SSK_OK;
}

bool ssk_data_set_names(struct ssk_data *data, const struct ssk_strings *names) {
  struct ssk_strings *own = &data->names;
  own->items = calloc((size_t)names->n + 1, sizeof *own->items);
  while (own->items && own->n < names->n && (own->items[own->n] = strdup(names->items[own->n])))
    own->n++;
  return own->n == names->n;
}

bool ssk_data_reads_files(const struct ssk_instance *dataset) {
  return ((const struct ssk_dataset_ops *)dataset->component->ops)->fill == ssk_files_fill;
}

const struct ssk_strings *ssk_data_left_out(const struct ssk_data *data) {
  static const struct ssk_strings none = {0};
  return ssk_data_reads_files(data->dataset) ? ssk_files_left_out(data->dataset->self) : &none;
}

void ssk_data_warn(const struct ssk_data *data) {
  enum { SHOWN = 8 };
  const struct ssk_strings *left_out = ssk_data_left_out(data);
  struct ssk_text text = {0};
  for (int i = 0; i < left_out->n && i < SHOWN; i++)
    ssk_text_printf(&text, "%s%s", i ? ", " : "", left_out->items[i]);
  if (left_out->n > SHOWN)
    ssk_text_printf(&text, ", and %d more ('sskit data describe' shows all)", left_out->n - SHOWN);
  if (text.data && !text.failed)
    ssk_say(SSK_LOG_WARNING, "columns that are not modelled: %s", text.data);
  ssk_text_free(&text);
}

/* What the data set calls its dimensions, if it does. */
static int load_names(struct ssk_data *data, ssk_err *err) {
  struct ssk_strings names = {0};
  if (ops_of(data)->names)
    ops_of(data)->names(data->dataset->self, &names);
  if (names.n != data->shape.D || ssk_data_set_names(data, &names))
    return SSK_OK;
  return ssk_err_set(err, SSK_ENOMEM, "no memory for the names of %d dimensions", names.n);
}

static int load(struct ssk_data *data, const struct ssk_experiment *e, ssk_err *err) {
  const struct ssk_component *component = e->data->component;
  uint64_t seed = ssk_hash_text(0, component->name);
  int code = ops_of(data)->open(e->data->self, seed, err);
  if (code)
    return code;
  data->shape.size = sizeof data->shape;
  ops_of(data)->shape(e->data->self, &data->shape);
  if (data->shape.D < 1 || data->shape.max_length < 1)
    return ssk_err_set(err, SSK_EDATA, "data set '%s' is empty: %d dimensions, %d steps",
                       component->name, data->shape.D, data->shape.max_length);
  code = load_names(data, err);
  for (int s = 0; s < SSK_SPLIT_COUNT && !code; s++) {
    code = load_split(data, s, err);
    if (!code)
      code = ssk_data_check_values(data, e->model.emission, s, err);
  }
  if (code)
    return code;
  if (!data->split[SSK_TRAIN].n)
    return ssk_err_set(err, SSK_EDATA, "data set '%s' has no training series", component->name);
  code = ssk_data_hold_out(data, &e->missing, err);
  if (code)
    return code;
  data->oracle = ops_of(data)->oracle ? ops_of(data)->oracle(e->data->self) : NULL;
  data->latents = data->shape.latent - (data->oracle ? data->oracle->labels : 0);
  code = choose_units(data, e, err);
  if (!code && e->standardise)
    scale_covariates(data);
  return code ? code : cut_windows(data, e, err);
}

int ssk_data_load(const struct ssk_experiment *experiment, struct ssk_data **out, ssk_err *err) {
  *out = NULL;
  struct ssk_data *data = calloc(1, sizeof *data);
  if (!data)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for the data set");
  data->dataset = experiment->data;
  int code = load(data, experiment, err);
  if (code) {
    ssk_data_free(data);
    return code;
  }
  *out = data;
  return SSK_OK;
}

void ssk_data_free(struct ssk_data *data) {
  if (!data)
    return;
  for (int s = 0; s < SSK_SPLIT_COUNT; s++) {
    struct ssk_split_data *split = &data->split[s];
    free(split->length);
    free(split->x);
    free(split->mask);
    free(split->u);
    free(split->s);
    free(split->z);
    free(split->hidden);
  }
  free(data->centre);
  free(data->scale);
  free(data->u_centre);
  free(data->u_scale);
  free(data->s_centre);
  free(data->s_scale);
  free(data->z_centre);
  free(data->z_scale);
  for (int k = 0; k < data->names.n; k++)
    free((char *)data->names.items[k]);
  free(data->names.items);
  free(data->windows);
  free(data);
}

double ssk_data_log_jacobian(const struct ssk_data *data, const double *mask, int steps) {
  double sum = 0;
  for (int t = 0; t < steps; t++)
    for (int k = 0; k < data->shape.D; k++)
      if (mask[t * data->shape.D + k] != 0)
        sum -= log(data->scale[k]);
  return sum;
}

/* ---- the order of training ------------------------------------------------------------------ */

void ssk_window_order_free(struct ssk_window_order *order) {
  free(order->index);
  *order = (struct ssk_window_order){0};
}

int ssk_data_draw(const struct ssk_data *data, uint64_t seed, uint64_t position,
                  struct ssk_window_order *order, struct ssk_window *out) {
  int64_t n = data->n_windows;
  int64_t epoch = (int64_t)(position / (uint64_t)n) + 1;
  if (!order->index) {
    order->index = calloc((size_t)n, sizeof *order->index);
    if (!order->index)
      return SSK_ENOMEM;
  }
  if (order->epoch != epoch) { /* Fisher and Yates */
    ssk_rng rng = ssk_rng_open(seed, "training", "order of windows", (uint32_t)epoch, 0);
    for (int64_t i = 0; i < n; i++)
      order->index[i] = i;
    for (int64_t i = n - 1; i > 0; i--) {
      int64_t k = (int64_t)ssk_rng_below(&rng, (uint64_t)i + 1);
      int64_t held = order->index[i];
      order->index[i] = order->index[k];
      order->index[k] = held;
    }
    order->epoch = epoch;
  }
  *out = data->windows[order->index[position % (uint64_t)n]];
  return SSK_OK;
}
