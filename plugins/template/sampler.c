/* SPDX-License-Identifier: GPL-3.0-or-later */
/* example.c - a sampler: draws from a diffusion, given its denoiser D.
 *
 *     x_{i+1} = D + (t_{i+1}/t_i) (x_i - D),   D = D(x_i; t_i)
 *
 * Euler's steps on the probability-flow ODE dx/dsigma = (x - D)/sigma (Karras et al. 2022, equation
 * 1), on levels t_i that are equally spaced in diffusion time, from noise at the highest to 0. */
#include <math.h>
#include <sskit/plugin.h>

struct own {
  int64_t steps; /* parameter, filled by the kernel */
};

/* t_i, i = 0...N; t_N = 0. */
static double level(const struct ssk_sampling *problem, int N, int i) {
  return i < N ? problem->sigma(problem, N > 1 ? 1 - i / (N - 1.0) : 1) : 0;
}

static ssk_tensor *run(const void *self, const struct ssk_ctx *ctx,
                       const struct ssk_sampling *problem) {
  const struct own *s = self;
  ssk_tape *tape = ctx->tape;
  const int N = (int)s->steps;
  ssk_rng rng = ssk_ctx_rng(ctx, "sampler", problem->index);
  ssk_tensor *x = ssk_normal(tape, SSK_SHAPE(problem->n, problem->d), &rng);
  const ssk_real spread = (ssk_real)hypot(level(problem, N, 0), problem->sigma_data);
  for (size_t k = 0; !ssk_tape_code(tape) && k < x->count; k++)
    x->data[k] *= spread;

  const size_t mark = ssk_tape_mark(tape); /* the memory of a step is used again by the next */
  for (int i = 0; i < N && !ssk_tape_code(tape); i++) {
    const double t = level(problem, N, i), next = level(problem, N, i + 1);
    const ssk_tensor *clean = problem->denoise(problem, ctx, x, t);
    const ssk_real keep = (ssk_real)(next / t);
    for (size_t k = 0; !ssk_tape_code(tape) && k < x->count; k++)
      x->data[k] = clean->data[k] + keep * (x->data[k] - clean->data[k]);
    ssk_tape_rewind(tape, mark);
  }
  return x;
}

static int evaluations(const void *self, int levels) {
  (void)levels;
  return (int)((const struct own *)self)->steps;
}

static const struct ssk_param params[] = {
    SSK_PARAM_INT(struct own, steps, "32", 1, 10000, "steps", "Each evaluates the denoiser once."),
    SSK_PARAM_END};

static const struct ssk_sampler_ops ops = {
    .size = sizeof ops, .run = run, .evaluations = evaluations};

static const struct ssk_component component = {
    .size = sizeof component,
    .kind = SSK_SAMPLER,
    .name = "example",
    .summary = "first-order steps of the probability-flow ODE",
    .doc = "x_{i+1} = D + (t_{i+1}/t_i) (x_i - D), D = D(x_i; t_i).",
    .self_size = sizeof(struct own),
    .params = params,
    .ops = &ops,
};

SSK_PLUGIN(&component)
