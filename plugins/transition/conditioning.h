/* SPDX-License-Identifier: GPL-3.0-or-later */
/* conditioning.h - what a transition's network sees, and the baseline that it is centred on. */
#ifndef TRANSITION_CONDITIONING_H
#define TRANSITION_CONDITIONING_H

#include <sskit/plugin.h>

enum frame { FREE, ADDITIVE };
static const char *const frames[] = {"free", "additive", NULL};

/* The row of `int frame`, a member of S. */
#define FRAME_PARAM(S)                                                                             \
  SSK_PARAM_ENUM(                                                                                  \
      S, frame, "additive", frames,                                                                \
      "free: mu = g; additive: mu = z_{t-1} + g. The g of a network mlp starts at zero.")

/* z_{t-1} [n, d]. */
static inline ssk_tensor *newest_latent(const struct ssk_ctx *ctx, const struct ssk_rows *rows) {
  int j = ctx->dims->j, d = ctx->dims->d;
  return j > 1 ? ssk_cols(ctx->tape, rows->past, (j - 1) * d, d) : rows->past;
}

/* Build `network` for `outputs` of each step, given past latents, covariates and time. */
static inline int conditional_build(struct ssk_instance *network, ssk_builder *b, const char *name,
                                    const struct ssk_dims *dims, int outputs,
                                    const struct ssk_variance *variance) {
  struct ssk_network_shape shape = {.size = sizeof shape,
                                    .slots = dims->j,
                                    .width = dims->d,
                                    .lag = 1,
                                    .u = dims->V,
                                    .time = dims->F,
                                    .outputs = outputs};
  return ssk_network_build(network, b, name, &shape, variance);
}

static inline struct ssk_gaussian conditional_run(const struct ssk_instance *network,
                                                  const struct ssk_ctx *ctx,
                                                  const struct ssk_rows *rows,
                                                  const struct ssk_variance *variance) {
  struct ssk_network_in in = {.size = sizeof in, .rows = *rows};
  return ssk_network_run(network, ctx, &in, variance);
}

#endif
