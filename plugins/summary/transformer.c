/* SPDX-License-Identifier: GPL-3.0-or-later */
/* transformer.c - future summary: causal self-attention over reversed time.
 *
 * Sources: Vaswani et al. 2017 (attention, sinusoidal positions); Xiong et al. 2020 (pre-norm). */
#include <sskit/plugin.h>

struct transformer {
  int64_t hidden, heads, feed_forward, blocks;
  struct ssk_dense project;
  struct ssk_transformer net;
};

static int build(void *self, ssk_builder *b, const struct ssk_dims *dims, int in, int *out) {
  struct transformer *s = self;
  (void)dims;
  int hidden = (int)s->hidden;
  s->project = ssk_dense_build(b, "project", in, hidden, SSK_LINEAR, SSK_INIT_UNIFORM, 1);
  s->net =
      ssk_transformer_build(b, "net", hidden, (int)s->heads, (int)s->feed_forward, (int)s->blocks);
  *out = hidden;
  return ssk_build_code(b);
}

/* [L, 1, width]: features of the distance to the end of the window, with wave numbers from 1e-4 to
 * 1: the transformer's own, whose frequencies ssk_sinusoidal gives for values scaled by 1e-4. */
static ssk_tensor *positions(const struct ssk_ctx *ctx, int L, int width) {
  ssk_tensor *value = ssk_empty(ctx->tape, SSK_SHAPE(L));
  for (size_t l = 0; l < value->count; l++)
    value->data[l] = (ssk_real)(1e-4 * (double)l);
  return ssk_reshape(ctx->tape, ssk_sinusoidal(ctx->tape, value, width), SSK_SHAPE(L, 1, width));
}

static ssk_tensor *run(const void *self, const struct ssk_ctx *ctx, ssk_tensor *x) {
  const struct transformer *s = self;
  ssk_tensor *y = ssk_dense_run(ctx, s->project, x);
  y = ssk_add(ctx->tape, y, positions(ctx, x->shape[0], (int)s->hidden));
  return ssk_transformer_run(ctx, &s->net, y, true);
}

static const char *heads_divide(const void *self) {
  const struct transformer *s = self;
  return s->hidden % s->heads ? "hidden must be a multiple of heads" : NULL;
}

static const struct ssk_param params[] = {
    SSK_PARAM_INT(struct transformer, hidden, "64", 2, 4096, "units",
                  "Width of the blocks, and of h_t."),
    {.name = "heads",
     .type = SSK_T_INT,
     .offset = SSK_MEMBER_(struct transformer, heads, int64_t),
     .default_text = "4",
     .min = 1,
     .max = 64,
     .doc = "Attention heads; they divide `hidden`.",
     .check = heads_divide},
    SSK_PARAM_INT(struct transformer, feed_forward, "128", 1, 16384, "units",
                  "Hidden units of each block's two-layer network."),
    SSK_PARAM_INT(struct transformer, blocks, "2", 1, 8, NULL, "Blocks, one above the other."),
    SSK_PARAM_END};

static const struct ssk_summary_ops ops = {.size = sizeof ops, .build = build, .run = run};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_SUMMARY,
    .name = "transformer",
    .summary = "pre-norm transformer, causal over reversed time",
    .doc =
        "The inputs are projected to `hidden`, sinusoidal features of the distance to the end of\n"
        "the window are added, and each block computes\n"
        "    y <- y + W_o attention(norm(y)),   y <- y + W_2 gelu(W_1 norm(y) + b_1) + b_2\n"
        "with multi-head scaled dot-product attention that is causal in reversed time: h_t "
        "attends\n"
        "to the steps from t on.\n"
        "\n"
        "Sources: Vaswani et al. 2017; Xiong et al. 2020 (normalisation before each sublayer).",
    .self_size = sizeof(struct transformer),
    .params = params,
    .ops = &ops,
};

SSK_PLUGIN(&component)
