/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gaussian.c - structured posterior with diagonal Gaussian steps.
 *
 *     q(z_t | z_{t-j:t-1}, h_t) = N(mu_t, diag sigma_t^2),   [mu_t, raw_t] = network(...)
 *
 * Source: Krishnan, Shalit and Sontag 2017, equation 9 (DKS), with a residual frame for the mean.
 * The network sees z_{t-j:t-1}, padding flags and the innovation, which depend on the sampled past,
 * and u_t, time_t, h_t, x_t m_t, m_t, which do not: its work on these is done for all steps at once
 * (`prepare`), ahead of the recursion over t. */
#include <sskit/plugin.h>

enum frame { FREE, ADDITIVE };
static const char *const frames[] = {"free", "additive", NULL};

struct encoder {
  int frame;
  bool structured, observation, innovation, state;
  struct ssk_variance variance;
  struct ssk_instance *network;
};

static int build(void *self, ssk_builder *b, const struct ssk_dims *dims) {
  struct encoder *e = self;
  if (e->innovation && dims->D != dims->d)
    return ssk_build_fail(b, SSK_ERECIPE,
                          "innovation: true needs as many latents as observed dimensions, not %d "
                          "and %d",
                          dims->d, dims->D);
  if (e->state && !dims->W)
    return ssk_build_fail(b, SSK_ERECIPE, "state: true, but the transition has no state");
  struct ssk_network_shape shape = {.size = sizeof shape,
                                    .slots = e->structured ? dims->j : 0,
                                    .width = dims->d,
                                    .lag = 1,
                                    .pad = e->structured,
                                    .now = (e->innovation ? dims->d : 0) + (e->state ? dims->W : 0),
                                    .u = dims->V,
                                    .time = dims->F,
                                    .known = dims->H + (e->observation ? 2 * dims->D : 0),
                                    .outputs = dims->d};
  return ssk_network_build(e->network, b, "head", &shape, &e->variance);
}

static ssk_tensor *prepare(const void *self, const struct ssk_ctx *ctx,
                           const struct ssk_observed *obs, ssk_tensor *h) {
  const struct encoder *e = self;
  if (e->observation)
    h = ssk_concat(ctx->tape, 3, (ssk_tensor *[]){h, obs->x, obs->mask}, -1);
  struct ssk_network_in in = {.size = sizeof in,
                              .rows = {.size = sizeof in.rows, .u = obs->u, .time = obs->time}};
  in.known = h;
  return ssk_network_prepare(e->network, ctx, &in);
}

static struct ssk_gaussian posterior(const void *self, const struct ssk_ctx *ctx,
                                     const struct ssk_encoder_step *step) {
  const struct encoder *e = self;
  ssk_tape *tape = ctx->tape;
  int j = ctx->dims->j, d = ctx->dims->d;
  struct ssk_network_in in = {.size = sizeof in, .rows = step->in, .prepared = step->h};
  in.rows.u = in.rows.time = NULL; /* prepared */
  if (!e->structured)
    in.rows.past = in.rows.pad = NULL;

  ssk_tensor *last = j > 1 ? ssk_cols(tape, step->in.past, (j - 1) * d, d) : step->in.past;
  if (e->innovation)
    in.now = ssk_mul(tape, ssk_sub(tape, step->x, last), step->mask);
  if (e->state && in.now)
    in.now = ssk_concat(tape, 2, (ssk_tensor *[]){in.now, step->in.state}, -1);
  else if (e->state)
    in.now = step->in.state;
  struct ssk_gaussian q = ssk_network_run(e->network, ctx, &in, &e->variance);
  if (e->frame == ADDITIVE)
    q.mean = ssk_add(tape, q.mean, last);
  return q;
}

static int init(void *self, ssk_err *err) {
  const struct encoder *e = self;
  if (!e->structured && (e->innovation || e->frame == ADDITIVE))
    return ssk_err_set(err, SSK_ERECIPE,
                       "structured: false leaves z_{t-1} out, which %s sees: use frame: free%s",
                       e->innovation ? "innovation: true" : "frame: additive",
                       e->innovation ? " and innovation: false" : "");
  return ssk_variance_check(&e->variance, err);
}

static const struct ssk_param params[] = {
    SSK_PARAM_ENUM(struct encoder, frame, "additive", frames,
                   "free: mu_t = g; additive: mu_t = z_{t-1} + g, where the g of a network mlp "
                   "starts at zero, so that training starts from persistence."),
    SSK_PARAM_COMPONENT(struct encoder, network, SSK_NETWORK, "mlp",
                        "From the conditions to the moments."),
    SSK_PARAM_BOOL(struct encoder, structured, "true",
                   "false: mean field, q(z_t | h_t): the step does not see z_{t-j:t-1}."),
    SSK_PARAM_BOOL(
        struct encoder, observation, "true",
        "Give x_t and its mask to the network beside h_t, past the summary's bottleneck."),
    SSK_PARAM_BOOL(struct encoder, innovation, "false",
                   "Give x_t - z_{t-1} to the network (zero where x_t is missing); needs d = D."),
    SSK_PARAM_BOOL(
        struct encoder, state, "false",
        "Give the network the state of a transition that has one, as it was before z_t."),
    SSK_PARAM_VARIANCE(struct encoder, variance, "-2"),
    SSK_PARAM_END};

static const struct ssk_encoder_ops ops = {
    .size = sizeof ops, .build = build, .prepare = prepare, .posterior = posterior};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_ENCODER,
    .name = "gaussian",
    .summary = "diagonal Gaussian steps that see their own sampled past",
    .doc =
        "q(z_t | z_{t-j:t-1}, h_t) = N(mu_t, diag sigma_t^2), with\n"
        "    [g_t, raw_t] = network(z_{t-j:t-1}, padding, u_t, time_t, h_t, x_t, m_t)\n"
        "    mu_t = g_t (frame free), or z_{t-1} + g_t (frame additive)\n"
        "    log sigma_t^2 = clamp(log(softplus(raw_t) + var_min), logvar_min, logvar_max).\n"
        "With structured: false the network sees neither latents nor padding: mean field.\n"
        "h_t is that of model.summary (the future), and beside it that of model.history (the "
        "past).\n"
        "Slots before the first step are zero and flagged as padding, so z_0 = 0 in the additive\n"
        "frame.\n"
        "\n"
        "Source: Krishnan, Shalit and Sontag 2017, section 4 (structured inference networks).",
    .self_size = sizeof(struct encoder),
    .params = params,
    .ops = &ops,
    .init = init,
};

SSK_PLUGIN(&component)
