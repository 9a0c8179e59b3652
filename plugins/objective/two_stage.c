/* SPDX-License-Identifier: GPL-3.0-or-later */
/* two_stage.c - first the autoencoder, then the prior on its frozen latents.
 *
 *     before `until`:  loss = distortion + beta sum_t KL(q(z_t | .) || N(0, I))
 *                      trains encoder and emission
 *     from then on:    loss = distortion + rate of the first latents + rate of the transition
 *                      trains initial prior and transition
 *
 * In the second stage the distortion is a constant: it is there so that the loss is the bound.
 *
 * Sources: Rombach, Blattmann, Lorenz, Esser and Ommer 2022, "High-resolution image synthesis with
 * latent diffusion models" (section 3.1: a slight penalty towards N(0, I) keeps the scale of the
 * latents in hand); TimeLDM, Qian et al. 2024, which does so for time series. */
#include <sskit/plugin.h>

struct two_stage {
  double until, beta;
};

static bool first_stage(const struct two_stage *s, double progress) {
  return progress < s->until;
}

static unsigned trains(const void *self, double progress) {
  return first_stage(self, progress) ? SSK_PARTS_ENCODER | SSK_PARTS_EMISSION
                                     : SSK_PARTS_INITIAL | SSK_PARTS_TRANSITION;
}

static double lambda(const void *self, const struct ssk_ctx *ctx) {
  const struct two_stage *s = self;
  return first_stage(s, ctx->progress) ? s->beta : 1;
}

static ssk_tensor *loss(const void *self, const struct ssk_ctx *ctx,
                        const struct ssk_bound *bound) {
  ssk_tape *tape = ctx->tape;
  ssk_tensor *rate = first_stage(self, ctx->progress)
                         ? bound->reference
                         : ssk_add(tape, bound->initial, bound->transition);
  return ssk_add(tape, bound->distortion, ssk_affine(tape, rate, (ssk_real)lambda(self, ctx), 0));
}

static const struct ssk_param params[] = {
    SSK_PARAM_REAL(struct two_stage, until, "0.5", 0, 1, NULL,
                   "Fraction of the training steps that the first stage takes. What a component "
                   "anneals over the training (a floor under the emission's scale) should be over "
                   "by then."),
    SSK_PARAM_REAL(struct two_stage, beta, "0.1", 0, 1e3, NULL,
                   "Weight of the penalty towards N(0, I) in the first stage."),
    SSK_PARAM_END};

static const struct ssk_objective_ops ops = {.size = sizeof ops,
                                             .loss = loss,
                                             .lambda = lambda,
                                             .trains = trains,
                                             .needs = SSK_NEEDS_REFERENCE};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_OBJECTIVE,
    .name = "two_stage",
    .summary = "first the autoencoder, then the transition on frozen latents",
    .doc = "Until the fraction `until` of the steps, encoder and emission are trained:\n"
           "    loss = distortion + beta sum_t KL(q(z_t | .) || N(0, I));\n"
           "then the initial prior and the transition, on the latents of an encoder that stays as\n"
           "it is:\n"
           "    loss = distortion + initial rate + transition rate,\n"
           "the negative ELBO, whose distortion is a constant then. A part that rests keeps its\n"
           "weights bit for bit, and costs no way back. The optimiser's moments start anew with\n"
           "the second stage; the learning rate follows its one schedule over all steps.\n"
           "\n"
           "Sources: Rombach et al. 2022 (latent diffusion); Qian et al. 2024 (TimeLDM).",
    .self_size = sizeof(struct two_stage),
    .params = params,
    .ops = &ops,
};

SSK_PLUGIN(&component)
