/* SPDX-License-Identifier: GPL-3.0-or-later */
/* none.c - observations that are not modelled: the distortion is zero, and there are no forecasts.
 * For trainings of a transition alone. */
#include <sskit/plugin.h>

static int none_build(void *self, ssk_builder *b, const struct ssk_dims *dims) {
  (void)self, (void)dims;
  return ssk_build_code(b);
}

static ssk_tensor *none_log_prob(const void *self, const struct ssk_ctx *ctx,
                                 const struct ssk_rows *in, ssk_tensor *x, ssk_tensor *mask) {
  (void)self, (void)x, (void)mask;
  return ssk_full(ctx->tape, SSK_SHAPE(in->n), 0);
}

/* `discrete`, so that the data stay as they are and no change of variables is booked. */
static const struct ssk_emission_ops none_ops = {
    .size = sizeof none_ops, .build = none_build, .log_prob = none_log_prob, .discrete = true};

static const struct ssk_component none_component = {
    .size = sizeof none_component,
    .kind = SSK_EMISSION,
    .name = "none",
    .summary = "observations are left out: distortion zero, no forecasts",
    .doc = "log p(x | z) = 0. Has no weights and cannot be drawn from, so a model with it has "
           "neither forecasts nor a bound on x; what it trains is the transition, on the latents "
           "of an encoder that is given (truth) or frozen.",
    .self_size = sizeof(char),
    .ops = &none_ops,
};

SSK_PLUGIN(&none_component)
