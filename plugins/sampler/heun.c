/* SPDX-License-Identifier: GPL-3.0-or-later */
/* heun.c - EDM's stochastic sampler: Heun's second-order steps with churn.
 *
 * Karras, Aittala, Aila, Laine: Elucidating the design space of diffusion-based generative models,
 * NeurIPS 2022, algorithm 2. From t_0 = sigma_max down to t_N = 0:
 *   gamma_i = min(churn/N, sqrt(2) - 1) where churn_min <= t_i <= churn_max, else 0
 *   t' = t_i (1 + gamma_i),  x' = x + sqrt(t'^2 - t_i^2) s_noise e
 *   slope = (x' - D(x'; t'))/t',  x = x' + (t_{i+1} - t') slope
 *   and but for the last step, x = x' + (t_{i+1} - t') (slope + slope at the new x)/2
 * It costs 2N - 1 evaluations, and without churn solves the probability-flow ODE. */
#include "grid.h"
#include <math.h>
#include <sskit/plugin.h>

struct heun {
  int64_t steps;
  struct grid grid;
  double churn, churn_min, churn_max, s_noise;
};

static const struct ssk_param heun_params[] = {
    SSK_PARAM_INT(struct heun, steps, "18", 1, 10000, "steps", "N; costs 2N - 1 evaluations."),
    GRID_PARAMS(struct heun, "0", "0"),
    SSK_PARAM_REAL(struct heun, churn, "0", 0, 1e4, "1",
                   "S_churn: noise added back over the whole run; 0: deterministic."),
    SSK_PARAM_REAL(struct heun, churn_min, "0.05", 0, 1e6, "1", "Lowest level that is churned."),
    SSK_PARAM_REAL(struct heun, churn_max, "50", 0, 1e6, "1", "Highest level that is churned."),
    SSK_PARAM_REAL(struct heun, s_noise, "1.003", 0.5, 2, "1", "Inflation of the added noise."),
    SSK_PARAM_END,
};

/* One step of x in place, from t to next. `slope` and `moved` are scratch of x's size. */
static void heun_step(const struct ssk_ctx *ctx, const struct ssk_sampling *problem, ssk_tensor *x,
                      ssk_real *slope, ssk_tensor *moved, double t, double next) {
  size_t count = x->count;
  const ssk_real *clean = problem->denoise(problem, ctx, x, t)->data;
  if (ssk_tape_code(ctx->tape))
    return;
  ssk_real over_t = (ssk_real)(1 / t), step = (ssk_real)(next - t);
  for (size_t i = 0; i < count; i++) {
    slope[i] = (x->data[i] - clean[i]) * over_t;
    moved->data[i] = x->data[i] + step * slope[i];
  }
  if (next > 0) {
    clean = problem->denoise(problem, ctx, moved, next)->data;
    if (ssk_tape_code(ctx->tape))
      return;
    ssk_real over_next = (ssk_real)(1 / next);
    for (size_t i = 0; i < count; i++)
      moved->data[i] = x->data[i] + step * (slope[i] + (moved->data[i] - clean[i]) * over_next) / 2;
  }
  for (size_t i = 0; i < count; i++)
    x->data[i] = moved->data[i];
}

static ssk_tensor *heun_run(const void *state, const struct ssk_ctx *ctx,
                            const struct ssk_sampling *problem) {
  const struct heun *self = state;
  ssk_tape *tape = ctx->tape;
  int N = (int)self->steps;
  double most = sqrt(2) - 1;
  ssk_rng rng = ssk_ctx_rng(ctx, "sampler", problem->index);

  ssk_tensor *x = grid_start(ctx, problem, &self->grid, N, &rng);
  ssk_tensor *moved = ssk_empty(tape, SSK_SHAPE(problem->n, problem->d));
  ssk_real *slope = ssk_tape_scratch(tape, x->count * sizeof(ssk_real));
  if (ssk_tape_code(tape))
    return x;

  const size_t mark = ssk_tape_mark(tape);
  for (int i = 0; i < N; i++) {
    double t = grid_level(problem, &self->grid, N, i);
    double next = grid_level(problem, &self->grid, N, i + 1);
    bool churned = t >= self->churn_min && t <= self->churn_max;
    double raised = churned ? t * (1 + fmin(self->churn / N, most)) : t;
    if (raised > t) {
      double spread = sqrt(raised * raised - t * t) * self->s_noise;
      for (size_t k = 0; k < x->count; k++)
        x->data[k] += (ssk_real)(spread * ssk_rng_normal(&rng));
    }
    heun_step(ctx, problem, x, slope, moved, raised, next);
    if (ssk_tape_code(tape))
      break;
    ssk_tape_rewind(tape, mark);
  }
  return x;
}

static int heun_evaluations(const void *state, int levels) {
  const struct heun *self = state;
  (void)levels;
  return 2 * (int)self->steps - 1;
}

static const struct ssk_sampler_ops heun_ops = {
    .size = sizeof(struct ssk_sampler_ops), .run = heun_run, .evaluations = heun_evaluations};

static const struct ssk_component heun_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_SAMPLER,
    .name = "heun",
    .summary = "EDM's second-order sampler, with churn",
    .doc =
        "Algorithm 2 of Karras et al. 2022: Heun steps of the probability-flow ODE in sigma, each "
        "preceded by a little added noise where churn > 0. 2 steps - 1 evaluations.",
    .self_size = sizeof(struct heun),
    .params = heun_params,
    .ops = &heun_ops,
};

SSK_PLUGIN(&heun_component)
