/* SPDX-License-Identifier: GPL-3.0-or-later */
/* conv.c - mixer of residual dilated convolutions.
 *
 * Source: depthwise-separable convolutions, Chollet 2017 (Xception); dilations as in WaveNet, van
 * den Oord et al. 2016. */
#include <sskit/plugin.h>

struct conv {
  int64_t kernel;
  struct ssk_reals dilations;
  struct {
    ssk_weight W, b;        /* [kernel, C] one filter a channel, [C] */
    struct ssk_dense point; /* mixes the channels */
  } layer[8];
};

static int build(void *self, ssk_builder *b, int width) {
  struct conv *c = self;
  for (int i = 0; i < c->dilations.n; i++) {
    ssk_scope(b, "layer%d", i);
    /* [kernel, C] has a fan-in of `kernel`, a filter's number of inputs. */
    c->layer[i].W =
        ssk_declare(b, "W", SSK_SHAPE((int)c->kernel, width), SSK_INIT_UNIFORM, 1, SSK_DECAY);
    c->layer[i].b = ssk_declare(b, "b", SSK_SHAPE(width), SSK_INIT_ZERO, 0, SSK_NO_DECAY);
    c->layer[i].point = ssk_dense_build(b, "point", width, width, SSK_LINEAR, SSK_INIT_UNIFORM, 1);
    ssk_unscope(b);
  }
  return ssk_build_code(b);
}

static ssk_tensor *run(const void *self, const struct ssk_ctx *ctx, ssk_tensor *x, bool causal) {
  const struct conv *c = self;
  for (int i = 0; i < c->dilations.n; i++)
    x = ssk_conv_separable(ctx->tape, x, ssk_use(ctx, c->layer[i].W), ssk_use(ctx, c->layer[i].b),
                           ssk_use(ctx, c->layer[i].point.W), ssk_use(ctx, c->layer[i].point.b),
                           (int)c->dilations.items[i], causal);
  return x;
}

static int init(void *self, ssk_err *err) {
  const struct conv *c = self;
  if (c->kernel % 2 == 0)
    return ssk_err_set(err, SSK_ERECIPE, "kernel must be odd, not %lld", (long long)c->kernel);
  if (c->dilations.n < 1 || c->dilations.n > 8)
    return ssk_err_set(err, SSK_ERECIPE, "dilations must be a list of 1 to 8 numbers, not %d",
                       c->dilations.n);
  for (int i = 0; i < c->dilations.n; i++)
    if (c->dilations.items[i] != (int)c->dilations.items[i])
      return ssk_err_set(err, SSK_ERECIPE, "dilations must be whole numbers, not %g",
                         c->dilations.items[i]);
  return SSK_OK;
}

static const struct ssk_param params[] = {
    SSK_PARAM_INT(struct conv, kernel, "3", 1, 63, NULL, "Taps of each convolution; odd."),
    SSK_PARAM_REALS(struct conv, dilations, "[1, 2]", 1, 1024, NULL,
                    "Distance between taps; one residual layer for each entry."),
    SSK_PARAM_END};

static const struct ssk_mixer_ops ops = {.size = sizeof ops, .build = build, .run = run};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_MIXER,
    .name = "conv",
    .summary = "residual depthwise-separable dilated convolutions",
    .doc =
        "For each dilation r of the list\n"
        "    x <- x + W silu(depthwise_r(x)) + b\n"
        "with one filter of `kernel` taps a channel, centred, or causal where the caller asks for\n"
        "it, and a channel-mixing W.\n"
        "\n"
        "Sources: Chollet 2017 (depthwise-separable convolution); van den Oord et al. 2016\n"
        "(dilation).",
    .self_size = sizeof(struct conv),
    .params = params,
    .ops = &ops,
    .init = init,
};

SSK_PLUGIN(&component)
