/* SPDX-License-Identifier: GPL-3.0-or-later */
/* random_walk.c - a transition without weights: z_t = z_{t-1} + s eps, eps ~ N(0, I).
 *
 * The floor that a learned transition must beat, and a smoothness prior where the latent's scale is
 * fixed by other parts of the model. */
#include "conditioning.h"
#include <math.h>

struct random_walk {
  double deviation;
};

static int build(void *self, ssk_builder *b, const struct ssk_dims *dims) {
  (void)self;
  (void)dims;
  return ssk_build_code(b);
}

static struct ssk_gaussian moments(const void *self, const struct ssk_ctx *ctx,
                                   const struct ssk_rows *rows) {
  const struct random_walk *w = self;
  return (struct ssk_gaussian){
      .mean = newest_latent(ctx, rows),
      .logvar =
          ssk_full(ctx->tape, SSK_SHAPE(rows->n, ctx->dims->d), (ssk_real)(2 * log(w->deviation))),
  };
}

static const struct ssk_param params[] = {
    SSK_PARAM_REAL(struct random_walk, deviation, "1", 1e-4, 1e4, "latent",
                   "Standard deviation s of a step, in each dimension."),
    SSK_PARAM_END};

static const struct ssk_transition_ops ops = {
    .size = sizeof ops, .build = build, .moments = moments};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_TRANSITION,
    .name = "random_walk",
    .summary = "z_{t-1} plus noise of a fixed deviation; nothing is learned",
    .doc = "p(z_t | z_{t-1}) = N(z_{t-1}, s^2 I), with the deviation s from the recipe. Older "
           "latents,\n"
           "covariates and time do not matter.",
    .self_size = sizeof(struct random_walk),
    .params = params,
    .ops = &ops,
};

SSK_PLUGIN(&component)
