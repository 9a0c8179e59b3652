/* SPDX-License-Identifier: GPL-3.0-or-later */
/* example.c - mixing along an axis: the first one of x [L, N, C], in a denoiser's or a network's
 * layers.
 *
 *     x <- x + W silu(conv(x)) + b
 *
 * The convolution sees `kernel` neighbours on the axis: those before only where `causal` is asked
 * for, as many on either side elsewhere. */
#include <sskit/plugin.h>

struct own {
  int64_t kernel;           /* parameter, filled by the kernel */
  ssk_weight filter, shift; /* [kernel, C, C], [C], declared in `build` */
  struct ssk_dense out;
};

static int build(void *self, ssk_builder *b, int width) {
  struct own *s = self;
  s->filter = ssk_declare(b, "filter", SSK_SHAPE((int)s->kernel, width, width), SSK_INIT_UNIFORM, 1,
                          SSK_DECAY);
  s->shift = ssk_declare(b, "shift", SSK_SHAPE(width), SSK_INIT_ZERO, 0, SSK_NO_DECAY);
  s->out = ssk_dense_build(b, "out", width, width, SSK_LINEAR, SSK_INIT_UNIFORM, 1);
  return ssk_build_code(b);
}

static ssk_tensor *run(const void *self, const struct ssk_ctx *ctx, ssk_tensor *x, bool causal) {
  const struct own *s = self;
  ssk_tape *tape = ctx->tape;
  ssk_tensor *filter = ssk_use(ctx, s->filter), *shift = ssk_use(ctx, s->shift);
  ssk_tensor *seen = ssk_conv(tape, x, filter, shift, 1, causal);
  return ssk_dense_add(ctx, s->out, ssk_activate(tape, seen, SSK_SILU), x);
}

static int init(void *self, ssk_err *err) {
  const struct own *s = self;
  return s->kernel % 2
             ? SSK_OK
             : ssk_err_set(err, SSK_ERECIPE, "kernel must be odd, not %d", (int)s->kernel);
}

static const struct ssk_param params[] = {
    SSK_PARAM_INT(struct own, kernel, "3", 1, 63, NULL, "Taps of the convolution; odd."),
    SSK_PARAM_END};

static const struct ssk_mixer_ops ops = {.size = sizeof ops, .build = build, .run = run};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_MIXER,
    .name = "example",
    .summary = "a residual convolution",
    .doc = "x + W silu(conv(x)) + b.",
    .self_size = sizeof(struct own),
    .params = params,
    .ops = &ops,
    .init = init,
};

SSK_PLUGIN(&component)
