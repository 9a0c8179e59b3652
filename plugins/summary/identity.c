/* SPDX-License-Identifier: GPL-3.0-or-later */
/* identity.c - future summary that summarises nothing: h_t is the input of step t.
 *
 * With it the posterior is a filter, q(z_t | z_{t-j:t-1}, x_t): the ablation that shows what the
 * future is worth. */
#include <sskit/plugin.h>

struct identity {
  int unused; /* a component's struct has a size */
};

static int build(void *self, ssk_builder *b, const struct ssk_dims *dims, int in, int *out) {
  (void)self;
  (void)dims;
  *out = in;
  return ssk_build_code(b);
}

static ssk_tensor *run(const void *self, const struct ssk_ctx *ctx, ssk_tensor *x) {
  (void)self;
  (void)ctx;
  return x;
}

static const struct ssk_summary_ops ops = {.size = sizeof ops, .build = build, .run = run};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_SUMMARY,
    .name = "identity",
    .summary = "no summary: the step's own inputs",
    .doc = "h_t = [x_t m_t, m_t, u_t, time, s]: nothing of the future. The posterior becomes the\n"
           "filtering one, q(z_t | z_{t-j:t-1}, x_t).",
    .self_size = sizeof(struct identity),
    .ops = &ops,
};

SSK_PLUGIN(&component)
