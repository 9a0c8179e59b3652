/* SPDX-License-Identifier: GPL-3.0-or-later */
/* euler.c - Euler's method on the probability-flow ODE dx/dsigma = (x - D(x; sigma))/sigma.
 *
 * Karras, Aittala, Aila, Laine: Elucidating the design space of diffusion-based generative models,
 * NeurIPS 2022, equation 1 with sigma(t) = t, and algorithm 1 without its correction. In these
 * coordinates a step is DDIM's (Song, Meng, Ermon, ICLR 2021, equation 13):
 *   x_{i+1} = x_i + (t_{i+1} - t_i) (x_i - D(x_i; t_i))/t_i
 * First order: the error falls as 1/N. N evaluations. */
#include "grid.h"
#include <sskit/plugin.h>

struct euler {
  int64_t steps;
  struct grid grid;
};

static const struct ssk_param euler_params[] = {
    SSK_PARAM_INT(struct euler, steps, "128", 1, 10000, "steps", "N; costs N evaluations."),
    GRID_PARAMS(struct euler, "0", "0"),
    SSK_PARAM_END,
};

static ssk_tensor *euler_run(const void *state, const struct ssk_ctx *ctx,
                             const struct ssk_sampling *problem) {
  const struct euler *self = state;
  ssk_tape *tape = ctx->tape;
  int N = (int)self->steps;
  ssk_rng rng = ssk_ctx_rng(ctx, "sampler", problem->index);
  ssk_tensor *x = grid_start(ctx, problem, &self->grid, N, &rng);

  const size_t mark = ssk_tape_mark(tape);
  for (int i = 0; i < N && !ssk_tape_code(tape); i++) {
    double t = grid_level(problem, &self->grid, N, i);
    double next = grid_level(problem, &self->grid, N, i + 1);
    const ssk_tensor *clean = problem->denoise(problem, ctx, x, t);
    if (ssk_tape_code(tape))
      break;
    ssk_real keep = (ssk_real)(next / t), take = (ssk_real)((t - next) / t);
    for (size_t k = 0; k < x->count; k++)
      x->data[k] = keep * x->data[k] + take * clean->data[k];
    ssk_tape_rewind(tape, mark);
  }
  return x;
}

static int euler_evaluations(const void *state, int levels) {
  const struct euler *self = state;
  (void)levels;
  return (int)self->steps;
}

static const struct ssk_sampler_ops euler_ops = {
    .size = sizeof(struct ssk_sampler_ops), .run = euler_run, .evaluations = euler_evaluations};

static const struct ssk_component euler_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_SAMPLER,
    .name = "euler",
    .summary = "first-order steps of the probability-flow ODE (DDIM)",
    .doc = "x_{i+1} = x_i + (t_{i+1} - t_i) (x_i - D(x_i; t_i))/t_i from t_0 = sigma_max to 0:\n"
           "the step of Karras et al. 2022, algorithm 1, without its correction; in these\n"
           "coordinates equal to DDIM (Song, Meng and Ermon 2021, equation 13). Deterministic\n"
           "but for its start; one evaluation a step.",
    .self_size = sizeof(struct euler),
    .params = euler_params,
    .ops = &euler_ops,
};

SSK_PLUGIN(&euler_component)
