/* SPDX-License-Identifier: GPL-3.0-or-later */
/* csdi.c - CSDI's residual stack as denoiser, with its two attentions made pluggable mixers.
 *
 * The grid has L = j + 1 time slots (the history, then the noised target) and d features. Two input
 * channels, the noised target and the clean history, are projected to C channels; each residual
 * layer adds the projected noise embedding, mixes over the slots, mixes over the features, projects
 * to 2C, adds the projected side information, gates sigmoid(a) tanh(b), and projects to a residual,
 * with x <- (x + r)/sqrt(2), and a skip. The sum of the skips over sqrt(layers) goes through two
 * more projections, the last one zero at the start, to one channel, of which the target slot is
 * read. Side information: time features, a feature embedding, the slot, the history or target flag,
 * padding flags and covariates.
 *
 * Activations are [slots, features, n*M, C]. Side information is projected once for each
 * conditioning row, the noise embedding once for each level; nothing is computed behind the last
 * mixing but for the target slot, the only one that is read.
 *
 * Tashiro, Song, Song, Ermon: CSDI, NeurIPS 2021, section 4.3 and appendix E. */
#include "csdi_add.h"
#include "levels.h"
#include <math.h>
#include <sskit/plugin.h>

#define CSDI_MAX_LAYERS    16
#define CSDI_SLOT_FEATURES 16

struct csdi {
  int64_t channels, layers, embedding, feature_embedding;
  double highest_frequency;
  struct ssk_instance *time, *feature;
  /* not parameters: */
  struct ssk_dense level1, level2, level; /* the last: to all layers */
  struct ssk_dense place, row;            /* side information, to all layers */
  ssk_weight names;                       /* [d, feature_embedding] */
  ssk_weight of_target, of_history, in_bias;
  struct {
    struct ssk_instance *time, *feature; /* feature: NULL for d = 1 */
    struct ssk_dense middle, residual, skip;
  } layer[CSDI_MAX_LAYERS];
  struct ssk_dense out1, out2;
};

static const struct ssk_param csdi_params[] = {
    SSK_PARAM_INT(struct csdi, channels, "32", 1, 1024, "units", "C: width of the residual stack."),
    SSK_PARAM_INT(struct csdi, layers, "4", 1, CSDI_MAX_LAYERS, "layers", "Residual layers."),
    SSK_PARAM_INT(struct csdi, embedding, "128", 4, 1024, "units",
                  "Width of the noise level's embedding (even)."),
    SSK_PARAM_INT(struct csdi, feature_embedding, "16", 1, 1024, "units",
                  "Width of the learned embedding of each latent feature."),
    SSK_PARAM_REAL(
        struct csdi, highest_frequency, "32", 1, 1e5, "1",
        "Of the sines and cosines of log(sigma)/4 in the noise embedding. CSDI has 1e4 "
        "for integer steps; that is not smooth between the levels of training, and suits "
        "only samplers that keep to them."),
    SSK_PARAM_COMPONENT(struct csdi, time, SSK_MIXER, "conv",
                        "Mixes over the history and the target."),
    SSK_PARAM_COMPONENT(struct csdi, feature, SSK_MIXER, "transformer",
                        "Mixes over the latent features; not used where there is one."),
    SSK_PARAM_END,
};

static int csdi_init(void *state, ssk_err *err) {
  const struct csdi *self = state;
  if (self->embedding % 2)
    return ssk_err_set(err, SSK_ERECIPE, "the embedding's width is %d, which is not even",
                       (int)self->embedding);
  return SSK_OK;
}

/* Width of the side information of a conditioning row: a padding flag, covariates, time. */
static int row_width(const struct ssk_dims *dims) {
  return 1 + dims->V + dims->F;
}

static int csdi_build(void *state, ssk_builder *b, const struct ssk_dims *dims) {
  struct csdi *self = state;
  int C = (int)self->channels, E = (int)self->embedding, layers = (int)self->layers;
  int place = CSDI_SLOT_FEATURES + (int)self->feature_embedding + 1;
  self->level1 = ssk_dense_build(b, "level1", E, E, SSK_SILU, SSK_INIT_UNIFORM, 1);
  self->level2 = ssk_dense_build(b, "level2", E, E, SSK_SILU, SSK_INIT_UNIFORM, 1);
  self->level = ssk_dense_build(b, "level", E, layers * C, SSK_LINEAR, SSK_INIT_UNIFORM, 1);
  self->names = ssk_declare(b, "feature_names", SSK_SHAPE(dims->d, (int)self->feature_embedding),
                            SSK_INIT_NORMAL, 1, SSK_NO_DECAY);
  self->place = ssk_dense_build(b, "place", place, layers * 2 * C, SSK_LINEAR, SSK_INIT_UNIFORM, 1);
  self->row =
      ssk_dense_build(b, "row", row_width(dims), layers * 2 * C, SSK_LINEAR, SSK_INIT_UNIFORM, 1);
  self->of_target = ssk_declare(b, "of_target", SSK_SHAPE(1, C), SSK_INIT_KAIMING, 1, SSK_DECAY);
  self->of_history = ssk_declare(b, "of_history", SSK_SHAPE(1, C), SSK_INIT_KAIMING, 1, SSK_DECAY);
  self->in_bias = ssk_declare(b, "in_bias", SSK_SHAPE(C), SSK_INIT_UNIFORM, 1, SSK_NO_DECAY);
  for (int i = 0; i < layers && !ssk_build_code(b); i++) {
    ssk_scope(b, "layer%d", i);
    self->layer[i].time = ssk_build_copy(b, self->time);
    if (self->layer[i].time)
      ssk_mixer_build(self->layer[i].time, b, C);
    self->layer[i].feature = dims->d > 1 ? ssk_build_copy(b, self->feature) : NULL;
    if (self->layer[i].feature)
      ssk_mixer_build(self->layer[i].feature, b, C);
    self->layer[i].middle = ssk_dense_build(b, "middle", C, 2 * C, SSK_LINEAR, SSK_INIT_KAIMING, 1);
    if (i + 1 < layers)
      self->layer[i].residual =
          ssk_dense_build(b, "residual", C, C, SSK_LINEAR, SSK_INIT_KAIMING, 1);
    self->layer[i].skip = ssk_dense_build(b, "skip", C, C, SSK_LINEAR, SSK_INIT_KAIMING, 1);
    ssk_unscope(b);
  }
  self->out1 = ssk_dense_build(b, "out1", C, C, SSK_RELU, SSK_INIT_KAIMING, 1);
  self->out2 = ssk_dense_build(b, "out2", C, 1, SSK_LINEAR, SSK_INIT_ZERO, 0);
  return ssk_build_code(b);
}

/* ---- the network ------------------------------------------------------------------------------
 */

/* [L*d, .]: what names a slot and a feature: sines and cosines of the lag, the feature's embedding,
 * and the target flag. */
static ssk_tensor *places(const struct csdi *self, const struct ssk_ctx *ctx) {
  int L = ctx->dims->j + 1, d = ctx->dims->d;
  ssk_tensor *lag = ssk_empty(ctx->tape, SSK_SHAPE(L)),
             *flag = ssk_empty(ctx->tape, SSK_SHAPE(L, 1));
  for (int l = 0; lag->count && flag->count && l < L; l++) {
    lag->data[l] = (ssk_real)(L - 1 - l);
    flag->data[l] = l == L - 1;
  }
  ssk_tensor *slot[] = {ssk_level_features(ctx->tape, lag, CSDI_SLOT_FEATURES, 1e-4), flag};
  ssk_tensor *slots = ssk_repeat(ctx->tape, ssk_concat(ctx->tape, 2, slot, -1), 0, d);
  ssk_tensor *names = ssk_use(ctx, self->names);
  int width = (int)self->feature_embedding;
  names = ssk_reshape(ctx->tape, names, SSK_SHAPE(1, d * width));
  names = ssk_reshape(ctx->tape, ssk_repeat(ctx->tape, names, 0, L), SSK_SHAPE(L * d, width));
  return ssk_concat(ctx->tape, 2, (ssk_tensor *[]){slots, names}, -1);
}

/* [1, n, .] or [L, n, .]: padding flag, covariates and time of each row; NULL when there is none.
 */
static ssk_tensor *row_features(const struct ssk_ctx *ctx, const struct ssk_rows *rows) {
  ssk_tape *tape = ctx->tape;
  int n = rows->n, L = rows->pad ? ctx->dims->j + 1 : 1, parts = 1;
  if (!rows->pad && !rows->u && !rows->time)
    return NULL;
  ssk_tensor *part[3] = {ssk_full(tape, SSK_SHAPE(1, n, 1), 0)};
  if (rows->pad) {
    ssk_tensor *flags = ssk_permute(tape, rows->pad, (int[]){1, 0});
    flags = ssk_reshape(tape, flags, SSK_SHAPE(L - 1, n, 1));
    part[0] = ssk_concat(tape, 2, (ssk_tensor *[]){flags, part[0]}, 0);
  }
  for (int i = 0; i < 2; i++) {
    ssk_tensor *x = i ? rows->time : rows->u;
    if (!x)
      continue;
    x = ssk_reshape(tape, x, SSK_SHAPE(1, n, ssk_width(x)));
    part[parts++] = L > 1 ? ssk_repeat(tape, x, 0, L) : x;
  }
  return parts > 1 ? ssk_concat(tape, parts, part, -1) : part[0];
}

/* [L, d, n*M, C]: ReLU of the projected channels; a slot is target or history, never both. */
static ssk_tensor *projected_input(const struct csdi *self, const struct ssk_ctx *ctx,
                                   const struct ssk_noisy *in) {
  ssk_tape *tape = ctx->tape;
  int n = in->cond.n, M = in->M, j = ctx->dims->j, d = ctx->dims->d, C = (int)self->channels;
  ssk_tensor *bias = ssk_use(ctx, self->in_bias);
  ssk_tensor *past = ssk_permute(tape, in->cond.past, (int[]){1, 0}); /* [j*d, n] */
  past = ssk_reshape(tape, past, SSK_SHAPE(j * d * n, 1));
  past = ssk_linear(tape, past, ssk_use(ctx, self->of_history), bias, SSK_RELU);
  if (M > 1)
    past = ssk_repeat(tape, past, 0, M);
  ssk_tensor *target = ssk_permute(tape, in->noisy, (int[]){1, 0}); /* [d, n*M] */
  target = ssk_reshape(tape, target, SSK_SHAPE(d * n * M, 1));
  target = ssk_linear(tape, target, ssk_use(ctx, self->of_target), bias, SSK_RELU);
  ssk_tensor *x = ssk_concat(tape, 2, (ssk_tensor *[]){past, target}, 0);
  return ssk_reshape(tape, x, SSK_SHAPE(j + 1, d, n * M, C));
}

/* Mix x [L, d, rows, C] over slots, then over features. Of the last layer only the target slot is
 * read: it gives [1, d, rows, C]. */
static ssk_tensor *mix(const struct csdi *self, const struct ssk_ctx *ctx, int layer,
                       ssk_tensor *x) {
  ssk_tape *tape = ctx->tape;
  int L = x->shape[0], d = x->shape[1], rows = x->shape[2], C = x->shape[3];
  if (!x->count)
    return x;
  x = ssk_reshape(tape, x, SSK_SHAPE(L, d * rows, C));
  x = ssk_mixer_run(self->layer[layer].time, ctx, x, false);
  if (layer + 1 == self->layers)
    x = ssk_rows(tape, x, L - 1, 1);
  x = ssk_reshape(tape, x, SSK_SHAPE(x->shape[0], d, rows, C));
  if (self->layer[layer].feature)
    x = ssk_mixer_run(self->layer[layer].feature, ctx, x, false);
  return x;
}

static ssk_tensor *csdi_run(const void *state, const struct ssk_ctx *ctx,
                            const struct ssk_noisy *in) {
  const struct csdi *self = state;
  ssk_tape *tape = ctx->tape;
  int L = ctx->dims->j + 1, d = ctx->dims->d, C = (int)self->channels, layers = (int)self->layers;
  int n = in->cond.n, rows = n * in->M;
  struct distinct levels;
  if (!distinct_find(tape, in->c_noise, &levels))
    return ssk_tape_fail(tape, SSK_ENOMEM, "no memory for the noise levels");
  ssk_tensor *e =
      ssk_level_features(tape, levels.values, (int)self->embedding, self->highest_frequency);
  e = ssk_dense_run(ctx, self->level2, ssk_dense_run(ctx, self->level1, e));
  e = ssk_dense_run(ctx, self->level, e);
  ssk_tensor *place = ssk_dense_run(ctx, self->place, places(self, ctx));
  ssk_tensor *row = row_features(ctx, &in->cond);
  if (row)
    row = ssk_dense_run(ctx, self->row, row);

  ssk_tensor *x = projected_input(self, ctx, in), *skips = NULL;
  for (int i = 0; i < layers; i++) {
    struct adding how = {.M = in->M, .level = levels.index, .features = d, .at_level = i * C};
    ssk_tensor *y =
        ssk_apply(tape, &adding_op, 4, (ssk_tensor *[]){x, e, NULL, NULL}, &how, sizeof how);
    y = mix(self, ctx, i, y);
    how.row_slot = L - y->shape[0];
    how.first_place = how.row_slot * d;
    y = ssk_dense_run(ctx, self->layer[i].middle, y);
    how.at_place = how.at_row = i * 2 * C;
    y = ssk_apply(tape, &adding_op, 4, (ssk_tensor *[]){y, NULL, place, row}, &how, sizeof how);
    y = ssk_gate(tape, y);
    ssk_tensor *target = ssk_rows(tape, y, y->shape[0] - 1, 1);
    skips = ssk_dense_add(ctx, self->layer[i].skip, target, skips);
    if (i + 1 < layers) {
      x = ssk_dense_add(ctx, self->layer[i].residual, y, x);
      x = ssk_affine(tape, x, (ssk_real)sqrt(0.5), 0);
    }
  }
  x = ssk_affine(tape, skips, (ssk_real)(1 / sqrt(layers)), 0);
  x = ssk_dense_run(ctx, self->out2, ssk_dense_run(ctx, self->out1, x));
  return ssk_permute(tape, ssk_reshape(tape, x, SSK_SHAPE(d, rows)), (int[]){1, 0});
}

static const struct ssk_denoiser_ops csdi_ops = {.size = sizeof(struct ssk_denoiser_ops),
                                                 .build = csdi_build,
                                                 .run = csdi_run,
                                                 .rows_at_once = 256};

static const struct ssk_component csdi_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_DENOISER,
    .name = "csdi",
    .summary = "CSDI's gated residual stack over history and features",
    .doc =
        "Noised target and clean history as two channels of a grid of j + 1 slots by d features; "
        "residual layers add a noise embedding, mix over slots and over features by pluggable "
        "mixers, add side information, and are gated by sigmoid(a) tanh(b); the skips' sum gives "
        "the target (Tashiro et al. 2021).",
    .self_size = sizeof(struct csdi),
    .params = csdi_params,
    .ops = &csdi_ops,
    .init = csdi_init,
};

SSK_PLUGIN(&csdi_component)
