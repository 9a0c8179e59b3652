/* SPDX-License-Identifier: GPL-3.0-or-later */
/* geco.c - the least rate under a constraint on the distortion, by a multiplier that adapts.
 *
 *     loss = rate + mu (distortion - target),   C = distortion - target, per observed entry
 *     log mu <- clamp(log mu) + speed clamp(C_ma, -most, most),   C_ma: a moving average of C
 *
 * While the distortion is above its target, mu grows and with it the weight of the distortion; once
 * it is under it, the rate gets the better of it.
 *
 * Source: Rezende and Viola 2018, "Taming VAEs", algorithm 1. There the loss has the value of the
 * average and the gradient of the batch; the gradient is the same here. Not in the paper is `most`:
 * a model that has yet to find its scale may be tens of nats off in its first steps, and mu would
 * be at its limit before the training has begun.
 *
 * Average and multiplier are running statistics of the kernel: their batch values are added over
 * shards in a fixed order, and they are saved in checkpoints. */
#include <math.h>
#include <sskit/plugin.h>

struct geco {
  double target, decay, speed, most, start, smallest, largest;
  ssk_weight distortion;     /* statistic: {distortion in the data's own units, observed entries} */
  ssk_weight log_multiplier; /* statistic; taken through its limits where it is read */
};

static int build(void *self, ssk_builder *b) {
  struct geco *g = self;
  g->distortion = ssk_statistic(b, "distortion", 2, 0, g->decay);
  g->log_multiplier = ssk_statistic(b, "log_multiplier", 1, log(g->start), 0);
  return ssk_build_code(b);
}

static double log_multiplier(const struct geco *g, const struct ssk_ctx *ctx) {
  const double value = (double)ssk_peek(ctx, g->log_multiplier)[0];
  return fmin(fmax(value, log(g->smallest)), log(g->largest));
}

/* The average of the constraint before this step, in nats an entry; 0 before there is any. As a
 * ratio of two averages of one decay it has no bias from their start. */
static double average_constraint(const struct geco *g, const struct ssk_ctx *ctx) {
  const ssk_real *sums = ssk_peek(ctx, g->distortion);
  return sums[1] > 0 ? (double)sums[0] / (double)sums[1] - g->target : 0;
}

/* What is added to log mu. */
static double change(const struct geco *g, const struct ssk_ctx *ctx) {
  return g->speed * fmin(fmax(average_constraint(g, ctx), -g->most), g->most);
}

static double mean_of(const ssk_tensor *x) {
  double sum = 0;
  for (size_t i = 0; i < x->count; i++)
    sum += (double)x->data[i];
  return sum / (double)x->count;
}

static ssk_tensor *loss(const void *self, const struct ssk_ctx *ctx,
                        const struct ssk_bound *bound) {
  const struct geco *g = self;
  ssk_tape *tape = ctx->tape;
  const double before = log_multiplier(g, ctx);
  const double distortion = mean_of(bound->distortion) - bound->log_jacobian;
  ssk_observe_statistic(ctx, g->distortion,
                        (ssk_real[]){(ssk_real)distortion, (ssk_real)bound->entries});
  ssk_observe_statistic(ctx, g->log_multiplier, (ssk_real[]){(ssk_real)(before + change(g, ctx))});

  const double mu = exp(before), free = bound->log_jacobian + g->target * bound->entries;
  ssk_tensor *rate = ssk_add(tape, bound->initial, bound->transition);
  return ssk_add(tape, rate,
                 ssk_affine(tape, bound->distortion, (ssk_real)mu, (ssk_real)(-mu * free)));
}

static double lambda(const void *self, const struct ssk_ctx *ctx) {
  return exp(-log_multiplier(self, ctx));
}

static int init(void *self, ssk_err *err) {
  const struct geco *g = self;
  if (g->smallest <= g->start && g->start <= g->largest)
    return SSK_OK;
  ssk_err_set(err, SSK_ERECIPE, "start (%g) is not between smallest (%g) and largest (%g)",
              g->start, g->smallest, g->largest);
  return SSK_ERECIPE;
}

static const struct ssk_param params[] = {
    SSK_PARAM_REAL(struct geco, target, NULL, -1e6, 1e6, "nats/entry",
                   "What the distortion may be, -log p(x | z) per observed entry in the data's own "
                   "units. A Gaussian error of deviation s has ln(s) + 1.42."),
    SSK_PARAM_REAL(struct geco, decay, "0.95", 0, 0.9999, NULL,
                   "Of the constraint's moving average."),
    SSK_PARAM_REAL(struct geco, speed, "0.01", 0, 10, NULL,
                   "Change of log mu in a step, for a nat of the average above the target."),
    SSK_PARAM_REAL(struct geco, most, "1", 1e-6, 1e6, "nats/entry",
                   "Distance from the target that counts at most."),
    SSK_PARAM_REAL(struct geco, start, "1", 1e-6, 1e6, NULL,
                   "Multiplier at the first step; at 1 the loss is the negative ELBO."),
    SSK_PARAM_REAL(struct geco, smallest, "1e-2", 1e-6, 1e6, NULL, "Lower limit of it."),
    SSK_PARAM_REAL(struct geco, largest, "1e2", 1e-6, 1e6, NULL, "Upper limit of it."),
    SSK_PARAM_END};

static const struct ssk_objective_ops ops = {
    .size = sizeof ops, .build = build, .loss = loss, .lambda = lambda};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_OBJECTIVE,
    .name = "geco",
    .summary = "least rate under a constraint on the distortion; the multiplier adapts",
    .doc = "minimise the rate (initial + transition) subject to C = distortion - target <= 0:\n"
           "    loss = rate + mu (distortion - target),  in nats a path\n"
           "    log mu <- clamp(log mu, ln smallest, ln largest) + speed clamp(C_ma, -most, most)\n"
           "with C_ma the exponential moving average of C per observed entry, that of the batches\n"
           "before. The constraint is in the data's own units, as figures are reported. Both C_ma\n"
           "and log mu are in the checkpoint. What is logged as lambda is 1/mu, the weight of the\n"
           "rate beside that of the distortion; what is reported as a bound has lambda = 1. The\n"
           "target should be within reach from the start: while it is not (an annealed floor\n"
           "under the emission's scale), mu does nothing but grow.\n"
           "\n"
           "Source: Rezende and Viola 2018 (Taming VAEs), algorithm 1.",
    .self_size = sizeof(struct geco),
    .params = params,
    .ops = &ops,
    .init = init,
};

SSK_PLUGIN(&component)
