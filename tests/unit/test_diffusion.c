/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_diffusion.c - the diffusion transition: its bound against closed forms, its level sampling,
 * its gradients.
 *
 * Plugins are compiled into the test. */
#include "support/rig.h"
#include <math.h>
#include <sskit/plugin.h>
#include <stdlib.h>
#include <string.h>

#define ssk_plugin_entry entry_of_diffusion
#include "../../plugins/transition/diffusion.c"
#undef ssk_plugin_entry
#define ssk_plugin_entry entry_of_mlp
#include "../../plugins/denoiser/mlp.c"
#undef ssk_plugin_entry
#define ssk_plugin_entry entry_of_csdi
#include "../../plugins/denoiser/csdi.c"
#undef ssk_plugin_entry
#include "support/exact_diffusion.h"

static void grid(int K, double *sigma) {
  for (int k = 0; k < K; k++)
    sigma[k] = karras(0.002, 80, k / (K - 1.0));
}

/* ---- the bound as pure functions --------------------------------------------------------------
 */

/* The bound on E_q[-log p] with the exact denoiser, all expectations in closed form:
 * E|D - z|^2 = (v^2 sigma^2 + sigma^4 (var + (mean - m)^2)) / (v + sigma^2)^2. */
static double exact_bound(enum reverse_variance variance, int K, double mean, double var,
                          double sigma_data) {
  double *sigma = malloc((size_t)K * sizeof *sigma);
  grid(K, sigma);
  double sum = bound_constant(variance, sigma, K) + bound_prior(mean * mean + var, sigma[K - 1]);
  for (int k = 0; k < K; k++) {
    double s2 = sigma[k] * sigma[k], total = v + s2;
    double square = (v * v * s2 + s2 * s2 * (var + (mean - m) * (mean - m))) / (total * total);
    double c_out = precondition(sigma[k], sigma_data).c_out;
    sum += bound_weight(variance, sigma[k], k ? sigma[k - 1] : 0) *
           bound_weight_factor(sigma[k], sigma_data) * square / (c_out * c_out);
  }
  free(sigma);
  return sum;
}

Test(diffusion_bound, has_the_known_values) {
  cr_assert_float_eq(cross_entropy(q_mean, q_var), 1.77236, 5e-6);
  cr_assert_float_eq(exact_bound(VARIANCE_BETA, 128, q_mean, q_var, 1), 1.76238, 5e-6);
  cr_assert_float_eq(exact_bound(VARIANCE_POSTERIOR, 128, q_mean, q_var, 1), 2.64238, 5e-6);
}

Test(diffusion_bound, does_not_depend_on_sigma_data) {
  for (int variance = 0; variance < 2; variance++)
    for (double sigma_data = 0.1; sigma_data < 10; sigma_data *= 3)
      cr_assert_float_eq(exact_bound(variance, 128, q_mean, q_var, sigma_data),
                         exact_bound(variance, 128, q_mean, q_var, 1), 1e-10);
}

/* Error proportional to 1/K: doubling the levels halves what is still missing, and the limit, by
 * extrapolation, is the exact value but for the ends of the level range (sigma_min > 0). */
Test(diffusion_bound, converges_to_the_cross_entropy) {
  for (int variance = 0; variance < 2; variance++) {
    double bound[3];
    for (int i = 0; i < 3; i++)
      bound[i] = exact_bound(variance, 512 << i, q_mean, q_var, 1);
    cr_assert_float_eq((bound[1] - bound[0]) / (bound[2] - bound[1]), 2, 0.05,
                       "variance %d: %g, %g, %g", variance, bound[0], bound[1], bound[2]);
    cr_assert_float_eq(2 * bound[2] - bound[1], cross_entropy(q_mean, q_var), 1e-3);
  }
}

Test(diffusion_bound, never_lies_under_the_entropy) {
  for (int variance = 0; variance < 2; variance++)
    for (int K = 2; K <= 4096; K *= 2) {
      double gap = exact_bound(variance, K, m, v, 1) - entropy(v);
      cr_assert_gt(gap, 0, "variance %d, K = %d: %g", variance, K, gap);
    }
}

/* ---- a transition with the exact denoiser ------------------------------------------------------
 */

/* Every mode estimates bound minus entropy without bias (|z| < 4 each, 36 z-tests). */
Test(diffusion, every_level_sampling_has_the_same_mean) {
  double sigma_datas[] = {1, 0.4};
  for (int i = 0; i < 36; i++) {
    struct diffusion self = defaults(NULL);
    self.variance = i % 2;
    self.draw_mode = i / 2 % MODES;
    self.proposal = i / 6 % PROPOSALS;
    self.sigma_data = sigma_datas[i / 18];
    double wanted = exact_bound(self.variance, 128, q_mean, q_var, 1) - entropy(q_var);
    struct moments got = shard_means(self);
    double z = (got.mean - wanted) / sqrt(got.variance / SHARDS);
    cr_assert_lt(fabs(z), 4, "variance %s, %s, %s, sigma_data %g: mean %g, wanted %g, z = %g",
                 variances[self.variance], draw_modes[self.draw_mode], proposals[self.proposal],
                 self.sigma_data, got.mean, wanted, z);
  }
}

Test(diffusion, importance_and_strata_lower_the_variance) {
  double variance[MODES][PROPOSALS];
  for (int i = 0; i < MODES * PROPOSALS; i++) {
    struct diffusion self = defaults(NULL);
    self.draw_mode = i / PROPOSALS;
    self.proposal = i % PROPOSALS;
    variance[i / PROPOSALS][i % PROPOSALS] = shard_means(self).variance;
  }
  cr_assert_lt(variance[DRAW_IID][PROPOSAL_IMPORTANCE], 0.8 * variance[DRAW_IID][PROPOSAL_UNIFORM]);
  for (int proposal = 0; proposal < PROPOSALS; proposal++)
    for (int mode = DRAW_IID + 1; mode < MODES; mode++)
      cr_assert_lt(variance[mode][proposal], variance[DRAW_IID][proposal], "%s: %g %s, %g iid",
                   proposals[proposal], variance[mode][proposal], draw_modes[mode],
                   variance[DRAW_IID][proposal]);
}

/* Each draw, looked at alone, has the distribution p in every mode (chi-square, 7 degrees of
 * freedom: 24.3 has probability 0.001). */
Test(diffusion, each_draw_has_the_proposal_as_marginal) {
  enum { K = 8, n = 3, M = 4, REPEATS = 20000 };
  double p[K] = {0.3, 0.02, 0.08, 0.1, 0.2, 0.05, 0.15, 0.1}, upto[K];
  for (int mode = 0; mode < MODES; mode++) {
    double count[n * M][K] = {{0}};
    for (int r = 0; r < REPEATS; r++) {
      int level[n * M];
      ssk_rng rng = ssk_rng_open(11, "test", "levels", (uint32_t)r, 0);
      levels_draw(mode, &rng, K, p, 0, n, n, M, upto, level, NULL);
      for (int i = 0; i < n * M; i++)
        count[i][level[i]]++;
    }
    for (int i = 0; i < n * M; i++) {
      double chi = 0;
      for (int k = 0; k < K; k++)
        chi += pow(count[i][k] - REPEATS * p[k], 2) / (REPEATS * p[k]);
      cr_assert_lt(chi, 30, "%s, draw %d: chi-square %g", draw_modes[mode], i, chi);
    }
  }
}

/* But in mode iid, all together have in each level what its probability says, to within a draw: of
 * n M strata, those that a level cuts are two at most. */
Test(diffusion, strata_spread_the_draws_over_the_levels) {
  enum { K = 8, n = 50, M = 4 };
  double p[K] = {0.3, 0.02, 0.08, 0.1, 0.2, 0.05, 0.15, 0.1}, upto[K];
  for (int mode = DRAW_IID + 1; mode < MODES; mode++)
    for (int repeat = 0; repeat < 100; repeat++) {
      int level[n * M];
      double count[K] = {0};
      ssk_rng rng = ssk_rng_open(11, "test", "levels", (uint32_t)repeat, 0);
      levels_draw(mode, &rng, K, p, 0, n, n, M, upto, level, NULL);
      for (int i = 0; i < n * M; i++)
        count[level[i]]++;
      for (int k = 0; k < K; k++)
        cr_assert_lt(fabs(count[k] - n * M * p[k]), mode == DRAW_STRATIFIED ? 2 : 1,
                     "%s, level %d: %g of %g", draw_modes[mode], k, count[k], n * M * p[k]);
    }
}

Test(diffusion, ranks_are_a_permutation_and_all_permutations_occur) {
  ssk_rng rng = ssk_rng_open(13, "test", "ranks", 0, 0);
  for (int n = 1; n < 3000; n += 1 + n / 3) {
    const struct ranks ranks = ranks_open(&rng, n);
    bool *seen = calloc((size_t)n, sizeof *seen);
    double neighbours = 0; /* mean distance of the ranks of neighbours is n/3 */
    for (int r = 0; r < n; r++) {
      uint32_t rank = ranks_of(&ranks, (uint32_t)r);
      cr_assert(rank < (uint32_t)n && !seen[rank], "row %d of %d has rank %u", r, n, rank);
      seen[rank] = true;
      if (r > 0)
        neighbours += fabs((double)rank - ranks_of(&ranks, (uint32_t)r - 1)) / (n - 1);
    }
    free(seen);
    cr_expect(n < 100 || fabs(neighbours / n - 1.0 / 3) < 1.5 / sqrt(n), "%d: %g", n, neighbours);
  }
  bool found[3][3][3] = {{{false}}};
  for (int i = 0; i < 200; i++) {
    const struct ranks ranks = ranks_open(&rng, 3);
    found[ranks_of(&ranks, 0)][ranks_of(&ranks, 1)][ranks_of(&ranks, 2)] = true;
  }
  cr_expect(found[0][1][2] && found[0][2][1] && found[1][0][2] && found[1][2][0] &&
            found[2][0][1] && found[2][1][0]);
}

/* The rows of a long series come in parts: each part draws what is its own. */
Test(diffusion, a_part_of_the_rows_draws_its_part_of_the_levels) {
  enum { K = 8, TOTAL = 37, M = 3 };
  double p[K], upto[K];
  for (int k = 0; k < K; k++)
    p[k] = 1.0 / K;
  for (int mode = 0; mode < MODES; mode++) {
    ssk_rng fresh = ssk_rng_open(17, "test", "levels", 0, 0), rng = fresh;
    int whole[TOTAL * M], part[TOTAL * M];
    levels_draw(mode, &rng, K, p, 0, TOTAL, TOTAL, M, upto, whole, NULL);
    for (int first = 0, n = 1; first < TOTAL; first += n, n = n + 4) {
      n = n < TOTAL - first ? n : TOTAL - first;
      rng = fresh;
      levels_draw(mode, &rng, K, p, first, n, TOTAL, M, upto, part, NULL);
      cr_expect_arr_eq(part, whole + first * M, (size_t)(n * M) * sizeof *part, "%s, rows from %d",
                       draw_modes[mode], first);
    }
  }
}

/* ---- passes with weights -----------------------------------------------------------------------
 */

enum { N = 3, D = 2, J = 3, COVARIATES = 1, FEATURES = 2 };

struct subject {
  struct rig rig;
  struct diffusion transition;
  ssk_weight z, mean, logvar, past; /* declared as weights, to have gradients */
};

/* x + flip(x) W: the simplest mixer that mixes. */
struct flip_mixer {
  struct ssk_dense dense;
};
static int flip_build(void *self, ssk_builder *b, int width) {
  struct flip_mixer *mixer = self;
  mixer->dense = ssk_dense_build(b, "flip", width, width, SSK_TANH, SSK_INIT_UNIFORM, 1);
  return ssk_build_code(b);
}
static ssk_tensor *flip_run(const void *self, const struct ssk_ctx *ctx, ssk_tensor *x,
                            bool causal) {
  const struct flip_mixer *mixer = self;
  (void)causal;
  return ssk_add(ctx->tape, x, ssk_dense_run(ctx, mixer->dense, ssk_flip(ctx->tape, x)));
}
static const struct ssk_mixer_ops flip_ops = {
    .size = sizeof flip_ops, .build = flip_build, .run = flip_run};
static const struct ssk_component flip_component = {.size = sizeof flip_component,
                                                    .kind = SSK_MIXER,
                                                    .self_size = sizeof(struct flip_mixer),
                                                    .ops = &flip_ops};

static struct mlp small_mlp = {.hidden = 5, .blocks = 2, .embedding = 6, .highest_frequency = 32};
static struct flip_mixer nothing;
static struct ssk_instance over_time = {&flip_component, &nothing, "t.denoiser.time"};
static struct ssk_instance over_features = {&flip_component, &nothing, "t.denoiser.feature"};
static struct csdi small_csdi = {.channels = 6,
                                 .layers = 2,
                                 .embedding = 6,
                                 .feature_embedding = 3,
                                 .highest_frequency = 32,
                                 .time = &over_time,
                                 .feature = &over_features};
static struct ssk_instance mlp_instance = {&mlp_component, &small_mlp, "t.denoiser"};
static struct ssk_instance csdi_instance = {&csdi_component, &small_csdi, "t.denoiser"};

static struct subject *subject_new(struct diffusion transition) {
  struct subject *s = calloc(1, sizeof *s);
  s->transition = transition;
  rig_open(&s->rig, (struct ssk_dims){.d = D, .j = J, .V = COVARIATES, .F = FEATURES, .T = J + 2});
  cr_assert_eq(diffusion_init(&s->transition, s->rig.err), SSK_OK);
  s->z = ssk_declare(&s->rig.b, "z", SSK_SHAPE(N, D), SSK_INIT_NORMAL, 1, SSK_DECAY);
  s->mean = ssk_declare(&s->rig.b, "mean", SSK_SHAPE(N, D), SSK_INIT_NORMAL, 1, SSK_DECAY);
  s->logvar = ssk_declare(&s->rig.b, "logvar", SSK_SHAPE(N, D), SSK_INIT_NORMAL, 1, SSK_DECAY);
  s->past = ssk_declare(&s->rig.b, "past", SSK_SHAPE(N, J * D), SSK_INIT_NORMAL, 1, SSK_DECAY);
  diffusion_build(&s->transition, &s->rig.b, &s->rig.dims);
  rig_start(&s->rig, N, 0.3);
  return s;
}

static void subject_free(struct subject *s) {
  diffusion_done(&s->transition);
  rig_close(&s->rig);
  free(s);
}

static ssk_tensor *constants(struct subject *s, const char *purpose, int width) {
  return ssk_ctx_normal(&s->rig.ctx, purpose, 0, SSK_SHAPE(N, width));
}

/* Rows with everything that rows may have: padding, covariates, time. */
static struct ssk_rows begin(struct subject *s) {
  rig_begin(&s->rig);
  struct ssk_rows rows = {.size = sizeof rows,
                          .n = N,
                          .past = ssk_use(&s->rig.ctx, s->past),
                          .pad = ssk_full(s->rig.ctx.tape, SSK_SHAPE(N, J), 0),
                          .u = constants(s, "u", COVARIATES),
                          .time = constants(s, "time", FEATURES),
                          .z = ssk_use(&s->rig.ctx, s->z),
                          .mean = ssk_use(&s->rig.ctx, s->mean),
                          .logvar = ssk_use(&s->rig.ctx, s->logvar)};
  rows.pad->data[0] = 1;
  return rows;
}

static struct diffusion tracked(struct ssk_instance *denoiser) {
  struct diffusion self = defaults(denoiser);
  self.levels = 16;
  self.draws = 3;
  self.sigma_data_mode = SIGMA_DATA_GLOBAL;
  self.sigma_data = 0.5;
  self.sigma_data_decay = 0.9;
  self.baseline = BASELINE_PERSISTENCE;
  return self;
}

Test(diffusion, persistence_only_moves_the_origin) {
  struct diffusion self =
      defaults(&(struct ssk_instance){&exact_component, &(struct exact_denoiser){1}, "t.denoiser"});
  struct subject *s = subject_new(self);
  struct ssk_rows rows = begin(s);
  double centred[N];
  ssk_tensor *rate = diffusion_rate(&s->transition, &s->rig.ctx, &rows);
  for (int i = 0; i < N; i++)
    centred[i] = (double)rate->data[i];
  rows = begin(s);
  s->transition.baseline = BASELINE_PERSISTENCE;
  ssk_tensor *newest = ssk_cols(s->rig.ctx.tape, rows.past, (J - 1) * D, D);
  rows.z = ssk_add(s->rig.ctx.tape, rows.z, newest);
  rows.mean = ssk_add(s->rig.ctx.tape, rows.mean, newest);
  rate = diffusion_rate(&s->transition, &s->rig.ctx, &rows);
  for (int i = 0; i < N; i++)
    cr_assert_float_eq(rate->data[i], centred[i], 1e-3 * (1 + fabs(centred[i])));
  subject_free(s);
}

/* The sampler sees D of the centred latent; the baseline is added to what it returns. */
Test(diffusion, drawing_uses_the_denoiser_and_the_baseline) {
  struct diffusion self = defaults(
      &(struct ssk_instance){&exact_component, &(struct exact_denoiser){0.6}, "t.denoiser"});
  self.sigma_data = 0.6;
  self.baseline = BASELINE_PERSISTENCE;
  struct subject *s = subject_new(self);
  struct ssk_rows rows = begin(s);
  ssk_tensor *z = diffusion_sample(&s->transition, &s->rig.ctx, &rows);
  double s2 = pow(test_sigma(NULL, 0.5), 2), clean = (v * 2 + s2 * m) / (v + s2);
  for (int i = 0; i < N; i++)
    for (int k = 0; k < D; k++)
      cr_assert_float_eq(z->data[i * D + k],
                         clean + (double)rows.past->data[i * J * D + (J - 1) * D + k], 1e-5);
  cr_assert_eq(diffusion_evaluations(&s->transition), 128);
  subject_free(s);
}

/* The statistic gets mean (z - b)^2 relative to its start, and the tracked scale is its root;
 * calling rate twice in a pass must not double it. */
Test(diffusion, sigma_data_is_tracked) {
  struct subject *s = subject_new(tracked(&mlp_instance));
  cr_assert_float_eq(sigma_data_now(&s->transition, &s->rig.ctx), 0.5, 1e-6);
  struct ssk_rows rows = begin(s);
  double square = 0;
  for (int i = 0; i < N; i++)
    for (int k = 0; k < D; k++)
      square += pow((double)rows.z->data[i * D + k] -
                        (double)rows.past->data[i * J * D + (J - 1) * D + k],
                    2) /
                (N * D);
  diffusion_rate(&s->transition, &s->rig.ctx, &rows);
  diffusion_rate(&s->transition, &s->rig.ctx, &rows);
  const struct ssk_slice *slice = &s->rig.b.layout.slice[s->transition.tracked - 1];
  for (int i = 0; i < 2; i++) /* as after a step with decay 0 */
    s->rig.weights.values[slice->offset + (size_t)i] =
        s->rig.ctx.gradient[slice->offset + (size_t)i];
  cr_assert_float_eq(sigma_data_now(&s->transition, &s->rig.ctx), sqrt(square), 1e-5);
  subject_free(s);
}

/* Of three rows, the first is of step J, the others of the next: each step has the scale of its own
 * latents, whatever has ended before it does not count, and what the passes do beyond the training
 * windows has the scale of their last step. */
Test(diffusion, sigma_data_is_tracked_for_each_step) {
  struct diffusion self = tracked(&mlp_instance);
  self.sigma_data_mode = SIGMA_DATA_PER_T;
  self.baseline = BASELINE_ZERO;
  struct subject *s = subject_new(self);
  struct ssk_rows rows = begin(s);
  rows.step = J;
  rows.width = 1;
  rows.alive = ssk_full(s->rig.ctx.tape, SSK_SHAPE(N), 1);
  rows.alive->data[2] = 0;
  diffusion_rate(&s->transition, &s->rig.ctx, &rows);
  rig_fine(&s->rig);
  const struct ssk_slice *slice = &s->rig.b.layout.slice[s->transition.tracked - 1];
  cr_assert_eq(slice->count, 4);
  for (int i = 0; i < 4; i++) /* as after a step with decay 0 */
    s->rig.weights.values[slice->offset + (size_t)i] =
        s->rig.ctx.gradient[slice->offset + (size_t)i];
  double square[2] = {0};
  for (int i = 0; i < 2 * D; i++)
    square[i / D] += (double)rows.z->data[i] * (double)rows.z->data[i] / D;
  const int steps[] = {0, J, J + 1, 1000};
  for (int i = 0; i < 4; i++)
    cr_assert_float_eq(sigma_data_at(&s->transition, &s->rig.ctx, steps[i]), sqrt(square[i / 2]),
                       1e-5, "step %d", steps[i]);
  cr_assert_float_eq(sigma_data_now(&s->transition, &s->rig.ctx), sqrt((square[0] + square[1]) / 2),
                     1e-5);
  subject_free(s);
}

/* The rate of rows of several steps is that of each step's rows with its own scale, given for all:
 * a bound does not depend on sigma_data, but the estimate at a network does. */
Test(diffusion, each_row_has_the_scale_of_its_step) {
  for (int objective = 0; objective < 3; objective++) {
    struct diffusion self = tracked(&mlp_instance);
    self.objective = objective;
    self.proposal = PROPOSAL_UNIFORM; /* which does not look at the scale */
    self.sigma_data_mode = SIGMA_DATA_PER_T;
    struct subject *s = subject_new(self);
    const struct ssk_slice *slice = &s->rig.b.layout.slice[s->transition.tracked - 1];
    const ssk_real squares[] = {1, 4}; /* over the start's: scales 0.5 and 1 */
    for (size_t i = 0; i < 2; i++) {
      s->rig.weights.values[slice->offset + 2 * i] = squares[i];
      s->rig.weights.values[slice->offset + 2 * i + 1] = 1;
    }
    struct ssk_rows rows = begin(s);
    rows.step = J;
    rows.width = 2;
    double mixed[N];
    const ssk_tensor *rate = diffusion_rate(&s->transition, &s->rig.ctx, &rows);
    for (int i = 0; i < N; i++)
      mixed[i] = (double)rate->data[i];
    for (int step = 0; step < 2; step++) {
      rows = begin(s);
      rows.step = J + step;
      rate = diffusion_rate(&s->transition, &s->rig.ctx, &rows);
      rig_fine(&s->rig);
      for (int i = 0; i < N; i++)
        cr_assert((fabs((double)rate->data[i] - mixed[i]) < 1e-5 * (1 + fabs(mixed[i]))) ==
                      (step == i / 2),
                  "%s, row %d: %g, all of step %d: %g", objectives[objective], i, mixed[i],
                  J + step, (double)rate->data[i]);
    }
    subject_free(s);
  }
}

/* The same level embedded once or for each row: equal results. */
Test(diffusion, rows_of_equal_level_agree) {
  struct ssk_instance *denoisers[] = {&mlp_instance, &csdi_instance};
  for (int i = 0; i < 2; i++) {
    struct subject *s = subject_new(tracked(denoisers[i]));
    struct ssk_noisy noisy = {.size = sizeof noisy, .cond = begin(s), .M = 2};
    noisy.noisy = ssk_full(s->rig.ctx.tape, SSK_SHAPE(2 * N, D), (ssk_real)0.3);
    noisy.c_noise = ssk_full(s->rig.ctx.tape, SSK_SHAPE(2 * N), (ssk_real)-0.7);
    noisy.c_noise->data[3] = (ssk_real)0.4;
    ssk_tensor *out = ssk_denoiser_run(denoisers[i], &s->rig.ctx, &noisy);
    rig_fine(&s->rig);
    cr_assert_eq(out->shape[0], 2 * N);
    cr_assert_eq(out->shape[1], D);
    for (int k = 0; k < D; k++) {
      cr_assert_eq(out->data[0 * D + k], out->data[1 * D + k], "copies of row 0");
      cr_assert_neq(out->data[2 * D + k], out->data[3 * D + k], "levels differ");
      cr_assert_neq(out->data[0 * D + k], out->data[2 * D + k], "conditions differ");
    }
    subject_free(s);
  }
}

#ifdef SSK_DOUBLE
static double loss(struct subject *s, bool backward) {
  struct ssk_rows rows = begin(s);
  ssk_tape *tape = s->rig.ctx.tape;
  ssk_tensor *rate = diffusion_rate(&s->transition, &s->rig.ctx, &rows);
  ssk_tensor *sum = ssk_sum_all(
      tape,
      ssk_mul(tape, rate, ssk_ctx_normal(&s->rig.ctx, "weights of the loss", 0, SSK_SHAPE(N))));
  rig_fine(&s->rig);
  if (backward) {
    memset(s->rig.ctx.gradient, 0, s->rig.b.layout.total * sizeof(ssk_real));
    cr_assert_eq(ssk_backward(tape, sum, 1), SSK_OK);
  }
  return sum->data[0];
}

static void check_gradient(struct ssk_instance *denoiser, enum objective objective) {
  struct diffusion self = tracked(denoiser);
  self.objective = objective;
  struct subject *s = subject_new(self);
  loss(s, true);
  for (int k = 0; k < s->rig.b.layout.n; k++) {
    const struct ssk_slice *slice = &s->rig.b.layout.slice[k];
    double size = 0;
    for (size_t i = 0; i < slice->count && !(slice->flags & SSK_STATISTIC); i++) {
      double *value = &s->rig.weights.values[slice->offset + i], before = *value, h = 2e-5;
      double analytic = s->rig.ctx.gradient[slice->offset + i];
      *value = before + h;
      double above = loss(s, false);
      *value = before - h;
      double numeric = (above - loss(s, false)) / (2 * h);
      *value = before;
      size += fabs(analytic);
      cr_assert_float_eq(analytic, numeric, 1e-6 * fmax(1, fabs(numeric)), "%s[%zu]: %.10g, %.10g",
                         slice->name, i, analytic, numeric);
    }
    bool unused = objective == OBJECTIVE_ESM && k + 1 == s->z; /* the moments stand for it */
    cr_assert(unused == (size == 0) || (slice->flags & SSK_STATISTIC), "%s: gradient of size %g",
              slice->name, size);
  }
  subject_free(s);
}

Test(diffusion, gradient_with_mlp) {
  check_gradient(&mlp_instance, OBJECTIVE_DISCRETE);
}
Test(diffusion, gradient_with_csdi) {
  check_gradient(&csdi_instance, OBJECTIVE_DISCRETE);
}
Test(diffusion, gradient_of_score_matching) {
  check_gradient(&mlp_instance, OBJECTIVE_ESM);
}
Test(diffusion, gradient_of_denoising_in_continuous_time) {
  check_gradient(&mlp_instance, OBJECTIVE_DSM);
}

/* The factor is on what reaches the encoder, and on nothing else: 0 stops it. */
Test(diffusion, gradient_into_the_encoder_is_scaled) {
  const double factors[] = {1, 0.5, 0};
  for (int objective = 0; objective < 3; objective++) {
    double sums[3][2] = {{0}};
    for (int i = 0; i < 3; i++) {
      struct diffusion self = tracked(&mlp_instance);
      self.objective = objective;
      self.encoder_gradient = factors[i];
      struct subject *s = subject_new(self);
      loss(s, true);
      for (int k = 0; k < s->rig.b.layout.n; k++) {
        const struct ssk_slice *slice = &s->rig.b.layout.slice[k];
        bool encoder = k < 4; /* z, mean, logvar, past */
        for (size_t e = 0; e < slice->count && !(slice->flags & SSK_STATISTIC); e++)
          sums[i][encoder] += fabs((double)s->rig.ctx.gradient[slice->offset + e]);
      }
      subject_free(s);
      cr_expect_float_eq(sums[i][0], sums[0][0], 1e-9 * sums[0][0]);
      cr_expect_float_eq(sums[i][1], factors[i] * sums[0][1], 1e-9 * sums[0][1]);
    }
    cr_expect(sums[0][0] > 0 && sums[0][1] > 0);
  }
}
#endif
