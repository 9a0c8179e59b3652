/* SPDX-License-Identifier: GPL-3.0-or-later */
/* elbo.c - the negative evidence lower bound, with an annealed weight of the rate.
 *
 *     loss = distortion + lambda(step) (rate of the first latents + rate of the transition)
 *
 * Sources: Kingma and Welling 2014 (the bound); Bowman et al. 2016 (annealing of its KL). */
#include "rate_weight.h"

struct elbo {
  struct rate_weight weight;
};

static double lambda(const void *self, const struct ssk_ctx *ctx) {
  const struct elbo *e = self;
  return rate_weight_at(&e->weight, ctx->step);
}

static ssk_tensor *loss(const void *self, const struct ssk_ctx *ctx,
                        const struct ssk_bound *bound) {
  ssk_tensor *rate = ssk_add(ctx->tape, bound->initial, bound->transition);
  rate = ssk_affine(ctx->tape, rate, (ssk_real)lambda(self, ctx), 0);
  return ssk_add(ctx->tape, bound->distortion, rate);
}

static const struct ssk_param params[] = {RATE_WEIGHT_PARAMS(struct elbo, weight), SSK_PARAM_END};

static const struct ssk_objective_ops ops = {.size = sizeof ops, .loss = loss, .lambda = lambda};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_OBJECTIVE,
    .name = "elbo",
    .summary = "evidence lower bound with an annealed rate",
    .doc = "loss = distortion + lambda(step) (initial rate + transition rate), in nats a "
           "path.\n" RATE_WEIGHT_DOC "\n"
           "Sources: Kingma and Welling 2014; Bowman et al. 2016 (annealing).",
    .self_size = sizeof(struct elbo),
    .params = params,
    .ops = &ops,
};

SSK_PLUGIN(&component)
