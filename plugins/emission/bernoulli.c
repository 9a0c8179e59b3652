/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bernoulli.c - binary observations: each dimension is 1 with a probability of its own.
 *
 *     log p(x_t | z_{t-j+1:t}, u_t) = sum over D of x l - log(1 + exp(l)),   P(x = 1) = sigmoid(l)
 */
#include "readout.h"

static int build(void *self, ssk_builder *b, const struct ssk_dims *dims) {
  readout_build(self, b, dims, NULL);
  return ssk_build_code(b);
}

static ssk_tensor *log_prob(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *in,
                            ssk_tensor *x, ssk_tensor *mask) {
  ssk_tape *tape = ctx->tape;
  ssk_tensor *logit = readout_run(self, ctx, in, NULL).mean;
  ssk_tensor *log_sum = ssk_activate(tape, logit, SSK_SOFTPLUS);
  return readout_observed(tape, ssk_sub(tape, ssk_mul(tape, x, logit), log_sum), mask);
}

static ssk_tensor *mean(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *in) {
  return ssk_activate(ctx->tape, readout_run(self, ctx, in, NULL).mean, SSK_SIGMOID);
}

static ssk_tensor *sample(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *in) {
  const ssk_tensor *p = mean(self, ctx, in);
  ssk_tensor *x = ssk_empty(ctx->tape, SSK_SHAPE(in->n, ctx->dims->D));
  ssk_rng rng = ssk_ctx_rng(ctx, "sample", in->index);
  for (size_t i = 0; p->count && i < x->count; i++)
    x->data[i] = ssk_rng_uniform(&rng) < (double)p->data[i];
  return x;
}

static const char *refuse(const void *self, double x) {
  (void)self;
  return x == 0 || x == 1 ? NULL : "0 or 1";
}

static const struct ssk_param params[] = {READOUT_PARAMS, SSK_PARAM_END};

static const struct ssk_emission_ops ops = {.size = sizeof ops,
                                            .build = build,
                                            .log_prob = log_prob,
                                            .sample = sample,
                                            .mean = mean,
                                            .discrete = true,
                                            .refuse = refuse};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_EMISSION,
    .name = "bernoulli",
    .summary = "binary observations (piano rolls, spikes): independent given the latent",
    .doc = "log p(x_t | z_{t-j+1:t}) = sum of x mu - log(1 + exp(mu)) over the observed entries,\n"
           "with the logit\n"
           "    mu = z_t + g(z_{t-j+1:t}, u_t, time_t)     where d = D and identity is true,\n"
           "    mu = C z_t + g(...)                        elsewhere in the additive frame,\n"
           "    mu = g(...)                                in the free frame.\n"
           "The data are not standardised; an entry that is neither 0 nor 1 is an error.\n"
           "\n"
           "Source: Kingma and Welling 2014, appendix C.1 (Bernoulli decoder).",
    .self_size = sizeof(struct readout),
    .params = params,
    .ops = &ops,
};

SSK_PLUGIN(&component)
