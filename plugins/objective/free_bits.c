/* SPDX-License-Identifier: GPL-3.0-or-later */
/* free_bits.c - the bound with a floor under the rate of the transition: what is under it is free,
 * so nothing is gained by giving up on the latents.
 *
 *     loss = distortion + lambda (rate of the first latents + sum_t max(floor, rate_t))
 *
 * Source: Kingma, Salimans, Jozefowicz, Chen, Sutskever and Welling 2016, "Improved variational
 * inference with inverse autoregressive flow" (appendix, free bits): the floor is under the
 * minibatch's mean of each group of latents. Here a group is a time step, and the minibatch a
 * shard. */
#include "rate_weight.h"

enum per { STEP, SEQUENCE };
static const char *const pers[] = {"step", "sequence", NULL};
enum of { BATCH, PATH };
static const char *const ofs[] = {"batch", "path", NULL};

struct free_bits {
  struct rate_weight weight;
  double floor;
  int per, of;
};

/* max(floor, x), with no gradient under the floor. */
static ssk_tensor *at_least(ssk_tape *tape, ssk_tensor *x, double floor) {
  ssk_tensor *above = ssk_activate(tape, ssk_affine(tape, x, 1, (ssk_real)-floor), SSK_RELU);
  return ssk_affine(tape, above, 1, (ssk_real)floor);
}

/* [T-j, P] 1 where a step exists. */
static ssk_tensor *existing(ssk_tape *tape, const struct ssk_bound *bound) {
  return bound->alive ? bound->alive : ssk_full(tape, bound->steps->ndim, bound->steps->shape, 1);
}

/* Groups of rates [n, P] with the weights that they have in their group's mean [n, P]: for each
 * path [P], the sum over groups of max(floor, rate), or of that of the group's mean. */
static ssk_tensor *floored(const struct free_bits *f, ssk_tape *tape, ssk_tensor *rates,
                           ssk_tensor *weights) {
  if (f->of == PATH)
    return ssk_sum(tape, ssk_mul(tape, at_least(tape, rates, f->floor), weights), 0);
  const int P = rates->shape[1];
  ssk_tensor *size = ssk_sum(tape, weights, 1);
  /* A group without any member counts nothing: its weight is zero, whatever it is divided by. */
  ssk_tensor *divisor = ssk_clamp(tape, size, (ssk_real)1e-6, (ssk_real)INFINITY);
  ssk_tensor *mean = ssk_div(tape, ssk_sum(tape, ssk_mul(tape, rates, weights), 1), divisor);
  ssk_tensor *sum = ssk_sum_all(tape, ssk_mul(tape, at_least(tape, mean, f->floor), size));
  return ssk_affine(tape, ssk_repeat(tape, ssk_reshape(tape, sum, SSK_SHAPE(1)), 0, P),
                    (ssk_real)(1.0 / P), 0);
}

/* [P]: what the transition's rate counts in the loss. A sequence is one group whose members weigh
 * as many steps as they have, by the rate a step. */
static ssk_tensor *counted(const struct free_bits *f, ssk_tape *tape,
                           const struct ssk_bound *bound) {
  ssk_tensor *weights = existing(tape, bound), *rates = bound->steps;
  if (f->per == SEQUENCE) {
    const int P = rates->shape[1];
    weights = ssk_reshape(tape, ssk_sum(tape, weights, 0), SSK_SHAPE(1, P));
    ssk_tensor *length = ssk_clamp(tape, weights, (ssk_real)1e-6, (ssk_real)INFINITY);
    rates = ssk_div(tape, ssk_reshape(tape, bound->transition, SSK_SHAPE(1, P)), length);
  }
  return floored(f, tape, rates, weights);
}

static double lambda(const void *self, const struct ssk_ctx *ctx) {
  const struct free_bits *f = self;
  return rate_weight_at(&f->weight, ctx->step);
}

static ssk_tensor *loss(const void *self, const struct ssk_ctx *ctx,
                        const struct ssk_bound *bound) {
  ssk_tensor *rate = ssk_add(ctx->tape, bound->initial, counted(self, ctx->tape, bound));
  rate = ssk_affine(ctx->tape, rate, (ssk_real)lambda(self, ctx), 0);
  return ssk_add(ctx->tape, bound->distortion, rate);
}

static const struct ssk_param params[] = {
    RATE_WEIGHT_PARAMS(struct free_bits, weight),
    SSK_PARAM_REAL(struct free_bits, floor, "0.1", 0, 1e6, "nats/step",
                   "Rate that is free, a step of all latent dimensions together."),
    SSK_PARAM_ENUM(struct free_bits, per, "step", pers,
                   "What the floor is under: each step's rate, or the sequence's, of so much a "
                   "step."),
    SSK_PARAM_ENUM(struct free_bits, of, "batch", ofs,
                   "batch: the mean over the paths of a shard, as in the paper; path: each path's "
                   "own, which also floors the noise of rates that are estimates."),
    SSK_PARAM_END};

static const struct ssk_objective_ops ops = {
    .size = sizeof ops, .loss = loss, .lambda = lambda, .needs = SSK_NEEDS_STEPS};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_OBJECTIVE,
    .name = "free_bits",
    .summary = "evidence lower bound with a floor under the transition's rate",
    .doc =
        "loss = distortion + lambda(step) (initial rate + free), in nats a path, with\n"
        "    per step       free = sum_t max(floor, r_t)\n"
        "    per sequence   free = max(n floor, sum_t r_t), n the number of steps\n"
        "where r_t, the transition's rate of step t, is the mean over the paths of a shard (of:\n"
        "batch), or each path's own (of: path). Under the floor the rate has no gradient: it is\n"
        "not worth while to switch latents off. The gradient does not depend on the number of\n"
        "threads, but with of: batch it does on training.shards, since a shard is what a mean is\n"
        "taken of. With\n" RATE_WEIGHT_DOC "\n"
        "Sources: Kingma et al. 2016 (Improved variational inference with inverse autoregressive\n"
        "flow, appendix); Bowman et al. 2016 (annealing).",
    .self_size = sizeof(struct free_bits),
    .params = params,
    .ops = &ops,
};

SSK_PLUGIN(&component)
