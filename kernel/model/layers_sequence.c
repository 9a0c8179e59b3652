/* SPDX-License-Identifier: GPL-3.0-or-later */
/* layers_sequence.c - layers along the first axis: GRU stack, dilated convolutions, transformer.
 *
 * GRU: Cho et al. 2014. Convolutions: residual blocks of dilated convolutions, WaveNet's receptive
 * field (van den Oord et al. 2016) of 1 + (k-1)(2^blocks - 1) steps. Transformer: pre-norm blocks
 * (Xiong et al. 2020), x + attention(norm(x)), then x + feedforward(norm(x)), with GELU. */
#include <math.h>
#include <sskit/plugin.h>

#define MAX_LAYERS 8

static bool depth_fits(ssk_builder *b, const char *what, int n) {
  if (n >= 1 && n <= MAX_LAYERS)
    return true;
  ssk_build_fail(b, SSK_EUSAGE, "%s: depth must be 1 to %d, not %d", what, MAX_LAYERS, n);
  return false;
}

/* ---- GRU ------------------------------------------------------------------------------------ */

struct ssk_gru_stack ssk_gru_stack_build(ssk_builder *b, const char *name, int in, int hidden,
                                         int layers) {
  struct ssk_gru_stack gru = {0};
  if (!depth_fits(b, "GRU", layers))
    return gru;
  gru.layers = layers;
  ssk_scope(b, "%s", name);
  for (int i = 0; i < layers; i++) {
    int n = i ? hidden : in, gates = 3 * hidden;
    ssk_scope(b, "layer%d", i);
    /* PyTorch's start is +-1/sqrt(hidden) for all four; the gain makes it so for Wx and biases. */
    double bound = 1 / sqrt(hidden);
    gru.layer[i].Wx =
        ssk_declare(b, "Wx", SSK_SHAPE(n, gates), SSK_INIT_UNIFORM, bound * sqrt(n), SSK_DECAY);
    gru.layer[i].Wh =
        ssk_declare(b, "Wh", SSK_SHAPE(hidden, gates), SSK_INIT_UNIFORM, 1, SSK_DECAY);
    gru.layer[i].bx = ssk_declare(b, "bx", SSK_SHAPE(gates), SSK_INIT_UNIFORM, bound, SSK_NO_DECAY);
    gru.layer[i].bh = ssk_declare(b, "bh", SSK_SHAPE(gates), SSK_INIT_UNIFORM, bound, SSK_NO_DECAY);
    ssk_unscope(b);
  }
  ssk_unscope(b);
  return gru;
}

static ssk_tensor *gru_layer(const struct ssk_ctx *ctx, const struct ssk_gru_stack *gru, int i,
                             ssk_tensor *x, ssk_tensor *h0) {
  return ssk_gru(ctx->tape, x, ssk_use(ctx, gru->layer[i].Wx), ssk_use(ctx, gru->layer[i].Wh),
                 ssk_use(ctx, gru->layer[i].bx), ssk_use(ctx, gru->layer[i].bh), h0);
}

ssk_tensor *ssk_gru_stack_run(const struct ssk_ctx *ctx, const struct ssk_gru_stack *gru,
                              ssk_tensor *x) {
  for (int i = 0; i < gru->layers; i++)
    x = gru_layer(ctx, gru, i, x, NULL);
  return x;
}

ssk_tensor *ssk_gru_stack_run_part(const struct ssk_ctx *ctx, const struct ssk_gru_stack *gru,
                                   ssk_tensor *x, ssk_tensor *state, ssk_tensor **next) {
  ssk_tape *tape = ctx->tape;
  ssk_tensor *last[MAX_LAYERS];
  const int hidden = ssk_width(state) / gru->layers;
  for (int i = 0; i < gru->layers; i++) {
    x = gru_layer(ctx, gru, i, x, ssk_cols(tape, state, i * hidden, hidden));
    last[i] =
        ssk_reshape(tape, ssk_rows(tape, x, x->shape[0] - 1, 1), SSK_SHAPE(x->shape[1], hidden));
  }
  *next = ssk_concat(tape, gru->layers, last, -1);
  return x;
}

/* ---- convolutions --------------------------------------------------------------------------- */

struct ssk_conv_stack ssk_conv_stack_build(ssk_builder *b, const char *name, int width, int kernel,
                                           int blocks) {
  struct ssk_conv_stack conv = {0};
  if (!depth_fits(b, "convolutions", blocks))
    return conv;
  conv.blocks = blocks;
  ssk_scope(b, "%s", name);
  for (int i = 0; i < blocks; i++) {
    ssk_scope(b, "block%d", i);
    conv.block[i].W =
        ssk_declare(b, "W", SSK_SHAPE(kernel, width, width), SSK_INIT_UNIFORM, 1, SSK_DECAY);
    conv.block[i].b = ssk_declare(b, "b", SSK_SHAPE(width), SSK_INIT_ZERO, 0, SSK_NO_DECAY);
    conv.block[i].out = ssk_dense_build(b, "out", width, width, SSK_LINEAR, SSK_INIT_UNIFORM, 1);
    ssk_unscope(b);
  }
  ssk_unscope(b);
  return conv;
}

ssk_tensor *ssk_conv_stack_run(const struct ssk_ctx *ctx, const struct ssk_conv_stack *conv,
                               ssk_tensor *x, bool causal) {
  for (int i = 0; i < conv->blocks; i++) {
    ssk_tensor *h = ssk_conv(ctx->tape, x, ssk_use(ctx, conv->block[i].W),
                             ssk_use(ctx, conv->block[i].b), 1 << i, causal);
    h = ssk_activate(ctx->tape, h, SSK_SILU);
    x = ssk_add(ctx->tape, x, ssk_dense_run(ctx, conv->block[i].out, h));
  }
  return x;
}

/* ---- transformer ---------------------------------------------------------------------------- */

struct ssk_transformer ssk_transformer_build(ssk_builder *b, const char *name, int width, int heads,
                                             int feed_forward, int blocks) {
  struct ssk_transformer net = {0};
  if (!depth_fits(b, "transformer", blocks))
    return net;
  if (heads < 1 || width % heads) {
    ssk_build_fail(b, SSK_ERECIPE, "transformer: width %d is not a multiple of %d heads", width,
                   heads);
    return net;
  }
  net.blocks = blocks;
  net.heads = heads;
  const enum ssk_init xavier = SSK_INIT_XAVIER;
  ssk_scope(b, "%s", name);
  for (int i = 0; i < blocks; i++) {
    ssk_scope(b, "block%d", i);
    const int *one = (const int[]){width};
    net.block[i].norm1_gain =
        ssk_declare(b, "norm1.gain", 1, one, SSK_INIT_CONSTANT, 1, SSK_NO_DECAY);
    net.block[i].norm1_bias = ssk_declare(b, "norm1.bias", 1, one, SSK_INIT_ZERO, 0, SSK_NO_DECAY);
    net.block[i].norm2_gain =
        ssk_declare(b, "norm2.gain", 1, one, SSK_INIT_CONSTANT, 1, SSK_NO_DECAY);
    net.block[i].norm2_bias = ssk_declare(b, "norm2.bias", 1, one, SSK_INIT_ZERO, 0, SSK_NO_DECAY);
    net.block[i].q = ssk_dense_build(b, "q", width, width, SSK_LINEAR, xavier, 1);
    net.block[i].k = ssk_dense_build(b, "k", width, width, SSK_LINEAR, xavier, 1);
    net.block[i].v = ssk_dense_build(b, "v", width, width, SSK_LINEAR, xavier, 1);
    net.block[i].mix = ssk_dense_build(b, "mix", width, width, SSK_LINEAR, xavier, 1);
    net.block[i].up = ssk_dense_build(b, "up", width, feed_forward, SSK_GELU, xavier, 1);
    net.block[i].down = ssk_dense_build(b, "down", feed_forward, width, SSK_LINEAR, xavier, 1);
    ssk_unscope(b);
  }
  ssk_unscope(b);
  return net;
}

/* Along a short axis all blocks are one operation. */
static ssk_tensor *run_fused(const struct ssk_ctx *ctx, const struct ssk_transformer *net,
                             ssk_tensor *x, bool causal) {
  struct ssk_transformer_block block[MAX_LAYERS];
  for (int i = 0; i < net->blocks; i++)
    block[i] = (struct ssk_transformer_block){.norm1_gain = ssk_use(ctx, net->block[i].norm1_gain),
                                              .norm1_bias = ssk_use(ctx, net->block[i].norm1_bias),
                                              .query_W = ssk_use(ctx, net->block[i].q.W),
                                              .query_b = ssk_use(ctx, net->block[i].q.b),
                                              .key_W = ssk_use(ctx, net->block[i].k.W),
                                              .key_b = ssk_use(ctx, net->block[i].k.b),
                                              .value_W = ssk_use(ctx, net->block[i].v.W),
                                              .value_b = ssk_use(ctx, net->block[i].v.b),
                                              .mix_W = ssk_use(ctx, net->block[i].mix.W),
                                              .mix_b = ssk_use(ctx, net->block[i].mix.b),
                                              .norm2_gain = ssk_use(ctx, net->block[i].norm2_gain),
                                              .norm2_bias = ssk_use(ctx, net->block[i].norm2_bias),
                                              .up_W = ssk_use(ctx, net->block[i].up.W),
                                              .up_b = ssk_use(ctx, net->block[i].up.b),
                                              .down_W = ssk_use(ctx, net->block[i].down.W),
                                              .down_b = ssk_use(ctx, net->block[i].down.b)};
  return ssk_transformer_blocks(ctx->tape, x, net->blocks, block, net->heads, causal);
}

ssk_tensor *ssk_transformer_run(const struct ssk_ctx *ctx, const struct ssk_transformer *net,
                                ssk_tensor *x, bool causal) {
  ssk_tape *tape = ctx->tape;
  if (x->ndim < 3)
    return ssk_tape_fail(tape, SSK_EUSAGE, "transformer: an input of %d axes", x->ndim);
  const int swap[] = {1, 0, 2, 3}, A = x->shape[0], L = x->shape[x->ndim - 3],
            N = x->shape[x->ndim - 2], C = ssk_width(x);
  const bool groups = x->ndim == 4;
  if (L <= SSK_TRANSFORMER_POSITIONS)
    return run_fused(ctx, net, x, causal);
  if (groups)
    x = ssk_reshape(tape, ssk_permute(tape, x, swap), SSK_SHAPE(L, A * N, C));
  for (int i = 0; i < net->blocks; i++) {
    ssk_tensor *h = ssk_layer_norm(tape, x, ssk_use(ctx, net->block[i].norm1_gain),
                                   ssk_use(ctx, net->block[i].norm1_bias));
    ssk_tensor *q = ssk_dense_run(ctx, net->block[i].q, h);
    ssk_tensor *k = ssk_dense_run(ctx, net->block[i].k, h);
    ssk_tensor *v = ssk_dense_run(ctx, net->block[i].v, h);
    h = ssk_attention(tape, q, k, v, net->heads, causal);
    x = ssk_add(tape, x, ssk_dense_run(ctx, net->block[i].mix, h));
    h = ssk_layer_norm(tape, x, ssk_use(ctx, net->block[i].norm2_gain),
                       ssk_use(ctx, net->block[i].norm2_bias));
    h = ssk_dense_run(ctx, net->block[i].up, h);
    x = ssk_add(tape, x, ssk_dense_run(ctx, net->block[i].down, h));
  }
  if (groups)
    x = ssk_permute(tape, ssk_reshape(tape, x, SSK_SHAPE(L, A, N, C)), swap);
  return x;
}
