/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ancestral.c - DDPM's sampler: the reverse Markov chain whose bound was trained.
 *
 * In VE coordinates (the variance-preserving chain times sqrt(1 + sigma_k^2)), from level k to k -
 * 1, q(x_{k-1} | x_k, z): mean z + (sigma_{k-1}/sigma_k)^2 (x_k - z), with D(x_k; sigma_k) for z
 *   variance  beta       (sigma_k^2 - sigma_{k-1}^2) (1 + sigma_{k-1}^2)/(1 + sigma_k^2)
 *             posterior  (sigma_k^2 - sigma_{k-1}^2) sigma_{k-1}^2/sigma_k^2
 * from x_K ~ N(0, 1 + sigma_K^2); the lowest level decodes to N(D, sigma_1^2/(1 + sigma_1^2)) in
 * both cases. With the levels of training this is exactly the model that the bound is of.
 *
 * Ho, Jain, Abbeel: Denoising diffusion probabilistic models, NeurIPS 2020, algorithm 2. */
#include <math.h>
#include <sskit/plugin.h>

enum ancestral_variance { ANCESTRAL_BETA, ANCESTRAL_POSTERIOR };

struct ancestral {
  int64_t steps;
  int variance;
};

static const char *const ancestral_variances[] = {"beta", "posterior", NULL};

static const struct ssk_param ancestral_params[] = {
    SSK_PARAM_INT(struct ancestral, steps, "0", 0, 100000, "steps",
                  "Levels, equally spaced in the schedule's time; 0: the levels of training."),
    SSK_PARAM_ENUM(struct ancestral, variance, "beta", ancestral_variances,
                   "Variance of the steps: as in the trained bound."),
    SSK_PARAM_END,
};

static int ancestral_evaluations(const void *state, int levels) {
  const struct ancestral *self = state;
  return self->steps ? (int)self->steps : levels;
}

/* sigma_k, k = 0...K; sigma_0 = 0. */
static double ancestral_level(const struct ssk_sampling *problem, int K, int k) {
  if (k == 0)
    return 0;
  return problem->sigma(problem, K > 1 ? (k - 1) / (K - 1.0) : 1);
}

static double ancestral_spread(int variance, double sigma, double below) {
  double s2 = sigma * sigma, b2 = below * below;
  if (variance == ANCESTRAL_BETA || below == 0)
    return sqrt((s2 - b2) * (1 + b2) / (1 + s2));
  return sqrt((s2 - b2) * b2 / s2);
}

static ssk_tensor *ancestral_run(const void *state, const struct ssk_ctx *ctx,
                                 const struct ssk_sampling *problem) {
  const struct ancestral *self = state;
  ssk_tape *tape = ctx->tape;
  int K = ancestral_evaluations(self, problem->levels);
  ssk_rng rng = ssk_ctx_rng(ctx, "sampler", problem->index);

  ssk_tensor *x = ssk_normal(tape, SSK_SHAPE(problem->n, problem->d), &rng);
  if (ssk_tape_code(tape))
    return x;
  double highest = ancestral_level(problem, K, K);
  for (size_t i = 0; i < x->count; i++)
    x->data[i] *= (ssk_real)sqrt(1 + highest * highest);

  const size_t mark = ssk_tape_mark(tape);
  for (int k = K; k >= 1; k--) {
    double sigma = ancestral_level(problem, K, k), below = ancestral_level(problem, K, k - 1);
    ssk_real keep = (ssk_real)(below * below / (sigma * sigma));
    double spread = ancestral_spread(self->variance, sigma, below);
    const ssk_tensor *clean = problem->denoise(problem, ctx, x, sigma);
    if (ssk_tape_code(tape))
      break;
    for (size_t i = 0; i < x->count; i++)
      x->data[i] = clean->data[i] + keep * (x->data[i] - clean->data[i]) +
                   (ssk_real)(spread * ssk_rng_normal(&rng));
    ssk_tape_rewind(tape, mark);
  }
  return x;
}

static const struct ssk_sampler_ops ancestral_ops = {.size = sizeof(struct ssk_sampler_ops),
                                                     .run = ancestral_run,
                                                     .evaluations = ancestral_evaluations};

static const struct ssk_component ancestral_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_SAMPLER,
    .name = "ancestral",
    .summary = "DDPM's reverse chain on the levels of training",
    .doc = "x_{k-1} ~ N(D + (sigma_{k-1}/sigma_k)^2 (x_k - D), variance beta or posterior) from "
           "x_K ~ N(0, 1 + sigma_K^2) (Ho et al. 2020, algorithm 2, in VE coordinates): on the "
           "levels of training, the model whose bound was trained. One evaluation a level.",
    .self_size = sizeof(struct ancestral),
    .params = ancestral_params,
    .ops = &ancestral_ops,
};

SSK_PLUGIN(&ancestral_component)
