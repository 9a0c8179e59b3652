/* SPDX-License-Identifier: GPL-3.0-or-later */
/* example.c - an emission: the observation, given the newest latents.
 *
 *     x_t = g(z_{t-j+1:t}) + s * e_t,   e_t ~ logistic distribution
 *
 * g is a network, s a scale that is learned for each dimension. log_prob counts the entries that
 * were observed, and no others. */
#include <math.h>
#include <sskit/plugin.h>

struct own {
  int64_t hidden, layers; /* parameters, filled by the kernel */
  struct ssk_head head;   /* weights, declared in `build` */
  ssk_weight log_scale;   /* [D] */
};

static int build(void *self, ssk_builder *b, const struct ssk_dims *dims) {
  struct own *s = self;
  s->head =
      ssk_head_build(b, "head", dims->j * dims->d, (int)s->hidden, (int)s->layers, dims->D, true);
  s->log_scale =
      ssk_declare(b, "log_scale", SSK_SHAPE(dims->D), SSK_INIT_CONSTANT, -1, SSK_NO_DECAY);
  return ssk_build_code(b);
}

/* log p = -e - 2 log(1 + exp(-e)) - log s,   e = (x - g)/s */
static ssk_tensor *log_prob(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *in,
                            ssk_tensor *x, ssk_tensor *mask) {
  const struct own *s = self;
  ssk_tape *tape = ctx->tape;
  ssk_tensor *log_scale = ssk_use(ctx, s->log_scale);
  ssk_tensor *error = ssk_sub(tape, x, ssk_head_run(ctx, &s->head, in->past));
  ssk_tensor *e = ssk_mul(tape, error, ssk_exp(tape, ssk_affine(tape, log_scale, -1, 0)));
  ssk_tensor *tail = ssk_activate(tape, ssk_affine(tape, e, -1, 0), SSK_SOFTPLUS);
  ssk_tensor *value = ssk_add(tape, e, ssk_affine(tape, tail, 2, 0));
  value = ssk_affine(tape, ssk_add(tape, value, log_scale), -1, 0);
  return ssk_sum(tape, ssk_mul(tape, value, mask), -1);
}

static ssk_tensor *sample(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *in) {
  const struct own *s = self;
  ssk_tensor *noise = ssk_empty(ctx->tape, SSK_SHAPE(in->n, ctx->dims->D));
  ssk_rng rng = ssk_ctx_rng(ctx, "sample", in->index);
  for (size_t i = 0; i < noise->count; i++) {
    const double u = ssk_rng_uniform(&rng);
    noise->data[i] = (ssk_real)(log(u) - log1p(-u)); /* the inverse of the logistic function */
  }
  ssk_tensor *scale = ssk_exp(ctx->tape, ssk_use(ctx, s->log_scale));
  return ssk_add(ctx->tape, ssk_head_run(ctx, &s->head, in->past),
                 ssk_mul(ctx->tape, noise, scale));
}

static ssk_tensor *mean(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *in) {
  const struct own *s = self;
  return ssk_head_run(ctx, &s->head, in->past);
}

static const struct ssk_param params[] = {
    SSK_PARAM_INT(struct own, hidden, "32", 1, 4096, "units", "Width of the network."),
    SSK_PARAM_INT(struct own, layers, "1", 0, 8, NULL, "Its hidden layers."), SSK_PARAM_END};

static const struct ssk_emission_ops ops = {
    .size = sizeof ops, .build = build, .log_prob = log_prob, .sample = sample, .mean = mean};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_EMISSION,
    .name = "example",
    .summary = "a network's location and a learned scale, logistic noise",
    .doc = "x_t = g(z_{t-j+1:t}) + s e_t with e_t from the logistic distribution.",
    .self_size = sizeof(struct own),
    .params = params,
    .ops = &ops,
};

SSK_PLUGIN(&component)
