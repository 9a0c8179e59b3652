/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gaussian.c - Gaussian likelihood of the observations, with an annealed floor under its spread.
 *
 *     p(x_t | z_{t-j+1:t}, u_t) = N(mu, diag sigma^2)
 *
 * In the additive frame mu begins as z_t itself where d = D, so that the identity need not be
 * learned, and as a trained linear map elsewhere; in the free frame it is a network's alone. */
#include "location_scale.h"

static int build(void *self, ssk_builder *b, const struct ssk_dims *dims) {
  return location_scale_build(self, b, dims);
}

static ssk_tensor *log_prob(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *in,
                            ssk_tensor *x, ssk_tensor *mask) {
  return ssk_gaussian_log_prob(ctx->tape, x, location_scale_run(self, ctx, in), mask);
}

static ssk_tensor *sample(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *in) {
  ssk_tensor *eps = ssk_ctx_normal(ctx, "sample", in->index, SSK_SHAPE(in->n, ctx->dims->D));
  return ssk_reparam(ctx->tape, location_scale_run(self, ctx, in), eps);
}

static const struct ssk_param params[] = {LOCATION_SCALE_PARAMS, SSK_PARAM_END};

static const struct ssk_emission_ops ops = {.size = sizeof ops,
                                            .build = build,
                                            .log_prob = log_prob,
                                            .sample = sample,
                                            .mean = location_scale_mean};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_EMISSION,
    .name = "gaussian",
    .summary = "Gaussian observations, constant or predicted variance, annealed floor",
    .doc = "p(x_t | z_{t-j+1:t}) = N(mu, diag sigma^2) over the observed entries, "
           "with\n" LOCATION_SCALE_DOC "\n"
           "Source: Kingma and Welling 2014, appendix C.2 (Gaussian decoder).",
    .self_size = sizeof(struct location_scale),
    .params = params,
    .ops = &ops,
    .init = location_scale_init,
};

SSK_PLUGIN(&component)
