/* SPDX-License-Identifier: GPL-3.0-or-later */
/* conditioning.h - what a transition's network sees, and the baseline that it is centred on. */
#ifndef TRANSITION_CONDITIONING_H
#define TRANSITION_CONDITIONING_H

#include <sskit/plugin.h>

enum frame { FREE, ADDITIVE };
static const char *const frames[] = {"free", "additive", NULL};

/* The row of `int frame`, a member of S. */
#define FRAME_PARAM(S)                                                                             \
  SSK_PARAM_ENUM(S, frame, "additive", frames,                                                     \
                 "free: mu = g; additive: mu = z_{t-1} + g, where g starts at zero.")

/* z_{t-1} [n, d]. */
static inline ssk_tensor *newest_latent(const struct ssk_ctx *ctx, const struct ssk_rows *rows) {
  int j = ctx->dims->j, d = ctx->dims->d;
  return j > 1 ? ssk_cols(ctx->tape, rows->past, (j - 1) * d, d) : rows->past;
}

/* Past latents, covariates and time features side by side, [n, conditioning_width]. */
static inline int conditioning_width(const struct ssk_dims *dims) {
  return dims->j * dims->d + dims->V + dims->F;
}

static inline ssk_tensor *conditioning(const struct ssk_ctx *ctx, const struct ssk_rows *rows) {
  ssk_tensor *parts[3] = {rows->past};
  int n = 1;
  if (rows->u)
    parts[n++] = rows->u;
  if (rows->time)
    parts[n++] = rows->time;
  return n > 1 ? ssk_concat(ctx->tape, n, parts, -1) : rows->past;
}

#endif
