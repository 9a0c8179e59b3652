/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gru.c - mixer by a recurrent network along the axis; in both directions where the caller does not
 * ask for causality. Sources: Cho et al. 2014 (GRU); Schuster and Paliwal 1997 (both directions).
 */
#include <sskit/plugin.h>

struct gru {
  int64_t hidden, layers;
  struct ssk_gru_stack stack;
  struct ssk_dense out;
};

static int build(void *self, ssk_builder *b, int width) {
  struct gru *g = self;
  int hidden = g->hidden ? (int)g->hidden : width;
  g->stack = ssk_gru_stack_build(b, "gru", width, hidden, (int)g->layers);
  g->out = ssk_dense_build(b, "out", hidden, width, SSK_LINEAR, SSK_INIT_UNIFORM, 1);
  return ssk_build_code(b);
}

static ssk_tensor *run(const void *self, const struct ssk_ctx *ctx, ssk_tensor *x, bool causal) {
  const struct gru *g = self;
  ssk_tape *tape = ctx->tape;
  ssk_tensor *h = ssk_gru_stack_run(ctx, &g->stack, x);
  if (!causal) {
    ssk_tensor *back = ssk_gru_stack_run(ctx, &g->stack, ssk_flip(tape, x));
    h = ssk_add(tape, h, ssk_flip(tape, back));
  }
  return ssk_add(tape, x, ssk_dense_run(ctx, g->out, h));
}

static const struct ssk_param params[] = {
    SSK_PARAM_INT(struct gru, hidden, "0", 0, 4096, "units",
                  "Width of the state; 0: that of the input."),
    SSK_PARAM_INT(struct gru, layers, "1", 1, 8, NULL, "GRU layers, one above the other."),
    SSK_PARAM_END};

static const struct ssk_mixer_ops ops = {.size = sizeof ops, .build = build, .run = run};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_MIXER,
    .name = "gru",
    .summary = "recurrent mixing, in both directions where causality is not asked for",
    .doc =
        "x + W GRU(x) + b along the axis. Without causality, GRU(x) + flip(GRU(flip(x))) takes "
        "the\n"
        "place of GRU(x): one network reads both ways, so that nothing depends on the direction\n"
        "in which the axis is laid out.\n"
        "\n"
        "Sources: Cho et al. 2014; Schuster and Paliwal 1997.",
    .self_size = sizeof(struct gru),
    .params = params,
    .ops = &ops,
};

SSK_PLUGIN(&component)
