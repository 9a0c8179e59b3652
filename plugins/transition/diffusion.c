/* SPDX-License-Identifier: GPL-3.0-or-later */
/* diffusion.c - the DDSSM's transition: p(z_t | z_{t-j:t-1}) by a conditional diffusion.
 *
 * Its rate is a bound with all its constants, so that it compares with that of a Gaussian
 * transition (diffusion_bound.h): of the discrete diffusion, or in continuous time with the noise
 * of the encoder's Gaussian integrated out (explicit score matching). The sum or integral over
 * levels is estimated from a few draws a row (diffusion_noising.h). Its density, for evaluation, is
 * that of the probability flow (diffusion_flow.h). Where z is centred on a baseline b of the past,
 * z - b stands for z throughout.
 *
 * With the encoder's moments mean, s^2 given, what does not depend on the network is in closed
 * form. In discrete time, E[L_K] + E[log q] =
 *     KL( N(mean, s^2) || N(b, 1 + sigma_K^2) )
 *     + d/2 [-alpha-bar_K - log(1 - alpha-bar_K) + log alpha-bar_K - log 2 pi]
 * In continuous time,
 *     KL( N(mean, s^2 + sigma_K^2) || N(b, 1 + sigma_K^2) )
 *     + KL( N(0, s^2 sigma_1^2/(s^2 + sigma_1^2)) || N(0, beta_1) )
 * and, where the target is the sample instead of its posterior mean, less what that adds to the
 * error, the weighted posterior variance s^2 sigma^2/(s^2 + sigma^2), for each dimension
 *     1/2 log(1 + s^2/sigma_1^2) - 1/2 log(1 + s^2/sigma_K^2) + 1/2 s^2 (1 + sigma_1^2)/(s^2 +
 * sigma_1^2)
 *
 * Ho, Jain, Abbeel 2020 (the bound); Karras et al. 2022 (preconditioning, levels, samplers); Song,
 * Durkan, Murray, Ermon 2021 (the bound in continuous time). */
#include "diffusion_bound.h"
#include "diffusion_draw.h"
#include "diffusion_flow.h"
#include "diffusion_noising.h"
#include <stdlib.h>

static const char *const objectives[] = {"discrete", "dsm", "esm", NULL};
static const char *const variances[] = {"beta", "posterior", NULL};
static const char *const baselines[] = {"zero", "persistence", NULL};
static const char *const proposals[] = {"uniform", "importance", "adaptive", NULL};
static const char *const draw_modes[] = {"iid", "stratified", "low_discrepancy", NULL};
static const char *const sigma_data_modes[] = {"fixed", "global", "per_t", NULL};

static const struct ssk_param diffusion_params[] = {
    SSK_PARAM_ENUM(
        struct diffusion, objective, "discrete", objectives,
        "discrete: the bound of the diffusion with K levels, at the encoder's sample; dsm and esm: "
        "one bound in continuous time, where log sigma is uniform between levels, by denoising "
        "score matching, whose target is that sample, or by explicit score matching, whose target "
        "is the score of the encoder's noised Gaussian: the same mean, less variance."),
    SSK_PARAM_INT(struct diffusion, levels, "128", 2, 4096, "levels",
                  "K: noise levels of the trained diffusion."),
    SSK_PARAM_COMPONENT(struct diffusion, schedule, SSK_SCHEDULE, "karras",
                        "The levels sigma_1...sigma_K are sigma(u) at K equally spaced u."),
    SSK_PARAM_COMPONENT(struct diffusion, denoiser, SSK_DENOISER, "mlp",
                        "The network F of EDM's preconditioning."),
    SSK_PARAM_COMPONENT(struct diffusion, sampler, SSK_SAMPLER, "unipc",
                        "How the transition is drawn from; independent of the training levels."),
    SSK_PARAM_ENUM(
        struct diffusion, variance, "beta", variances,
        "Variance of the reverse steps in the discrete bound: beta_k, or the posterior's "
        "(Ho et al. 2020, section 3.2). It weights the levels."),
    SSK_PARAM_ENUM(struct diffusion, baseline, "persistence", baselines,
                   "What the latent is centred on: nothing, or the newest past latent."),
    SSK_PARAM_REAL(struct diffusion, encoder_gradient, "1", 0, 1, "1",
                   "Factor on the gradient of the rate into the encoder; 0 stops it."),
    SSK_PARAM_INT(struct diffusion, draws, "4", 1, 1024, "levels",
                  "S_k: levels drawn for each latent in a training step."),
    SSK_PARAM_INT(struct diffusion, evaluation_draws, "8", 1, 4096, "levels",
                  "The same in an evaluation of the bound."),
    SSK_PARAM_ENUM(struct diffusion, proposal, "importance", proposals,
                   "Probability p_k of drawing a level: equal; weight^power; or "
                   "sigma/(sigma_data^2 + sigma^2)^2. Draws are weighted by 1/p_k: all are "
                   "unbiased."),
    SSK_PARAM_ENUM(
        struct diffusion, draw_mode, "low_discrepancy", draw_modes,
        "iid: independent draws; stratified: one in each of as many strata as rows and draws; "
        "low_discrepancy: these moved by one uniform for all (Kingma et al. 2021). The same "
        "marginals, less variance."),
    SSK_PARAM_REAL(struct diffusion, power, "1", 0, 4, "1",
                   "gamma of the proposal importance: p_k ~ w_k^gamma."),
    SSK_PARAM_REAL(struct diffusion, uniform_part, "0.1", 0, 1, "1",
                   "Part of the uniform distribution mixed into the proposal: bounds the weights "
                   "1/p_k."),
    SSK_PARAM_ENUM(struct diffusion, sigma_data_mode, "global", sigma_data_modes,
                   "Scale of the (centred) latent in the preconditioning: given, or tracked as a "
                   "moving average over the training steps, of all time steps together or of each "
                   "(per_t; beyond the training windows, that of their last)."),
    SSK_PARAM_REAL(struct diffusion, sigma_data, "1", 1e-3, 1e3, "1",
                   "That scale where it is fixed, and where its average starts."),
    SSK_PARAM_REAL(struct diffusion, sigma_data_decay, "0.99", 0, 1, "1",
                   "Decay a step of the moving average."),
    SSK_PARAM_INT(
        struct diffusion, likelihood_probes, "0", 0, 1024, NULL,
        "Hutchinson's probes for the trace in the exact likelihood; 0: the exact trace up "
        "to 32 dimensions, one probe beyond."),
    SSK_PARAM_REAL(struct diffusion, likelihood_tolerance, "1e-4", 1e-12, 1, "1",
                   "Absolute and relative error of a step of that likelihood's solver."),
    SSK_PARAM_END,
};

static void diffusion_done(void *state) {
  struct diffusion *self = state;
  free(self->sigma);
}

/* The level grid and the constant. */
static int diffusion_init(void *state, ssk_err *err) {
  struct diffusion *self = state;
  int K = (int)self->levels;
  self->sigma = calloc((size_t)K, sizeof(double));
  if (!self->sigma)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for %d levels", K);
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
  }
  double highest = self->sigma[K - 1], log_two_pi = log(2 * 3.14159265358979323846);
  self->constant = bound_constant((enum reverse_variance)self->variance, self->sigma, K) +
                   bound_prior(0, highest) - 0.5 * (log_two_pi + log1p(highest * highest));
  return SSK_OK;
}

static int diffusion_build(void *state, ssk_builder *b, const struct ssk_dims *dims) {
  struct diffusion *self = state;
  sigma_data_build(self, b, dims);
  ssk_denoiser_build(self->denoiser, b, dims);
  return ssk_build_code(b);
}

/* ---- the rate -------------------------------------------------------------------------------- */

static ssk_tensor *with_gradient(ssk_tape *tape, ssk_tensor *x, double factor) {
  if (!x || factor == 1)
    return x;
  ssk_tensor *stopped = ssk_stop(tape, x);
  if (factor == 0)
    return stopped;
  return ssk_add(tape, ssk_affine(tape, x, (ssk_real)factor, 0),
                 ssk_affine(tape, stopped, (ssk_real)(1 - factor), 0));
}

static struct ssk_rows with_encoder_gradient(const struct diffusion *self, ssk_tape *tape,
                                             const struct ssk_rows *rows) {
  struct ssk_rows out = *rows;
  out.past = with_gradient(tape, rows->past, self->encoder_gradient);
  out.z = with_gradient(tape, rows->z, self->encoder_gradient);
  out.mean = with_gradient(tape, rows->mean, self->encoder_gradient);
  out.logvar = with_gradient(tape, rows->logvar, self->encoder_gradient);
  return out;
}

/* N(b, 1 + sigma_K^2), where the diffusion ends. */
static struct ssk_gaussian widest(const struct diffusion *self, const struct ssk_ctx *ctx, int n,
                                  ssk_tensor *b) {
  double highest = self->sigma[self->levels - 1];
  return (struct ssk_gaussian){.mean = b ? b : ssk_full(ctx->tape, SSK_SHAPE(n, ctx->dims->d), 0),
                               .logvar = ssk_full(ctx->tape, SSK_SHAPE(n, ctx->dims->d),
                                                  (ssk_real)log1p(highest * highest))};
}

/* What is in closed form: the discrete bound's ends and constants. */
static ssk_tensor *discrete_ends(const struct diffusion *self, const struct ssk_ctx *ctx,
                                 struct ssk_gaussian q, ssk_tensor *b) {
  ssk_tensor *kl = ssk_gaussian_kl(ctx->tape, q, widest(self, ctx, ssk_height(q.mean), b));
  return ssk_affine(ctx->tape, kl, 1, (ssk_real)(ctx->dims->d * self->constant));
}

/* The same in continuous time. */
static ssk_tensor *continuous_ends(const struct diffusion *self, const struct ssk_ctx *ctx,
                                   struct ssk_gaussian q, ssk_tensor *b) {
  ssk_tape *tape = ctx->tape;
  int n = ssk_height(q.mean), d = ctx->dims->d;
  ssk_tensor *variance = ssk_exp(tape, q.logvar);
  double low = self->sigma[0] * self->sigma[0];
  double high = self->sigma[self->levels - 1] * self->sigma[self->levels - 1];
  struct ssk_gaussian noised = {q.mean,
                                ssk_log(tape, ssk_affine(tape, variance, 1, (ssk_real)high))};
  ssk_tensor *zero = ssk_full(tape, SSK_SHAPE(n, d), 0);
  ssk_tensor *lowest = ssk_log1p(tape, ssk_affine(tape, variance, (ssk_real)(1 / low), 0));
  struct ssk_gaussian posterior = {zero, ssk_sub(tape, q.logvar, lowest)};
  struct ssk_gaussian decoder = {
      zero, ssk_full(tape, SSK_SHAPE(n, d), (ssk_real)log(bound_beta(self->sigma[0], 0)))};
  ssk_tensor *ends = ssk_add(tape, ssk_gaussian_kl(tape, noised, widest(self, ctx, n, b)),
                             ssk_gaussian_kl(tape, posterior, decoder));
  if (self->objective == OBJECTIVE_ESM)
    return ends;
  ssk_tensor *highest = ssk_log1p(tape, ssk_affine(tape, variance, (ssk_real)(1 / high), 0));
  ssk_tensor *kept =
      ssk_exp(tape, ssk_affine(tape, lowest, -1, 0)); /* sigma_1^2/(s^2 + sigma_1^2) */
  ssk_tensor *added = ssk_add(tape, ssk_sub(tape, lowest, highest),
                              ssk_affine(tape, kept, (ssk_real) - (1 + low), (ssk_real)(1 + low)));
  return ssk_sub(tape, ends, ssk_affine(tape, ssk_sum(tape, added, 1), (ssk_real)0.5, 0));
}

/* What is noised, of rows that have passed with_encoder_gradient: values or Gaussians [n, d],
 * centred on b. */
struct clean {
  ssk_tensor *b;            /* NULL: zero */
  ssk_tensor *z, *variance; /* the variance of Gaussians whose noise is integrated out, or NULL */
};

static struct clean clean_latents(const struct diffusion *self, const struct ssk_ctx *ctx,
                                  const struct ssk_rows *rows) {
  bool esm = self->objective == OBJECTIVE_ESM;
  struct clean clean = {.b = centre(self, ctx, rows), .z = esm ? rows->mean : rows->z};
  clean.variance = esm ? ssk_exp(ctx->tape, rows->logvar) : NULL;
  clean.z = clean.b ? ssk_sub(ctx->tape, clean.z, clean.b) : clean.z;
  return clean;
}

/* The weighted squared error at the levels drawn, [n]. */
static ssk_tensor *level_errors(const struct diffusion *self, const struct ssk_ctx *ctx,
                                const struct ssk_rows *rows, struct clean clean,
                                struct noising *noising, ssk_tensor *c_noise) {
  ssk_tape *tape = ctx->tape;
  int inputs = clean.variance ? 2 : 1;
  struct ssk_noisy noisy = {
      .size = sizeof noisy, .cond = *rows, .M = noising->M, .c_noise = c_noise};
  noisy.noisy = ssk_apply(tape, &noise_op, inputs, (ssk_tensor *[]){clean.z, clean.variance},
                          noising, sizeof *noising);
  ssk_tensor *F = ssk_denoiser_run(self->denoiser, ctx, &noisy);
  return ssk_apply(tape, &error_op, 1 + inputs, (ssk_tensor *[]){F, clean.z, clean.variance},
                   noising, sizeof *noising);
}

static ssk_tensor *diffusion_rate(const void *state, const struct ssk_ctx *ctx,
                                  const struct ssk_rows *given) {
  const struct diffusion *self = state;
  ssk_tape *tape = ctx->tape;
  struct ssk_rows rows = with_encoder_gradient(self, tape, given);
  const struct clean clean = clean_latents(self, ctx, &rows);
  sigma_data_track(self, ctx, &rows, clean.z, clean.variance);

  struct noising noising;
  ssk_tensor *c_noise;
  int M = (int)(ctx->training ? self->draws : self->evaluation_draws);
  if (!draw_noising(self, ctx, &rows, M, &noising, &c_noise))
    return ssk_tape_fail(tape, SSK_ENOMEM, "no memory for the levels of %d rows", rows.n);
  ssk_tensor *error = level_errors(self, ctx, &rows, clean, &noising, c_noise);
  struct ssk_gaussian q = {rows.mean, rows.logvar};
  return ssk_add(tape, error,
                 in_continuous_time(self) ? continuous_ends(self, ctx, q, clean.b)
                                          : discrete_ends(self, ctx, q, clean.b));
}

static ssk_tensor *diffusion_sample(const void *state, const struct ssk_ctx *ctx,
                                    const struct ssk_rows *rows) {
  return draw_latents(state, ctx, rows);
}

static ssk_tensor *diffusion_log_prob(const void *state, const struct ssk_ctx *ctx,
                                      const struct ssk_rows *rows) {
  const struct diffusion *self = state;
  return flow_log_prob(self, ctx, rows, (int)self->likelihood_probes, self->likelihood_tolerance);
}

static int diffusion_evaluations(const void *state) {
  const struct diffusion *self = state;
  return ssk_sampler_evaluations(self->sampler, (int)self->levels);
}

/* How evenly the draws of levels cover them, and how evenly they count. */
static int diffusion_stats(const void *state, const struct ssk_ctx *ctx,
                           const struct ssk_rows *rows, struct ssk_figure *figures) {
  (void)rows; /* the same for all */
  const struct diffusion *self = state;
  const int K = (int)self->levels;
  double *p = ssk_tape_scratch(ctx->tape, 2 * (size_t)K * sizeof *p);
  if (!p)
    return 0;
  const double sigma_data = sigma_data_now(self, ctx);
  propose(self, sigma_data, p + K, p);
  figures[0] = (struct ssk_figure){"effective_levels", levels_effective(K, p)};
  figures[1] = (struct ssk_figure){"draw_efficiency", levels_efficiency(K, p, p + K)};
  figures[2] = (struct ssk_figure){"sigma_data", sigma_data};
  return 3;
}

static const struct ssk_transition_ops diffusion_ops = {
    .size = sizeof(struct ssk_transition_ops),
    .build = diffusion_build,
    .rate = diffusion_rate,
    .sample = diffusion_sample,
    .log_prob = diffusion_log_prob,
    .evaluations = diffusion_evaluations,
    .stats = diffusion_stats,
};

static const struct ssk_component diffusion_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_TRANSITION,
    .name = "diffusion",
    .summary = "conditional diffusion (DDSSM)",
    .doc =
        "The transition is the reverse of a variance-preserving diffusion, given the past, in "
        "EDM's "
        "coordinates (Karras et al. 2022). Its rate is an unbiased estimate of a bound with all "
        "constants. objective discrete, K levels (Ho et al. 2020):\n"
        "  E[sum_k w_k |F - y|^2] + L_K + C - H(q),\n"
        "  w_k = (sigma_k^2 - sigma_{k-1}^2) / (2 sigma_k^2 (1 + sigma_{k-1}^2))  (variance: "
        "beta)\n"
        "times sigma_data^2 (1 + sigma_k^2)/(sigma_data^2 + sigma_k^2). The encoder's entropy H(q) "
        "and the term of the highest level L_K are in closed form.\n"
        "objective esm, continuous time (Song et al. 2021, theorem 1), with D* the posterior mean "
        "under the encoder's Gaussian:\n"
        "  integral of E|D - D*|^2/sigma^2 d log sigma + KL(q at sigma_K || N(b, 1 + sigma_K^2))\n"
        "  + E KL(q(z | z + sigma_1 e) || N(D, sigma_1^2/(1 + sigma_1^2))).\n"
        "objective dsm: the same bound with the sample z for D*, and what that adds in closed "
        "form taken off.\n"
        "Its density, for importance-weighted likelihoods, is the probability flow's.\n"
        "In the metric log: effective_levels, exp of the entropy of p_k; draw_efficiency,\n"
        "(sum w_k)^2 / sum w_k^2/p_k, the share of the draws of levels that counts (Kish 1965); "
        "sigma_data.",
    .self_size = sizeof(struct diffusion),
    .params = diffusion_params,
    .ops = &diffusion_ops,
    .init = diffusion_init,
    .done = diffusion_done,
};

SSK_PLUGIN(&diffusion_component)
