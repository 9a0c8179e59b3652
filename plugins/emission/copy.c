/* SPDX-License-Identifier: GPL-3.0-or-later */
/* copy.c - the observation is the latent: x_t = z_t, for the encoder of the same name. */
#include <sskit/plugin.h>

static int build(void *self, ssk_builder *b, const struct ssk_dims *dims) {
  (void)self, (void)dims;
  return ssk_build_code(b);
}

static ssk_tensor *log_prob(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *in,
                            ssk_tensor *x, ssk_tensor *mask) {
  (void)self, (void)x, (void)mask;
  return ssk_full(ctx->tape, SSK_SHAPE(in->n), 0);
}

static ssk_tensor *newest(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *in) {
  const int d = ctx->dims->d;
  (void)self;
  return ssk_cols(ctx->tape, in->past, (ctx->dims->j - 1) * d, d);
}

static const struct ssk_emission_ops ops = {.size = sizeof ops,
                                            .build = build,
                                            .log_prob = log_prob,
                                            .sample = newest,
                                            .mean = newest,
                                            .copies = true};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_EMISSION,
    .name = "copy",
    .summary = "the observation is the latent: for models without latents",
    .doc =
        "x_t = z_t, for the encoder of the same name. The distortion is zero; it has no weights, "
        "and there is no bound on x.",
    .self_size = sizeof(char),
    .ops = &ops,
};

SSK_PLUGIN(&component)
