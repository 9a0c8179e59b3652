/* SPDX-License-Identifier: GPL-3.0-or-later */
/* path_network.h - CSDI's network on a grid of T steps by d features, both of them mixed.
 *
 * What is known, and the noised rest, are two channels, projected to C; each residual layer adds
 * the projected noise embedding, mixes over time, mixes over features, projects to 2C, adds the
 * projected side information (embeddings of time and feature, what is known, covariates), gates
 * sigmoid(a) tanh(b), and projects to a residual, x <- (x + r)/sqrt(2), and a skip. The sum of the
 * skips over sqrt(layers) goes through two more projections, the last one zero at the start.
 *
 * Activations are [T, d, P, C]. Tashiro, Song, Song, Ermon: CSDI, NeurIPS 2021, section 4.3 and
 * appendix E. */
#ifndef PATH_NETWORK_H
#define PATH_NETWORK_H

#include <math.h>
#include <sskit/plugin.h>

#define PATH_MAX_LAYERS 16

struct path_network {
  int64_t channels, layers, embedding, time_embedding, feature_embedding;
  double highest_frequency;
  struct ssk_instance *time, *feature;
  /* not parameters: */
  struct ssk_dense in, level1, level2, level, place, known, covariates, out1, out2;
  ssk_weight names; /* [d, feature_embedding] */
  struct {
    struct ssk_instance *time, *feature; /* feature: NULL for d = 1 */
    struct ssk_dense middle, residual, skip;
  } layer[PATH_MAX_LAYERS];
};

static inline void path_layer_build(struct path_network *net, ssk_builder *b, int i, int d) {
  const int C = (int)net->channels;
  ssk_scope(b, "layer%d", i);
  net->layer[i].time = ssk_build_copy(b, net->time);
  net->layer[i].feature = d > 1 ? ssk_build_copy(b, net->feature) : NULL;
  if (net->layer[i].time)
    ssk_mixer_build(net->layer[i].time, b, C);
  if (net->layer[i].feature)
    ssk_mixer_build(net->layer[i].feature, b, C);
  net->layer[i].middle = ssk_dense_build(b, "middle", C, 2 * C, SSK_LINEAR, SSK_INIT_KAIMING, 1);
  if (i + 1 < net->layers) /* what the last one would add to is not read */
    net->layer[i].residual = ssk_dense_build(b, "residual", C, C, SSK_LINEAR, SSK_INIT_KAIMING, 1);
  net->layer[i].skip = ssk_dense_build(b, "skip", C, C, SSK_LINEAR, SSK_INIT_KAIMING, 1);
  ssk_unscope(b);
}

static inline void path_network_build(struct path_network *net, ssk_builder *b,
                                      const struct ssk_dims *dims) {
  const int C = (int)net->channels, E = (int)net->embedding, side = (int)net->layers * 2 * C;
  net->in = ssk_dense_build(b, "in", 2, C, SSK_RELU, SSK_INIT_KAIMING, 1);
  net->level1 = ssk_dense_build(b, "level1", E, E, SSK_SILU, SSK_INIT_UNIFORM, 1);
  net->level2 = ssk_dense_build(b, "level2", E, E, SSK_SILU, SSK_INIT_UNIFORM, 1);
  net->level =
      ssk_dense_build(b, "level", E, (int)net->layers * C, SSK_LINEAR, SSK_INIT_UNIFORM, 1);
  net->names = ssk_declare(b, "feature_names", SSK_SHAPE(dims->d, (int)net->feature_embedding),
                           SSK_INIT_NORMAL, 1, SSK_NO_DECAY);
  net->place = ssk_dense_build(b, "place", (int)(net->time_embedding + net->feature_embedding),
                               side, SSK_LINEAR, SSK_INIT_UNIFORM, 1);
  net->known = ssk_dense_build(b, "known", 1, side, SSK_LINEAR, SSK_INIT_UNIFORM, 1);
  if (dims->V)
    net->covariates =
        ssk_dense_build(b, "covariates", dims->V, side, SSK_LINEAR, SSK_INIT_UNIFORM, 1);
  for (int i = 0; i < net->layers && !ssk_build_code(b); i++)
    path_layer_build(net, b, i, dims->d);
  net->out1 = ssk_dense_build(b, "out1", C, C, SSK_RELU, SSK_INIT_KAIMING, 1);
  net->out2 = ssk_dense_build(b, "out2", C, 1, SSK_LINEAR, SSK_INIT_ZERO, 0);
}

/* ---- side information ------------------------------------------------------------------------ */

/* [T, d, 1, .]: what names a step and a feature. */
static inline ssk_tensor *path_places(const struct path_network *net, const struct ssk_ctx *ctx,
                                      int T) {
  const int d = ctx->dims->d, F = (int)net->time_embedding, N = (int)net->feature_embedding;
  ssk_tape *tape = ctx->tape;
  int *steps = ssk_tape_scratch(tape, (size_t)T * sizeof *steps);
  if (!steps)
    return ssk_tape_fail(tape, SSK_ENOMEM, "no memory for %d steps", T);
  for (int t = 0; t < T; t++)
    steps[t] = t;
  ssk_tensor *time = ssk_repeat(tape, ssk_time_features(tape, T, steps, F), 0, d);
  ssk_tensor *names = ssk_reshape(tape, ssk_use(ctx, net->names), SSK_SHAPE(1, d * N));
  names = ssk_reshape(tape, ssk_repeat(tape, names, 0, T), SSK_SHAPE(T * d, N));
  ssk_tensor *both = ssk_concat(tape, 2, (ssk_tensor *[]){time, names}, -1);
  return ssk_reshape(tape, both, SSK_SHAPE(T, d, 1, F + N));
}

/* The side information of a layer, that can be added to [T, d, P, 2C]: its columns of the three. */
struct path_side {
  ssk_tensor *place, *known, *covariates; /* [T, d, 1, .], [T, d, P, 1], [T, 1, P, V] or NULL */
};

static inline ssk_tensor *path_columns(const struct ssk_ctx *ctx, struct ssk_dense layer,
                                       ssk_tensor *x, int from, int n) {
  ssk_tensor *W = ssk_cols(ctx->tape, ssk_use(ctx, layer.W), from, n);
  ssk_tensor *bias = ssk_cols(ctx->tape, ssk_use(ctx, layer.b), from, n);
  return ssk_linear(ctx->tape, x, W, bias, SSK_LINEAR);
}

static inline ssk_tensor *path_add_side(const struct path_network *net, const struct ssk_ctx *ctx,
                                        const struct path_side *side, int layer, ssk_tensor *y) {
  const int n = 2 * (int)net->channels, from = layer * n;
  ssk_tensor *small = path_columns(ctx, net->place, side->place, from, n);
  y = ssk_add(ctx->tape, y, small);
  y = ssk_add(ctx->tape, y, path_columns(ctx, net->known, side->known, from, n));
  if (side->covariates)
    y = ssk_add(ctx->tape, y, path_columns(ctx, net->covariates, side->covariates, from, n));
  return y;
}

/* ---- the network ----------------------------------------------------------------------------- */

/* [T, P, w] -> [T, w, P, 1] */
static inline ssk_tensor *path_as_grid(ssk_tape *tape, ssk_tensor *x) {
  const int T = x->shape[0], P = x->shape[1], w = x->shape[2];
  return ssk_reshape(tape, ssk_permute(tape, x, (int[]){0, 2, 1}), SSK_SHAPE(T, w, P, 1));
}

static inline ssk_tensor *path_mix(const struct path_network *net, const struct ssk_ctx *ctx, int i,
                                   ssk_tensor *x) {
  const int T = x->shape[0], d = x->shape[1], P = x->shape[2], C = x->shape[3];
  if (!x->count)
    return x;
  x = ssk_reshape(ctx->tape, x, SSK_SHAPE(T, d * P, C));
  x = ssk_mixer_run(net->layer[i].time, ctx, x, false);
  x = ssk_reshape(ctx->tape, x, SSK_SHAPE(T, d, P, C));
  return net->layer[i].feature ? ssk_mixer_run(net->layer[i].feature, ctx, x, false) : x;
}

/* The noise in `noisy`, [T, P, d]: known and noisy [T, P, d] are zero where the other is not; given
 * [T, P, d] 1 where it is known; c_noise [P] the levels as the network sees them; u [T, P, V] or
 * NULL. */
static inline ssk_tensor *path_network_run(const struct path_network *net,
                                           const struct ssk_ctx *ctx, ssk_tensor *known,
                                           ssk_tensor *noisy, ssk_tensor *given,
                                           ssk_tensor *c_noise, ssk_tensor *u) {
  ssk_tape *tape = ctx->tape;
  const int T = known->shape[0], P = known->shape[1], d = known->shape[2];
  const int C = (int)net->channels, layers = (int)net->layers;
  if (ssk_tape_code(tape))
    return known;
  ssk_tensor *e = ssk_level_features(tape, c_noise, (int)net->embedding, net->highest_frequency);
  e = ssk_dense_run(ctx, net->level2, ssk_dense_run(ctx, net->level1, e));
  e = ssk_dense_run(ctx, net->level, e);
  struct path_side side = {.place = path_places(net, ctx, T), .known = path_as_grid(tape, given)};
  if (u)
    side.covariates = ssk_reshape(tape, u, SSK_SHAPE(T, 1, P, ssk_width(u)));
  ssk_tensor *x = ssk_concat(
      tape, 2, (ssk_tensor *[]){path_as_grid(tape, known), path_as_grid(tape, noisy)}, -1);
  x = ssk_dense_run(ctx, net->in, x);
  ssk_tensor *skips = NULL;
  for (int i = 0; i < layers; i++) {
    ssk_tensor *y = ssk_add(tape, x, ssk_cols(tape, e, i * C, C));
    y = ssk_dense_run(ctx, net->layer[i].middle, path_mix(net, ctx, i, y));
    y = ssk_gate(tape, path_add_side(net, ctx, &side, i, y));
    skips = ssk_dense_add(ctx, net->layer[i].skip, y, skips);
    if (i + 1 < layers)
      x = ssk_affine(tape, ssk_dense_add(ctx, net->layer[i].residual, y, x), (ssk_real)sqrt(0.5),
                     0);
  }
  x = ssk_affine(tape, skips, (ssk_real)(1 / sqrt(layers)), 0);
  x = ssk_dense_run(ctx, net->out2, ssk_dense_run(ctx, net->out1, x));
  return ssk_permute(tape, ssk_reshape(tape, x, SSK_SHAPE(T, d, P)), (int[]){0, 2, 1});
}

#endif
