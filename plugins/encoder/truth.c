/* SPDX-License-Identifier: GPL-3.0-or-later */
/* truth.c - the ground-truth latents of generated data in the place of a posterior:
 *
 *     q(z_t | .) = N(z_t*, noise^2 I)
 *
 * with z_t* the true latent, standardised like everything a model sees. Nothing is trained, and
 * nothing is read off the observations: so a transition that fails, fails by itself. The noise must
 * be small beside the transition's own, and is not zero, because a rate is taken from moments: of
 * N(z*, noise^2) a transition at best gives the rate -entropy - d/2 log(2 pi e noise^2). */
#include <math.h>
#include <sskit/plugin.h>

struct truth {
  double noise;
};

static int truth_build(void *self, ssk_builder *b, const struct ssk_dims *dims) {
  (void)self, (void)dims;
  return ssk_build_code(b);
}

static struct ssk_gaussian truth_posterior(const void *self, const struct ssk_ctx *ctx,
                                           const struct ssk_encoder_step *step) {
  const struct truth *e = self;
  return (struct ssk_gaussian){.mean = step->z,
                               .logvar = ssk_full(ctx->tape, SSK_SHAPE(ctx->P, ctx->dims->d),
                                                  (ssk_real)(2 * log(e->noise)))};
}

static const struct ssk_param truth_params[] = {
    SSK_PARAM_REAL(
        struct truth, noise, "0.01", 1e-5, 1, "latent",
        "Deviation of the Gaussian about the true latent, in units of the latent's own "
        "deviation over the training series: an eighth of the narrowest mode's or less."),
    SSK_PARAM_END};

static const struct ssk_encoder_ops truth_ops = {
    .size = sizeof truth_ops, .build = truth_build, .posterior = truth_posterior, .truth = true};

static const struct ssk_component truth_component = {
    .size = sizeof truth_component,
    .kind = SSK_ENCODER,
    .name = "truth",
    .summary = "the true latents of generated data: trains and scores transitions by themselves",
    .doc = "q(z_t | .) = N(z_t*, noise^2 I) about the ground-truth latent z_t*, standardised. It "
           "has no weights. Needs a data set with ground truth, and model.latent as many as it has "
           "(labels, such as the signs of bimodal_lift_mv, do not count). Forecasts start from the "
           "true latents, too: they are not comparable with those of a trained encoder. See "
           "docs/scoreboard.md.",
    .self_size = sizeof(struct truth),
    .params = truth_params,
    .ops = &truth_ops,
};

SSK_PLUGIN(&truth_component)
