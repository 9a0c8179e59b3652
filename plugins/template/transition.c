/* SPDX-License-Identifier: GPL-3.0-or-later */
/* example.c - a transition: where the latent goes from where it was.
 *
 *     z_t = z_{t-1} + g(c) + exp(l(c)/2) * noise,   c = [z_{t-j:t-1}, u_t, time_t]
 *
 * g and l are one network with two outputs. It gives `moments`, so the kernel knows it for a
 * Gaussian: the closed-form KL, draws and densities follow. A transition that is none gives
 * `sample` with `log_prob`, or with a `rate` of its own: see sskit/parts.h. */
#include <sskit/plugin.h>

struct own {
  int64_t hidden, layers; /* parameters, filled by the kernel */
  struct ssk_variance variance;
  struct ssk_gaussian_head head; /* weights, declared in `build` */
};

static int build(void *self, ssk_builder *b, const struct ssk_dims *dims) {
  struct own *s = self;
  const int in = dims->j * dims->d + dims->V + dims->F;
  s->head =
      ssk_gaussian_head_build(b, "head", in, (int)s->hidden, (int)s->layers, dims->d, &s->variance);
  return ssk_build_code(b);
}

/* What n rows are conditioned on, side by side: [n, j*d + V + F]. */
static ssk_tensor *conditions(ssk_tape *tape, const struct ssk_rows *rows) {
  ssk_tensor *parts[3] = {rows->past};
  int n = 1;
  if (rows->u)
    parts[n++] = rows->u;
  if (rows->time)
    parts[n++] = rows->time;
  return n == 1 ? parts[0] : ssk_concat(tape, n, parts, -1);
}

static struct ssk_gaussian moments(const void *self, const struct ssk_ctx *ctx,
                                   const struct ssk_rows *rows) {
  const struct own *s = self;
  const int d = ctx->dims->d, j = ctx->dims->j;
  struct ssk_gaussian p =
      ssk_gaussian_head_run(ctx, &s->head, &s->variance, conditions(ctx->tape, rows));
  ssk_tensor *newest = ssk_cols(ctx->tape, rows->past, (j - 1) * d, d);
  p.mean = ssk_add(ctx->tape, newest, p.mean);
  return p;
}

static int init(void *self, ssk_err *err) {
  const struct own *s = self;
  return ssk_variance_check(&s->variance, err);
}

static const struct ssk_param params[] = {
    SSK_PARAM_INT(struct own, hidden, "32", 1, 4096, "units", "Width of the network."),
    SSK_PARAM_INT(struct own, layers, "1", 0, 8, NULL, "Its hidden layers."),
    SSK_PARAM_VARIANCE(struct own, variance, "0"), SSK_PARAM_END};

static const struct ssk_transition_ops ops = {
    .size = sizeof ops, .build = build, .moments = moments};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_TRANSITION,
    .name = "example",
    .summary = "a step from the newest latent, by a network",
    .doc = "z_t ~ N(z_{t-1} + g(c), exp(l(c))), c = [z_{t-j:t-1}, u_t, time_t].",
    .self_size = sizeof(struct own),
    .params = params,
    .ops = &ops,
    .init = init,
};

SSK_PLUGIN(&component)
