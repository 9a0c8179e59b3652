/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gated.c - the gated transition of the deep Markov model: a linear mean that a network may leave.
 *
 *     G = sigmoid(gate(c) + logit(gate_start)),  N = proposal(c),  c = [z_{t-j:t-1}, u_t, time_t]
 *     mu = (1 - G) (A_1 z_{t-1} + ... + A_j z_{t-j} + B u_t + b) + G N
 *     sigma^2 = softplus(W relu(N) + w)
 *
 * Source: Krishnan, Shalit and Sontag 2017, "Structured inference networks for nonlinear state
 * space models", equation 10 and the lines above it; the linear mean is that of the transition
 * `linear`. The gate is a dimension's own: where the latent moves linearly it can stay shut. */
#include "linear_mean.h"
#include <math.h>

struct gated {
  double gate_start;
  struct ssk_variance variance;
  struct ssk_instance *network;
  struct ssk_instance *gate, *proposal; /* copies of it */
  struct linear_mean linear;
  ssk_weight spread, raw; /* [d, d] W, [d] w */
};

static int build(void *self, ssk_builder *b, const struct ssk_dims *dims) {
  struct gated *g = self;
  int d = dims->d;
  g->gate = ssk_build_copy(b, g->network);
  conditional_build(g->gate, b, "gate", dims, d, NULL);
  g->proposal = ssk_build_copy(b, g->network);
  conditional_build(g->proposal, b, "proposal", dims, d, NULL);
  g->linear = linear_mean_build(b, dims);
  g->spread = ssk_declare(b, "spread", SSK_SHAPE(d, d), SSK_INIT_ZERO, 0, SSK_NO_DECAY);
  g->raw = ssk_declare(b, "raw", SSK_SHAPE(d), SSK_INIT_CONSTANT, ssk_variance_raw(&g->variance),
                       SSK_NO_DECAY);
  return ssk_build_code(b);
}

static struct ssk_gaussian moments(const void *self, const struct ssk_ctx *ctx,
                                   const struct ssk_rows *rows) {
  const struct gated *g = self;
  ssk_tape *tape = ctx->tape;
  const double start = log(g->gate_start / (1 - g->gate_start));
  ssk_tensor *logit = conditional_run(g->gate, ctx, rows, NULL).mean;
  ssk_tensor *gate = ssk_activate(tape, ssk_affine(tape, logit, 1, (ssk_real)start), SSK_SIGMOID);
  ssk_tensor *proposal = conditional_run(g->proposal, ctx, rows, NULL).mean;
  ssk_tensor *linear = linear_mean_run(ctx, &g->linear, rows);
  ssk_tensor *raw = ssk_linear(tape, ssk_activate(tape, proposal, SSK_RELU),
                               ssk_use(ctx, g->spread), ssk_use(ctx, g->raw), SSK_LINEAR);
  /* (1 - G) linear + G N = linear + G (N - linear) */
  ssk_tensor *departure = ssk_mul(tape, gate, ssk_sub(tape, proposal, linear));
  return (struct ssk_gaussian){.mean = ssk_add(tape, linear, departure),
                               .logvar = ssk_variance_log(tape, raw, &g->variance)};
}

static int init(void *self, ssk_err *err) {
  const struct gated *g = self;
  return ssk_variance_check(&g->variance, err);
}

static const struct ssk_param params[] = {
    SSK_PARAM_REAL(struct gated, gate_start, "0.5", 1e-6, 0.999999, NULL,
                   "Where the gate stands while its network gives zero, as an mlp does at first: a "
                   "small value starts from the linear mean."),
    SSK_PARAM_COMPONENT(struct gated, network, SSK_NETWORK, "mlp",
                        "From the conditions to the gate; and, with weights of its own, to the "
                        "proposed mean."),
    SSK_PARAM_VARIANCE(struct gated, variance, "0"), SSK_PARAM_END};

static const struct ssk_transition_ops ops = {
    .size = sizeof ops, .build = build, .moments = moments};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_TRANSITION,
    .name = "gated",
    .summary = "deep Markov model: a gate between a linear mean and a network's",
    .doc =
        "p(z_t | z_{t-j:t-1}, u_t) = N(mu, diag sigma^2), with c = [z_{t-j:t-1}, u_t, time_t] and\n"
        "    G = sigmoid(network_1(c) + logit(gate_start)),  N = network_2(c)\n"
        "    mu = (1 - G) (A_1 z_{t-1} + ... + A_j z_{t-j} + B u_t + b) + G N\n"
        "    log sigma^2 = clamp(log(softplus(W relu(N) + w) + var_min), logvar_min, logvar_max).\n"
        "A_1 starts at the identity, B, b, the other A and W at zero; these are not decayed. With\n"
        "a network mlp the transition starts as N((1 - gate_start) z_{t-1}, exp(logvar_start)).\n"
        "The rate is the closed-form KL to the Gaussian posterior.\n"
        "\n"
        "Source: Krishnan, Shalit and Sontag 2017 (Structured inference networks for nonlinear\n"
        "state space models), the gated transition function of the deep Markov model.",
    .self_size = sizeof(struct gated),
    .params = params,
    .ops = &ops,
    .init = init,
};

SSK_PLUGIN(&component)
