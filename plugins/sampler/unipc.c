/* SPDX-License-Identifier: GPL-3.0-or-later */
/* unipc.c - a predictor and a corrector of the probability-flow ODE that share their evaluations.
 *
 * Zhao, Bai, Rao, Zhou, Lu: UniPC: A unified predictor-corrector framework for fast sampling of
 * diffusion models, NeurIPS 2023, algorithms 1 and 2 for the prediction of data, of order 2, with
 * the integrals of the interpolating polynomials as coefficients (their varying coefficients; the
 * Adams pair of Xue et al., SA-Solver, NeurIPS 2023, without noise). In lambda = -log sigma,
 *
 *   x(lambda + h) = exp(-h) x(lambda) + integral of exp(s - h) D(lambda + s) ds from 0 to h
 *
 * With M_0 = 1 - exp(-h), M_k = h^k - k M_{k-1} the integrals of exp(s - h) s^k, and h' the step
 * before:
 *   predict   D through D_i, D_{i-1}:           M_0 D_i + M_1 [D_i, D_{i-1}]
 *   correct   D through D_i, D_{i+1}, D_{i-1}:  M_0 D_i + M_1 [D_{i+1}, D_i]
 *                                               + (M_2 - h M_1) [D_{i+1}, D_i, D_{i-1}]
 * in divided differences, [D_i, D_{i-1}] = (D_i - D_{i-1})/h'. D_{i+1} is evaluated where the
 * prediction led, once, and is the next step's D_i: N evaluations. The last step, to 0, gives D as
 * it would be there: along a path, D of a smooth density is linear in sigma^2 near 0, so that x_N =
 * D_{N-1} + (D_{N-1} - D_{N-2}) t_{N-1}^2/(t_{N-2}^2 - t_{N-1}^2). */
#include "grid.h"
#include <sskit/plugin.h>
#include <string.h>

struct unipc {
  int64_t steps;
  struct grid grid;
};

static const struct ssk_param unipc_params[] = {
    SSK_PARAM_INT(struct unipc, steps, "10", 2, 10000, "steps", "N; costs N evaluations."),
    GRID_PARAMS(struct unipc, "0.015", "4"),
    SSK_PARAM_END,
};

/* What a step knows: x at its start, and D there, before, and (in the corrector) at its end. */
struct unipc_step {
  size_t n;
  double h, before; /* lengths of the step and of the one before it; 0: there is none */
  const ssk_real *x, *now, *last, *next;
};

static void unipc_predict(const struct unipc_step *s, ssk_real *out) {
  double m0 = -expm1(-s->h), m1 = s->h - m0;
  ssk_real keep = (ssk_real)(1 - m0), of_now = (ssk_real)m0;
  ssk_real slope = (ssk_real)(s->before > 0 ? m1 / s->before : 0);
  for (size_t i = 0; i < s->n; i++)
    out[i] = keep * s->x[i] + of_now * s->now[i] + slope * (s->now[i] - s->last[i]);
}

static void unipc_correct(const struct unipc_step *s, ssk_real *out) {
  double m0 = -expm1(-s->h), m1 = s->h - m0, m2 = s->h * s->h - 2 * m1;
  double bend = s->before > 0 ? (m2 - s->h * m1) / (s->h + s->before) : 0;
  ssk_real keep = (ssk_real)(1 - m0), of_now = (ssk_real)m0;
  ssk_real ahead = (ssk_real)((m1 + bend) / s->h);
  ssk_real back = (ssk_real)(s->before > 0 ? bend / s->before : 0);
  for (size_t i = 0; i < s->n; i++)
    out[i] = keep * s->x[i] + of_now * s->now[i] + ahead * (s->next[i] - s->now[i]) -
             back * (s->now[i] - s->last[i]);
}

static ssk_tensor *unipc_run(const void *state, const struct ssk_ctx *ctx,
                             const struct ssk_sampling *problem) {
  const struct unipc *self = state;
  ssk_tape *tape = ctx->tape;
  int N = (int)self->steps;
  ssk_rng rng = ssk_ctx_rng(ctx, "sampler", problem->index);
  ssk_tensor *x = grid_start(ctx, problem, &self->grid, N, &rng);
  size_t bytes = x->count * sizeof(ssk_real);
  ssk_tensor *moved = ssk_empty(tape, SSK_SHAPE(problem->n, problem->d));
  ssk_real *now = ssk_tape_scratch(tape, bytes), *last = ssk_tape_scratch(tape, bytes);
  if (ssk_tape_code(tape) || !now || !last)
    return x;
  memset(last, 0, bytes);

  /* x, and D there, at the start of a step; `moved`, where it has been predicted to lead. */
  const size_t mark = ssk_tape_mark(tape);
  struct unipc_step step = {.n = x->count, .x = x->data, .now = now, .last = last};
  memcpy(moved->data, x->data, bytes);
  for (int i = 0; i < N; i++) {
    double t = grid_level(problem, &self->grid, N, i);
    const ssk_tensor *clean = problem->denoise(problem, ctx, moved, t);
    if (ssk_tape_code(tape))
      break;
    if (i == N - 1) {
      double above = grid_level(problem, &self->grid, N, i - 1);
      ssk_real beyond = (ssk_real)(t * t / (above * above - t * t));
      for (size_t k = 0; k < x->count; k++)
        x->data[k] = clean->data[k] + beyond * (clean->data[k] - now[k]);
      break;
    }
    if (i > 0) {
      step.next = clean->data;
      unipc_correct(&step, x->data);
      step.before = step.h;
      memcpy(last, now, bytes);
    }
    memcpy(now, clean->data, bytes);
    step.h = log(t / grid_level(problem, &self->grid, N, i + 1));
    unipc_predict(&step, moved->data);
    ssk_tape_rewind(tape, mark);
  }
  return x;
}

static int unipc_evaluations(const void *state, int levels) {
  const struct unipc *self = state;
  (void)levels;
  return (int)self->steps;
}

static const struct ssk_sampler_ops unipc_ops = {
    .size = sizeof(struct ssk_sampler_ops), .run = unipc_run, .evaluations = unipc_evaluations};

static const struct ssk_component unipc_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_SAMPLER,
    .name = "unipc",
    .summary = "UniPC: a predictor and a corrector, one evaluation a step",
    .doc =
        "Second-order multistep prediction of the probability-flow ODE, corrected to third order "
        "by the evaluation that the next step needs anyway (Zhao et al. 2023, for the prediction "
        "of data, with the integrals of the interpolating polynomials in -log sigma). Levels from "
        "sigma_max to sigma_min, in units of what is drawn; the last value is D extrapolated to "
        "sigma = 0, linearly in sigma^2. Deterministic but for its start; one evaluation a step.",
    .self_size = sizeof(struct unipc),
    .params = unipc_params,
    .ops = &unipc_ops,
};

SSK_PLUGIN(&unipc_component)
