/* SPDX-License-Identifier: GPL-3.0-or-later */
/* elbo.c - the negative evidence lower bound, with an annealed weight of the rate.
 *
 *     loss = distortion + lambda(step) (rate of the first latents + rate of the transition)
 *
 * Sources: Kingma and Welling 2014 (the bound); Bowman et al. 2016 (annealing of its KL). */
#include <math.h>
#include <sskit/plugin.h>

enum schedule { CONSTANT, LINEAR, COSINE };
static const char *const schedules[] = {"constant", "linear", "cosine", NULL};

struct elbo {
  int schedule;
  double start, end;
  int64_t warmup;
};

static double lambda(const void *self, uint32_t step) {
  const struct elbo *e = self;
  if (e->schedule == CONSTANT || step >= e->warmup)
    return e->end;
  double part = (double)step / (double)e->warmup;
  if (e->schedule == COSINE)
    part = 0.5 * (1 - cos(M_PI * part));
  return e->start + (e->end - e->start) * part;
}

static ssk_tensor *loss(const void *self, const struct ssk_ctx *ctx,
                        const struct ssk_bound *bound) {
  ssk_tensor *rate = ssk_add(ctx->tape, bound->initial, bound->transition);
  rate = ssk_affine(ctx->tape, rate, (ssk_real)lambda(self, ctx->step), 0);
  return ssk_add(ctx->tape, bound->distortion, rate);
}

static const struct ssk_param params[] = {
    SSK_PARAM_ENUM(
        struct elbo, schedule, "cosine", schedules,
        "How lambda goes from `start` to `end` over `warmup` steps; constant: it is `end` "
        "from the first step on."),
    SSK_PARAM_REAL(struct elbo, start, "0.01", 0, 1e3, NULL, "lambda at the first step."),
    SSK_PARAM_REAL(struct elbo, end, "1", 0, 1e3, NULL,
                   "lambda after the warm-up; the loss is a bound only at 1."),
    SSK_PARAM_INT(struct elbo, warmup, "600", 0, 1e9, "steps", "Length of the annealing."),
    SSK_PARAM_END};

static const struct ssk_objective_ops ops = {.size = sizeof ops, .loss = loss, .lambda = lambda};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_OBJECTIVE,
    .name = "elbo",
    .summary = "evidence lower bound with an annealed rate",
    .doc =
        "loss = distortion + lambda(step) (initial rate + transition rate), in nats a path.\n"
        "    constant   lambda = end\n"
        "    linear     lambda = start + (end - start) r,                      r = step / warmup\n"
        "    cosine     lambda = start + (end - start) (1 - cos(pi r)) / 2\n"
        "and lambda = end from step `warmup` on. What is reported as a bound is the bound at\n"
        "lambda = 1, whatever the schedule.\n"
        "\n"
        "Sources: Kingma and Welling 2014; Bowman et al. 2016 (annealing).",
    .self_size = sizeof(struct elbo),
    .params = params,
    .ops = &ops,
};

SSK_PLUGIN(&component)
