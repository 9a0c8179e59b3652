/* SPDX-License-Identifier: GPL-3.0-or-later */
/* example.c - an objective: what training minimises, made of the parts of the bound.
 *
 *     loss = distortion + beta (rate of the first latents + rate of the transition)
 *
 * beta 1 is the negative evidence lower bound; a smaller one lets the latents carry more. Source:
 * Higgins et al. 2017 (beta-VAE). */
#include <sskit/plugin.h>

struct own {
  double beta; /* a parameter, filled by the kernel */
};

/* [P], a loss for each path, in nats. */
static ssk_tensor *loss(const void *self, const struct ssk_ctx *ctx,
                        const struct ssk_bound *bound) {
  const struct own *s = self;
  ssk_tensor *rate = ssk_add(ctx->tape, bound->initial, bound->transition);
  return ssk_add(ctx->tape, bound->distortion, ssk_affine(ctx->tape, rate, (ssk_real)s->beta, 0));
}

/* What the log shows as the weight of the rate. */
static double lambda(const void *self, const struct ssk_ctx *ctx) {
  const struct own *s = self;
  (void)ctx;
  return s->beta;
}

static const struct ssk_param params[] = {
    SSK_PARAM_REAL(struct own, beta, "0.5", 0, 1000, NULL, "Weight of the rate."), SSK_PARAM_END};

static const struct ssk_objective_ops ops = {.size = sizeof ops, .loss = loss, .lambda = lambda};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_OBJECTIVE,
    .name = "example",
    .summary = "distortion and a constant weight of the rate",
    .doc = "loss = distortion + beta (initial rate + transition rate), in nats a path.",
    .self_size = sizeof(struct own),
    .params = params,
    .ops = &ops,
};

SSK_PLUGIN(&component)
