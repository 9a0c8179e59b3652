/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store.c - declaring weights, their initial values, and statistics.
 *
 * Declaration only fixes names, shapes and offsets; memory for values is the caller's. Initial
 * values are drawn from a random stream named after the weight, so adding or swapping a component
 * never changes another one's start. */
#include "model/store.h"
#include <sskit/plugin.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN_ENTRIES = 16 }; /* 64 bytes of float: slices start at a cache line */

const char *ssk_part_name(enum ssk_part part) {
  static const char *const names[SSK_PART_COUNT] = {"summary", "encoder",    "emission",
                                                    "initial", "transition", "objective"};
  return names[part];
}

int ssk_build_fail(ssk_builder *b, int code, const char *format, ...) {
  if (b->code)
    return b->code;
  char text[512];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  b->code = ssk_err_set(b->err, code, "%s%s: %s", b->part == SSK_PART_OBJECTIVE ? "" : "model.",
                        b->scope, text);
  return b->code;
}

int ssk_build_code(const ssk_builder *b) {
  return b->code;
}

void ssk_scope(ssk_builder *b, const char *format, ...) {
  char name[96];
  va_list args;
  va_start(args, format);
  vsnprintf(name, sizeof name, format, args);
  va_end(args);
  size_t extra = strlen(name) + (b->scope_length ? 1 : 0);
  if (b->scope_length + extra >= sizeof b->scope) {
    ssk_build_fail(b, SSK_EPLUGIN, "scopes are nested too deeply at '%s'", name);
    return;
  }
  if (b->scope_length)
    b->scope[b->scope_length] = '.';
  strcpy(b->scope + b->scope_length + (b->scope_length ? 1 : 0), name);
  b->scope_length += extra;
}

void ssk_unscope(ssk_builder *b) {
  char *dot = strrchr(b->scope, '.');
  b->scope_length = dot ? (size_t)(dot - b->scope) : 0;
  b->scope[b->scope_length] = '\0';
}

static struct ssk_span present_span(const ssk_builder *b) {
  return b->spans ? b->span[b->spans - 1] : (struct ssk_span){0, 1};
}

void ssk_span(ssk_builder *b, double from, double to) {
  const struct ssk_span outer = present_span(b);
  if (b->spans == sizeof b->span / sizeof *b->span) {
    ssk_build_fail(b, SSK_EPLUGIN, "spans are nested too deeply");
    return;
  }
  b->span[b->spans++] = (struct ssk_span){fmax(from, outer.from), fmin(to, outer.to)};
}

void ssk_unspan(ssk_builder *b) {
  if (b->spans)
    b->spans--;
}

static bool name_taken(const ssk_builder *b, const char *name) {
  for (int i = 0; i < b->layout.n; i++)
    if (!strcmp(b->layout.slice[i].name, name))
      return true;
  return false;
}

static struct ssk_slice *new_slice(ssk_builder *b, const char *name) {
  if (b->code)
    return NULL;
  if (b->layout.n == b->capacity) {
    int capacity = b->capacity ? 2 * b->capacity : 64;
    void *grown = realloc(b->layout.slice, (size_t)capacity * sizeof *b->layout.slice);
    if (!grown) {
      ssk_build_fail(b, SSK_ENOMEM, "no memory for weights");
      return NULL;
    }
    b->layout.slice = grown;
    b->capacity = capacity;
  }
  char *full = ssk_arena_printf(b->arena, "%s.%s", b->scope, name);
  if (!full) {
    ssk_build_fail(b, SSK_ENOMEM, "no memory for weights");
    return NULL;
  }
  if (name_taken(b, full)) {
    ssk_build_fail(b, SSK_EPLUGIN, "weight '%s' is declared twice", name);
    return NULL;
  }
  struct ssk_slice *slice = &b->layout.slice[b->layout.n];
  *slice = (struct ssk_slice){
      .name = full, .part = b->part, .offset = b->layout.total, .span = present_span(b)};
  return slice;
}

static ssk_weight keep(ssk_builder *b, const struct ssk_slice *slice) {
  size_t rounded = (slice->count + ALIGN_ENTRIES - 1) / ALIGN_ENTRIES * ALIGN_ENTRIES;
  b->layout.total += rounded;
  if (!(slice->flags & SSK_STATISTIC))
    b->layout.trained += slice->count;
  return ++b->layout.n;
}

ssk_weight ssk_declare(ssk_builder *b, const char *name, int ndim, const int *shape,
                       enum ssk_init init, double gain, unsigned flags) {
  struct ssk_slice *slice = new_slice(b, name);
  if (!slice)
    return 0;
  if (ndim < 1 || ndim > SSK_MAX_DIMS) {
    ssk_build_fail(b, SSK_EPLUGIN, "weight '%s' has %d axes; 1 to %d are allowed", name, ndim,
                   SSK_MAX_DIMS);
    return 0;
  }
  slice->ndim = ndim;
  slice->count = 1;
  for (int i = 0; i < SSK_MAX_DIMS; i++) {
    slice->shape[i] = i < ndim ? shape[i] : 1;
    if (slice->shape[i] < 1 || slice->shape[i] > 1 << 24) {
      ssk_build_fail(b, SSK_EPLUGIN, "weight '%s' has length %d on axis %d", name, slice->shape[i],
                     i);
      return 0;
    }
    slice->count *= (size_t)slice->shape[i];
  }
  slice->init = init;
  slice->gain = gain;
  slice->flags = flags & ~(unsigned)SSK_STATISTIC;
  return keep(b, slice);
}

ssk_weight ssk_statistic(ssk_builder *b, const char *name, int n, double start, double decay) {
  struct ssk_slice *slice = new_slice(b, name);
  if (!slice)
    return 0;
  if (n < 1) {
    ssk_build_fail(b, SSK_EPLUGIN, "statistic '%s' has %d values", name, n);
    return 0;
  }
  slice->ndim = 1;
  slice->shape[0] = n;
  for (int i = 1; i < SSK_MAX_DIMS; i++)
    slice->shape[i] = 1;
  slice->count = (size_t)n;
  slice->init = SSK_INIT_CONSTANT;
  slice->gain = start;
  slice->decay = decay;
  slice->flags = SSK_STATISTIC | SSK_NO_DECAY;
  return keep(b, slice);
}

static double draw(const struct ssk_slice *slice, ssk_rng *rng, size_t i) {
  double out = slice->shape[slice->ndim - 1];
  double in = (double)slice->count / out;
  switch (slice->init) {
  case SSK_INIT_ZERO:
    return 0;
  case SSK_INIT_CONSTANT:
    return slice->gain;
  case SSK_INIT_IDENTITY: {
    size_t columns = (size_t)out;
    return i / columns == i % columns ? slice->gain : 0;
  }
  case SSK_INIT_XAVIER:
    return slice->gain * sqrt(6 / (in + out)) * (2 * ssk_rng_uniform(rng) - 1);
  case SSK_INIT_KAIMING:
    return slice->gain * sqrt(2 / in) * ssk_rng_normal(rng);
  case SSK_INIT_NORMAL:
    return slice->gain * ssk_rng_normal(rng);
  case SSK_INIT_UNIFORM:
    return slice->gain / sqrt(in) * (2 * ssk_rng_uniform(rng) - 1);
  }
  return 0;
}

void ssk_layout_initialise(const struct ssk_layout *layout, uint64_t seed, ssk_real *values) {
  memset(values, 0, layout->total * sizeof *values);
  for (int k = 0; k < layout->n; k++) {
    const struct ssk_slice *slice = &layout->slice[k];
    ssk_rng rng = ssk_rng_open(seed, slice->name, "initial value", 0, 0);
    for (size_t i = 0; i < slice->count; i++)
      values[slice->offset + i] = (ssk_real)draw(slice, &rng, i);
  }
}

void ssk_layout_free(struct ssk_layout *layout) {
  free(layout->slice);
  *layout = (struct ssk_layout){0};
}
