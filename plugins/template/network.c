/* SPDX-License-Identifier: GPL-3.0-or-later */
/* example.c - the network of a conditional Gaussian, for encoders, emissions and transitions.
 *
 *     h = tanh(A c + a),   mean = M h + m,   raw = R h + r,   log variance = limits of raw
 *
 * c is all that the step is conditioned on, side by side. What does not depend on the path is
 * joined in `prepare`, for all steps at once. */
#include <sskit/plugin.h>

struct own {
  int64_t hidden; /* parameter, filled by the kernel */
  int flags;      /* padding flags among the inputs */
  struct ssk_dense in, mean;
  ssk_weight raw, raw_bias;
};

static int build(void *self, ssk_builder *b, const char *name,
                 const struct ssk_network_shape *shape, const struct ssk_variance *variance) {
  struct own *s = self;
  const int hidden = (int)s->hidden, out = shape->outputs;
  s->flags = shape->pad ? shape->slots : 0;
  ssk_scope(b, "%s", name);
  s->in = ssk_dense_build(b, "in",
                          shape->slots * shape->width + s->flags + shape->now + shape->u +
                              shape->time + shape->known,
                          hidden, SSK_TANH, SSK_INIT_XAVIER, 1);
  s->mean = ssk_dense_build(b, "mean", hidden, out, SSK_LINEAR, SSK_INIT_ZERO, 0);
  if (variance) { /* it starts the same everywhere */
    s->raw = ssk_declare(b, "raw", SSK_SHAPE(hidden, out), SSK_INIT_ZERO, 0, SSK_NO_DECAY);
    s->raw_bias = ssk_declare(b, "raw_bias", SSK_SHAPE(out), SSK_INIT_CONSTANT,
                              ssk_variance_raw(variance), SSK_NO_DECAY);
  }
  ssk_unscope(b);
  return ssk_build_code(b);
}

/* Those that are there of four, joined along the last axis; NULL where none is. */
static ssk_tensor *beside(ssk_tape *tape, ssk_tensor *a, ssk_tensor *b, ssk_tensor *c,
                          ssk_tensor *d) {
  ssk_tensor *all[] = {a, b, c, d}, *parts[4];
  int n = 0;
  for (int i = 0; i < 4; i++)
    if (all[i])
      parts[n++] = all[i];
  return n ? ssk_concat(tape, n, parts, -1) : NULL;
}

static ssk_tensor *prepare(const void *self, const struct ssk_ctx *ctx,
                           const struct ssk_network_in *in) {
  (void)self;
  return beside(ctx->tape, in->rows.u, in->rows.time, in->known, NULL);
}

static struct ssk_gaussian run(const void *self, const struct ssk_ctx *ctx,
                               const struct ssk_network_in *in,
                               const struct ssk_variance *variance) {
  const struct own *s = self;
  ssk_tape *tape = ctx->tape;
  ssk_tensor *pad = s->flags ? in->rows.pad : NULL;
  if (s->flags && !pad)
    pad = ssk_full(tape, SSK_SHAPE(in->rows.n, s->flags), 0);
  ssk_tensor *given = in->prepared ? in->prepared : prepare(self, ctx, in);
  ssk_tensor *h = ssk_dense_run(ctx, s->in, beside(tape, in->rows.past, pad, in->now, given));
  struct ssk_gaussian p = {.mean = ssk_dense_run(ctx, s->mean, h)};
  if (variance) {
    ssk_tensor *raw =
        ssk_linear(tape, h, ssk_use(ctx, s->raw), ssk_use(ctx, s->raw_bias), SSK_LINEAR);
    p.logvar = ssk_variance_log(tape, raw, variance);
  }
  return p;
}

static const struct ssk_param params[] = {
    SSK_PARAM_INT(struct own, hidden, "32", 1, 4096, "units", "Width of the layer."),
    SSK_PARAM_END};

static const struct ssk_network_ops ops = {
    .size = sizeof ops, .build = build, .prepare = prepare, .run = run};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_NETWORK,
    .name = "example",
    .summary = "one layer of tanh units",
    .doc = "h = tanh(A c + a), mean = M h + m, raw = R h + r.",
    .self_size = sizeof(struct own),
    .params = params,
    .ops = &ops,
};

SSK_PLUGIN(&component)
