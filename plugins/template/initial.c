/* SPDX-License-Identifier: GPL-3.0-or-later */
/* example.c - a prior of the first latents, as many as the transition looks back on.
 *
 *     p(z_t) = N(m_t, scale^2 I),   t = 1...j
 *
 * m_t is learned. `rate` is what the bound pays for the first latents; `log_prob` is needed for
 * likelihoods only. */
#include <math.h>
#include <sskit/plugin.h>

struct own {
  double scale;    /* parameter, filled by the kernel */
  ssk_weight mean; /* [j, 1, d], declared in `build` */
};

static int build(void *self, ssk_builder *b, const struct ssk_dims *dims) {
  struct own *s = self;
  s->mean = ssk_declare(b, "mean", SSK_SHAPE(dims->j, 1, dims->d), SSK_INIT_ZERO, 0, SSK_NO_DECAY);
  return ssk_build_code(b);
}

/* The prior of P paths, [j, P, d]. */
static struct ssk_gaussian prior(const struct own *s, const struct ssk_ctx *ctx, int P) {
  ssk_tape *tape = ctx->tape;
  const ssk_real logvar = (ssk_real)(2 * log(s->scale));
  ssk_tensor *zeros = ssk_full(tape, SSK_SHAPE(ctx->dims->j, P, ctx->dims->d), 0);
  return (struct ssk_gaussian){.mean = ssk_add(tape, zeros, ssk_use(ctx, s->mean)),
                               .logvar = ssk_affine(tape, zeros, 1, logvar)};
}

/* The divergence KL(q || p) of each step in closed form, summed: [P]. */
static ssk_tensor *rate(const void *self, const struct ssk_ctx *ctx,
                        const struct ssk_first *first) {
  const struct ssk_gaussian q = {.mean = first->mean, .logvar = first->logvar};
  const struct ssk_gaussian p = prior(self, ctx, first->mean->shape[1]);
  return ssk_sum(ctx->tape, ssk_gaussian_kl(ctx->tape, q, p), 0);
}

static ssk_tensor *log_prob(const void *self, const struct ssk_ctx *ctx,
                            const struct ssk_first *first) {
  const struct ssk_gaussian p = prior(self, ctx, first->z->shape[1]);
  return ssk_sum(ctx->tape, ssk_gaussian_log_prob(ctx->tape, first->z, p, NULL), 0);
}

static ssk_tensor *sample(const void *self, const struct ssk_ctx *ctx, int P) {
  const int j = ctx->dims->j, d = ctx->dims->d;
  ssk_tensor *noise = ssk_ctx_normal(ctx, "sample", 0, SSK_SHAPE(j, P, d));
  return ssk_reparam(ctx->tape, prior(self, ctx, P), noise);
}

static const struct ssk_param params[] = {
    SSK_PARAM_REAL(struct own, scale, "1", 1e-3, 1e3, NULL, "Deviation of the first latents."),
    SSK_PARAM_END};

static const struct ssk_initial_ops ops = {
    .size = sizeof ops, .build = build, .rate = rate, .sample = sample, .log_prob = log_prob};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_INITIAL,
    .name = "example",
    .summary = "first latents of learned means and one deviation",
    .doc = "p(z_t) = N(m_t, scale^2 I) for the first j steps.",
    .self_size = sizeof(struct own),
    .params = params,
    .ops = &ops,
};

SSK_PLUGIN(&component)
