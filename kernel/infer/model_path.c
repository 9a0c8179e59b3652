/* SPDX-License-Identifier: GPL-3.0-or-later */
/* model_path.c - drawing from a model whose transition is a prior of whole paths: the latents of
 * the known steps are the encoder's, which sees no more than these, or the observations themselves;
 * the prior completes them, and the emission shows what comes out. */
#include "infer/model_state.h"
#include <stdlib.h>
#include <string.h>

struct completing {
  struct ssk_pass *pass;
  const struct ssk_data *data;
  enum ssk_split split;
  int64_t series;
  int known, length;
  ssk_real *z; /* [known, P, d] of the encoder; NULL: none */
};

/* The encoder's paths of the known steps. */
static void encode(const struct completing *c, int samples, uint64_t seed, const char *purpose) {
  const struct ssk_window window = {.series = c->series};
  ssk_model_begin(c->pass, c->known, samples, seed, purpose, c->split, c->series);
  const struct ssk_observed obs = ssk_observe(c->pass, c->data, c->split, &window);
  const struct ssk_segment whole = ssk_model_whole(c->pass, &obs);
  const struct ssk_posterior q = ssk_segment_encode(c->pass, &whole);
  if (!ssk_tape_code(c->pass->ctx.tape))
    memcpy(c->z, q.z->data, q.z->count * sizeof *c->z);
}

/* Nothing of the steps from `known` on may be seen. */
static void hide(ssk_tensor *slab, int known) {
  const size_t step = slab->count / (size_t)(slab->shape[0] ? slab->shape[0] : 1);
  for (size_t i = (size_t)known * step; i < slab->count; i++)
    slab->data[i] = 0;
}

static struct ssk_path known_path(const struct completing *c, const struct ssk_observed *obs) {
  const struct ssk_ctx *ctx = &c->pass->ctx;
  const int d = ctx->dims->d, P = ctx->P;
  if (ctx->model->copies) {
    ssk_tensor *z = P > 1 ? ssk_repeat(ctx->tape, obs->x, 1, P) : obs->x;
    return ssk_model_path(ctx, obs, z);
  }
  ssk_tensor *z = ssk_full(ctx->tape, SSK_SHAPE(c->length, P, d), 0);
  if (z->count && c->known)
    memcpy(z->data, c->z, (size_t)(c->known * P * d) * sizeof *z->data);
  struct ssk_path path = ssk_model_path(ctx, obs, z);
  hide(path.known, c->known);
  return path;
}

/* [length*P, D] */
static ssk_tensor *emit(const struct completing *c, const struct ssk_observed *obs, ssk_tensor *z) {
  const struct ssk_ctx *ctx = &c->pass->ctx;
  const struct ssk_segment all = {.n = c->length, .obs = *obs};
  struct ssk_posterior q = {.z = z};
  q.history = ssk_concat(ctx->tape, 2, (ssk_tensor *[]){ssk_model_before(ctx), z}, 0);
  const struct ssk_rows rows = ssk_segment_emission(ctx, &all, &q);
  return ssk_emission_sample(ctx, &rows);
}

/* rows [T*P, width] from step `from` on to out[P, T - from, width]. */
static void keep(const ssk_tensor *rows, int from, int T, int P, int width, const double *centre,
                 const double *scale, double *out) {
  for (int p = 0; p < P; p++)
    for (int t = from; t < T; t++)
      for (int k = 0; k < width; k++) {
        const double value = (double)rows->data[(t * P + p) * width + k];
        *out++ = centre ? centre[k] + scale[k] * value : value;
      }
}

int ssk_model_complete(struct ssk_pass *pass, const struct ssk_data *data, enum ssk_split split,
                       int64_t series, int known, int from, int length, int samples, uint64_t seed,
                       const char *purpose, double *z, double *x, ssk_err *err) {
  const struct ssk_ctx *ctx = &pass->ctx;
  const int d = ctx->dims->d, D = ctx->dims->D;
  struct completing c = {pass, data, split, series, known, length, NULL};
  if (known && !ctx->model->copies) {
    c.z = malloc((size_t)known * (size_t)(samples * d) * sizeof *c.z);
    if (!c.z)
      return ssk_err_set(err, SSK_ENOMEM, "no memory for the latents of %d steps", known);
    encode(&c, samples, seed, purpose);
  }
  int code = c.z ? ssk_tape_code(ctx->tape) : SSK_OK; /* of a pass before, where nothing ran */
  if (!code) {
    const struct ssk_window window = {.series = series};
    ssk_model_begin(pass, length, samples, seed, purpose, split, series);
    const struct ssk_observed obs = ssk_observe(pass, data, split, &window);
    hide(obs.x, known);
    hide(obs.mask, known);
    const struct ssk_path path = known_path(&c, &obs);
    ssk_tensor *drawn = ssk_path_sample(ctx, &path);
    const ssk_tensor *seen = emit(&c, &obs, drawn);
    code = ssk_tape_code(ctx->tape);
    if (!code) {
      keep(seen, from, length, samples, D, data->centre, data->scale, x);
      if (z)
        keep(drawn, 0, length, samples, d, NULL, NULL, z);
    }
  }
  free(c.z);
  return code ? ssk_err_set(err, code, "%s", ssk_err_message(pass->err, 0)) : SSK_OK;
}
