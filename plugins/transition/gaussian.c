/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gaussian.c - the transition of the deep Kalman filter: a Gaussian whose moments are a network's.
 *
 *     p(z_t | z_{t-j:t-1}, u_t) = N(mu, diag sigma^2),   [mu, raw] = network(z_{t-j:t-1}, u_t,
 * time_t)
 *
 * Source: Krishnan, Shalit and Sontag 2015, "Deep Kalman filters", equation 2. The kernel derives
 * the rate (a closed-form KL), the samples and the density from the moments. */
#include "conditioning.h"

struct gaussian {
  int frame;
  struct ssk_variance variance;
  struct ssk_instance *network;
};

static int build(void *self, ssk_builder *b, const struct ssk_dims *dims) {
  struct gaussian *g = self;
  return conditional_build(g->network, b, "head", dims, dims->d, &g->variance);
}

static struct ssk_gaussian moments(const void *self, const struct ssk_ctx *ctx,
                                   const struct ssk_rows *rows) {
  const struct gaussian *g = self;
  struct ssk_gaussian p = conditional_run(g->network, ctx, rows, &g->variance);
  if (g->frame == ADDITIVE)
    p.mean = ssk_add(ctx->tape, p.mean, newest_latent(ctx, rows));
  return p;
}

static int init(void *self, ssk_err *err) {
  const struct gaussian *g = self;
  return ssk_variance_check(&g->variance, err);
}

static const struct ssk_param params[] = {
    FRAME_PARAM(struct gaussian),
    SSK_PARAM_COMPONENT(struct gaussian, network, SSK_NETWORK, "mlp",
                        "From the conditions to the moments."),
    SSK_PARAM_VARIANCE(struct gaussian, variance, "0"), SSK_PARAM_END};

static const struct ssk_transition_ops ops = {
    .size = sizeof ops, .build = build, .moments = moments};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_TRANSITION,
    .name = "gaussian",
    .summary = "deep Kalman filter: a network gives mean and variance",
    .doc = "p(z_t | z_{t-j:t-1}, u_t) = N(mu, diag sigma^2), with\n"
           "    [g, raw] = network(z_{t-j:t-1}, u_t, time_t)\n"
           "    mu = g (frame free), or z_{t-1} + g (frame additive)\n"
           "    log sigma^2 = clamp(log(softplus(raw) + var_min), logvar_min, logvar_max).\n"
           "The rate is the closed-form KL to the Gaussian posterior.\n"
           "\n"
           "Source: Krishnan, Shalit and Sontag 2015 (Deep Kalman filters).",
    .self_size = sizeof(struct gaussian),
    .params = params,
    .ops = &ops,
    .init = init,
};

SSK_PLUGIN(&component)
