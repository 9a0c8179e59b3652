/* SPDX-License-Identifier: GPL-3.0-or-later */
/* conv1d.c - future summary: dilated convolutions that see a window of the future.
 *
 * Source: the dilated causal stack of WaveNet, van den Oord et al. 2016, with residual blocks. */
#include <sskit/plugin.h>

struct conv1d {
  int64_t hidden, kernel, blocks;
  struct ssk_dense project;
  struct ssk_conv_stack stack;
};

static int build(void *self, ssk_builder *b, const struct ssk_dims *dims, int in, int *out) {
  struct conv1d *c = self;
  (void)dims;
  int hidden = (int)c->hidden;
  c->project = ssk_dense_build(b, "project", in, hidden, SSK_LINEAR, SSK_INIT_UNIFORM, 1);
  c->stack = ssk_conv_stack_build(b, "conv", hidden, (int)c->kernel, (int)c->blocks);
  *out = hidden;
  return ssk_build_code(b);
}

static ssk_tensor *run(const void *self, const struct ssk_ctx *ctx, ssk_tensor *x) {
  const struct conv1d *c = self;
  return ssk_conv_stack_run(ctx, &c->stack, ssk_dense_run(ctx, c->project, x), true);
}

static const struct ssk_param params[] = {
    SSK_PARAM_INT(struct conv1d, hidden, "64", 1, 4096, "units", "Channels, and width of h_t."),
    SSK_PARAM_INT(struct conv1d, kernel, "3", 1, 64, "steps", "Taps of each convolution."),
    SSK_PARAM_INT(struct conv1d, blocks, "4", 1, 8, NULL,
                  "Residual blocks; the dilation doubles with each."),
    SSK_PARAM_END};

static const struct ssk_summary_ops ops = {.size = sizeof ops, .build = build, .run = run};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_SUMMARY,
    .name = "conv1d",
    .summary = "dilated causal convolutions over reversed time",
    .doc =
        "The inputs are projected to `hidden` channels; then block i = 0, 1, ... computes\n"
        "    y <- y + W silu(conv(y)) + b\n"
        "with a convolution of `kernel` taps and dilation 2^i, causal in reversed time. h_t sees\n"
        "1 + (kernel - 1)(2^blocks - 1) steps of the series, from t on.\n"
        "\n"
        "Source: van den Oord et al. 2016 (WaveNet), section 2.1.",
    .self_size = sizeof(struct conv1d),
    .params = params,
    .ops = &ops,
};

SSK_PLUGIN(&component)
