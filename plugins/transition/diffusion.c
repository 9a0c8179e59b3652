/* SPDX-License-Identifier: GPL-3.0-or-later */
/* diffusion.c - the DDSSM's transition: p(z_t | z_{t-j:t-1}) by a conditional diffusion.
 *
 * Trained by the variational bound of the discrete diffusion with all its constants, so that its
 * rate compares with that of a Gaussian transition (diffusion_bound.h). The sum over the levels is
 * estimated from a few draws a row (diffusion_levels.h). Where z is centred on a baseline b of the
 * past, z - b stands for z throughout.
 *
 * With the encoder's moments mean, s^2 given, what does not depend on the network is in closed
 * form: E[L_K] + E[log q] = KL( N(mean, s^2) || N(b, 1 + sigma_K^2) )
 *                       + d/2 [-alpha-bar_K - log(1 - alpha-bar_K) + log alpha-bar_K - log 2 pi]
 *
 * Ho, Jain, Abbeel 2020 (the bound); Karras et al. 2022 (preconditioning, levels, samplers). */
#include "diffusion_bound.h"
#include "diffusion_levels.h"
#include "diffusion_ops.h"
#include <sskit/plugin.h>
#include <stdlib.h>

enum baseline { BASELINE_ZERO, BASELINE_PERSISTENCE };
enum sigma_data_mode { SIGMA_DATA_FIXED, SIGMA_DATA_GLOBAL };

struct diffusion {
  int64_t levels;
  struct ssk_instance *schedule, *denoiser, *sampler;
  int variance, baseline;
  int64_t draws, evaluation_draws;
  int proposal, draw_mode;
  double power, uniform_part;
  int sigma_data_mode;
  double sigma_data, sigma_data_decay;
  /* not parameters: */
  double *sigma, *weight; /* [levels], for sigma_data = 1 */
  double constant;        /* a dimension, in nats: what is neither error nor divergence */
  ssk_weight tracked;     /* statistic: mean of (z - b)^2 over its start, and weight of the mean */
};

static const char *const variances[] = {"beta", "posterior", NULL};
static const char *const baselines[] = {"zero", "persistence", NULL};
static const char *const proposals[] = {"uniform", "importance", "adaptive", NULL};
static const char *const draw_modes[] = {"iid", "stratified", NULL};
static const char *const sigma_data_modes[] = {"fixed", "global", NULL};

static const struct ssk_param diffusion_params[] = {
    SSK_PARAM_INT(struct diffusion, levels, "128", 2, 4096, "levels",
                  "K: noise levels of the trained diffusion."),
    SSK_PARAM_COMPONENT(struct diffusion, schedule, SSK_SCHEDULE, "karras",
                        "The levels sigma_1...sigma_K are sigma(u) at K equally spaced u."),
    SSK_PARAM_COMPONENT(struct diffusion, denoiser, SSK_DENOISER, "mlp",
                        "The network F of EDM's preconditioning."),
    SSK_PARAM_COMPONENT(struct diffusion, sampler, SSK_SAMPLER, "heun",
                        "How the transition is drawn from; independent of the training levels."),
    SSK_PARAM_ENUM(struct diffusion, variance, "beta", variances,
                   "Variance of the reverse steps in the bound: beta_k, or the posterior's "
                   "(Ho et al. 2020, section 3.2). It weights the levels."),
    SSK_PARAM_ENUM(struct diffusion, baseline, "persistence", baselines,
                   "What the latent is centred on: nothing, or the newest past latent."),
    SSK_PARAM_INT(struct diffusion, draws, "4", 1, 1024, "levels",
                  "S_k: levels drawn for each latent in a training step."),
    SSK_PARAM_INT(struct diffusion, evaluation_draws, "8", 1, 4096, "levels",
                  "The same in an evaluation of the bound."),
    SSK_PARAM_ENUM(struct diffusion, proposal, "importance", proposals,
                   "Probability p_k of drawing a level: equal; weight^power; or "
                   "sigma/(sigma_data^2 + sigma^2)^2. Draws are weighted by 1/p_k: all are "
                   "unbiased."),
    SSK_PARAM_ENUM(
        struct diffusion, draw_mode, "stratified", draw_modes,
        "Independent draws, or one uniform for all draws of a shard and strata over rows "
        "and draws: less variance, the same marginals."),
    SSK_PARAM_REAL(struct diffusion, power, "1", 0, 4, "1",
                   "gamma of the proposal importance: p_k ~ w_k^gamma."),
    SSK_PARAM_REAL(struct diffusion, uniform_part, "0.1", 0, 1, "1",
                   "Part of the uniform distribution mixed into the proposal: bounds the weights "
                   "1/p_k."),
    SSK_PARAM_ENUM(struct diffusion, sigma_data_mode, "global", sigma_data_modes,
                   "Scale of the (centred) latent in the preconditioning: given, or tracked as a "
                   "moving average over the training steps."),
    SSK_PARAM_REAL(struct diffusion, sigma_data, "1", 1e-3, 1e3, "1",
                   "That scale where it is fixed, and where its average starts."),
    SSK_PARAM_REAL(struct diffusion, sigma_data_decay, "0.99", 0, 1, "1",
                   "Decay a step of the moving average."),
    SSK_PARAM_END,
};

static void diffusion_done(void *state) {
  struct diffusion *self = state;
  free(self->sigma);
  free(self->weight);
}

/* The level grid, its weights and the constant. */
static int diffusion_init(void *state, ssk_err *err) {
  struct diffusion *self = state;
  int K = (int)self->levels;
  self->sigma = calloc((size_t)K, sizeof(double));
  self->weight = calloc((size_t)K, sizeof(double));
  if (!self->sigma || !self->weight) {
    diffusion_done(self);
    return ssk_err_set(err, SSK_ENOMEM, "no memory for %d levels", K);
  }
  for (int k = 0; k < K; k++) {
    double below = k ? self->sigma[k - 1] : 0;
    self->sigma[k] = ssk_schedule_sigma(self->schedule, k / (K - 1.0));
    if (!(self->sigma[k] > below && isfinite(self->sigma[k]))) {
      ssk_err_set(err, SSK_ERECIPE,
                  "the schedule gives level %d the noise %g, not more than %g of "
                  "the level below",
                  k + 1, self->sigma[k], below);
      diffusion_done(self);
      return SSK_ERECIPE;
    }
    self->weight[k] = bound_weight((enum reverse_variance)self->variance, self->sigma[k], below);
  }
  double highest = self->sigma[K - 1], log_two_pi = log(2 * 3.14159265358979323846);
  self->constant = bound_constant((enum reverse_variance)self->variance, self->sigma, K) +
                   bound_prior(0, highest) - 0.5 * (log_two_pi + log1p(highest * highest));
  return SSK_OK;
}

/* What the start of the moving average counts, in steps times (1 - decay). */
#define START_WEIGHT 1e-3

static int diffusion_build(void *state, ssk_builder *b, const struct ssk_dims *dims) {
  struct diffusion *self = state;
  if (self->sigma_data_mode == SIGMA_DATA_GLOBAL)
    self->tracked = ssk_statistic(b, "sigma_data", 2, START_WEIGHT, self->sigma_data_decay);
  ssk_denoiser_build(self->denoiser, b, dims);
  return ssk_build_code(b);
}

/* b [n, d], or NULL for zero. */
static ssk_tensor *centre(const struct diffusion *self, const struct ssk_ctx *ctx,
                          const struct ssk_rows *rows) {
  int d = ctx->dims->d;
  if (self->baseline == BASELINE_ZERO)
    return NULL;
  return ssk_cols(ctx->tape, rows->past, (ctx->dims->j - 1) * d, d);
}

/* The tracked statistic is a ratio, {square, rows}: so it does not matter how often a pass calls
 * `rate`, nor for how many rows, and the start fades with the first steps instead of over 1/(1 -
 * decay) of them. The square is in units of the parameter's. */
static double sigma_data_now(const struct diffusion *self, const struct ssk_ctx *ctx) {
  if (self->sigma_data_mode == SIGMA_DATA_FIXED)
    return self->sigma_data;
  const ssk_real *tracked = ssk_peek(ctx, self->tracked);
  return self->sigma_data * sqrt(fmax((double)tracked[0] / (double)tracked[1], 1e-8));
}

static void track_sigma_data(const struct diffusion *self, const struct ssk_ctx *ctx, int n,
                             const ssk_tensor *z) {
  if (self->sigma_data_mode == SIGMA_DATA_FIXED || !ctx->training || !z->count)
    return;
  double sum = 0, rows = n / ((double)ctx->T * ctx->P);
  for (size_t i = 0; i < z->count; i++)
    sum += (double)z->data[i] * (double)z->data[i];
  double square = sum / (double)z->count / (self->sigma_data * self->sigma_data);
  ssk_observe_statistic(ctx, self->tracked,
                        (ssk_real[]){(ssk_real)(rows * square), (ssk_real)rows});
}

/* Draw levels and noise for M noised copies of each row, and tabulate the factors of the levels.
 * *c_noise [n*M] is the network's second input. False without memory. */
static bool draw_noising(const struct diffusion *self, const struct ssk_ctx *ctx,
                         const struct ssk_rows *rows, int M, double sigma_data, struct noising *out,
                         ssk_tensor **c_noise) {
  ssk_tape *tape = ctx->tape;
  int K = (int)self->levels, n = rows->n, d = ctx->dims->d;
  double *p = ssk_tape_scratch(tape, 3 * (size_t)K * sizeof(double));
  ssk_real *table = ssk_tape_scratch(tape, 6 * (size_t)K * sizeof(ssk_real));
  int *level = ssk_tape_scratch(tape, (size_t)n * (size_t)M * sizeof(int));
  ssk_tensor *noise = ssk_ctx_normal_from(
      ctx, "noise", rows->index, (uint64_t)rows->first * (uint64_t)(M * d), SSK_SHAPE(n * M, d));
  *c_noise = ssk_empty(tape, SSK_SHAPE(n * M));
  if (!p || !table || !level || !noise->count || !(*c_noise)->count)
    return false;

  double *upto = p + K, *weight = p + 2 * K;
  for (int k = 0; k < K; k++)
    weight[k] = self->weight[k] * bound_weight_factor(self->sigma[k], sigma_data);
  levels_proposal((enum proposal)self->proposal, K, self->sigma, weight, sigma_data, self->power,
                  self->uniform_part, p);
  ssk_rng rng = ssk_ctx_rng(ctx, "levels", rows->index);
  levels_draw((enum draw_mode)self->draw_mode, &rng, K, p, rows->first, n, ssk_rows_total(rows), M,
              upto, level);

  ssk_real *in_z = table, *in_noise = table + K, *of_z = table + 2 * K, *of_noise = table + 3 * K,
           *of_error = table + 4 * K, *name = table + 5 * K;
  for (int k = 0; k < K; k++) {
    struct precondition c = precondition(self->sigma[k], sigma_data);
    in_z[k] = (ssk_real)c.c_in;
    in_noise[k] = (ssk_real)(c.c_in * self->sigma[k]);
    of_z[k] = (ssk_real)c.of_z;
    of_noise[k] = (ssk_real)c.of_noise;
    of_error[k] = (ssk_real)(weight[k] / (p[k] * M));
    name[k] = (ssk_real)c.c_noise;
  }
  for (int i = 0; i < n * M; i++)
    (*c_noise)->data[i] = name[level[i]];
  *out = (struct noising){M, level, noise->data, in_z, in_noise, of_z, of_noise, of_error};
  return true;
}

static ssk_tensor *diffusion_rate(const void *state, const struct ssk_ctx *ctx,
                                  const struct ssk_rows *rows) {
  const struct diffusion *self = state;
  ssk_tape *tape = ctx->tape;
  int n = rows->n, M = (int)(ctx->training ? self->draws : self->evaluation_draws);
  double sigma_data = sigma_data_now(self, ctx), highest = self->sigma[self->levels - 1];

  ssk_tensor *b = centre(self, ctx, rows);
  ssk_tensor *z = b ? ssk_sub(tape, rows->z, b) : rows->z;
  track_sigma_data(self, ctx, n, z);

  struct ssk_noisy noisy = {.size = sizeof noisy, .cond = *rows, .M = M};
  struct noising noising;
  if (!draw_noising(self, ctx, rows, M, sigma_data, &noising, &noisy.c_noise))
    return ssk_tape_fail(tape, SSK_ENOMEM, "no memory for the levels of %d rows", n);
  noisy.noisy = ssk_apply(tape, &noise_op, 1, &z, &noising, sizeof noising);
  ssk_tensor *F = ssk_denoiser_run(self->denoiser, ctx, &noisy);
  ssk_tensor *error =
      ssk_apply(tape, &error_op, 2, (ssk_tensor *[]){F, z}, &noising, sizeof noising);

  struct ssk_gaussian q = {rows->mean, rows->logvar};
  struct ssk_gaussian widest = {
      .mean = b ? b : ssk_full(tape, SSK_SHAPE(n, ctx->dims->d), 0),
      .logvar = ssk_full(tape, SSK_SHAPE(n, ctx->dims->d), (ssk_real)log1p(highest * highest))};
  ssk_tensor *rate = ssk_add(tape, error, ssk_gaussian_kl(tape, q, widest));
  return ssk_affine(tape, rate, 1, (ssk_real)(ctx->dims->d * self->constant));
}

/* ---- drawing -------------------------------------------------------------------------------- */

struct drawing {
  const struct diffusion *self;
  const struct ssk_rows *rows;
  double sigma_data;
};

static double drawing_sigma(const struct ssk_sampling *problem, double u) {
  const struct drawing *drawing = problem->state;
  return ssk_schedule_sigma(drawing->self->schedule, u);
}

/* D(x; sigma) = c_skip x + c_out F(c_in x, c_noise). */
static ssk_tensor *drawing_denoise(const struct ssk_sampling *problem, const struct ssk_ctx *ctx,
                                   ssk_tensor *x, double sigma) {
  const struct drawing *drawing = problem->state;
  struct precondition c = precondition(sigma, drawing->sigma_data);
  struct ssk_noisy noisy = {.size = sizeof noisy,
                            .cond = *drawing->rows,
                            .M = 1,
                            .noisy = ssk_affine(ctx->tape, x, (ssk_real)c.c_in, 0),
                            .c_noise =
                                ssk_full(ctx->tape, SSK_SHAPE(problem->n), (ssk_real)c.c_noise)};
  ssk_tensor *F = ssk_denoiser_run(drawing->self->denoiser, ctx, &noisy);
  return ssk_add(ctx->tape, ssk_affine(ctx->tape, x, (ssk_real)c.c_skip, 0),
                 ssk_affine(ctx->tape, F, (ssk_real)c.c_out, 0));
}

static ssk_tensor *diffusion_sample(const void *state, const struct ssk_ctx *ctx,
                                    const struct ssk_rows *rows) {
  const struct diffusion *self = state;
  struct drawing drawing = {self, rows, sigma_data_now(self, ctx)};
  struct ssk_sampling problem = {.size = sizeof problem,
                                 .n = rows->n,
                                 .d = ctx->dims->d,
                                 .sigma_min = self->sigma[0],
                                 .sigma_max = self->sigma[self->levels - 1],
                                 .sigma = drawing_sigma,
                                 .levels = (int)self->levels,
                                 .denoise = drawing_denoise,
                                 .state = &drawing,
                                 .index = rows->index};
  bool recorded = ssk_tape_record(ctx->tape, false);
  ssk_tensor *z = ssk_sampler_run(self->sampler, ctx, &problem);
  ssk_tensor *b = centre(self, ctx, rows);
  if (b)
    z = ssk_add(ctx->tape, z, b);
  ssk_tape_record(ctx->tape, recorded);
  return z;
}

static int diffusion_evaluations(const void *state) {
  const struct diffusion *self = state;
  return ssk_sampler_evaluations(self->sampler, (int)self->levels);
}

static const struct ssk_transition_ops diffusion_ops = {
    .size = sizeof(struct ssk_transition_ops),
    .build = diffusion_build,
    .rate = diffusion_rate,
    .sample = diffusion_sample,
    .evaluations = diffusion_evaluations,
};

static const struct ssk_component diffusion_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_TRANSITION,
    .name = "diffusion",
    .summary = "conditional diffusion over discrete noise levels (DDSSM)",
    .doc =
        "The transition is the reverse of a variance-preserving diffusion with K levels, given the "
        "past. Its rate is an unbiased estimate of the variational bound with all constants (Ho et "
        "al. 2020), in EDM's coordinates (Karras et al. 2022):\n"
        "  E[sum_k w_k |F - y|^2] + L_K + C - H(q),\n"
        "  w_k = (sigma_k^2 - sigma_{k-1}^2) / (2 sigma_k^2 (1 + sigma_{k-1}^2))  (variance: "
        "beta)\n"
        "times sigma_data^2 (1 + sigma_k^2)/(sigma_data^2 + sigma_k^2). The encoder's entropy H(q) "
        "and the term of the highest level L_K are in closed form.",
    .self_size = sizeof(struct diffusion),
    .params = diffusion_params,
    .ops = &diffusion_ops,
    .init = diffusion_init,
    .done = diffusion_done,
};

SSK_PLUGIN(&diffusion_component)
