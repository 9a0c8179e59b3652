/* SPDX-License-Identifier: GPL-3.0-or-later */
/* iwae.c - the importance-weighted bound: the S paths of a series make one estimate of its
 * likelihood.
 *
 *     loss = -log mean_s exp(log p(x, z_s) - log q(z_s | x)),   z_s ~ q
 *
 * Source: Burda, Grosse and Salakhutdinov 2016, "Importance weighted autoencoders", equation 8; the
 * gradient is that of the bound by reparameterisation, their equation 14. */
#include <math.h>
#include <sskit/plugin.h>

struct iwae {
  int unused; /* a component's struct has a size */
};

static ssk_tensor *loss(const void *self, const struct ssk_ctx *ctx,
                        const struct ssk_bound *bound) {
  (void)self;
  ssk_tape *tape = ctx->tape;
  ssk_tensor *weights = ssk_reshape(tape, bound->log_weight, SSK_SHAPE(ctx->B, ctx->S));
  ssk_tensor *estimate = ssk_logsumexp(tape, weights);
  estimate = ssk_affine(tape, estimate, -1, (ssk_real)log(ctx->S));
  return ssk_repeat(tape, estimate, 0, ctx->S);
}

static const struct ssk_objective_ops ops = {
    .size = sizeof ops, .loss = loss, .needs = SSK_NEEDS_WEIGHT};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_OBJECTIVE,
    .name = "iwae",
    .summary = "importance-weighted bound from all paths of a series",
    .doc =
        "loss = -log mean_s exp(log p(x, z_s) - log q(z_s | x)) over the model.paths paths z_s of\n"
        "the encoder, in nats a series: with one path the bound (with log q - log p at the sample\n"
        "in the place of a closed-form KL), with more of them nearer to -log p(x). Initial prior\n"
        "and transition need densities that have a gradient: a diffusion's has none.\n"
        "\n"
        "Source: Burda, Grosse and Salakhutdinov 2016 (Importance weighted autoencoders).",
    .self_size = sizeof(struct iwae),
    .ops = &ops,
};

SSK_PLUGIN(&component)
