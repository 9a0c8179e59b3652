/* SPDX-License-Identifier: GPL-3.0-or-later */
/* identity.c - mixer that mixes nothing: the ablation, and the choice for axes of length 1. */
#include <sskit/plugin.h>

struct identity {
  int unused; /* a component's struct has a size */
};

static int build(void *self, ssk_builder *b, int width) {
  (void)self;
  (void)width;
  return ssk_build_code(b);
}

static ssk_tensor *run(const void *self, const struct ssk_ctx *ctx, ssk_tensor *x, bool causal) {
  (void)self;
  (void)ctx;
  (void)causal;
  return x;
}

static const struct ssk_mixer_ops ops = {
    .size = sizeof ops, .build = build, .run = run, .groups = true};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_MIXER,
    .name = "identity",
    .summary = "no mixing",
    .doc = "y = x: positions along the axis do not see each other.",
    .self_size = sizeof(struct identity),
    .ops = &ops,
};

SSK_PLUGIN(&component)
