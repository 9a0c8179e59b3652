/* SPDX-License-Identifier: GPL-3.0-or-later */
/* checkpoint.c - training state to and from a safetensors file: tensors "weights/<slice>",
 * "ema/<slice>", "adam.m/<slice>", "adam.v/<slice>", and counters as texts in its metadata. */
#include "train/checkpoint.h"

#include "core/arena.h"
#include "core/log.h"
#include "core/text.h"
#include "train/safetensors.h"
#include "train/slice_array.h"
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <sskit/plugin.h>
#include <stdlib.h>
#include <string.h>

static const char format_name[] = "sskit-checkpoint-1";
static const char *const prefixes[] = {"weights/", "ema/", "adam.m/", "adam.v/"};
enum { n_vectors = sizeof prefixes / sizeof prefixes[0] };

const char *ssk_vector_prefix(enum ssk_vector vector) {
  return prefixes[vector];
}

static ssk_real *vector_of(const struct ssk_optimiser *optimiser, enum ssk_vector vector) {
  switch (vector) {
  case SSK_VECTOR_AVERAGE:
    return optimiser->average;
  case SSK_VECTOR_M:
    return optimiser->m;
  case SSK_VECTOR_V:
    return optimiser->v;
  default:
    return optimiser->values;
  }
}

/* ---- counters as texts ------------------------------------------------------------------------
 */

/* A row for each number, so that writing and reading cannot disagree. */
struct field {
  const char *key;
  bool real;
  size_t offset;
};
#define COUNT(member)                                                                              \
  { #member, false, offsetof(struct ssk_counters, member) }
#define COUNT_IN(key, member)                                                                      \
  { key, false, offsetof(struct ssk_counters, member) }
#define REAL(key, member)                                                                          \
  { key, true, offsetof(struct ssk_counters, member) }
static const struct field fields[] = {
    COUNT(step),
    COUNT(updates),
    COUNT(skipped),
    COUNT(skipped_in_row),
    COUNT(best_step),
    REAL("best", best),
    COUNT(validated_step),
    COUNT_IN("validation_series", validation.series),
    REAL("validation_distortion", validation.distortion),
    REAL("validation_initial", validation.initial),
    REAL("validation_transition", validation.transition),
    REAL("validation_total", validation.total),
    REAL("validation_se", validation.se),
    REAL("validation_steps", validation.steps),
};
enum { n_fields = sizeof fields / sizeof fields[0] };

static const char *write_field(const struct field *field, const struct ssk_counters *counters,
                               char text[32]) {
  const char *at = (const char *)counters + field->offset;
  if (field->real)
    return ssk_text_double(text, *(const double *)at);
  snprintf(text, 32, "%" PRId64, *(const int64_t *)at);
  return text;
}

/* Reads what write_field writes; a validation may have been so bad that it is nan. */
static bool read_field(const struct field *field, const char *text, struct ssk_counters *counters) {
  char *at = (char *)counters + field->offset;
  if (!text || !*text)
    return false;
  if (field->real && strcmp(text, "nan") == 0) {
    *(double *)at = NAN;
    return true;
  }
  if (field->real)
    return ssk_text_read_double(text, (double *)at);
  char *end;
  errno = 0;
  *(int64_t *)at = strtoll(text, &end, 10);
  return errno == 0 && *end == 0 && *(int64_t *)at >= 0;
}

static bool read_hash(const char *text, uint64_t *value) {
  char *end;
  if (!text || !*text)
    return false;
  errno = 0;
  *value = strtoull(text, &end, 16);
  return errno == 0 && *end == 0;
}

/* ---- writing -------------------------------------------------------------------------------- */

static void describe_vectors(const struct ssk_optimiser *optimiser, struct ssk_arena *names,
                             struct ssk_array *arrays) {
  const struct ssk_layout *layout = optimiser->layout;
  for (int k = 0; k < n_vectors; k++)
    for (int i = 0; i < layout->n; i++) {
      const struct ssk_slice *slice = &layout->slice[i];
      struct ssk_array *array = &arrays[k * layout->n + i];
      *array = ssk_slice_array(ssk_arena_printf(names, "%s%s", prefixes[k], slice->name), slice,
                               vector_of(optimiser, (enum ssk_vector)k));
    }
}

int ssk_checkpoint_save(const char *path, const struct ssk_optimiser *optimiser,
                        const struct ssk_counters *counters, const struct ssk_origin *origin,
                        ssk_err *err) {
  struct ssk_counters state = *counters;
  state.updates = optimiser->updates;
  char seed[32], fingerprint[32], abi[32], texts[n_fields][32];
  snprintf(seed, sizeof seed, "%" PRIx64, origin->seed);
  snprintf(fingerprint, sizeof fingerprint, "%" PRIx64, origin->fingerprint);
  snprintf(abi, sizeof abi, "%u", SSK_ABI);
  struct ssk_metadata metadata[n_fields + 8] = {{"format", format_name},
                                                {"version", SSK_KERNEL_VERSION},
                                                {"abi", abi},
                                                {"real", ssk_own_dtype()},
                                                {"seed_hex", seed},
                                                {"data_fingerprint", fingerprint},
                                                {"recipe", origin->recipe}};
  for (int i = 0; i < n_fields; i++)
    metadata[7 + i] =
        (struct ssk_metadata){fields[i].key, write_field(&fields[i], &state, texts[i])};

  int n_metadata = n_fields + 7;
  if (origin->units)
    metadata[n_metadata++] = (struct ssk_metadata){"units", origin->units};

  const int n = n_vectors * optimiser->layout->n;
  struct ssk_array *arrays = calloc((size_t)n + 1, sizeof *arrays);
  if (!arrays)
    return ssk_err_set(err, SSK_ENOMEM, "no memory to write '%s'", path);
  struct ssk_arena names = {0};
  describe_vectors(optimiser, &names, arrays);
  int code = ssk_safetensors_write(path, arrays, n, metadata, n_metadata, err);
  ssk_arena_free(&names);
  free(arrays);
  return code;
}

/* ---- reading -------------------------------------------------------------------------------- */

static int damaged(const struct ssk_checkpoint *c, const char *key, ssk_err *err) {
  return ssk_err_set(err, SSK_EDATA,
                     "checkpoint '%s' is damaged: its entry '%s' is missing or wrong", c->path,
                     key);
}

static int read_metadata(struct ssk_checkpoint *c, ssk_err *err) {
  const char *format = ssk_safetensors_text(c->file, "format");
  if (!format || strcmp(format, format_name) != 0)
    return ssk_err_set(err, SSK_EDATA,
                       "'%s' is no checkpoint of sskit: its format is '%.40s', not '%s'", c->path,
                       format ? format : "unknown", format_name);
  const char *version = ssk_safetensors_text(c->file, "version");
  if (version && strcmp(version, SSK_KERNEL_VERSION) != 0)
    ssk_say(SSK_LOG_WARNING,
            "checkpoint '%s' was written by version %s, this is " SSK_KERNEL_VERSION, c->path,
            version);
  c->origin.recipe = ssk_safetensors_text(c->file, "recipe");
  if (!c->origin.recipe)
    return damaged(c, "recipe", err);
  c->origin.units = ssk_safetensors_text(c->file, "units");
  if (!read_hash(ssk_safetensors_text(c->file, "seed_hex"), &c->origin.seed))
    return damaged(c, "seed_hex", err);
  if (!read_hash(ssk_safetensors_text(c->file, "data_fingerprint"), &c->origin.fingerprint))
    return damaged(c, "data_fingerprint", err);
  for (int i = 0; i < n_fields; i++)
    if (!read_field(&fields[i], ssk_safetensors_text(c->file, fields[i].key), &c->counters))
      return damaged(c, fields[i].key, err);
  return SSK_OK;
}

int ssk_checkpoint_open(struct ssk_checkpoint *checkpoint, const char *path, ssk_err *err) {
  *checkpoint = (struct ssk_checkpoint){.path = path};
  int code = ssk_safetensors_open(path, &checkpoint->file, err);
  if (!code)
    code = read_metadata(checkpoint, err);
  if (code)
    ssk_checkpoint_close(checkpoint);
  return code;
}

int64_t ssk_checkpoint_step(const char *path) {
  char *text = ssk_safetensors_peek(path, "step"), *end = text;
  const long long step = text ? strtoll(text, &end, 10) : -1;
  const bool whole = end != text && !*end;
  free(text);
  return whole ? step : -1;
}

void ssk_checkpoint_close(struct ssk_checkpoint *checkpoint) {
  ssk_safetensors_close(checkpoint->file);
  *checkpoint = (struct ssk_checkpoint){0};
}

static void print_shape(struct ssk_text *out, const struct ssk_array *array) {
  for (int i = 0; i < array->ndim; i++)
    ssk_text_printf(out, "%s%" PRId64, i ? ", " : "", array->shape[i]);
}

static bool shapes_agree(const struct ssk_array *array, const struct ssk_slice *slice) {
  if (array->ndim != slice->ndim)
    return false;
  for (int i = 0; i < slice->ndim; i++)
    if (array->shape[i] != slice->shape[i])
      return false;
  return true;
}

static int refuse_shape(const struct ssk_checkpoint *c, const struct ssk_array *array,
                        const struct ssk_slice *slice, ssk_err *err) {
  struct ssk_array wanted = {.ndim = slice->ndim};
  for (int i = 0; i < slice->ndim; i++)
    wanted.shape[i] = slice->shape[i];
  struct ssk_text has = {0}, needs = {0};
  print_shape(&has, array);
  print_shape(&needs, &wanted);
  int code =
      ssk_err_set(err, SSK_EDATA, "checkpoint '%s': tensor '%s' is [%s], the model needs [%s]",
                  c->path, array->name, has.data ? has.data : "", needs.data ? needs.data : "");
  ssk_err_hint(err, "the recipe differs from the one that the checkpoint was trained with");
  ssk_text_free(&has);
  ssk_text_free(&needs);
  return code;
}

static int read_slice(const struct ssk_checkpoint *c, const char *name,
                      const struct ssk_slice *slice, ssk_real *values, ssk_err *err) {
  const struct ssk_array *array = ssk_safetensors_find(c->file, name);
  if (!array)
    return ssk_err_set(err, SSK_EDATA, "checkpoint '%s' lacks the tensor '%s' that the model has",
                       c->path, name);
  if (strcmp(array->dtype, ssk_own_dtype()) != 0)
    return ssk_err_set(err, SSK_EDATA, "checkpoint '%s': tensor '%s' is %s, this build reads %s",
                       c->path, name, array->dtype, ssk_own_dtype());
  if (!shapes_agree(array, slice))
    return refuse_shape(c, array, slice, err);
  memcpy(values + slice->offset, array->data, array->size);
  return SSK_OK;
}

/* A tensor of the vector that no slice has claimed. */
static int refuse_strangers(const struct ssk_checkpoint *c, const char *prefix,
                            const struct ssk_layout *layout, ssk_err *err) {
  const size_t n = strlen(prefix);
  const struct ssk_array *array;
  for (int i = 0; (array = ssk_safetensors_at(c->file, i)); i++) {
    if (strncmp(array->name, prefix, n) != 0)
      continue;
    int k = 0;
    while (k < layout->n && strcmp(layout->slice[k].name, array->name + n) != 0)
      k++;
    if (k == layout->n)
      return ssk_err_set(err, SSK_EDATA, "checkpoint '%s': the model has no tensor '%.200s'",
                         c->path, array->name);
  }
  return SSK_OK;
}

int ssk_checkpoint_read_parts(const struct ssk_checkpoint *checkpoint, enum ssk_vector vector,
                              const struct ssk_layout *layout, unsigned parts, ssk_real *values,
                              ssk_err *err) {
  const char *prefix = prefixes[vector];
  int code = SSK_OK;
  for (int i = 0; i < layout->n && !code; i++) {
    if (!(parts & 1u << layout->slice[i].part))
      continue;
    struct ssk_text name = {0};
    ssk_text_printf(&name, "%s%s", prefix, layout->slice[i].name);
    code = name.failed ? ssk_err_set(err, SSK_ENOMEM, "no memory to read '%s'", checkpoint->path)
                       : read_slice(checkpoint, name.data, &layout->slice[i], values, err);
    ssk_text_free(&name);
  }
  return code;
}

int ssk_checkpoint_read(const struct ssk_checkpoint *checkpoint, enum ssk_vector vector,
                        const struct ssk_layout *layout, ssk_real *values, ssk_err *err) {
  int code = ssk_checkpoint_read_parts(checkpoint, vector, layout, ~0u, values, err);
  return code ? code : refuse_strangers(checkpoint, prefixes[vector], layout, err);
}

int ssk_checkpoint_restore(const struct ssk_checkpoint *checkpoint, struct ssk_optimiser *optimiser,
                           ssk_err *err) {
  int code = SSK_OK;
  for (int k = 0; k < n_vectors && !code; k++)
    code = ssk_checkpoint_read(checkpoint, (enum ssk_vector)k, optimiser->layout,
                               vector_of(optimiser, (enum ssk_vector)k), err);
  optimiser->updates = checkpoint->counters.updates;
  return code;
}
