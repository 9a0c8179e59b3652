/* SPDX-License-Identifier: GPL-3.0-or-later */
/* optimiser.c - AdamW (Loshchilov and Hutter 2019, algorithm 2) in one pass over the flat vector:
 *
 *     g <- g min(1, clip / |g|)
 *     m <- b1 m + (1 - b1) g              v <- b2 v + (1 - b2) g^2
 *     w <- (1 - r wd) w - r m' / (sqrt(v') + eps),   m' = m/(1 - b1^t),  v' = v/(1 - b2^t)
 *     a <- e a + (1 - e) w,   e = min(ema, (1 + t)/(10 + t))
 *
 * with r the part's learning rate at this step and t the updates since the moments were zero, this
 * one included. The growing decay e keeps the average from lagging behind in short trainings. A
 * running statistic is no weight: its gradient slot holds the batch's value, and it moves by its
 * own decay. What a step does not train is left alone. */
#include "train/optimiser.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <tgmath.h>

ssk_real *ssk_vector_new(size_t count) {
  const size_t bytes = (count * sizeof(ssk_real) + 63) / 64 * 64;
  ssk_real *vector = aligned_alloc(64, bytes ? bytes : 64);
  if (vector)
    memset(vector, 0, bytes);
  return vector;
}

int ssk_optimiser_init(struct ssk_optimiser *optimiser, const struct ssk_layout *layout,
                       const struct ssk_training_section *settings, ssk_err *err) {
  *optimiser = (struct ssk_optimiser){.layout = layout, .settings = settings};
  optimiser->values = ssk_vector_new(layout->total);
  optimiser->average = ssk_vector_new(layout->total);
  optimiser->m = ssk_vector_new(layout->total);
  optimiser->v = ssk_vector_new(layout->total);
  optimiser->trained = malloc((size_t)layout->n + 1);
  if (optimiser->values && optimiser->average && optimiser->m && optimiser->v &&
      optimiser->trained) {
    ssk_optimiser_choose(optimiser, &(struct ssk_phase){.parts = SSK_PARTS_ALL}, NULL);
    return SSK_OK;
  }
  ssk_optimiser_free(optimiser);
  return ssk_err_set(err, SSK_ENOMEM, "no memory for %zu weights and their moments", layout->total);
}

void ssk_optimiser_free(struct ssk_optimiser *optimiser) {
  free(optimiser->values);
  free(optimiser->average);
  free(optimiser->m);
  free(optimiser->v);
  free(optimiser->trained);
  *optimiser = (struct ssk_optimiser){0};
}

void ssk_optimiser_start(struct ssk_optimiser *optimiser) {
  memcpy(optimiser->average, optimiser->values, optimiser->layout->total * sizeof(ssk_real));
}

static bool is_trained(const struct ssk_slice *slice, const struct ssk_phase *phase) {
  const bool part = slice->part == SSK_PART_OBJECTIVE || phase->parts >> slice->part & 1;
  return part && slice->span.from <= phase->progress && phase->progress < slice->span.to;
}

/* Moments zero, and no updates that they were collected in; of what rests they stay. */
static void rebuild(struct ssk_optimiser *optimiser) {
  for (int i = 0; i < optimiser->layout->n; i++) {
    const struct ssk_slice *slice = &optimiser->layout->slice[i];
    if (!optimiser->trained[i])
      continue;
    memset(optimiser->m + slice->offset, 0, slice->count * sizeof(ssk_real));
    memset(optimiser->v + slice->offset, 0, slice->count * sizeof(ssk_real));
  }
  optimiser->updates = 0;
}

void ssk_optimiser_choose(struct ssk_optimiser *optimiser, const struct ssk_phase *now,
                          const struct ssk_phase *before) {
  bool begins = false;
  for (int i = 0; i < optimiser->layout->n; i++) {
    const struct ssk_slice *slice = &optimiser->layout->slice[i];
    optimiser->trained[i] = is_trained(slice, now);
    begins |= optimiser->trained[i] && before && !is_trained(slice, before);
  }
  if (begins)
    rebuild(optimiser);
}

/* Eight interleaved sums: a fixed order that the compiler can vectorise. */
static double sum_of_squares(const ssk_real *x, size_t n) {
  double lane[8] = {0};
  size_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (int k = 0; k < 8; k++)
      lane[k] += (double)x[i + k] * (double)x[i + k];
  for (; i < n; i++)
    lane[i % 8] += (double)x[i] * (double)x[i];
  return ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

struct ssk_gradient_norms ssk_gradient_norms(const struct ssk_layout *layout,
                                             const ssk_real *gradient, const bool *trained) {
  struct ssk_gradient_norms norms = {.finite = true};
  for (int i = 0; i < layout->n; i++) {
    const struct ssk_slice *slice = &layout->slice[i];
    if (!trained[i])
      continue;
    const double square = sum_of_squares(gradient + slice->offset, slice->count);
    if (!isfinite(square))
      norms.finite = false;
    if (slice->flags & SSK_STATISTIC)
      continue;
    norms.total += square;
    norms.part[slice->part] += square;
  }
  norms.total = sqrt(norms.total);
  for (int part = 0; part < SSK_PART_COUNT; part++)
    norms.part[part] = sqrt(norms.part[part]);
  return norms;
}

const char *ssk_gradient_culprit(const struct ssk_layout *layout, const ssk_real *gradient,
                                 const bool *trained) {
  for (int i = 0; i < layout->n; i++) {
    const struct ssk_slice *slice = &layout->slice[i];
    if (trained[i] && !isfinite(sum_of_squares(gradient + slice->offset, slice->count)))
      return slice->name;
  }
  return NULL;
}

double ssk_rate_factor(const struct ssk_training_section *settings, int64_t step) {
  if (step < settings->warmup)
    return (double)(step + 1) / (double)settings->warmup;
  if (settings->schedule == 0)
    return 1;
  const int64_t span = settings->steps - settings->warmup;
  const double done = span > 0 ? fmin(1, (double)(step - settings->warmup) / (double)span) : 1;
  return settings->final_rate + (1 - settings->final_rate) * 0.5 * (1 + cos(M_PI * done));
}

double ssk_rate_of_part(const struct ssk_training_section *settings, enum ssk_part part) {
  const struct ssk_rates_section *rate = &settings->learning_rate;
  switch (part) {
  case SSK_PART_EMISSION:
    return rate->emission;
  case SSK_PART_INITIAL:
    return rate->initial;
  case SSK_PART_TRANSITION:
    return rate->transition;
  default: /* the summary belongs to the encoder */
    return rate->encoder;
  }
}

/* The numbers of one update of one slice. */
struct update {
  ssk_real clip, beta1, beta2, size, root, epsilon, keep, average;
};

static void update_weights(const struct update *u, size_t n, const ssk_real *restrict gradient,
                           ssk_real *restrict w, ssk_real *restrict a, ssk_real *restrict m,
                           ssk_real *restrict v) {
  const ssk_real one = 1;
  for (size_t i = 0; i < n; i++) {
    const ssk_real g = u->clip * gradient[i];
    m[i] = u->beta1 * m[i] + (one - u->beta1) * g;
    v[i] = u->beta2 * v[i] + (one - u->beta2) * g * g;
    w[i] = u->keep * w[i] - u->size * m[i] / (u->root * sqrt(v[i]) + u->epsilon);
    a[i] = u->average * a[i] + (one - u->average) * w[i];
  }
}

static void update_statistic(const struct ssk_slice *slice, const ssk_real *batch, ssk_real *value,
                             ssk_real *average) {
  for (size_t i = 0; i < slice->count; i++) {
    value[i] = (ssk_real)(slice->decay * (double)value[i] + (1 - slice->decay) * (double)batch[i]);
    average[i] = value[i];
  }
}

void ssk_optimiser_step(struct ssk_optimiser *optimiser, const ssk_real *gradient, double norm,
                        int64_t step) {
  const struct ssk_training_section *s = optimiser->settings;
  const double t = (double)++optimiser->updates;
  const double factor = ssk_rate_factor(s, step);
  struct update u = {
      .clip = (ssk_real)(s->clip > 0 && norm > s->clip ? s->clip / norm : 1),
      .beta1 = (ssk_real)s->beta1,
      .beta2 = (ssk_real)s->beta2,
      .root = (ssk_real)(1 / sqrt(1 - pow(s->beta2, t))),
      .epsilon = (ssk_real)s->epsilon,
      .average = (ssk_real)fmin(s->ema, (1 + t) / (10 + t)),
  };
  for (int i = 0; i < optimiser->layout->n; i++) {
    const struct ssk_slice *slice = &optimiser->layout->slice[i];
    const size_t at = slice->offset;
    if (!optimiser->trained[i])
      continue;
    if (slice->flags & SSK_STATISTIC) {
      update_statistic(slice, gradient + at, optimiser->values + at, optimiser->average + at);
      continue;
    }
    const double rate = factor * ssk_rate_of_part(s, slice->part);
    const double decay = slice->flags & SSK_NO_DECAY ? 0 : s->weight_decay;
    u.size = (ssk_real)(rate / (1 - pow(s->beta1, t)));
    u.keep = (ssk_real)(1 - rate * decay);
    update_weights(&u, slice->count, gradient + at, optimiser->values + at, optimiser->average + at,
                   optimiser->m + at, optimiser->v + at);
  }
}
