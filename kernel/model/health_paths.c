/* SPDX-License-Identifier: GPL-3.0-or-later */
/* health_paths.c - the encoder on some series: how much of its latents is about the series, and
 * conditionings from its paths. */
#include "model/health_parts.h"

#include "core/hash.h"
#include "model/pass_tasks.h"
#include "model/segments.h"
#include <math.h>
#include <stdlib.h>

/* Series of one task. */
enum { CHUNK = 16 };

/* Sums over series at a step, in one dimension, of what the S paths of a series have there. */
struct spread {
  double series;   /* how many */
  double mean;     /* of the means over paths, */
  double square;   /* of their squares, */
  double variance; /* and of the variances among paths */
};

/* Of the posterior means and of the latents themselves. */
struct spreads {
  struct spread posterior, latent;
};

struct walkers {
  const struct ssk_health_subject *subject;
  struct ssk_places *places;
  int64_t series;
  int T, paths;
  struct spreads *spreads; /* [tasks, T, d] */
};

/* One task: series [first, first + n). */
struct party {
  const struct walkers *all;
  int64_t first;
  struct spreads *spreads; /* [T, d] */
};

static int length_of(const struct ssk_health_subject *subject, int64_t series) {
  const int length = subject->data->split[subject->split].length[series];
  const int64_t most = subject->model->experiment->evaluate.bound_length;
  return most && most < length ? (int)most : length;
}

/* ---- where to look ----------------------------------------------------------------------------
 */

/* Spread over the series, and over the steps by the golden ratio; series without a transition have
 * none. */
static void choose(const struct ssk_health_subject *subject, int64_t n_series, int n,
                   struct ssk_places *places) {
  const int j = subject->model->dims.j;
  for (int c = 0; c < n; c++) {
    const int64_t series = (int64_t)((double)n_series * (c + 0.5) / n);
    const double place = (c + 0.5) * 0.6180339887498949;
    const int steps = length_of(subject, series) - j;
    if (steps <= 0)
      continue;
    places->series[places->n] = series;
    places->step[places->n++] = j + (int)((place - floor(place)) * steps);
  }
}

static bool make_places(const struct ssk_health_subject *subject, int64_t n_series,
                        struct ssk_places *places) {
  const struct ssk_dims *dims = &subject->model->dims;
  const size_t n = (size_t)subject->model->experiment->health.conditionings;
  const size_t d = (size_t)dims->d, past = (size_t)dims->j * d;
  *places = (struct ssk_places){
      .series = calloc(n, sizeof *places->series),
      .step = calloc(n, sizeof *places->step),
      .memory = calloc(n * (past + (size_t)dims->W + (size_t)dims->V + (size_t)dims->F + 3 * d),
                       sizeof(ssk_real))};
  if (!places->series || !places->step || !places->memory)
    return false;
  places->past = places->memory;
  places->state = places->past + n * past;
  places->u = places->state + n * (size_t)dims->W;
  places->time = places->u + n * (size_t)dims->V;
  places->z = places->time + n * (size_t)dims->F;
  places->mean = places->z + n * d;
  places->logvar = places->mean + n * d;
  choose(subject, n_series, (int)n, places);
  return true;
}

void ssk_places_free(struct ssk_places *places) {
  free(places->series);
  free(places->step);
  free(places->memory);
  *places = (struct ssk_places){0};
}

/* ---- what is seen -----------------------------------------------------------------------------
 */

static void copy(ssk_real *to, const ssk_tensor *slab, int entry, int row, int width) {
  const int rows = slab->shape[1];
  for (int i = 0; i < width; i++)
    to[i] = slab->data[((size_t)entry * (size_t)rows + (size_t)row) * (size_t)width + (size_t)i];
}

/* The first path of the series at the step, which is in this segment. */
static void fill_place(const struct ssk_pass *pass, const struct ssk_segment *segment,
                       const struct ssk_posterior *q, int64_t first, struct ssk_places *places,
                       int c) {
  const struct ssk_dims *dims = pass->ctx.dims;
  const int d = dims->d, j = dims->j, at = places->step[c] - segment->from;
  const int series = (int)(places->series[c] - first), path = series * pass->ctx.S;
  for (int k = 0; k < j; k++)
    copy(places->past + (c * j + k) * d, q->history, at + k, path, d);
  if (q->state)
    copy(places->state + c * dims->W, q->state, at + j - 1, path, dims->W);
  copy(places->z + c * d, q->z, at, path, d);
  copy(places->mean + c * d, q->mean, at, path, d);
  copy(places->logvar + c * d, q->logvar, at, path, d);
  if (segment->obs.u)
    copy(places->u + c * dims->V, segment->obs.u, at, series, dims->V);
  if (segment->obs.time)
    copy(places->time + c * dims->F, segment->obs.time, at, series, dims->F);
}

/* The S paths of one series, whose values are `stride` apart. */
static void add_series(const ssk_real *values, int S, int stride, struct spread *spread) {
  double mean = 0, squares = 0;
  for (int s = 0; s < S; s++)
    mean += (double)values[s * stride] / S;
  for (int s = 0; s < S; s++) {
    const double from_mean = (double)values[s * stride] - mean;
    squares += from_mean * from_mean;
  }
  spread->series += 1;
  spread->mean += mean;
  spread->square += mean * mean;
  spread->variance += squares / (S - 1);
}

static void see(const struct ssk_pass *pass, const struct ssk_segment *segment,
                const struct ssk_posterior *q, void *state) {
  struct party *party = state;
  const struct walkers *all = party->all;
  struct ssk_places *places = all->places;
  const int B = pass->ctx.B, S = pass->ctx.S, d = pass->ctx.dims->d;
  for (int i = 0; i < B; i++) {
    const int left = length_of(all->subject, party->first + i) - segment->from;
    for (int t = 0; t < segment->n && t < left; t++)
      for (int k = 0; k < d; k++) {
        const size_t at = ((size_t)t * (size_t)(B * S) + (size_t)(i * S)) * (size_t)d + (size_t)k;
        struct spreads *spreads = &party->spreads[(segment->from + t) * d + k];
        add_series(q->mean->data + at, S, d, &spreads->posterior);
        add_series(q->z->data + at, S, d, &spreads->latent);
      }
  }
  for (int c = 0; c < places->n; c++) {
    const int64_t i = places->series[c] - party->first;
    const int at = places->step[c] - segment->from;
    if (i >= 0 && i < B && at >= 0 && at < segment->n)
      fill_place(pass, segment, q, party->first, places, c);
  }
}

static int run_party(struct ssk_pass *pass, int task, void *state, ssk_err *err) {
  const struct walkers *all = state;
  const struct ssk_health_subject *subject = all->subject;
  struct party party = {.all = all,
                        .first = (int64_t)task * CHUNK,
                        .spreads = all->spreads +
                                   (size_t)task * (size_t)all->T * (size_t)subject->model->dims.d};
  struct ssk_window windows[CHUNK];
  int n = 0, T = 0;
  for (; n < CHUNK && party.first + n < all->series; n++) {
    const int length = length_of(subject, party.first + n);
    windows[n] = (struct ssk_window){.series = party.first + n};
    T = length > T ? length : T;
  }
  ssk_pass_begin(pass, T, n, all->paths, NULL);
  struct ssk_ctx *ctx = &pass->ctx;
  ctx->training = false;
  ctx->progress = 1;
  ctx->share = 1;
  ctx->seed = ssk_hash_text((uint64_t)subject->model->experiment->seed, "health");
  ctx->step = (uint32_t)subject->split;
  ctx->shard = (uint32_t)party.first;
  struct ssk_observed obs = ssk_observe(pass, subject->data, subject->split, windows);
  struct ssk_walk walk;
  ssk_walk_begin(&walk, pass, &obs, ssk_segment_length_forward(pass));
  ssk_walk_encode(&walk, see, &party);
  int code = ssk_tape_code(ctx->tape);
  return code ? ssk_err_set(err, code, "%s", ssk_err_message(pass->err, 0)) : SSK_OK;
}

/* ---- the variances ----------------------------------------------------------------------------
 */

static void add_spread(struct spread *to, const struct spread *of) {
  to->series += of->series;
  to->mean += of->mean;
  to->square += of->square;
  to->variance += of->variance;
}

/* Over series, the variance of the means over S paths; two series at least. */
static double of_means(const struct spread *s) {
  return fmax(0, s->square - s->mean * s->mean / s->series) / (s->series - 1);
}

/* Without bias: the variance of a series' expectation, and the variance of all values. */
static double of_expectation(const struct spread *s, int S) {
  return of_means(s) - s->variance / s->series / S;
}
static double of_values(const struct spread *s, int S) {
  return of_means(s) + s->variance / s->series * (1 - 1.0 / S);
}

/* Averages over the steps, each weighing as much as it has series. */
static void average_variances(const struct walkers *all, int tasks, struct ssk_health *health) {
  const size_t d = (size_t)health->d, T = (size_t)all->T;
  for (size_t k = 0; k < d; k++) {
    double weight = 0, posterior = 0, latent = 0;
    for (size_t t = 0; t < T; t++) {
      struct spreads sum = {0};
      for (size_t task = 0; task < (size_t)tasks; task++) {
        const struct spreads *spreads = &all->spreads[(task * T + t) * d + k];
        add_spread(&sum.posterior, &spreads->posterior);
        add_spread(&sum.latent, &spreads->latent);
      }
      const double n = sum.latent.series;
      if (n < 2)
        continue;
      weight += n;
      posterior += n * of_expectation(&sum.posterior, all->paths);
      latent += n * of_values(&sum.latent, all->paths);
    }
    if (weight > 0) {
      health->row[SSK_HEALTH_POSTERIOR_VARIANCE][k] = fmax(0, posterior / weight);
      health->row[SSK_HEALTH_LATENT_VARIANCE][k] = latent / weight;
    }
  }
}

int ssk_health_paths(const struct ssk_health_subject *subject, struct ssk_places *places,
                     struct ssk_health *health, ssk_err *err) {
  const struct ssk_evaluate_section *e = &subject->model->experiment->evaluate;
  struct walkers all = {.subject = subject,
                        .places = places,
                        .series = subject->data->split[subject->split].n,
                        .paths = e->bound_paths > 2 ? (int)e->bound_paths : 2};
  if (e->series && e->series < all.series)
    all.series = e->series;
  health->series = all.series;
  if (!all.series)
    return SSK_OK;
  for (int64_t i = 0; i < all.series; i++) {
    const int length = length_of(subject, i);
    all.T = length > all.T ? length : all.T;
  }
  const int tasks = (int)((all.series + CHUNK - 1) / CHUNK);
  all.spreads = calloc((size_t)tasks * (size_t)all.T * (size_t)health->d, sizeof *all.spreads);
  int code = all.spreads && make_places(subject, all.series, places) ? SSK_OK : SSK_ENOMEM;
  if (code)
    ssk_err_set(err, code, "no memory for the latents of %d steps", all.T);
  else
    code = ssk_pass_tasks_run(subject->model, subject->values, subject->pool, tasks, run_party,
                              &all, err);
  if (!code)
    average_variances(&all, tasks, health);
  free(all.spreads);
  return code;
}
