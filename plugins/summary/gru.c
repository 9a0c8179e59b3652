/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gru.c - future summary: a recurrent network that reads the series backwards.
 *
 * Source: the backward RNN of the structured inference network, Krishnan, Shalit and Sontag 2017,
 * "Structured inference networks for nonlinear state space models", section 4; GRU: Cho et al.
 * 2014; dropout: Gal and Ghahramani 2016, "A theoretically grounded application of dropout in
 * recurrent neural networks", on inputs and outputs. */
#include <sskit/plugin.h>

static const char *const projections[] = {"silu", "linear", NULL};

struct gru {
  int projection;
  int64_t hidden, layers;
  double dropout;
  struct ssk_dense project;
  struct ssk_gru_stack stack;
};

static int build(void *self, ssk_builder *b, const struct ssk_dims *dims, int in, int *out) {
  struct gru *g = self;
  (void)dims;
  int hidden = (int)g->hidden;
  static const enum ssk_act activation[] = {SSK_SILU, SSK_LINEAR};
  g->project =
      ssk_dense_build(b, "project", in, hidden, activation[g->projection], SSK_INIT_UNIFORM, 1);
  g->stack = ssk_gru_stack_build(b, "gru", hidden, hidden, (int)g->layers);
  *out = hidden;
  return ssk_build_code(b);
}

/* In training, units are left out: each with the chance `dropout`, of a series the same ones at all
 * its steps, whatever parts it comes in. The others weigh more, so that the mean stays. */
static ssk_tensor *thin_out(const struct gru *g, const struct ssk_ctx *ctx, const char *purpose,
                            ssk_tensor *h) {
  if (!ctx->training || g->dropout == 0)
    return h;
  ssk_tensor *kept = ssk_empty(ctx->tape, SSK_SHAPE(1, ctx->B, (int)g->hidden));
  ssk_rng rng = ssk_ctx_rng(ctx, purpose, 0);
  for (size_t i = 0; i < kept->count; i++)
    kept->data[i] = ssk_rng_uniform(&rng) < g->dropout ? 0 : (ssk_real)(1 / (1 - g->dropout));
  ssk_ctx_show_draw(ctx, purpose, 0, kept);
  return ssk_mul(ctx->tape, h, kept);
}

static ssk_tensor *run(const void *self, const struct ssk_ctx *ctx, ssk_tensor *x) {
  const struct gru *g = self;
  ssk_tensor *p = thin_out(g, ctx, "inputs", ssk_dense_run(ctx, g->project, x));
  return thin_out(g, ctx, "outputs", ssk_gru_stack_run(ctx, &g->stack, p));
}

static ssk_tensor *run_part(const void *self, const struct ssk_ctx *ctx, ssk_tensor *x,
                            ssk_tensor *state, ssk_tensor **next) {
  const struct gru *g = self;
  ssk_tensor *p = thin_out(g, ctx, "inputs", ssk_dense_run(ctx, g->project, x));
  return thin_out(g, ctx, "outputs", ssk_gru_stack_run_part(ctx, &g->stack, p, state, next));
}

static int state_width(const void *self) {
  const struct gru *g = self;
  return (int)(g->layers * g->hidden);
}

static const struct ssk_param params[] = {
    SSK_PARAM_INT(struct gru, hidden, "64", 1, 4096, "units", "Width of the state and of h_t."),
    SSK_PARAM_INT(struct gru, layers, "1", 1, 8, NULL, "GRU layers, one above the other."),
    SSK_PARAM_ENUM(struct gru, projection, "silu", projections,
                   "Activation of the projection of the inputs."),
    SSK_PARAM_REAL(struct gru, dropout, "0", 0, 0.95, "1",
                   "Chance of a unit of the projected inputs, and of h_t, to be left out in "
                   "training, of a series at all its steps."),
    SSK_PARAM_END};

static const struct ssk_summary_ops ops = {.size = sizeof ops,
                                           .build = build,
                                           .run = run,
                                           .run_part = run_part,
                                           .state_width = state_width};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_SUMMARY,
    .name = "gru",
    .summary = "backward gated recurrent network",
    .doc =
        "The inputs of a step are projected, p_t = silu(W i_t + b), or W i_t + b, and read by a "
        "stack of GRU\n"
        "layers over reversed time: h_t = GRU(p_t, h_{t+1}), so that h_t depends on the series\n"
        "from t on only.\n"
        "\n"
        "Sources: Krishnan, Shalit and Sontag 2017, section 4 (the backward recurrent network\n"
        "of a structured posterior); Cho et al. 2014 (GRU); Gal and Ghahramani 2016 (dropout of\n"
        "the same units at all steps).",
    .self_size = sizeof(struct gru),
    .params = params,
    .ops = &ops,
};

SSK_PLUGIN(&component)
