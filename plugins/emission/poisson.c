/* SPDX-License-Identifier: GPL-3.0-or-later */
/* poisson.c - counts: each dimension has a rate of its own.
 *
 *     log p(x_t | z_{t-j+1:t}, u_t) = sum over D of x l - exp(l) - log x!,   E x = exp(l) */
#include "readout.h"
#include <gsl/gsl_randist.h>
#include <math.h>

/* Beyond this the log rate is cut off: counts up to 5e8 can be told, and exp never overflows. */
#define LOG_RATE_MAX 20

static int build(void *self, ssk_builder *b, const struct ssk_dims *dims) {
  readout_build(self, b, dims, NULL);
  return ssk_build_code(b);
}

static ssk_tensor *log_rate(const void *self, const struct ssk_ctx *ctx,
                            const struct ssk_rows *in) {
  ssk_tensor *mu = readout_run(self, ctx, in, NULL).mean;
  return ssk_clamp(ctx->tape, mu, -LOG_RATE_MAX, LOG_RATE_MAX);
}

static ssk_tensor *log_prob(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *in,
                            ssk_tensor *x, ssk_tensor *mask) {
  ssk_tape *tape = ctx->tape;
  ssk_tensor *l = log_rate(self, ctx, in);
  ssk_tensor *factorial = ssk_lgamma(tape, ssk_affine(tape, x, 1, 1));
  ssk_tensor *value = ssk_sub(tape, ssk_mul(tape, x, l), ssk_exp(tape, l));
  return readout_observed(tape, ssk_sub(tape, value, factorial), mask);
}

static ssk_tensor *mean(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *in) {
  return ssk_exp(ctx->tape, log_rate(self, ctx, in));
}

static ssk_tensor *sample(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *in) {
  const ssk_tensor *rate = mean(self, ctx, in);
  ssk_tensor *x = ssk_empty(ctx->tape, SSK_SHAPE(in->n, ctx->dims->D));
  ssk_rng stream = ssk_ctx_rng(ctx, "sample", in->index);
  gsl_rng *rng = ssk_rng_gsl(&stream);
  if (!rng)
    return ssk_tape_fail(ctx->tape, SSK_ENOMEM, "no memory for random numbers");
  for (size_t i = 0; rate->count && i < x->count; i++)
    x->data[i] = (ssk_real)gsl_ran_poisson(rng, (double)rate->data[i]);
  gsl_rng_free(rng);
  return x;
}

static const char *refuse(const void *self, double x) {
  (void)self;
  return x >= 0 && x == floor(x) ? NULL : "a count: 0, 1, 2, ...";
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
    .name = "poisson",
    .summary = "counts: Poisson with a log rate from the latent",
    .doc = "log p(x_t | z_{t-j+1:t}) = sum of x mu - exp(mu) - log x! over the observed entries,\n"
           "with the log rate, cut off at +-20,\n"
           "    mu = z_t + g(z_{t-j+1:t}, u_t, time_t)     where d = D and identity is true,\n"
           "    mu = C z_t + g(...)                        elsewhere in the additive frame,\n"
           "    mu = g(...)                                in the free frame.\n"
           "The data are not standardised; an entry that is not a count is an error.\n"
           "\n"
           "Source: Gao, Archer, Paninski and Cunningham 2016 (Poisson observations of a latent\n"
           "state-space model).",
    .self_size = sizeof(struct readout),
    .params = params,
    .ops = &ops,
};

SSK_PLUGIN(&component)
