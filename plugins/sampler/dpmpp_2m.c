/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dpmpp_2m.c - DPM-Solver++(2M): second order by what the last step has already evaluated.
 *
 * Lu, Zhou, Bao, Chen, Li, Zhu: DPM-Solver++: Fast solver for guided sampling of diffusion
 * probabilistic models, 2022, algorithm 2. Its update in the half log signal-to-noise ratio
 * lambda is invariant to the scale of x; for alpha = 1, lambda = -log sigma:
 *   h_i = lambda_{i+1} - lambda_i,  r = h_{i-1}/h_i,  D_i = D(x_i; t_i)
 *   D' = D_i + (D_i - D_{i-1})/(2 r)
 *   x_{i+1} = (t_{i+1}/t_i) x_i + (1 - exp(-h_i)) D'
 * The first step has no D_{i-1}, and the last, to sigma = 0, an infinite h: both are first order,
 * and the last is x_N = D_{N-1}. N evaluations. */
#include "grid.h"
#include <sskit/plugin.h>

struct dpmpp_2m {
  int64_t steps;
  struct grid grid;
};

static const struct ssk_param dpmpp_2m_params[] = {
    SSK_PARAM_INT(struct dpmpp_2m, steps, "32", 1, 10000, "steps", "N; costs N evaluations."),
    GRID_PARAMS(struct dpmpp_2m, "0", "0"),
    SSK_PARAM_END,
};

static ssk_tensor *dpmpp_2m_run(const void *state, const struct ssk_ctx *ctx,
                                const struct ssk_sampling *problem) {
  const struct dpmpp_2m *self = state;
  ssk_tape *tape = ctx->tape;
  int N = (int)self->steps;
  ssk_rng rng = ssk_ctx_rng(ctx, "sampler", problem->index);
  ssk_tensor *x = grid_start(ctx, problem, &self->grid, N, &rng);
  ssk_real *before = ssk_tape_scratch(tape, x->count * sizeof(ssk_real)); /* D_{i-1} */

  const size_t mark = ssk_tape_mark(tape);
  double last = 0; /* h_{i-1} */
  for (int i = 0; i < N && !ssk_tape_code(tape); i++) {
    double t = grid_level(problem, &self->grid, N, i);
    double next = grid_level(problem, &self->grid, N, i + 1);
    const ssk_tensor *clean = problem->denoise(problem, ctx, x, t);
    if (ssk_tape_code(tape))
      break;
    double h = next > 0 ? log(t / next) : INFINITY;
    ssk_real keep = (ssk_real)(next / t), take = (ssk_real)-expm1(-h);
    ssk_real ahead = (ssk_real)(i > 0 && next > 0 ? h / (2 * last) : 0);
    for (size_t k = 0; k < x->count; k++) {
      ssk_real now = clean->data[k];
      ssk_real drift = ahead > 0 ? now + ahead * (now - before[k]) : now;
      x->data[k] = keep * x->data[k] + take * drift;
      before[k] = now;
    }
    last = h;
    ssk_tape_rewind(tape, mark);
  }
  return x;
}

static int dpmpp_2m_evaluations(const void *state, int levels) {
  const struct dpmpp_2m *self = state;
  (void)levels;
  return (int)self->steps;
}

static const struct ssk_sampler_ops dpmpp_2m_ops = {.size = sizeof(struct ssk_sampler_ops),
                                                    .run = dpmpp_2m_run,
                                                    .evaluations = dpmpp_2m_evaluations};

static const struct ssk_component dpmpp_2m_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_SAMPLER,
    .name = "dpmpp_2m",
    .summary = "DPM-Solver++ 2M: second-order multistep, one evaluation a step",
    .doc =
        "x_{i+1} = (t_{i+1}/t_i) x_i + (1 - exp(-h_i)) (D_i + (D_i - D_{i-1}) h_i/(2 h_{i-1})),\n"
        "h_i = log(t_i/t_{i+1}), D_i = D(x_i; t_i): algorithm 2 of Lu et al. 2022\n"
        "(DPM-Solver++) for alpha = 1. The first step and the last, to 0, are of first order.\n"
        "Deterministic but for its start; one evaluation a step.",
    .self_size = sizeof(struct dpmpp_2m),
    .params = dpmpp_2m_params,
    .ops = &dpmpp_2m_ops,
};

SSK_PLUGIN(&dpmpp_2m_component)
