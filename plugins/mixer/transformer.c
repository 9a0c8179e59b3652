/* SPDX-License-Identifier: GPL-3.0-or-later */
/* transformer.c - mixer by self-attention along the axis (CSDI's, Tashiro et al. 2021, with the
 * normalisation before each sublayer, Xiong et al. 2020). */
#include <sskit/plugin.h>

struct transformer {
  int64_t heads, feed_forward, blocks;
  struct ssk_transformer net;
};

static int build(void *self, ssk_builder *b, int width) {
  struct transformer *m = self;
  int feed_forward = m->feed_forward ? (int)m->feed_forward : 2 * width;
  m->net = ssk_transformer_build(b, "net", width, (int)m->heads, feed_forward, (int)m->blocks);
  return ssk_build_code(b);
}

static ssk_tensor *run(const void *self, const struct ssk_ctx *ctx, ssk_tensor *x, bool causal) {
  const struct transformer *m = self;
  return ssk_transformer_run(ctx, &m->net, x, causal);
}

static const struct ssk_param params[] = {
    SSK_PARAM_INT(struct transformer, heads, "4", 1, 64, NULL,
                  "Attention heads; they divide the width of the input."),
    SSK_PARAM_INT(struct transformer, feed_forward, "0", 0, 16384, "units",
                  "Hidden units of each block's two-layer network; 0: twice the width."),
    SSK_PARAM_INT(struct transformer, blocks, "1", 1, 8, NULL, "Blocks, one above the other."),
    SSK_PARAM_END};

static const struct ssk_mixer_ops ops = {
    .size = sizeof ops, .build = build, .run = run, .groups = true};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_MIXER,
    .name = "transformer",
    .summary = "pre-norm self-attention along the axis",
    .doc =
        "Each block computes\n"
        "    x <- x + W_o attention(norm(x)),   x <- x + W_2 gelu(W_1 norm(x) + b_1) + b_2\n"
        "with multi-head scaled dot-product attention over all positions, or, where the caller\n"
        "asks for causality, over those up to the present one. Positions are told apart only by\n"
        "what the input says about them.\n"
        "\n"
        "Sources: Vaswani et al. 2017; Xiong et al. 2020; Tashiro et al. 2021 (CSDI).",
    .self_size = sizeof(struct transformer),
    .params = params,
    .ops = &ops,
};

SSK_PLUGIN(&component)
