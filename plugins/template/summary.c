/* SPDX-License-Identifier: GPL-3.0-or-later */
/* example.c - a summary: what the encoder of a step is told of the observations from it on.
 *
 *     y = tanh(x W + b),   h = y + dense(silu(conv(y))) in each block
 *
 * The kernel reverses time before it calls `run` and flips the result back, so a summary only has
 * to be causal along the first axis: no entry may depend on later ones. */
#include <sskit/plugin.h>

struct own {
  int64_t hidden, kernel, blocks; /* parameters, filled by the kernel */
  struct ssk_dense project;       /* weights, declared in `build` */
  struct ssk_conv_stack stack;
};

/* `in` is the width of what comes, *out of what goes. */
static int build(void *self, ssk_builder *b, const struct ssk_dims *dims, int in, int *out) {
  struct own *s = self;
  const int hidden = (int)s->hidden;
  (void)dims;
  s->project = ssk_dense_build(b, "project", in, hidden, SSK_TANH, SSK_INIT_XAVIER, 1);
  s->stack = ssk_conv_stack_build(b, "stack", hidden, (int)s->kernel, (int)s->blocks);
  *out = hidden;
  return ssk_build_code(b);
}

/* [T, B, in] -> [T, B, hidden] */
static ssk_tensor *run(const void *self, const struct ssk_ctx *ctx, ssk_tensor *x) {
  const struct own *s = self;
  return ssk_conv_stack_run(ctx, &s->stack, ssk_dense_run(ctx, s->project, x), true);
}

static const struct ssk_param params[] = {
    SSK_PARAM_INT(struct own, hidden, "32", 1, 4096, "units", "Width of the summary."),
    SSK_PARAM_INT(struct own, kernel, "2", 1, 64, "steps", "Taps of each convolution."),
    SSK_PARAM_INT(struct own, blocks, "3", 1, 8, NULL, "Blocks; each doubles the dilation."),
    SSK_PARAM_END};

static const struct ssk_summary_ops ops = {.size = sizeof ops, .build = build, .run = run};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_SUMMARY,
    .name = "example",
    .summary = "a projection, then causal convolutions over reversed time",
    .doc = "y = tanh(x W + b), then blocks y <- y + dense(silu(conv(y))), dilated by 1, 2, 4, ...",
    .self_size = sizeof(struct own),
    .params = params,
    .ops = &ops,
};

SSK_PLUGIN(&component)
