/* SPDX-License-Identifier: GPL-3.0-or-later */
/* linear_mean.h - the linear mean of a transition, A_1 z_{t-1} + ... + A_j z_{t-j} + B u_t + b. */
#ifndef TRANSITION_LINEAR_MEAN_H
#define TRANSITION_LINEAR_MEAN_H

#include "conditioning.h"

struct linear_mean {
  ssk_weight newest; /* [d, d] A_1, from the right */
  ssk_weight older;  /* [(j-1) d, d] A_j, ..., A_2; 0 where j = 1 */
  ssk_weight input;  /* [V, d] B; 0 without covariates */
  ssk_weight bias;   /* [d] b */
};

/* A_1 starts at the identity, everything else at zero: from persistence. No decay, which would pull
 * the mean away from there. */
static inline struct linear_mean linear_mean_build(ssk_builder *b, const struct ssk_dims *dims) {
  struct linear_mean mean = {0};
  int d = dims->d, older = (dims->j - 1) * d;
  mean.newest = ssk_declare(b, "A", SSK_SHAPE(d, d), SSK_INIT_IDENTITY, 1, SSK_NO_DECAY);
  if (older)
    mean.older = ssk_declare(b, "A_older", SSK_SHAPE(older, d), SSK_INIT_ZERO, 0, SSK_NO_DECAY);
  if (dims->V)
    mean.input = ssk_declare(b, "B", SSK_SHAPE(dims->V, d), SSK_INIT_ZERO, 0, SSK_NO_DECAY);
  mean.bias = ssk_declare(b, "b", SSK_SHAPE(d), SSK_INIT_ZERO, 0, SSK_NO_DECAY);
  return mean;
}

/* [n, d] */
static inline ssk_tensor *linear_mean_run(const struct ssk_ctx *ctx, const struct linear_mean *mean,
                                          const struct ssk_rows *rows) {
  ssk_tape *tape = ctx->tape;
  int older = (ctx->dims->j - 1) * ctx->dims->d;
  ssk_tensor *out = ssk_linear(tape, newest_latent(ctx, rows), ssk_use(ctx, mean->newest),
                               ssk_use(ctx, mean->bias), SSK_LINEAR);
  if (older)
    out = ssk_add(tape, out,
                  ssk_linear(tape, ssk_cols(tape, rows->past, 0, older), ssk_use(ctx, mean->older),
                             NULL, SSK_LINEAR));
  if (rows->u)
    out =
        ssk_add(tape, out, ssk_linear(tape, rows->u, ssk_use(ctx, mean->input), NULL, SSK_LINEAR));
  return out;
}

#endif
