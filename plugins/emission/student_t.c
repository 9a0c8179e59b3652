/* SPDX-License-Identifier: GPL-3.0-or-later */
/* student_t.c - Student-t likelihood: observations with outliers.
 *
 *     p(x_t | z_{t-j+1:t}, u_t) = product over D of t_nu((x - mu)/sigma)/sigma
 *
 * The degrees of freedom nu are learned, one a dimension, above 1, where the mean exists. */
#include "location_scale.h"
#include <gsl/gsl_randist.h>

#define LEAST_DEGREES 1.0

struct emission {
  struct location_scale moments;
  double degrees_of_freedom;
  ssk_weight raw_degrees; /* [D]: nu = 1 + softplus(raw) */
};

static int build(void *self, ssk_builder *b, const struct ssk_dims *dims) {
  struct emission *e = self;
  double excess =
      e->degrees_of_freedom - LEAST_DEGREES; /* log(exp(excess) - 1), without overflow */
  e->raw_degrees = ssk_declare(b, "degrees", SSK_SHAPE(dims->D), SSK_INIT_CONSTANT,
                               excess + log(-expm1(-excess)), SSK_NO_DECAY);
  return location_scale_build(&e->moments, b, dims);
}

/* nu, [D]. */
static ssk_tensor *degrees(const struct emission *e, const struct ssk_ctx *ctx) {
  ssk_tensor *raw = ssk_use(ctx, e->raw_degrees);
  return ssk_affine(ctx->tape, ssk_activate(ctx->tape, raw, SSK_SOFTPLUS), 1,
                    (ssk_real)LEAST_DEGREES);
}

/* log Gamma((nu+1)/2) - log Gamma(nu/2) - log(nu pi)/2 - log sigma
 *   - (nu+1)/2 log(1 + e^2/nu),   e = (x - mu)/sigma */
static ssk_tensor *log_prob(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *in,
                            ssk_tensor *x, ssk_tensor *mask) {
  const struct emission *e = self;
  ssk_tape *tape = ctx->tape;
  struct ssk_gaussian p = location_scale_run(&e->moments, ctx, in);
  ssk_tensor *nu = degrees(e, ctx);
  ssk_tensor *half = ssk_affine(tape, nu, (ssk_real)0.5, (ssk_real)0.5); /* (nu + 1)/2 */
  ssk_tensor *gammas = ssk_sub(tape, ssk_lgamma(tape, half),
                               ssk_lgamma(tape, ssk_affine(tape, nu, (ssk_real)0.5, 0)));
  ssk_tensor *width = ssk_log(tape, ssk_affine(tape, nu, (ssk_real)M_PI, 0));
  ssk_tensor *top = ssk_sub(tape, gammas, ssk_affine(tape, width, (ssk_real)0.5, 0));
  ssk_tensor *square = ssk_mul(tape, ssk_square(tape, ssk_sub(tape, x, p.mean)),
                               ssk_exp(tape, ssk_affine(tape, p.logvar, -1, 0)));
  ssk_tensor *tail = ssk_mul(tape, ssk_log1p(tape, ssk_div(tape, square, nu)), half);
  ssk_tensor *peak = ssk_sub(tape, top, ssk_affine(tape, p.logvar, (ssk_real)0.5, 0));
  return readout_observed(tape, ssk_sub(tape, peak, tail), mask);
}

static ssk_tensor *sample(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *in) {
  const struct emission *e = self;
  int D = ctx->dims->D;
  const ssk_tensor *nu = degrees(e, ctx);
  ssk_tensor *noise = ssk_empty(ctx->tape, SSK_SHAPE(in->n, D));
  ssk_rng stream = ssk_ctx_rng(ctx, "sample", in->index);
  gsl_rng *rng = ssk_rng_gsl(&stream);
  if (!rng)
    return ssk_tape_fail(ctx->tape, SSK_ENOMEM, "no memory for random numbers");
  for (size_t i = 0; nu->count && i < noise->count; i++)
    noise->data[i] = (ssk_real)gsl_ran_tdist(rng, (double)nu->data[i % (size_t)D]);
  gsl_rng_free(rng);
  return ssk_reparam(ctx->tape, location_scale_run(&e->moments, ctx, in), noise);
}

static const struct ssk_param params[] = {
    LOCATION_SCALE_PARAMS,
    SSK_PARAM_REAL(struct emission, degrees_of_freedom, "5", 1.01, 1000, "1",
                   "nu at the start of the training; learned for each dimension, above 1."),
    SSK_PARAM_END};

static const struct ssk_emission_ops ops = {.size = sizeof ops,
                                            .build = build,
                                            .log_prob = log_prob,
                                            .sample = sample,
                                            .mean = location_scale_mean};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_EMISSION,
    .name = "student_t",
    .summary = "Student-t observations: learned degrees of freedom, for data with outliers",
    .doc =
        "p(x_t | z_{t-j+1:t}) = product of t_nu((x - mu)/sigma)/sigma over the observed entries,\n"
        "nu = 1 + softplus(raw_nu) learned for each dimension, with\n" LOCATION_SCALE_DOC
        "sigma is the scale, not the deviation, which is sigma sqrt(nu/(nu-2)) "
        "for nu > 2.\n"
        "\n"
        "Source: Lange, Little and Taylor 1989 (robust modelling by the t distribution).",
    .self_size = sizeof(struct emission),
    .params = params,
    .ops = &ops,
    .init = location_scale_init,
};

SSK_PLUGIN(&component)
