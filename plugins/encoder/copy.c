/* SPDX-License-Identifier: GPL-3.0-or-later */
/* copy.c - latents that are the observations themselves: z_t = x_t, zero where one is missing.
 *
 * With the emission of the same name and a prior of whole paths, the model is one of the
 * observations. The log variance is that of nothing: the draw is the mean to the last bit. */
#include <sskit/plugin.h>

#define LOGVAR_OF_NOTHING -200

static int build(void *self, ssk_builder *b, const struct ssk_dims *dims) {
  (void)self, (void)dims;
  return ssk_build_code(b);
}

static struct ssk_gaussian posterior(const void *self, const struct ssk_ctx *ctx,
                                     const struct ssk_encoder_step *step) {
  (void)self;
  return (struct ssk_gaussian){
      .mean = step->x,
      .logvar = ssk_full(ctx->tape, SSK_SHAPE(ctx->P, ctx->dims->d), LOGVAR_OF_NOTHING)};
}

static const struct ssk_encoder_ops ops = {
    .size = sizeof ops, .build = build, .posterior = posterior, .copies = true};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_ENCODER,
    .name = "copy",
    .summary = "the latents are the observations: for models without latents",
    .doc = "z_t = x_t (standardised), known where it is observed. It has no weights. Needs "
           "model.latent as many as the observation has dimensions, the emission of the same name "
           "and a transition that is a prior of whole paths (path_diffusion).",
    .self_size = sizeof(char),
    .ops = &ops,
};

SSK_PLUGIN(&component)
