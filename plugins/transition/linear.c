/* SPDX-License-Identifier: GPL-3.0-or-later */
/* linear.c - the Kalman filter's transition: a linear map and constant diagonal noise.
 *
 *     p(z_t | z_{t-j:t-1}, u_t) = N( A_1 z_{t-1} + ... + A_j z_{t-j} + B u_t + b, diag sigma^2 )
 *
 * Source: Kalman 1960; with j > 1 a vector autoregression. With a linear Gaussian emission its
 * likelihood is known exactly, so it shows what the rest of the machinery costs. */
#include "linear_mean.h"

struct linear {
  struct ssk_variance variance;
  struct linear_mean mean;
  ssk_weight raw; /* [d] raw variance */
};

static int build(void *self, ssk_builder *b, const struct ssk_dims *dims) {
  struct linear *l = self;
  l->mean = linear_mean_build(b, dims);
  l->raw = ssk_declare(b, "raw", SSK_SHAPE(dims->d), SSK_INIT_CONSTANT,
                       ssk_variance_raw(&l->variance), SSK_NO_DECAY);
  return ssk_build_code(b);
}

static struct ssk_gaussian moments(const void *self, const struct ssk_ctx *ctx,
                                   const struct ssk_rows *rows) {
  const struct linear *l = self;
  ssk_tape *tape = ctx->tape;
  ssk_tensor *logvar = ssk_variance_log(tape, ssk_use(ctx, l->raw), &l->variance);
  ssk_tensor *zeros = ssk_full(tape, SSK_SHAPE(rows->n, ctx->dims->d), 0);
  return (struct ssk_gaussian){.mean = linear_mean_run(ctx, &l->mean, rows),
                               .logvar = ssk_add(tape, zeros, logvar)};
}

static int init(void *self, ssk_err *err) {
  const struct linear *l = self;
  return ssk_variance_check(&l->variance, err);
}

static const struct ssk_param params[] = {SSK_PARAM_VARIANCE(struct linear, variance, "0"),
                                          SSK_PARAM_END};

static const struct ssk_transition_ops ops = {
    .size = sizeof ops, .build = build, .moments = moments};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_TRANSITION,
    .name = "linear",
    .summary = "linear map with constant diagonal noise: the Kalman model",
    .doc =
        "p(z_t | z_{t-j:t-1}, u_t) = N(A_1 z_{t-1} + ... + A_j z_{t-j} + B u_t + b, diag sigma^2)\n"
        "with one learned variance a dimension. A_1 starts at the identity, everything else at\n"
        "zero, and nothing is decayed. Time features are not used: the model is time-invariant.\n"
        "\n"
        "Source: Kalman 1960.",
    .self_size = sizeof(struct linear),
    .params = params,
    .ops = &ops,
    .init = init,
};

SSK_PLUGIN(&component)
