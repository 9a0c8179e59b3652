/* SPDX-License-Identifier: GPL-3.0-or-later */
/* handoff.c - two transitions, one after the other: encoder and emission settle with the `first`,
 * which is easy to train, and the `then` takes over at a fraction of the training.
 *
 *     p(z_t | z_{t-j:t-1}) = p_first(.) before `at`,   p_then(.) from then on
 *
 * Each is trained in its own span of the training alone (ssk_span), so `then` starts from its
 * initial weights when its time comes, and the optimiser is rebuilt at that point. How far the
 * training got is a running statistic: it is saved with the weights, so a model that was saved
 * before the change is evaluated with the transition that it was trained with. */
#include <sskit/plugin.h>

struct handoff {
  double at;
  struct ssk_instance *first, *then;
  ssk_weight reached; /* statistic: 0 while the first is trained, then 1 */
};

static int build(void *self, ssk_builder *b, const struct ssk_dims *dims) {
  struct handoff *h = self;
  h->reached = ssk_statistic(b, "reached", 1, 0, 0);
  ssk_span(b, 0, h->at);
  ssk_transition_build(h->first, b, dims);
  ssk_unspan(b);
  ssk_span(b, h->at, 1);
  ssk_transition_build(h->then, b, dims);
  ssk_unspan(b);
  return ssk_build_code(b);
}

static bool handed_over(const struct handoff *h, const struct ssk_ctx *ctx) {
  return ctx->training ? ctx->progress >= h->at : ssk_peek(ctx, h->reached)[0] >= (ssk_real)0.5;
}

static const struct ssk_instance *present(const struct handoff *h, const struct ssk_ctx *ctx) {
  return handed_over(h, ctx) ? h->then : h->first;
}

static ssk_tensor *rate(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *rows) {
  const struct handoff *h = self;
  /* Long series come in parts, whose shares add up to 1. */
  const double part = (double)rows->n / ssk_rows_total(rows);
  ssk_observe_statistic(ctx, h->reached, (ssk_real[]){(ssk_real)(handed_over(h, ctx) ? part : 0)});
  return ssk_transition_rate(present(h, ctx), ctx, rows);
}

static ssk_tensor *sample(const void *self, const struct ssk_ctx *ctx,
                          const struct ssk_rows *rows) {
  return ssk_transition_sample(present(self, ctx), ctx, rows);
}

static ssk_tensor *log_prob(const void *self, const struct ssk_ctx *ctx,
                            const struct ssk_rows *rows) {
  return ssk_transition_log_prob(present(self, ctx), ctx, rows);
}

/* Of the one that is in use: the figures change with it. */
static int stats(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *rows,
                 struct ssk_figure *figures) {
  return ssk_transition_stats(present(self, ctx), ctx, rows, figures);
}

static int evaluations(const void *self) {
  const struct handoff *h = self;
  return ssk_transition_evaluations(h->then);
}

static const struct ssk_param params[] = {
    SSK_PARAM_COMPONENT(struct handoff, first, SSK_TRANSITION, "gaussian",
                        "Transition that the training begins with."),
    SSK_PARAM_COMPONENT(struct handoff, then, SSK_TRANSITION, "diffusion",
                        "Transition that takes over."),
    SSK_PARAM_REAL(struct handoff, at, "0.5", 0, 1, NULL,
                   "Fraction of the training steps after which it does."),
    SSK_PARAM_END};

static const struct ssk_transition_ops ops = {.size = sizeof ops,
                                              .build = build,
                                              .rate = rate,
                                              .sample = sample,
                                              .log_prob = log_prob,
                                              .evaluations = evaluations,
                                              .stats = stats};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_TRANSITION,
    .name = "handoff",
    .summary = "first one transition, then another: a Gaussian, then the diffusion",
    .doc =
        "p(z_t | z_{t-j:t-1}) is the transition `first` until the fraction `at` of the training\n"
        "steps is done, and `then` from that step on. Encoder, emission and initial prior are\n"
        "trained all along: they settle with a transition that is easy to train, before one\n"
        "that learns from a noisy bound takes over. Each of the two is trained in its own time\n"
        "alone. At the change the optimiser is rebuilt: all moments start anew. Evaluation uses\n"
        "the transition that the training had reached when the weights were saved; the number\n"
        "of network evaluations is that of `then`. With an `at` of 1 there is no change.\n"
        "\n"
        "Its bounds before and after the change are both bounds of the data: they can be\n"
        "compared, and the best checkpoint may be one from before.",
    .self_size = sizeof(struct handoff),
    .params = params,
    .ops = &ops,
};

SSK_PLUGIN(&component)
