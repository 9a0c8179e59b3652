/* SPDX-License-Identifier: GPL-3.0-or-later */
/* example.c - an encoder: the latent of a step, given those before it and the rest of the series.
 *
 *     q(z_t | z_{t-1}, h_t) = N(z_{t-1} + g(c), exp(l(c))),   c = [z_{t-1}, h_t, x_t m_t, m_t]
 *
 * h_t is the summary of the observations from t on, m_t is 1 where x_t was observed. g and l are
 * one network with two outputs. */
#include <sskit/plugin.h>

struct own {
  int64_t hidden, layers; /* parameters, filled by the kernel */
  struct ssk_variance variance;
  struct ssk_gaussian_head head; /* weights, declared in `build` */
};

static int build(void *self, ssk_builder *b, const struct ssk_dims *dims) {
  struct own *s = self;
  const int in = dims->d + dims->H + 2 * dims->D;
  s->head =
      ssk_gaussian_head_build(b, "head", in, (int)s->hidden, (int)s->layers, dims->d, &s->variance);
  return ssk_build_code(b);
}

static struct ssk_gaussian posterior(const void *self, const struct ssk_ctx *ctx,
                                     const struct ssk_encoder_step *step) {
  const struct own *s = self;
  const int d = ctx->dims->d, j = ctx->dims->j;
  ssk_tape *tape = ctx->tape;
  ssk_tensor *newest = ssk_cols(tape, step->in.past, (j - 1) * d, d);
  ssk_tensor *seen = ssk_mul(tape, step->x, step->mask);
  ssk_tensor *c = ssk_concat(tape, 4, (ssk_tensor *[]){newest, step->h, seen, step->mask}, -1);
  struct ssk_gaussian q = ssk_gaussian_head_run(ctx, &s->head, &s->variance, c);
  q.mean = ssk_add(tape, newest, q.mean);
  return q;
}

static int init(void *self, ssk_err *err) {
  const struct own *s = self;
  return ssk_variance_check(&s->variance, err);
}

static const struct ssk_param params[] = {
    SSK_PARAM_INT(struct own, hidden, "32", 1, 4096, "units", "Width of the network."),
    SSK_PARAM_INT(struct own, layers, "1", 0, 8, NULL, "Its hidden layers."),
    SSK_PARAM_VARIANCE(struct own, variance, "0"), SSK_PARAM_END};

static const struct ssk_encoder_ops ops = {
    .size = sizeof ops, .build = build, .posterior = posterior};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_ENCODER,
    .name = "example",
    .summary = "Gaussian steps from the newest latent, by a network",
    .doc =
        "q(z_t | z_{t-1}, h_t) = N(z_{t-1} + g(c), exp(l(c))), c = [z_{t-1}, h_t, x_t m_t, m_t].",
    .self_size = sizeof(struct own),
    .params = params,
    .ops = &ops,
    .init = init,
};

SSK_PLUGIN(&component)
