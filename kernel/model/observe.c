/* SPDX-License-Identifier: GPL-3.0-or-later */
/* observe.c - what a pass sees: windows of the data as time-major tensors, and parts of them. */
#include "model/model.h"
#include <string.h>

ssk_tensor *ssk_model_time(const struct ssk_pass *pass, const int *from, int B, int n, int repeat) {
  ssk_tape *tape = pass->ctx.tape;
  int F = pass->ctx.dims->F;
  if (!F)
    return NULL;
  int *steps = ssk_tape_scratch(tape, (size_t)n * (size_t)B * sizeof *steps);
  if (!steps)
    return ssk_tape_fail(tape, SSK_ENOMEM, "no memory for time features");
  for (int i = 0; i < n * B; i++)
    steps[i] = from[i % B] + i / B;
  ssk_tensor *out = ssk_reshape(tape, ssk_time_features(tape, n * B, steps, F), SSK_SHAPE(n, B, F));
  return repeat > 1 ? ssk_repeat(tape, out, 1, repeat) : out;
}

static ssk_tensor *copy_rows(const struct ssk_ctx *ctx, const double *from, int64_t stride,
                             const struct ssk_window *windows, int width) {
  ssk_tensor *out = ssk_empty(ctx->tape, SSK_SHAPE(ctx->T, ctx->B, width));
  for (int t = 0; out->count && t < ctx->T; t++)
    for (int b = 0; b < ctx->B; b++) {
      const int step = windows[b].start + t;
      const double *row = from + (windows[b].series * stride + step) * width;
      for (int k = 0; k < width; k++)
        out->data[((size_t)t * (size_t)ctx->B + (size_t)b) * (size_t)width + (size_t)k] =
            step < stride ? (ssk_real)row[k] : 0; /* a window may reach beyond a short series */
    }
  return out;
}

/* How many steps of the window count: those within its series. The first j latents are one draw of
 * the initial prior, so a series of fewer steps is one of j whose last are missing: they leave its
 * likelihood as it is. */
static int steps_alive(const struct ssk_ctx *ctx, const struct ssk_split_data *split,
                       const struct ssk_window *w) {
  int left = split->length[w->series] - w->start;
  left = left < ctx->dims->j ? ctx->dims->j : left;
  return left < ctx->T ? left : ctx->T;
}

static ssk_tensor *alive_mask(const struct ssk_ctx *ctx, const struct ssk_split_data *split,
                              const struct ssk_window *windows) {
  bool all = true;
  for (int b = 0; b < ctx->B; b++)
    all = all && steps_alive(ctx, split, &windows[b]) == ctx->T;
  if (all)
    return NULL;
  ssk_tensor *alive = ssk_empty(ctx->tape, SSK_SHAPE(ctx->T, ctx->B));
  for (int b = 0; alive->count && b < ctx->B; b++) {
    int steps = steps_alive(ctx, split, &windows[b]);
    for (int t = 0; t < ctx->T; t++)
      alive->data[t * ctx->B + b] = t < steps;
  }
  return alive;
}

/* Means over the series, from the counts [D] of what was observed in all of them. */
static void count_entries(const struct ssk_data *data, const double *counts, int B,
                          struct ssk_observed *obs) {
  for (int k = 0; k < data->shape.D; k++) {
    obs->entries += counts[k] / B;
    obs->log_jacobian -= counts[k] / B * log(data->scale[k]);
  }
}

/* True latents, standardised; zero beyond the end of a series. */
static ssk_tensor *true_latents(const struct ssk_ctx *ctx, const struct ssk_data *data,
                                const struct ssk_split_data *split,
                                const struct ssk_window *windows) {
  int B = ctx->B, d = ctx->dims->d, width = data->shape.latent;
  ssk_tensor *z = ssk_full(ctx->tape, SSK_SHAPE(ctx->T, B, d), 0);
  for (int b = 0; z->count && b < B; b++) {
    const double *row = split->z + (windows[b].series * split->room + windows[b].start) * width;
    int left = split->length[windows[b].series] - windows[b].start;
    for (int t = 0; t < ctx->T && t < left; t++)
      for (int k = 0; k < d; k++)
        z->data[(t * B + b) * d + k] =
            (ssk_real)((row[t * width + k] - data->z_centre[k]) / data->z_scale[k]);
  }
  return z;
}

struct ssk_observed ssk_observe(const struct ssk_pass *pass, const struct ssk_data *data,
                                enum ssk_split which, const struct ssk_window *windows) {
  const struct ssk_ctx *ctx = &pass->ctx;
  const struct ssk_split_data *split = &data->split[which];
  int T = ctx->T, B = ctx->B, D = data->shape.D, E = data->shape.E;
  const int64_t L = split->room;
  struct ssk_observed obs = {.size = sizeof obs};
  obs.x = ssk_empty(ctx->tape, SSK_SHAPE(T, B, D));
  obs.mask = ssk_empty(ctx->tape, SSK_SHAPE(T, B, D));
  double *counts = ssk_tape_scratch(ctx->tape, (size_t)D * sizeof *counts);
  if (!obs.x->count || !obs.mask->count || !counts)
    return obs;
  for (int k = 0; k < D; k++)
    counts[k] = 0;
  for (int t = 0; t < T; t++)
    for (int b = 0; b < B; b++) {
      const struct ssk_window *w = &windows[b];
      bool inside = w->start + t < L;
      int64_t row = (w->series * L + w->start + t) * D;
      for (int k = 0; k < D; k++) {
        size_t i = ((size_t)t * (size_t)B + (size_t)b) * (size_t)D + (size_t)k;
        bool seen = inside && split->mask[row + k] != 0;
        obs.mask->data[i] = seen;
        counts[k] += seen;
        obs.x->data[i] =
            seen ? (ssk_real)((split->x[row + k] - data->centre[k]) / data->scale[k]) : 0;
      }
    }
  count_entries(data, counts, B, &obs);
  if (split->u)
    obs.u = copy_rows(ctx, split->u, L, windows, data->shape.V);
  if (split->s) {
    obs.s = ssk_empty(ctx->tape, SSK_SHAPE(B, E));
    for (int b = 0; obs.s->count && b < B; b++)
      for (int k = 0; k < E; k++)
        obs.s->data[b * E + k] = (ssk_real)split->s[windows[b].series * E + k];
  }
  if (ctx->dims->F) {
    int *from = ssk_tape_scratch(ctx->tape, (size_t)B * sizeof *from);
    for (int b = 0; from && b < B; b++)
      from[b] = windows[b].start;
    obs.time = from ? ssk_model_time(pass, from, B, T, 1) : NULL;
  }
  obs.alive = alive_mask(ctx, split, windows);
  if (ctx->model->truth)
    obs.z = true_latents(ctx, data, split, windows);
  return obs;
}

/* Steps [from, from+n) of a slab; NULL stays NULL. */
static ssk_tensor *steps_of(ssk_tape *tape, ssk_tensor *slab, int from, int n) {
  return slab ? ssk_rows(tape, slab, from, n) : NULL;
}

struct ssk_observed ssk_observed_part(ssk_tape *tape, const struct ssk_observed *obs, int from,
                                      int n) {
  return (struct ssk_observed){.size = sizeof(struct ssk_observed),
                               .x = steps_of(tape, obs->x, from, n),
                               .mask = steps_of(tape, obs->mask, from, n),
                               .u = steps_of(tape, obs->u, from, n),
                               .s = obs->s,
                               .time = steps_of(tape, obs->time, from, n),
                               .alive = steps_of(tape, obs->alive, from, n),
                               .z = steps_of(tape, obs->z, from, n),
                               .entries = obs->entries,
                               .log_jacobian = obs->log_jacobian};
}

void ssk_model_known_as(const struct ssk_pass *pass, const double *u, int t,
                        struct ssk_rows *rows) {
  const struct ssk_ctx *ctx = &pass->ctx;
  int V = ctx->dims->V;
  rows->u = V ? ssk_empty(ctx->tape, SSK_SHAPE(ctx->P, V)) : NULL;
  for (int p = 0; V && rows->u->count && p < ctx->P; p++)
    for (int k = 0; k < V; k++)
      rows->u->data[p * V + k] = (ssk_real)u[k];
  ssk_tensor *time = ssk_model_time(pass, &t, 1, 1, ctx->P);
  rows->time = time ? ssk_reshape(ctx->tape, time, SSK_SHAPE(ctx->P, ctx->dims->F)) : NULL;
}

void ssk_model_known(const struct ssk_pass *pass, const struct ssk_data *data, enum ssk_split split,
                     int64_t series, int t, struct ssk_rows *rows) {
  const struct ssk_split_data *from = &data->split[split];
  const int V = pass->ctx.dims->V;
  ssk_model_known_as(pass, V ? from->u + (series * from->room + t) * V : NULL, t, rows);
}

/* ---- reversed time --------------------------------------------------------------------------- */

const int *ssk_observed_lengths(const struct ssk_ctx *ctx, const struct ssk_observed *obs) {
  if (!obs->alive || ssk_tape_code(ctx->tape))
    return NULL;
  int *length = ssk_tape_scratch(ctx->tape, (size_t)ctx->B * sizeof *length);
  if (!length) {
    ssk_tape_fail(ctx->tape, SSK_ENOMEM, "no memory for the lengths of the series");
    return NULL;
  }
  for (int b = 0; b < ctx->B; b++) {
    length[b] = 0;
    while (length[b] < ctx->T && obs->alive->data[length[b] * ctx->B + b] != 0)
      length[b]++;
  }
  return length;
}

/* Copies: observations have no gradient. NULL stays NULL. */
static ssk_tensor *reversed(const struct ssk_ctx *ctx, const ssk_tensor *slab, const int *lengths,
                            int from, int n) {
  if (!slab || ssk_tape_code(ctx->tape))
    return NULL;
  const int B = slab->shape[1], width = slab->shape[2];
  ssk_tensor *out = ssk_empty(ctx->tape, SSK_SHAPE(n, B, width));
  for (int r = 0; out->count && r < n; r++)
    for (int b = 0; b < B; b++) {
      const int t = ssk_reversed_step(lengths ? lengths[b] : ctx->T, from + r);
      memcpy(out->data + ((size_t)r * (size_t)B + (size_t)b) * (size_t)width,
             slab->data + ((size_t)t * (size_t)B + (size_t)b) * (size_t)width,
             (size_t)width * sizeof *out->data);
    }
  return out;
}

struct ssk_observed ssk_observed_reversed(const struct ssk_ctx *ctx, const struct ssk_observed *obs,
                                          const int *lengths, int from, int n) {
  struct ssk_observed out = {.size = sizeof out,
                             .x = reversed(ctx, obs->x, lengths, from, n),
                             .mask = reversed(ctx, obs->mask, lengths, from, n),
                             .u = reversed(ctx, obs->u, lengths, from, n),
                             .s = obs->s,
                             .time = reversed(ctx, obs->time, lengths, from, n)};
  if (ssk_tape_code(ctx->tape))
    out.x = out.mask = ssk_tape_fail(ctx->tape, SSK_EFAIL, "no observations");
  return out;
}
