/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mixture.c - a mixture of K diagonal Gaussians, whose weights and moments are networks'.
 *
 *     p(z_t | z_{t-j:t-1}, u_t) = sum_k w_k N(mu_k, diag sigma_k^2)
 *     mu_k = baseline + offset_k + g_k,   w = softmax(logits)
 *
 * Source: Bishop 1994, "Mixture density networks", equations 21 to 25. Its density is exact, so the
 * rate is log q - log p at the encoder's sample: a middle between a Gaussian and a diffusion.
 *
 * Networks mlp start at zero. So that components are not equal then, which gradients would keep
 * them, each has a constant offset: normal quantiles of a Latin hypercube, whose strata are ranked
 * by the additive recurrence with the generalised golden ratio (the root g of g^{d+1} = g + 1):
 * component k's stratum in dimension i is the rank of frac((k+1) g^{-(i+1)}). One component has the
 * offset zero, and is the transition `gaussian`. */
#include "conditioning.h"
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>

struct mixture {
  int frame;
  int64_t components;
  double spread;
  struct ssk_variance variance;
  struct ssk_instance *network;
  struct ssk_instance *head;   /* of K*d means and log variances, component by component */
  struct ssk_instance *logits; /* of K */
  ssk_real *offset;            /* [K, d] */
};

/* ---- the components -------------------------------------------------------------------------- */

static double golden_ratio(int d) {
  double g = 1.5;
  for (int i = 0; i < 64; i++) /* a contraction: its slope is at most 1/(d + 1) */
    g = pow(1 + g, 1.0 / (d + 1));
  return g;
}

static double fraction(double x) {
  return x - floor(x);
}

/* offset[K, d] */
static void component_offsets(double spread, int K, int d, ssk_real *offset) {
  double g = golden_ratio(d);
  for (int i = 0; i < d; i++) {
    double step = pow(g, -(i + 1));
    for (int k = 0; k < K; k++) {
      int rank = 0;
      for (int other = 0; other < K; other++)
        rank += fraction((other + 1) * step) < fraction((k + 1) * step);
      offset[k * d + i] = (ssk_real)(spread * gsl_cdf_ugaussian_Pinv((rank + 0.5) / K));
    }
  }
}

static int mixture_build(void *state, ssk_builder *b, const struct ssk_dims *dims) {
  struct mixture *self = state;
  int K = (int)self->components;
  free(self->offset); /* of an earlier build */
  self->offset = calloc((size_t)K * (size_t)dims->d, sizeof *self->offset);
  if (!self->offset)
    return ssk_build_fail(b, SSK_ENOMEM, "no memory for %d components", K);
  component_offsets(self->spread, K, dims->d, self->offset);
  self->head = ssk_build_copy(b, self->network);
  conditional_build(self->head, b, "head", dims, K * dims->d, &self->variance);
  self->logits = ssk_build_copy(b, self->network);
  return conditional_build(self->logits, b, "logits", dims, K, NULL);
}

static void mixture_done(void *state) {
  struct mixture *self = state;
  free(self->offset);
}

struct components {
  struct ssk_gaussian moments; /* [n, K, d] */
  ssk_tensor *log_weights;     /* [n, K] */
};

static struct components mixture_components(const struct mixture *self, const struct ssk_ctx *ctx,
                                            const struct ssk_rows *rows) {
  ssk_tape *tape = ctx->tape;
  int n = rows->n, K = (int)self->components, d = ctx->dims->d;
  struct ssk_gaussian p = conditional_run(self->head, ctx, rows, &self->variance);
  ssk_tensor *offset = ssk_const(tape, SSK_SHAPE(K, d), self->offset);
  p.mean = ssk_add(tape, ssk_reshape(tape, p.mean, SSK_SHAPE(n, K, d)), offset);
  p.logvar = ssk_reshape(tape, p.logvar, SSK_SHAPE(n, K, d));
  if (self->frame == ADDITIVE)
    p.mean = ssk_add(tape, p.mean, ssk_reshape(tape, newest_latent(ctx, rows), SSK_SHAPE(n, 1, d)));
  ssk_tensor *logits = conditional_run(self->logits, ctx, rows, NULL).mean;
  ssk_tensor *total = ssk_reshape(tape, ssk_logsumexp(tape, logits), SSK_SHAPE(n, 1));
  return (struct components){.moments = p, .log_weights = ssk_sub(tape, logits, total)};
}

/* ---- density and draws ----------------------------------------------------------------------- */

static ssk_tensor *mixture_log_prob(const void *state, const struct ssk_ctx *ctx,
                                    const struct ssk_rows *rows) {
  const struct mixture *self = state;
  ssk_tape *tape = ctx->tape;
  int n = rows->n, K = (int)self->components, d = ctx->dims->d;
  struct components p = mixture_components(self, ctx, rows);
  ssk_tensor *z =
      ssk_repeat(tape, ssk_reshape(tape, rows->z, SSK_SHAPE(n, 1, d)), 1, K); /* [n, K, d] */
  ssk_tensor *joint = ssk_add(tape, p.log_weights, ssk_gaussian_log_prob(tape, z, p.moments, NULL));
  return ssk_logsumexp(tape, joint);
}

/* [n, K, 1], one at the component drawn. */
static ssk_tensor *draw_components(const struct ssk_ctx *ctx, const ssk_tensor *log_weights,
                                   uint32_t index) {
  int n = ssk_height(log_weights), K = ssk_width(log_weights);
  ssk_tensor *chosen = ssk_full(ctx->tape, SSK_SHAPE(n, K, 1), 0);
  ssk_rng rng = ssk_ctx_rng(ctx, "component", index);
  for (int i = 0; chosen->count && i < n; i++) {
    double u = ssk_rng_uniform(&rng);
    int k = 0;
    for (; k < K - 1; k++) /* the last stands for the rest, whatever the sum rounds to */
      if ((u -= exp((double)log_weights->data[i * K + k])) < 0)
        break;
    chosen->data[i * K + k] = 1;
  }
  return chosen;
}

static ssk_tensor *mixture_sample(const void *state, const struct ssk_ctx *ctx,
                                  const struct ssk_rows *rows) {
  const struct mixture *self = state;
  ssk_tape *tape = ctx->tape;
  struct components p = mixture_components(self, ctx, rows);
  ssk_tensor *chosen = draw_components(ctx, p.log_weights, rows->index);
  struct ssk_gaussian drawn = {.mean = ssk_sum(tape, ssk_mul(tape, p.moments.mean, chosen), 1),
                               .logvar = ssk_sum(tape, ssk_mul(tape, p.moments.logvar, chosen), 1)};
  return ssk_reparam(tape, drawn,
                     ssk_ctx_normal(ctx, "sample", rows->index, SSK_SHAPE(rows->n, ctx->dims->d)));
}

/* ---- the component --------------------------------------------------------------------------- */

static int mixture_init(void *state, ssk_err *err) {
  const struct mixture *self = state;
  return ssk_variance_check(&self->variance, err);
}

static const struct ssk_param mixture_params[] = {
    SSK_PARAM_INT(struct mixture, components, "8", 1, 1024, NULL, "K: Gaussians in the mixture."),
    FRAME_PARAM(struct mixture),
    SSK_PARAM_COMPONENT(struct mixture, network, SSK_NETWORK, "mlp",
                        "From the conditions to the moments, and one more of it to the weights."),
    SSK_PARAM_REAL(struct mixture, spread, "1", 0, 1e3, "latent",
                   "Deviation of the constant offsets that the components start from."),
    SSK_PARAM_VARIANCE(struct mixture, variance, "0"),
    SSK_PARAM_END};

/* Components in use at a row: exp of the entropy of its weights, and the largest of them; means. */
static int mixture_stats(const void *state, const struct ssk_ctx *ctx, const struct ssk_rows *rows,
                         struct ssk_figure *figures) {
  const ssk_tensor *log_weights = mixture_components(state, ctx, rows).log_weights;
  const int n = rows->n, K = ssk_width(log_weights);
  double effective = 0, likeliest = 0;
  for (int r = 0; log_weights->count && r < n; r++) {
    double entropy = 0, most = 0;
    for (int k = 0; k < K; k++) {
      const double l = (double)log_weights->data[r * K + k];
      entropy -= exp(l) * l;
      most = fmax(most, exp(l));
    }
    effective += exp(entropy) / n;
    likeliest += most / n;
  }
  figures[0] = (struct ssk_figure){"effective_components", effective};
  figures[1] = (struct ssk_figure){"largest_weight", likeliest};
  return 2;
}

static const struct ssk_transition_ops mixture_ops = {.size = sizeof mixture_ops,
                                                      .build = mixture_build,
                                                      .log_prob = mixture_log_prob,
                                                      .stats = mixture_stats,
                                                      .sample = mixture_sample};

static const struct ssk_component mixture_component = {
    .size = sizeof mixture_component,
    .kind = SSK_TRANSITION,
    .name = "mixture",
    .summary = "mixture of Gaussians with an exact density: several modes without a diffusion",
    .doc = "p(z_t | z_{t-j:t-1}, u_t) = sum_k w_k N(mu_k, diag sigma_k^2), with\n"
           "    [g, raw] = network(z_{t-j:t-1}, u_t, time_t),  logits = network'(the same)\n"
           "    mu_k = offset_k + g_k (frame free), or z_{t-1} + offset_k + g_k (frame additive)\n"
           "    log sigma_k^2 = clamp(log(softplus(raw_k) + var_min), logvar_min, logvar_max)\n"
           "    w = softmax(logits).\n"
           "The offsets are constant: `spread` times the normal quantiles of a low-discrepancy\n"
           "Latin hypercube, so that the components differ when training starts. The rate is\n"
           "log q - log p at the encoder's sample, without bias.\n"
           "\n"
           "Source: Bishop 1994 (Mixture density networks).",
    .self_size = sizeof(struct mixture),
    .params = mixture_params,
    .ops = &mixture_ops,
    .init = mixture_init,
    .done = mixture_done,
};

SSK_PLUGIN(&mixture_component)
