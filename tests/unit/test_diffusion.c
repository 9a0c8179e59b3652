/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_diffusion.c - the diffusion transition: its bound against closed forms, its level sampling,
 * its gradients.
 *
 * The model density is N(m, v); its exact denoiser is known, D(x; sigma) = (v x + sigma^2 m)/(v +
 * sigma^2), and stands in for a trained one. Plugins are compiled into the test. */
#include "core/arena.h"
#include "model/store.h"
#include <criterion/criterion.h>
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

/* The case of identity 3: model N(0.7, 0.5), encoder N(-0.3, 0.2). */
static const double m = 0.7, v = 0.5, q_mean = -0.3, q_var = 0.2;
static const double log_two_pi = 1.83787706640934548356;

static double cross_entropy(double mean, double var) {
  return 0.5 * (log_two_pi + log(v) + (var + (mean - m) * (mean - m)) / v);
}
static double entropy(double var) {
  return 0.5 * (1 + log_two_pi + log(var));
}

static double karras(double lowest, double highest, double u) {
  double a = pow(lowest, 1 / 7.0), b = pow(highest, 1 / 7.0);
  return pow(a + u * (b - a), 7);
}
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

struct exact_denoiser {
  double sigma_data;
};

static int exact_build(void *self, ssk_builder *b, const struct ssk_dims *dims) {
  (void)self, (void)b, (void)dims;
  return SSK_OK;
}

/* F = (D - c_skip x)/c_out with x = noisy/c_in; the persistence baseline has been taken off. */
static ssk_tensor *exact_run(const void *self, const struct ssk_ctx *ctx,
                             const struct ssk_noisy *in) {
  const struct exact_denoiser *denoiser = self;
  ssk_tensor *F = ssk_empty(ctx->tape, 2, in->noisy->shape);
  int d = ssk_width(F);
  for (size_t i = 0; i < F->count; i++) {
    double sigma = exp(4 * (double)in->c_noise->data[i / (size_t)d]);
    struct precondition c = precondition(sigma, denoiser->sigma_data);
    double x = (double)in->noisy->data[i] / c.c_in;
    double clean = (v * x + sigma * sigma * m) / (v + sigma * sigma);
    F->data[i] = (ssk_real)((clean - c.c_skip * x) / c.c_out);
  }
  return F;
}
static const struct ssk_denoiser_ops exact_ops = {
    .size = sizeof exact_ops, .build = exact_build, .run = exact_run};
static const struct ssk_component exact_component = {
    .size = sizeof exact_component, .kind = SSK_DENOISER, .name = "exact", .ops = &exact_ops};

static double test_sigma(const void *self, double u) {
  (void)self;
  return karras(0.002, 80, u);
}
static const struct ssk_schedule_ops test_schedule_ops = {.size = sizeof test_schedule_ops,
                                                          .sigma = test_sigma};
static const struct ssk_component test_schedule = {
    .size = sizeof test_schedule, .kind = SSK_SCHEDULE, .ops = &test_schedule_ops};
static struct ssk_instance schedule_instance = {.component = &test_schedule, .path = "t.schedule"};

/* One ancestral-like step from a known level: enough to see what a transition hands to its sampler.
 */
static ssk_tensor *one_step(const void *self, const struct ssk_ctx *ctx,
                            const struct ssk_sampling *problem) {
  (void)self;
  ssk_tensor *x = ssk_full(ctx->tape, SSK_SHAPE(problem->n, problem->d), 2);
  return problem->denoise(problem, ctx, x, problem->sigma(problem, 0.5));
}
static int one_evaluation(const void *self, int levels) {
  (void)self;
  return levels;
}
static const struct ssk_sampler_ops test_sampler_ops = {
    .size = sizeof test_sampler_ops, .run = one_step, .evaluations = one_evaluation};
static const struct ssk_component test_sampler = {
    .size = sizeof test_sampler, .kind = SSK_SAMPLER, .ops = &test_sampler_ops};
static struct ssk_instance sampler_instance = {.component = &test_sampler, .path = "t.sampler"};

static struct diffusion defaults(struct ssk_instance *denoiser) {
  return (struct diffusion){.levels = 128,
                            .schedule = &schedule_instance,
                            .denoiser = denoiser,
                            .sampler = &sampler_instance,
                            .baseline = BASELINE_ZERO,
                            .draws = 4,
                            .evaluation_draws = 4,
                            .proposal = PROPOSAL_ADAPTIVE,
                            .draw_mode = DRAW_STRATIFIED,
                            .power = 1,
                            .uniform_part = 0.1,
                            .sigma_data = 1};
}

/* Moments of the mean of one shard's rates over many shards. */
struct moments {
  double mean, variance;
};
enum { SHARDS = 400, ROWS = 64 };

static struct moments shard_means(struct diffusion self) {
  struct exact_denoiser exact = {self.sigma_data};
  struct ssk_instance denoiser = {&exact_component, &exact, "t.denoiser"};
  self.denoiser = &denoiser;
  cr_assert_eq(diffusion_init(&self, NULL), SSK_OK);
  ssk_tape *tape = ssk_tape_new(NULL);
  struct ssk_dims dims = {.size = sizeof dims, .d = 1, .j = 1};
  struct ssk_ctx ctx = {.size = sizeof ctx, .tape = tape, .dims = &dims, .path = "t", .seed = 5};
  double sum = 0, squares = 0;
  for (int s = 0; s < SHARDS; s++) {
    ssk_tape_reset(tape);
    ctx.step = (uint32_t)s;
    ssk_tensor *mean = ssk_full(tape, SSK_SHAPE(ROWS, 1), (ssk_real)q_mean);
    ssk_tensor *logvar = ssk_full(tape, SSK_SHAPE(ROWS, 1), (ssk_real)log(q_var));
    ssk_tensor *noise = ssk_ctx_normal(&ctx, "z", 0, SSK_SHAPE(ROWS, 1));
    struct ssk_rows rows = {.size = sizeof rows,
                            .n = ROWS,
                            .past = ssk_full(tape, SSK_SHAPE(ROWS, 1), 0),
                            .z = ssk_reparam(tape, (struct ssk_gaussian){mean, logvar}, noise),
                            .mean = mean,
                            .logvar = logvar};
    ssk_tensor *rate = diffusion_rate(&self, &ctx, &rows);
    cr_assert_eq(ssk_tape_code(tape), SSK_OK);
    double shard = 0;
    for (int i = 0; i < ROWS; i++)
      shard += (double)rate->data[i] / ROWS;
    sum += shard;
    squares += shard * shard;
  }
  ssk_tape_free(tape);
  diffusion_done(&self);
  double mean = sum / SHARDS;
  return (struct moments){mean, (squares / SHARDS - mean * mean) * SHARDS / (SHARDS - 1)};
}

/* Every mode estimates bound minus entropy without bias (|z| < 4 each, 24 z-tests). */
Test(diffusion, every_level_sampling_has_the_same_mean) {
  double sigma_datas[] = {1, 0.4};
  for (int i = 0; i < 24; i++) {
    struct diffusion self = defaults(NULL);
    self.variance = i % 2;
    self.draw_mode = i / 2 % 2;
    self.proposal = i / 4 % 3;
    self.sigma_data = sigma_datas[i / 12];
    double wanted = exact_bound(self.variance, 128, q_mean, q_var, 1) - entropy(q_var);
    struct moments got = shard_means(self);
    double z = (got.mean - wanted) / sqrt(got.variance / SHARDS);
    cr_assert_lt(fabs(z), 4, "variance %s, %s, %s, sigma_data %g: mean %g, wanted %g, z = %g",
                 variances[self.variance], draw_modes[self.draw_mode], proposals[self.proposal],
                 self.sigma_data, got.mean, wanted, z);
  }
}

Test(diffusion, importance_and_strata_lower_the_variance) {
  double variance[2][3];
  for (int i = 0; i < 6; i++) {
    struct diffusion self = defaults(NULL);
    self.draw_mode = i / 3;
    self.proposal = i % 3;
    variance[i / 3][i % 3] = shard_means(self).variance;
  }
  cr_assert_lt(variance[DRAW_IID][PROPOSAL_IMPORTANCE], 0.8 * variance[DRAW_IID][PROPOSAL_UNIFORM]);
  for (int proposal = 0; proposal < 3; proposal++)
    cr_assert_lt(variance[DRAW_STRATIFIED][proposal], variance[DRAW_IID][proposal],
                 "%s: %g stratified, %g iid", proposals[proposal],
                 variance[DRAW_STRATIFIED][proposal], variance[DRAW_IID][proposal]);
}

/* Each draw, looked at alone, has the distribution p in either mode (chi-square, 7 degrees of
 * freedom: 24.3 has probability 0.001). */
Test(diffusion, each_draw_has_the_proposal_as_marginal) {
  enum { K = 8, n = 3, M = 4, REPEATS = 20000 };
  double p[K] = {0.3, 0.02, 0.08, 0.1, 0.2, 0.05, 0.15, 0.1}, upto[K];
  for (int mode = 0; mode < 2; mode++) {
    double count[n * M][K] = {{0}};
    for (int r = 0; r < REPEATS; r++) {
      int level[n * M];
      ssk_rng rng = ssk_rng_open(11, "test", "levels", (uint32_t)r, 0);
      levels_draw(mode, &rng, K, p, 0, n, n, M, upto, level);
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
  for (int mode = 0; mode < 2; mode++) {
    ssk_rng fresh = ssk_rng_open(17, "test", "levels", 0, 0), rng = fresh;
    int whole[TOTAL * M], part[TOTAL * M];
    levels_draw(mode, &rng, K, p, 0, TOTAL, TOTAL, M, upto, whole);
    for (int first = 0, n = 1; first < TOTAL; first += n, n = n + 4) {
      n = n < TOTAL - first ? n : TOTAL - first;
      rng = fresh;
      levels_draw(mode, &rng, K, p, first, n, TOTAL, M, upto, part);
      cr_expect_arr_eq(part, whole + first * M, (size_t)(n * M) * sizeof *part, "%s, rows from %d",
                       draw_modes[mode], first);
    }
  }
}

/* ---- passes with weights -----------------------------------------------------------------------
 */

enum { N = 3, D = 2, J = 2, COVARIATES = 1, FEATURES = 2 };

struct rig {
  struct ssk_arena arena;
  ssk_err *err;
  ssk_builder b;
  struct ssk_weights weights;
  struct ssk_dims dims;
  struct ssk_ctx ctx;
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
static struct csdi small_csdi = {.channels = 4,
                                 .layers = 2,
                                 .embedding = 6,
                                 .feature_embedding = 3,
                                 .highest_frequency = 32,
                                 .time = &over_time,
                                 .feature = &over_features};
static struct ssk_instance mlp_instance = {&mlp_component, &small_mlp, "t.denoiser"};
static struct ssk_instance csdi_instance = {&csdi_component, &small_csdi, "t.denoiser"};

static struct rig *rig_new(struct diffusion transition) {
  struct rig *r = calloc(1, sizeof *r);
  r->err = ssk_err_new();
  r->transition = transition;
  r->dims =
      (struct ssk_dims){.size = sizeof r->dims, .d = D, .j = J, .V = COVARIATES, .F = FEATURES};
  r->b = (ssk_builder){.arena = &r->arena, .err = r->err};
  cr_assert_eq(diffusion_init(&r->transition, r->err), SSK_OK);
  ssk_scope(&r->b, "test");
  r->z = ssk_declare(&r->b, "z", SSK_SHAPE(N, D), SSK_INIT_NORMAL, 1, SSK_DECAY);
  r->mean = ssk_declare(&r->b, "mean", SSK_SHAPE(N, D), SSK_INIT_NORMAL, 1, SSK_DECAY);
  r->logvar = ssk_declare(&r->b, "logvar", SSK_SHAPE(N, D), SSK_INIT_NORMAL, 1, SSK_DECAY);
  r->past = ssk_declare(&r->b, "past", SSK_SHAPE(N, J * D), SSK_INIT_NORMAL, 1, SSK_DECAY);
  cr_assert_eq(diffusion_build(&r->transition, &r->b, &r->dims), SSK_OK, "%s",
               ssk_err_message(r->err, 0));
  const struct ssk_layout *layout = &r->b.layout;
  r->weights = (struct ssk_weights){layout, calloc(layout->total, sizeof(ssk_real))};
  r->ctx = (struct ssk_ctx){.size = sizeof r->ctx,
                            .tape = ssk_tape_new(r->err),
                            .dims = &r->dims,
                            .training = true,
                            .share = 1,
                            .T = N,
                            .P = 1,
                            .seed = 2,
                            .path = "t",
                            .weights = &r->weights,
                            .gradient = calloc(layout->total, sizeof(ssk_real)),
                            .leaves = calloc((size_t)layout->n, sizeof(ssk_tensor))};
  ssk_layout_initialise(layout, 7, r->weights.values);
  ssk_rng rng = ssk_rng_open(3, "scatter", NULL, 0, 0); /* zeros would hide errors */
  for (int k = 0; k < layout->n; k++)
    for (size_t i = 0; i < layout->slice[k].count; i++)
      if (!(layout->slice[k].flags & SSK_STATISTIC))
        r->weights.values[layout->slice[k].offset + i] += (ssk_real)(0.3 * ssk_rng_normal(&rng));
  return r;
}

static void rig_free(struct rig *r) {
  diffusion_done(&r->transition);
  ssk_tape_free(r->ctx.tape);
  free(r->ctx.leaves);
  free(r->ctx.gradient);
  free(r->weights.values);
  ssk_layout_free(&r->b.layout);
  ssk_arena_free(&r->arena);
  ssk_err_free(r->err);
  free(r);
}

static ssk_tensor *constants(struct rig *r, const char *purpose, int width) {
  return ssk_ctx_normal(&r->ctx, purpose, 0, SSK_SHAPE(N, width));
}

/* Rows with everything that rows may have: padding, covariates, time. */
static struct ssk_rows begin(struct rig *r) {
  ssk_tape_reset(r->ctx.tape);
  memset(r->ctx.leaves, 0, (size_t)r->b.layout.n * sizeof *r->ctx.leaves);
  struct ssk_rows rows = {.size = sizeof rows,
                          .n = N,
                          .past = ssk_use(&r->ctx, r->past),
                          .pad = ssk_full(r->ctx.tape, SSK_SHAPE(N, J), 0),
                          .u = constants(r, "u", COVARIATES),
                          .time = constants(r, "time", FEATURES),
                          .z = ssk_use(&r->ctx, r->z),
                          .mean = ssk_use(&r->ctx, r->mean),
                          .logvar = ssk_use(&r->ctx, r->logvar)};
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
  struct rig *r = rig_new(self);
  struct ssk_rows rows = begin(r);
  double centred[N];
  ssk_tensor *rate = diffusion_rate(&r->transition, &r->ctx, &rows);
  for (int i = 0; i < N; i++)
    centred[i] = (double)rate->data[i];
  rows = begin(r);
  r->transition.baseline = BASELINE_PERSISTENCE;
  ssk_tensor *newest = ssk_cols(r->ctx.tape, rows.past, (J - 1) * D, D);
  rows.z = ssk_add(r->ctx.tape, rows.z, newest);
  rows.mean = ssk_add(r->ctx.tape, rows.mean, newest);
  rate = diffusion_rate(&r->transition, &r->ctx, &rows);
  for (int i = 0; i < N; i++)
    cr_assert_float_eq(rate->data[i], centred[i], 1e-3 * (1 + fabs(centred[i])));
  rig_free(r);
}

/* The sampler sees D of the centred latent; the baseline is added to what it returns. */
Test(diffusion, drawing_uses_the_denoiser_and_the_baseline) {
  struct diffusion self = defaults(
      &(struct ssk_instance){&exact_component, &(struct exact_denoiser){0.6}, "t.denoiser"});
  self.sigma_data = 0.6;
  self.baseline = BASELINE_PERSISTENCE;
  struct rig *r = rig_new(self);
  struct ssk_rows rows = begin(r);
  ssk_tensor *z = diffusion_sample(&r->transition, &r->ctx, &rows);
  double s2 = pow(test_sigma(NULL, 0.5), 2), clean = (v * 2 + s2 * m) / (v + s2);
  for (int i = 0; i < N; i++)
    for (int k = 0; k < D; k++)
      cr_assert_float_eq(z->data[i * D + k],
                         clean + (double)rows.past->data[i * J * D + (J - 1) * D + k], 1e-5);
  cr_assert_eq(diffusion_evaluations(&r->transition), 128);
  rig_free(r);
}

/* The statistic gets mean (z - b)^2 relative to its start, and the tracked scale is its root;
 * calling rate twice in a pass must not double it. */
Test(diffusion, sigma_data_is_tracked) {
  struct rig *r = rig_new(tracked(&mlp_instance));
  cr_assert_float_eq(sigma_data_now(&r->transition, &r->ctx), 0.5, 1e-6);
  struct ssk_rows rows = begin(r);
  double square = 0;
  for (int i = 0; i < N; i++)
    for (int k = 0; k < D; k++)
      square += pow((double)rows.z->data[i * D + k] -
                        (double)rows.past->data[i * J * D + (J - 1) * D + k],
                    2) /
                (N * D);
  diffusion_rate(&r->transition, &r->ctx, &rows);
  diffusion_rate(&r->transition, &r->ctx, &rows);
  const struct ssk_slice *slice = &r->b.layout.slice[r->transition.tracked - 1];
  for (int i = 0; i < 2; i++) /* as after a step with decay 0 */
    r->weights.values[slice->offset + (size_t)i] = r->ctx.gradient[slice->offset + (size_t)i];
  cr_assert_float_eq(sigma_data_now(&r->transition, &r->ctx), sqrt(square), 1e-5);
  rig_free(r);
}

/* The same level embedded once or for each row: equal results. */
Test(diffusion, rows_of_equal_level_agree) {
  struct ssk_instance *denoisers[] = {&mlp_instance, &csdi_instance};
  for (int i = 0; i < 2; i++) {
    struct rig *r = rig_new(tracked(denoisers[i]));
    struct ssk_noisy noisy = {.size = sizeof noisy, .cond = begin(r), .M = 2};
    noisy.noisy = ssk_full(r->ctx.tape, SSK_SHAPE(2 * N, D), (ssk_real)0.3);
    noisy.c_noise = ssk_full(r->ctx.tape, SSK_SHAPE(2 * N), (ssk_real)-0.7);
    noisy.c_noise->data[3] = (ssk_real)0.4;
    ssk_tensor *out = ssk_denoiser_run(denoisers[i], &r->ctx, &noisy);
    cr_assert_eq(ssk_tape_code(r->ctx.tape), SSK_OK, "%s", ssk_err_message(r->err, 0));
    cr_assert_eq(out->shape[0], 2 * N);
    cr_assert_eq(out->shape[1], D);
    for (int k = 0; k < D; k++) {
      cr_assert_eq(out->data[0 * D + k], out->data[1 * D + k], "copies of row 0");
      cr_assert_neq(out->data[2 * D + k], out->data[3 * D + k], "levels differ");
      cr_assert_neq(out->data[0 * D + k], out->data[2 * D + k], "conditions differ");
    }
    rig_free(r);
  }
}

#ifdef SSK_DOUBLE
static double loss(struct rig *r, bool backward) {
  struct ssk_rows rows = begin(r);
  ssk_tape *tape = r->ctx.tape;
  ssk_tensor *rate = diffusion_rate(&r->transition, &r->ctx, &rows);
  ssk_tensor *sum = ssk_sum_all(
      tape, ssk_mul(tape, rate, ssk_ctx_normal(&r->ctx, "weights of the loss", 0, SSK_SHAPE(N))));
  cr_assert_eq(ssk_tape_code(tape), SSK_OK, "%s", ssk_err_message(r->err, 0));
  if (backward) {
    memset(r->ctx.gradient, 0, r->b.layout.total * sizeof(ssk_real));
    cr_assert_eq(ssk_backward(tape, sum, 1), SSK_OK);
  }
  return sum->data[0];
}

static void check_gradient(struct ssk_instance *denoiser) {
  struct rig *r = rig_new(tracked(denoiser));
  loss(r, true);
  for (int k = 0; k < r->b.layout.n; k++) {
    const struct ssk_slice *slice = &r->b.layout.slice[k];
    double size = 0;
    for (size_t i = 0; i < slice->count && !(slice->flags & SSK_STATISTIC); i++) {
      double *value = &r->weights.values[slice->offset + i], before = *value, h = 2e-5;
      double analytic = r->ctx.gradient[slice->offset + i];
      *value = before + h;
      double above = loss(r, false);
      *value = before - h;
      double numeric = (above - loss(r, false)) / (2 * h);
      *value = before;
      size += fabs(analytic);
      cr_assert_float_eq(analytic, numeric, 1e-6 * fmax(1, fabs(numeric)), "%s[%zu]: %.10g, %.10g",
                         slice->name, i, analytic, numeric);
    }
    cr_assert(size > 0 || (slice->flags & SSK_STATISTIC), "%s has no gradient", slice->name);
  }
  rig_free(r);
}

Test(diffusion, gradient_with_mlp) {
  check_gradient(&mlp_instance);
}
Test(diffusion, gradient_with_csdi) {
  check_gradient(&csdi_instance);
}
#endif
