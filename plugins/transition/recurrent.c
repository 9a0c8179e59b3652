/* SPDX-License-Identifier: GPL-3.0-or-later */
/* recurrent.c - a Gaussian whose moments see all that was before, by a recurrent network.
 *
 *     h_t = GRU(h_{t-1}, [z_t, x_t m_t, m_t, u_t])
 *     p(z_t | z_{1:t-1}, x_{1:t-1}) = N(mu, sigma^2)
 *     [mu, log sigma^2] = network(h_{t-1}, z_{t-j:t-1}, u_t, time_t)
 *
 * Sources, by what the GRU reads and what the network sees beside it: latents and observations -
 * Chung, Kastner, Dinh, Goel, Courville and Bengio 2015, "A recurrent latent variable model for
 * sequential data" (VRNN); observations, and z_{t-1} beside h - Fraccaro, Soenderby, Paquet and
 * Winther 2016, "Sequential neural models with stochastic layers" (SRNN); latents - the recurrent
 * state-space model of Hafner et al. 2019, "Learning latent dynamics for planning from pixels"
 * (RSSM). */
#include "conditioning.h"

struct recurrent {
  int frame;
  bool latents, observations, markov;
  int64_t hidden;
  struct ssk_variance variance;
  struct ssk_instance *network;
  struct ssk_gru_stack gru;
};

static int build(void *self, ssk_builder *b, const struct ssk_dims *dims) {
  struct recurrent *r = self;
  const int read = (r->latents ? dims->d : 0) + (r->observations ? 2 * dims->D : 0) + dims->V;
  r->gru = ssk_gru_stack_build(b, "state", read, (int)r->hidden, 1);
  struct ssk_network_shape shape = {.size = sizeof shape,
                                    .slots = r->markov ? dims->j : 0,
                                    .width = dims->d,
                                    .lag = 1,
                                    .now = (int)r->hidden,
                                    .u = dims->V,
                                    .time = dims->F,
                                    .outputs = dims->d};
  return ssk_network_build(r->network, b, "head", &shape, &r->variance);
}

/* [n, width] as given, zero where it is not; NULL where it has no width. */
static ssk_tensor *or_zeros(const struct ssk_ctx *ctx, ssk_tensor *given, int n, int width) {
  return given || !width ? given : ssk_full(ctx->tape, SSK_SHAPE(n, width), 0);
}

static struct ssk_gaussian moments(const void *self, const struct ssk_ctx *ctx,
                                   const struct ssk_rows *rows) {
  const struct recurrent *r = self;
  struct ssk_network_in in = {.size = sizeof in, .rows = *rows, .now = rows->state};
  in.rows.u = or_zeros(ctx, rows->u, rows->n, ctx->dims->V);
  in.rows.time = or_zeros(ctx, rows->time, rows->n, ctx->dims->F);
  if (!r->markov)
    in.rows.past = in.rows.pad = NULL;
  struct ssk_gaussian p = ssk_network_run(r->network, ctx, &in, &r->variance);
  if (r->frame == ADDITIVE)
    p.mean = ssk_add(ctx->tape, p.mean, newest_latent(ctx, rows));
  return p;
}

static int state_width(const void *self) {
  const struct recurrent *r = self;
  return (int)r->hidden;
}

static ssk_tensor *start(const void *self, const struct ssk_ctx *ctx, int n) {
  return ssk_full(ctx->tape, SSK_SHAPE(n, state_width(self)), 0);
}

static ssk_tensor *advance(const void *self, const struct ssk_ctx *ctx,
                           const struct ssk_rows *rows) {
  const struct recurrent *r = self;
  ssk_tape *tape = ctx->tape;
  const int n = rows->n, D = ctx->dims->D, V = ctx->dims->V;
  ssk_tensor *parts[4], *next = NULL;
  int present = 0;
  if (r->latents)
    parts[present++] = rows->z;
  if (r->observations) {
    ssk_tensor *mask = or_zeros(ctx, rows->x ? rows->mask : NULL, n, D);
    parts[present++] = ssk_mul(tape, or_zeros(ctx, rows->x, n, D), mask);
    parts[present++] = mask;
  }
  if (V)
    parts[present++] = or_zeros(ctx, rows->u, n, V);
  ssk_tensor *read = present > 1 ? ssk_concat(tape, present, parts, -1) : parts[0];
  read = ssk_reshape(tape, read, SSK_SHAPE(1, n, ssk_width(read)));
  ssk_gru_stack_run_part(ctx, &r->gru, read, rows->state, &next);
  return next;
}

static int init(void *self, ssk_err *err) {
  const struct recurrent *r = self;
  if (!r->latents && !r->observations)
    return ssk_err_set(err, SSK_ERECIPE, "the state must read latents, observations, or both");
  return ssk_variance_check(&r->variance, err);
}

static const struct ssk_param params[] = {
    FRAME_PARAM(struct recurrent),
    SSK_PARAM_BOOL(struct recurrent, latents, "true", "The state reads z_t."),
    SSK_PARAM_BOOL(struct recurrent, observations, "false",
                   "The state reads x_t and its mask; a forecast reads its own draws."),
    SSK_PARAM_BOOL(struct recurrent, markov, "true",
                   "The network sees z_{t-j:t-1} beside the state."),
    SSK_PARAM_INT(struct recurrent, hidden, "64", 1, 4096, "units", "Width of the state."),
    SSK_PARAM_COMPONENT(struct recurrent, network, SSK_NETWORK, "mlp",
                        "From state and conditions to the moments."),
    SSK_PARAM_VARIANCE(struct recurrent, variance, "0"),
    SSK_PARAM_END};

static const struct ssk_transition_ops ops = {.size = sizeof ops,
                                              .build = build,
                                              .moments = moments,
                                              .state_width = state_width,
                                              .start = start,
                                              .advance = advance};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_TRANSITION,
    .name = "recurrent",
    .summary = "a Gaussian that sees all before it by a recurrent state (VRNN, SRNN, RSSM)",
    .doc = "    h_t = GRU(h_{t-1}, [z_t, x_t m_t, m_t, u_t])    of these, what is chosen; h_0 = 0\n"
           "    p(z_t | z_{1:t-1}, x_{1:t-1}) = N(mu, diag sigma^2)\n"
           "    [g, raw] = network(h_{t-1}, z_{t-j:t-1}, u_t, time_t)\n"
           "    mu = g (frame free), or z_{t-1} + g (frame additive)\n"
           "    log sigma^2 = clamp(log(softplus(raw) + var_min), logvar_min, logvar_max).\n"
           "Encoder and emission see h_{t-1} with their key state: true. With initial: start the "
           "first\n"
           "latent is the network's, too, with zeros for covariates and time features.\n"
           "    VRNN   latents: true, observations: true, markov: false\n"
           "    SRNN   latents: false, observations: true, markov: true\n"
           "    RSSM   latents: true, observations: false, markov: false\n"
           "The rate is the closed-form KL to the Gaussian posterior.\n"
           "\n"
           "Sources: Chung et al. 2015 (VRNN); Fraccaro et al. 2016 (SRNN); Hafner et al. 2019 "
           "(RSSM).",
    .self_size = sizeof(struct recurrent),
    .params = params,
    .ops = &ops,
    .init = init,
};

SSK_PLUGIN(&component)
