/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mlp.c - a small residual network as denoiser: fast where the latent is low-dimensional.
 *
 * Each residual block is x + W2 silu(FiLM(W1 x)), its features scaled and shifted by the noise
 * level (FiLM: Perez et al., AAAI 2018). What conditions the diffusion (past latents, padding,
 * covariates, time) enters the residual stream at its start. Linear paths lead from the noised
 * target and from the conditions to the output, so that the linear part of the answer need not be
 * learned through the network; the output starts as zero.
 *
 * Cost: the blocks run on the n*M noised targets; the conditions are projected once for each of the
 * n conditioning rows, and a level is embedded once however many targets are at that level. */
#include "levels.h"
#include <sskit/plugin.h>

#define MLP_MAX_BLOCKS 8

struct mlp {
  int64_t hidden, blocks, embedding;
  double highest_frequency;
  /* not parameters: */
  struct ssk_dense level1, level2, film, film_out; /* of the noise level */
  struct ssk_dense given1, given2, given_linear, given_out;
  struct ssk_dense in, up[MLP_MAX_BLOCKS], down[MLP_MAX_BLOCKS], out, out_linear;
};

static const struct ssk_param mlp_params[] = {
    SSK_PARAM_INT(struct mlp, hidden, "64", 1, 4096, "units", "Width of the residual stream."),
    SSK_PARAM_INT(struct mlp, blocks, "3", 1, MLP_MAX_BLOCKS, "blocks", "Residual blocks."),
    SSK_PARAM_INT(struct mlp, embedding, "32", 4, 1024, "units",
                  "Width of the noise level's embedding (even)."),
    SSK_PARAM_REAL(struct mlp, highest_frequency, "32", 1, 1e5, "1",
                   "Of the sines and cosines of log(sigma)/4 in that embedding: low enough to be "
                   "smooth between the levels of training, as other samplers need."),
    SSK_PARAM_END,
};

static int mlp_init(void *state, ssk_err *err) {
  const struct mlp *self = state;
  if (self->embedding % 2)
    return ssk_err_set(err, SSK_ERECIPE, "the embedding's width is %d, which is not even",
                       (int)self->embedding);
  return SSK_OK;
}

/* ---- the network ----------------------------------------------------------------------------- */

static int mlp_build(void *state, ssk_builder *b, const struct ssk_dims *dims) {
  struct mlp *self = state;
  int h = (int)self->hidden, e = (int)self->embedding, d = dims->d;
  int given = dims->j * (d + 1) + dims->V + dims->F;
  self->level1 = ssk_dense_build(b, "level1", e, e, SSK_SILU, SSK_INIT_UNIFORM, 1);
  self->level2 = ssk_dense_build(b, "level2", e, e, SSK_SILU, SSK_INIT_UNIFORM, 1);
  self->film = ssk_dense_build(b, "film", e, (int)(self->blocks + 1) * 2 * h, SSK_LINEAR,
                               SSK_INIT_UNIFORM, 1);
  self->film_out = ssk_dense_build(b, "film_out", e, 2 * d, SSK_LINEAR, SSK_INIT_ZERO, 0);
  self->given1 = ssk_dense_build(b, "given1", given, h, SSK_SILU, SSK_INIT_UNIFORM, 1);
  self->given2 = ssk_dense_build(b, "given2", h, h, SSK_LINEAR, SSK_INIT_UNIFORM, 1);
  self->given_linear =
      ssk_dense_build(b, "given_linear", given, h, SSK_LINEAR, SSK_INIT_UNIFORM, 1);
  self->given_out = ssk_dense_build(b, "given_out", given, d, SSK_LINEAR, SSK_INIT_ZERO, 0);
  self->in = ssk_dense_build(b, "in", d, h, SSK_LINEAR, SSK_INIT_UNIFORM, 1);
  for (int i = 0; i < self->blocks; i++) {
    ssk_scope(b, "block%d", i);
    self->up[i] = ssk_dense_build(b, "up", h, h, SSK_LINEAR, SSK_INIT_UNIFORM, 1);
    self->down[i] = ssk_dense_build(b, "down", h, h, SSK_LINEAR, SSK_INIT_UNIFORM, 1);
    ssk_unscope(b);
  }
  self->out = ssk_dense_build(b, "out", h, d, SSK_LINEAR, SSK_INIT_ZERO, 0);
  self->out_linear = ssk_dense_build(b, "out_linear", d, d, SSK_LINEAR, SSK_INIT_ZERO, 0);
  return ssk_build_code(b);
}

/* [n, .]: past, padding flags, covariates and time side by side. */
static ssk_tensor *conditions(const struct ssk_ctx *ctx, const struct ssk_rows *rows) {
  ssk_tensor *parts[4] = {rows->past};
  int n = 1;
  parts[n++] = rows->pad ? rows->pad : ssk_full(ctx->tape, SSK_SHAPE(rows->n, ctx->dims->j), 0);
  if (rows->u)
    parts[n++] = rows->u;
  if (rows->time)
    parts[n++] = rows->time;
  return ssk_concat(ctx->tape, n, parts, -1);
}

static ssk_tensor *mlp_run(const void *state, const struct ssk_ctx *ctx,
                           const struct ssk_noisy *in) {
  const struct mlp *self = state;
  ssk_tape *tape = ctx->tape;
  int h = (int)self->hidden;
  struct distinct levels;
  if (!distinct_find(tape, in->c_noise, &levels))
    return ssk_tape_fail(tape, SSK_ENOMEM, "no memory for the noise levels");
  ssk_tensor *e =
      ssk_level_features(tape, levels.values, (int)self->embedding, self->highest_frequency);
  e = ssk_dense_run(ctx, self->level2, ssk_dense_run(ctx, self->level1, e));
  ssk_tensor *table = ssk_dense_run(ctx, self->film, e);

  ssk_tensor *given = conditions(ctx, &in->cond);
  ssk_tensor *context = ssk_dense_run(ctx, self->given2, ssk_dense_run(ctx, self->given1, given));
  context = ssk_add(tape, context, ssk_dense_run(ctx, self->given_linear, given));

  const int *level = levels.index;
  ssk_tensor *x = ssk_dense_run(ctx, self->in, in->noisy);
  x = ssk_film(tape, x, table, context, level, 0, SSK_LINEAR);
  for (int i = 0; i < self->blocks; i++) {
    ssk_tensor *y = ssk_dense_run(ctx, self->up[i], x);
    y = ssk_film(tape, y, table, NULL, level, (i + 1) * 2 * h, SSK_SILU);
    x = ssk_dense_add(ctx, self->down[i], y, x);
  }
  x = ssk_dense_run(ctx, self->out, ssk_activate(tape, x, SSK_SILU));
  x = ssk_dense_add(ctx, self->out_linear, in->noisy, x);
  return ssk_film(tape, x, ssk_dense_run(ctx, self->film_out, e),
                  ssk_dense_run(ctx, self->given_out, given), level, 0, SSK_LINEAR);
}

static const struct ssk_denoiser_ops mlp_ops = {
    .size = sizeof(struct ssk_denoiser_ops), .build = mlp_build, .run = mlp_run};

static const struct ssk_component mlp_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_DENOISER,
    .name = "mlp",
    .summary = "residual network whose features are modulated by the noise level",
    .doc = "x + W2 silu(FiLM(W1 x)) blocks on the noised target, conditions added at the start, "
           "FiLM (Perez et al. 2018) by an embedding of the noise level; linear paths from target "
           "and conditions to the output, which starts as zero.",
    .self_size = sizeof(struct mlp),
    .params = mlp_params,
    .ops = &mlp_ops,
    .init = mlp_init,
};

SSK_PLUGIN(&mlp_component)
