/* SPDX-License-Identifier: GPL-3.0-or-later */
/* combiner.c - the combiner function of structured inference networks: the latent, brought to the
 * form of the recurrent states that summarise the data, is averaged with them.
 *
 *     h = (tanh(W c + b) + h_1 + ... + h_S) / (1 + S),   mean = M h + m,   raw = R h + r
 *
 * c is what is known of the path (latents, padding flags, innovation), with covariates and time;
 * the h_s are the summaries, each of `hidden` units. Where there is no c, its term is left out: the
 * mean-field network.
 *
 * Source: Krishnan, Shalit and Sontag 2017, "Structured inference networks for nonlinear state
 * space models", section 4 and table 1: ST-R (there DKS) with a summary of the future alone, ST-L
 * with one of the past alone, ST-LR with both, MF-LR without the latent. */
#include "beside.h"

struct combiner {
  int64_t hidden;
  /* not parameters: */
  int summaries, flags;
  struct ssk_dense past;  /* part of W: what depends on the path */
  struct ssk_dense ahead; /* part of W: what does not, with b */
  struct ssk_head mean;   /* where only the mean is asked for */
  struct ssk_gaussian_head both;
};

static int build(void *self, ssk_builder *b, const char *name,
                 const struct ssk_network_shape *shape, const struct ssk_variance *variance) {
  struct combiner *c = self;
  const int hidden = (int)c->hidden;
  if (shape->known % hidden)
    return ssk_build_fail(b, SSK_ERECIPE,
                          "a combiner of %d hidden units adds summaries of as many: %d numbers are "
                          "no whole number of them (and encoders need observation: false)",
                          hidden, shape->known);
  c->summaries = shape->known / hidden;
  c->flags = shape->pad ? shape->slots : 0;
  const int past = shape->slots * shape->width + c->flags + shape->now;
  const int ahead = shape->u + shape->time;
  c->past = c->ahead = (struct ssk_dense){0};
  ssk_scope(b, "%s", name);
  if (past)
    c->past = ssk_dense_build(b, "past", past, hidden, SSK_LINEAR, SSK_INIT_UNIFORM, 1);
  if (ahead)
    c->ahead = ssk_dense_build(b, "ahead", ahead, hidden, SSK_LINEAR, SSK_INIT_UNIFORM, 1);
  if (variance)
    c->both = ssk_gaussian_head_build(b, "moments", hidden, 0, 0, shape->outputs, variance);
  else
    c->mean = ssk_head_build(b, "mean", hidden, 0, 0, shape->outputs, false);
  ssk_unscope(b);
  return ssk_build_code(b);
}

static ssk_tensor *sum_of(ssk_tape *tape, ssk_tensor *a, ssk_tensor *b) {
  return a && b ? ssk_add(tape, a, b) : a ? a : b;
}

/* The sum of the summaries [.., hidden]; NULL where there is none. */
static ssk_tensor *summed(const struct combiner *c, const struct ssk_ctx *ctx, ssk_tensor *known) {
  ssk_tensor *sum = NULL;
  for (int s = 0; s < c->summaries; s++)
    sum = sum_of(ctx->tape, sum, ssk_cols(ctx->tape, known, s * (int)c->hidden, (int)c->hidden));
  return sum;
}

/* The share of covariates and time in the tanh [.., hidden]; NULL where there are none. */
static ssk_tensor *known_ahead(const struct combiner *c, const struct ssk_ctx *ctx, ssk_tensor *u,
                               ssk_tensor *time) {
  return c->ahead.W ? ssk_dense_run(ctx, c->ahead, beside(ctx->tape, 2, (ssk_tensor *[]){u, time}))
                    : NULL;
}

/* [.., 0 to 2 times hidden]: the two, side by side. There is at least a summary in a recursion. */
static ssk_tensor *prepare(const void *self, const struct ssk_ctx *ctx,
                           const struct ssk_network_in *in) {
  const struct combiner *c = self;
  ssk_tensor *parts[] = {summed(c, ctx, in->known), known_ahead(c, ctx, in->rows.u, in->rows.time)};
  return beside(ctx->tape, 2, parts);
}

static struct ssk_gaussian run(const void *self, const struct ssk_ctx *ctx,
                               const struct ssk_network_in *in,
                               const struct ssk_variance *variance) {
  const struct combiner *c = self;
  const struct ssk_rows *rows = &in->rows;
  ssk_tape *tape = ctx->tape;
  const int hidden = (int)c->hidden;
  ssk_tensor *sum, *inner;
  if (in->prepared) {
    sum = c->ahead.W ? ssk_cols(tape, in->prepared, 0, hidden) : in->prepared;
    inner = c->ahead.W ? ssk_cols(tape, in->prepared, hidden, hidden) : NULL;
  } else {
    sum = summed(c, ctx, in->known);
    inner = known_ahead(c, ctx, rows->u, rows->time);
  }
  if (c->past.W) {
    ssk_tensor *pad = c->flags ? rows->pad : NULL;
    if (c->flags && !pad)
      pad = ssk_full(tape, SSK_SHAPE(rows->n, c->flags), 0);
    ssk_tensor *path = beside(tape, 3, (ssk_tensor *[]){rows->past, pad, in->now});
    inner = sum_of(tape, ssk_dense_run(ctx, c->past, path), inner);
  }
  if (inner)
    sum = sum_of(tape, ssk_activate(tape, inner, SSK_TANH), sum);
  const int terms = c->summaries + (inner ? 1 : 0);
  sum = ssk_affine(tape, sum, (ssk_real)(1.0 / terms), 0);
  if (variance)
    return ssk_gaussian_head_run(ctx, &c->both, variance, sum);
  return (struct ssk_gaussian){.mean = ssk_head_run(ctx, &c->mean, sum)};
}

static const struct ssk_param params[] = {
    SSK_PARAM_INT(struct combiner, hidden, "64", 1, 4096, "units",
                  "Width of the average, and of each summary."),
    SSK_PARAM_END};

static const struct ssk_network_ops ops = {
    .size = sizeof ops, .build = build, .prepare = prepare, .run = run};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_NETWORK,
    .name = "combiner",
    .summary = "the latent averaged with the summaries, as in structured inference networks",
    .doc =
        "    h = (tanh(W c + b) + h_1 + ... + h_S) / (1 + S),   [mean, raw] = M h + m\n"
        "with c = [past latents, padding flags, covariates, time features] and the summaries\n"
        "h_s, which must have `hidden` units each. Without c (an encoder with structured: false,\n"
        "no covariates, no time features) h is the mean of the summaries. M starts at zero. The\n"
        "encoder must not add the observation to the summaries: observation: false.\n"
        "\n"
        "Source: Krishnan, Shalit and Sontag 2017 (Structured inference networks), section 4.",
    .self_size = sizeof(struct combiner),
    .params = params,
    .ops = &ops,
};

SSK_PLUGIN(&component)
