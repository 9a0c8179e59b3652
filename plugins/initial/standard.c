/* SPDX-License-Identifier: GPL-3.0-or-later */
/* standard.c - prior of the first j latents: independent standard normals. */
#include <sskit/plugin.h>

struct standard {
  int unused; /* a component's struct has a size */
};

static int build(void *self, ssk_builder *b, const struct ssk_dims *dims) {
  (void)self;
  (void)dims;
  return ssk_build_code(b);
}

/* Sum over the steps of KL(q(z_t | .) || N(0, I)), in closed form at each sampled past. */
static ssk_tensor *rate(const void *self, const struct ssk_ctx *ctx,
                        const struct ssk_first *first) {
  (void)self;
  ssk_tensor *zeros = ssk_full(ctx->tape, 3, first->mean->shape, 0);
  struct ssk_gaussian q = {.mean = first->mean, .logvar = first->logvar};
  struct ssk_gaussian p = {.mean = zeros, .logvar = zeros};
  return ssk_sum(ctx->tape, ssk_gaussian_kl(ctx->tape, q, p), 0);
}

static ssk_tensor *log_prob(const void *self, const struct ssk_ctx *ctx,
                            const struct ssk_first *first) {
  (void)self;
  ssk_tensor *zeros = ssk_full(ctx->tape, 3, first->z->shape, 0);
  struct ssk_gaussian p = {.mean = zeros, .logvar = zeros};
  return ssk_sum(ctx->tape, ssk_gaussian_log_prob(ctx->tape, first->z, p, NULL), 0);
}

static ssk_tensor *sample(const void *self, const struct ssk_ctx *ctx, int P) {
  (void)self;
  return ssk_ctx_normal(ctx, "sample", 0, SSK_SHAPE(ctx->dims->j, P, ctx->dims->d));
}

static const struct ssk_initial_ops ops = {
    .size = sizeof ops, .build = build, .rate = rate, .sample = sample, .log_prob = log_prob};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_INITIAL,
    .name = "standard",
    .summary = "standard normal first latents",
    .doc = "p(z_{1:j}) = prod_{t<=j} N(z_t; 0, I). The rate is the closed-form KL of each step,\n"
           "1/2 sum(mu^2 + sigma^2 - 1 - log sigma^2).",
    .self_size = sizeof(struct standard),
    .ops = &ops,
};

SSK_PLUGIN(&component)
