/* SPDX-License-Identifier: GPL-3.0-or-later */
/* exact_diffusion.h - for tests of the diffusion transition: the model density is N(m, v), whose
 * exact denoiser is known, D(x; sigma) = (v x + sigma^2 m)/(v + sigma^2), and stands in for a
 * trained one. Include after the transition's source. */
#ifndef TESTS_EXACT_DIFFUSION_H
#define TESTS_EXACT_DIFFUSION_H

#include "model/store.h"
#include <criterion/criterion.h>

/* What a pass over a transition whose denoiser has no weights knows. */
static const struct ssk_weights no_weights;

/* The case of identity 3: model N(0.7, 0.5), encoder N(-0.3, 0.2). */
static const double m = 0.7, v = 0.5, q_mean = -0.3, q_var = 0.2;
static const double log_two_pi = 1.83787706640934548356;

static inline double cross_entropy(double mean, double var) {
  return 0.5 * (log_two_pi + log(v) + (var + (mean - m) * (mean - m)) / v);
}
static inline double entropy(double var) {
  return 0.5 * (1 + log_two_pi + log(var));
}

static inline double karras(double lowest, double highest, double u) {
  double a = pow(lowest, 1 / 7.0), b = pow(highest, 1 / 7.0);
  return pow(a + u * (b - a), 7);
}
struct exact_denoiser {
  double sigma_data;
};

static inline int exact_build(void *self, ssk_builder *b, const struct ssk_dims *dims) {
  (void)self, (void)b, (void)dims;
  return SSK_OK;
}

/* F = (D - c_skip x)/c_out with x = noisy/c_in; the persistence baseline has been taken off. */
static inline ssk_tensor *exact_run(const void *self, const struct ssk_ctx *ctx,
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

static inline double test_sigma(const void *self, double u) {
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
static inline ssk_tensor *one_step(const void *self, const struct ssk_ctx *ctx,
                                   const struct ssk_sampling *problem) {
  (void)self;
  ssk_tensor *x = ssk_full(ctx->tape, SSK_SHAPE(problem->n, problem->d), 2);
  return problem->denoise(problem, ctx, x, problem->sigma(problem, 0.5));
}
static inline int one_evaluation(const void *self, int levels) {
  (void)self;
  return levels;
}
static const struct ssk_sampler_ops test_sampler_ops = {
    .size = sizeof test_sampler_ops, .run = one_step, .evaluations = one_evaluation};
static const struct ssk_component test_sampler = {
    .size = sizeof test_sampler, .kind = SSK_SAMPLER, .ops = &test_sampler_ops};
static struct ssk_instance sampler_instance = {.component = &test_sampler, .path = "t.sampler"};

static inline struct diffusion defaults(struct ssk_instance *denoiser) {
  return (struct diffusion){.levels = 128,
                            .schedule = &schedule_instance,
                            .denoiser = denoiser,
                            .sampler = &sampler_instance,
                            .baseline = BASELINE_ZERO,
                            .encoder_gradient = 1,
                            .draws = 4,
                            .evaluation_draws = 4,
                            .proposal = PROPOSAL_ADAPTIVE,
                            .draw_mode = DRAW_LOW_DISCREPANCY,
                            .power = 1,
                            .uniform_part = 0.1,
                            .sigma_data = 1,
                            .scales = 1,
                            .likelihood_tolerance = 1e-4};
}

/* Moments of the mean of one shard's rates over many shards. */
struct moments {
  double mean, variance;
};
enum { SHARDS = 400, ROWS = 64, MODES = 3, PROPOSALS = 3 };

static inline struct moments shard_means(struct diffusion self) {
  struct exact_denoiser exact = {self.sigma_data};
  struct ssk_instance denoiser = {&exact_component, &exact, "t.denoiser"};
  self.denoiser = &denoiser;
  cr_assert_eq(diffusion_init(&self, NULL), SSK_OK);
  ssk_tape *tape = ssk_tape_new(NULL);
  struct ssk_dims dims = {.size = sizeof dims, .d = 1, .j = 1};
  struct ssk_ctx ctx = {.size = sizeof ctx,
                        .tape = tape,
                        .dims = &dims,
                        .weights = &no_weights,
                        .path = "t",
                        .seed = 5};
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

#endif
