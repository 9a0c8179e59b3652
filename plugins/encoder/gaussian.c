/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gaussian.c - structured posterior with diagonal Gaussian steps.
 *
 *     q(z_t | z_{t-j:t-1}, h_t) = N(mu_t, diag sigma_t^2),   [mu_t, raw_t] = head(c_t)
 *
 * Source: Krishnan, Shalit and Sontag 2017, equation 9 (DKS), with a residual frame for the mean.
 * The head's input c_t is [z_{t-j:t-1}, padding flags, innovation | h_t, x_t m_t, m_t]. What stands
 * behind the bar does not depend on the sampled past: its products with the first layer and with
 * the linear path are made for all steps at once (`prepare`), and the recursion over t only adds
 * those of the part before it. */
#include <sskit/plugin.h>

enum frame { FREE, ADDITIVE };
static const char *const frames[] = {"free", "additive", NULL};

struct encoder {
  int frame;
  int64_t hidden, layers;
  bool observation, innovation;
  struct ssk_variance variance;
  struct ssk_gaussian_head head;
};

static int build(void *self, ssk_builder *b, const struct ssk_dims *dims) {
  struct encoder *e = self;
  if (e->innovation && dims->D != dims->d)
    return ssk_build_fail(b, SSK_ERECIPE,
                          "innovation: true needs as many latents as observed dimensions, not %d "
                          "and %d",
                          dims->d, dims->D);
  int now = dims->j * dims->d + dims->j + (e->innovation ? dims->d : 0);
  int later = dims->H + (e->observation ? 2 * dims->D : 0);
  e->head = ssk_gaussian_head_build(b, "head", now + later, (int)e->hidden, (int)e->layers, dims->d,
                                    &e->variance);
  return ssk_build_code(b);
}

static ssk_tensor *prepare(const void *self, const struct ssk_ctx *ctx,
                           const struct ssk_observed *obs, ssk_tensor *h) {
  const struct encoder *e = self;
  if (e->observation)
    h = ssk_concat(ctx->tape, 3, (ssk_tensor *[]){h, obs->x, obs->mask}, -1);
  return ssk_gaussian_head_prepare(ctx, &e->head, h);
}

static struct ssk_gaussian posterior(const void *self, const struct ssk_ctx *ctx,
                                     const struct ssk_encoder_step *step) {
  const struct encoder *e = self;
  ssk_tape *tape = ctx->tape;
  int j = ctx->dims->j, d = ctx->dims->d;

  ssk_tensor *past = step->in.past;
  ssk_tensor *last = j > 1 ? ssk_cols(tape, past, (j - 1) * d, d) : past; /* z_{t-1} */
  ssk_tensor *now[3] = {past, step->in.pad};
  if (!now[1])
    now[1] = ssk_full(tape, SSK_SHAPE(step->in.n, j), 0);
  if (e->innovation)
    now[2] = ssk_mul(tape, ssk_sub(tape, step->x, last), step->mask);

  ssk_tensor *input = ssk_concat(tape, e->innovation ? 3 : 2, now, -1);
  struct ssk_gaussian q = ssk_gaussian_head_finish(ctx, &e->head, &e->variance, input, step->h);
  if (e->frame == ADDITIVE)
    q.mean = ssk_add(tape, q.mean, last);
  return q;
}

static int init(void *self, ssk_err *err) {
  const struct encoder *e = self;
  return ssk_variance_check(&e->variance, err);
}

static const struct ssk_param params[] = {
    SSK_PARAM_ENUM(struct encoder, frame, "additive", frames,
                   "free: mu_t = g; additive: mu_t = z_{t-1} + g, where g starts at zero, so that "
                   "training starts from persistence."),
    SSK_PARAM_INT(struct encoder, hidden, "64", 1, 4096, "units", "Width of the hidden layers."),
    SSK_PARAM_INT(struct encoder, layers, "2", 1, 8, NULL, "Hidden layers of the head."),
    SSK_PARAM_BOOL(struct encoder, observation, "true",
                   "Give x_t and its mask to the head beside h_t, past the summary's bottleneck."),
    SSK_PARAM_BOOL(struct encoder, innovation, "false",
                   "Give x_t - z_{t-1} to the head (zero where x_t is missing); needs d = D."),
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
        "    [g_t, raw_t] = head(z_{t-j:t-1}, padding, h_t, x_t, m_t)\n"
        "    mu_t = g_t (frame free), or z_{t-1} + g_t (frame additive)\n"
        "    log sigma_t^2 = clamp(log(softplus(raw_t) + var_min), logvar_min, logvar_max).\n"
        "The head is a SiLU network with a zero-initialised output beside a linear path on its\n"
        "whole input. Slots before the first step are zero and flagged as padding, so z_0 = 0 in\n"
        "the additive frame.\n"
        "\n"
        "Source: Krishnan, Shalit and Sontag 2017, section 4 (structured inference networks).",
    .self_size = sizeof(struct encoder),
    .params = params,
    .ops = &ops,
    .init = init,
};

SSK_PLUGIN(&component)
