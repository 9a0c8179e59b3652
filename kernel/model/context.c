/* SPDX-License-Identifier: GPL-3.0-or-later */
/* context.c - what a running component may ask of its pass: weights, statistics, random numbers. */
#include "model/model.h"
#include "model/notes.h"
#include "tensor/profile.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct ssk_slice *slice_of(const struct ssk_ctx *ctx, ssk_weight w) {
  return &ctx->weights->layout->slice[w - 1];
}

ssk_tensor *ssk_use(const struct ssk_ctx *ctx, ssk_weight w) {
  if (w <= 0)
    return NULL;
  ssk_tensor *leaf = &ctx->leaves[w - 1];
  if (!leaf->count) {
    const struct ssk_slice *slice = slice_of(ctx, w);
    const bool trained = !ctx->weights->trained || ctx->weights->trained[w - 1];
    ssk_leaf_at(leaf, slice->ndim, slice->shape, ctx->weights->values + slice->offset,
                ctx->gradient && trained ? ctx->gradient + slice->offset : NULL);
  }
  return leaf;
}

const ssk_real *ssk_peek(const struct ssk_ctx *ctx, ssk_weight w) {
  return ctx->weights->values + slice_of(ctx, w)->offset;
}

/* The gradient slots of a statistic collect the batch mean: the fixed tree that adds the shards'
 * gradients adds these too. */
void ssk_observe_statistic(const struct ssk_ctx *ctx, ssk_weight w, const ssk_real *values) {
  if (!ctx->training || !ctx->gradient)
    return;
  const struct ssk_slice *slice = slice_of(ctx, w);
  for (size_t i = 0; i < slice->count; i++)
    ctx->gradient[slice->offset + i] += (ssk_real)(ctx->share * (double)values[i]);
}

ssk_rng ssk_ctx_rng(const struct ssk_ctx *ctx, const char *purpose, uint32_t index) {
  ssk_rng rng = ssk_rng_open(ctx->seed, ctx->path, purpose, ctx->step, ctx->shard);
  rng.index = (uint64_t)index << 32; /* 2^32 blocks of four words for each index */
  return rng;
}

void ssk_ctx_show_draw(const struct ssk_ctx *ctx, const char *purpose, uint32_t index,
                       const ssk_tensor *values) {
  if (ctx->weights->notes)
    ssk_notes_add(ctx->weights->notes, values, "draws/%s/%s/%" PRIu32, ctx->path, purpose, index);
}

ssk_tensor *ssk_ctx_normal_from(const struct ssk_ctx *ctx, const char *purpose, uint32_t index,
                                uint64_t skipped, int ndim, const int *shape) {
  ssk_rng rng = ssk_ctx_rng(ctx, purpose, index);
  ssk_rng_skip_normals(&rng, skipped);
  ssk_tensor *values = ssk_normal(ctx->tape, ndim, shape, &rng);
  ssk_ctx_show_draw(ctx, purpose, index, values);
  return values;
}

ssk_tensor *ssk_ctx_normal(const struct ssk_ctx *ctx, const char *purpose, uint32_t index, int ndim,
                           const int *shape) {
  return ssk_ctx_normal_from(ctx, purpose, index, 0, ndim, shape);
}

const struct ssk_instance *ssk_ctx_transition(const struct ssk_ctx *ctx) {
  return ctx->model->experiment->model.transition;
}

struct ssk_ctx ssk_ctx_enter(const struct ssk_ctx *ctx, const char *path) {
  struct ssk_ctx inner = *ctx;
  inner.path = path;
  ssk_tape_scope(ctx->tape, path);
  return inner;
}

void ssk_ctx_leave(const struct ssk_ctx *ctx) {
  ssk_tape_scope(ctx->tape, ctx->path);
}

/* ---- passes --------------------------------------------------------------------------------- */

int ssk_pass_init(struct ssk_pass *pass, const struct ssk_model *model, ssk_real *values) {
  *pass = (struct ssk_pass){.err = ssk_err_new()};
  pass->weights = (struct ssk_weights){.layout = &model->layout, .values = values};
  pass->ctx = (struct ssk_ctx){.size = sizeof pass->ctx,
                               .tape = ssk_tape_new(pass->err),
                               .dims = &model->dims,
                               .progress = 1,
                               .share = 1,
                               .seed = (uint64_t)model->experiment->seed,
                               .weights = &pass->weights,
                               .leaves = calloc((size_t)model->layout.n, sizeof(ssk_tensor)),
                               .model = model};
  if (!pass->err || !pass->ctx.tape || !pass->ctx.leaves) {
    ssk_pass_free(pass);
    return SSK_ENOMEM;
  }
  return SSK_OK;
}

void ssk_pass_free(struct ssk_pass *pass) {
  ssk_tape_free(pass->ctx.tape);
  free(pass->ctx.leaves);
  ssk_err_free(pass->err);
  *pass = (struct ssk_pass){0};
}

void ssk_pass_record(struct ssk_pass *pass, ssk_real *gradient) {
  struct ssk_ctx *ctx = &pass->ctx;
  ssk_tape_record(ctx->tape, gradient != NULL);
  ctx->gradient = gradient;
  memset(ctx->leaves, 0, (size_t)ctx->weights->layout->n * sizeof *ctx->leaves);
}

void ssk_pass_begin(struct ssk_pass *pass, int T, int B, int S, ssk_real *gradient) {
  struct ssk_ctx *ctx = &pass->ctx;
  ssk_tape_reset(ctx->tape);
  ssk_err_clear(pass->err);
  ctx->weights = &pass->weights; /* a pass may have been moved */
  ssk_pass_record(pass, gradient);
  ssk_ctx_leave(ctx);
  ctx->T = T;
  ctx->B = B;
  ctx->S = S;
  ctx->P = B * S;
}
