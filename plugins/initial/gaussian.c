/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gaussian.c - prior of the first j latents: independent Gaussians with learned moments, one for
 * each step. The Kalman model's p(z_1) = N(m, diag P), for j steps. */
#include <sskit/plugin.h>

struct gaussian {
  struct ssk_variance variance;
  ssk_weight mean, raw; /* [j, 1, d] */
};

static int build(void *self, ssk_builder *b, const struct ssk_dims *dims) {
  struct gaussian *g = self;
  g->mean = ssk_declare(b, "mean", SSK_SHAPE(dims->j, 1, dims->d), SSK_INIT_ZERO, 0, SSK_NO_DECAY);
  g->raw = ssk_declare(b, "raw", SSK_SHAPE(dims->j, 1, dims->d), SSK_INIT_CONSTANT,
                       ssk_variance_raw(&g->variance), SSK_NO_DECAY);
  return ssk_build_code(b);
}

/* The prior's moments, repeated for P paths: [j, P, d]. */
static struct ssk_gaussian prior(const struct gaussian *g, const struct ssk_ctx *ctx, int P) {
  ssk_tape *tape = ctx->tape;
  ssk_tensor *zeros = ssk_full(tape, SSK_SHAPE(ctx->dims->j, P, ctx->dims->d), 0);
  ssk_tensor *logvar = ssk_variance_log(tape, ssk_use(ctx, g->raw), &g->variance);
  return (struct ssk_gaussian){.mean = ssk_add(tape, zeros, ssk_use(ctx, g->mean)),
                               .logvar = ssk_add(tape, zeros, logvar)};
}

static ssk_tensor *rate(const void *self, const struct ssk_ctx *ctx,
                        const struct ssk_first *first) {
  struct ssk_gaussian q = {.mean = first->mean, .logvar = first->logvar};
  struct ssk_gaussian p = prior(self, ctx, first->mean->shape[1]);
  return ssk_sum(ctx->tape, ssk_gaussian_kl(ctx->tape, q, p), 0);
}

static ssk_tensor *log_prob(const void *self, const struct ssk_ctx *ctx,
                            const struct ssk_first *first) {
  struct ssk_gaussian p = prior(self, ctx, first->z->shape[1]);
  return ssk_sum(ctx->tape, ssk_gaussian_log_prob(ctx->tape, first->z, p, NULL), 0);
}

static ssk_tensor *sample(const void *self, const struct ssk_ctx *ctx, int P) {
  ssk_tensor *eps = ssk_ctx_normal(ctx, "sample", 0, SSK_SHAPE(ctx->dims->j, P, ctx->dims->d));
  return ssk_reparam(ctx->tape, prior(self, ctx, P), eps);
}

static int init(void *self, ssk_err *err) {
  const struct gaussian *g = self;
  return ssk_variance_check(&g->variance, err);
}

static const struct ssk_param params[] = {SSK_PARAM_VARIANCE(struct gaussian, variance, "0"),
                                          SSK_PARAM_END};

static const struct ssk_initial_ops ops = {
    .size = sizeof ops, .build = build, .rate = rate, .sample = sample, .log_prob = log_prob};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_INITIAL,
    .name = "gaussian",
    .summary = "first latents with learned mean and variance",
    .doc = "p(z_{1:j}) = prod_{t<=j} N(z_t; m_t, diag s_t^2) with m_t and s_t^2 learned; they "
           "start at\n"
           "0 and exp(logvar_start). The rate is the closed-form KL of each step.",
    .self_size = sizeof(struct gaussian),
    .params = params,
    .ops = &ops,
    .init = init,
};

SSK_PLUGIN(&component)
