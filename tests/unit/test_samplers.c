/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_samplers.c - the samplers, given the exact denoiser, reproduce a two-component mixture.
 *
 * The plugins are compiled into the test: their tables of operations are called as the kernel does.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <sskit/plugin.h>
#include <stdlib.h>

#define ssk_plugin_entry entry_of_heun
#include "../../plugins/sampler/heun.c"
#undef ssk_plugin_entry
#define ssk_plugin_entry entry_of_euler
#include "../../plugins/sampler/euler.c"
#undef ssk_plugin_entry
#define ssk_plugin_entry entry_of_dpmpp_2m
#include "../../plugins/sampler/dpmpp_2m.c"
#undef ssk_plugin_entry
#define ssk_plugin_entry entry_of_unipc
#include "../../plugins/sampler/unipc.c"
#undef ssk_plugin_entry
#define ssk_plugin_entry entry_of_ancestral
#include "../../plugins/sampler/ancestral.c"
#undef ssk_plugin_entry
#define ssk_plugin_entry entry_of_karras
#include "../../plugins/schedule/karras.c"
#undef ssk_plugin_entry

/* The bimodal series' predictive: modes at +-4 with deviation 0.2 (weights one half). */
enum { SAMPLES = 4096, BINS = 300 };
static const double mode = 4, deviation = 0.2, from = -10, to = 10;

static ssk_tensor *exact(const struct ssk_sampling *problem, const struct ssk_ctx *ctx,
                         ssk_tensor *x, double sigma) {
  double v = deviation * deviation, s2 = sigma * sigma, total = v + s2;
  ssk_tensor *out = ssk_empty(ctx->tape, SSK_SHAPE(problem->n, problem->d));
  for (size_t i = 0; i < x->count; i++) {
    double at = (double)x->data[i], right = 1 / (1 + exp(-2 * mode * at / total));
    out->data[i] = (ssk_real)((v * at + s2 * mode * (2 * right - 1)) / total);
  }
  return out;
}

static const struct karras karras_levels = {.range = {0.002, 80}, .rho = 7};

static double karras_of(const struct ssk_sampling *problem, double u) {
  return karras_sigma(problem->state, u);
}

/* Jensen-Shannon divergence of the samples' histogram from the mixture's bin masses. */
static double divergence(int n, const ssk_real *x) {
  double count[BINS] = {0}, sum = 0, width = (to - from) / BINS;
  for (int i = 0; i < n; i++) {
    double bin = floor(((double)x[i] - from) / width);
    if (bin >= 0 && bin < BINS)
      count[(int)bin] += 1.0 / n;
  }
  for (int b = 0; b < BINS; b++) {
    double low = from + b * width, mass = 0, p = fmax(count[b], 1e-12);
    for (int side = -1; side <= 1; side += 2) {
      double z = (low - side * mode) / deviation;
      mass += 0.25 * (erf((z + width / deviation) / sqrt(2)) - erf(z / sqrt(2)));
    }
    double q = fmax(mass, 1e-12), middle = (p + q) / 2;
    sum += 0.5 * (p * log(p / middle) + q * log(q / middle));
  }
  return sum;
}

/* What the same number of exact samples scores. */
static double finite_sample_floor(void) {
  ssk_rng rng = ssk_rng_open(1, "test", "floor", 0, 0);
  ssk_real *x = malloc(SAMPLES * sizeof *x);
  for (int i = 0; i < SAMPLES; i++)
    x[i] = (ssk_real)(mode * ssk_rng_sign(&rng) + deviation * ssk_rng_normal(&rng));
  double floor = divergence(SAMPLES, x);
  free(x);
  return floor;
}

static double sampled_divergence(const struct ssk_sampler_ops *ops, const void *self, int levels) {
  ssk_tape *tape = ssk_tape_new(NULL);
  struct ssk_dims dims = {.size = sizeof dims, .d = 1, .j = 1};
  struct ssk_ctx ctx = {.size = sizeof ctx, .tape = tape, .dims = &dims, .seed = 3, .path = "test"};
  struct ssk_sampling problem = {.size = sizeof problem,
                                 .n = SAMPLES,
                                 .d = 1,
                                 .sigma_min = karras_levels.range.sigma_min,
                                 .sigma_max = karras_levels.range.sigma_max,
                                 .sigma_data = hypot(mode, deviation),
                                 .sigma = karras_of,
                                 .levels = levels,
                                 .denoise = exact,
                                 .state = &karras_levels};
  ssk_tape_record(tape, false);
  ssk_tensor *x = ops->run(self, &ctx, &problem);
  cr_assert_eq(ssk_tape_code(tape), SSK_OK);
  double score = divergence(SAMPLES, x->data);
  ssk_tape_free(tape);
  return score;
}

static void check_reproduces(const char *what, const struct ssk_sampler_ops *ops,
                             const void *self) {
  double score = sampled_divergence(ops, self, 128), floor = finite_sample_floor();
  cr_assert_leq(score, 2 * floor, "%s: JSD %g, twice the finite-sample floor is %g", what, score,
                2 * floor);
}

/* Defaults as in the tables of parameters. */
static const struct heun heun_default = {
    .steps = 18, .grid = {.rho = 7}, .churn_min = 0.05, .churn_max = 50, .s_noise = 1.003};

Test(samplers, heun_reproduces_a_mixture) {
  check_reproduces("heun", &heun_ops, &heun_default);
}

Test(samplers, heun_with_churn_reproduces_a_mixture) {
  struct heun churned = heun_default;
  churned.steps = 64;
  churned.churn = 30;
  check_reproduces("heun with churn", &heun_ops, &churned);
}

Test(samplers, heun_on_the_schedule_reproduces_a_mixture) {
  struct heun scheduled = heun_default;
  scheduled.grid.spacing = GRID_SCHEDULE;
  check_reproduces("heun on the schedule", &heun_ops, &scheduled);
}

static const struct euler euler_default = {.steps = 128, .grid = {.rho = 7}};
static const struct dpmpp_2m dpmpp_2m_default = {.steps = 32, .grid = {.rho = 7}};
static const struct unipc unipc_default = {.steps = 10,
                                           .grid = {.rho = 7, .sigma_min = 0.015, .sigma_max = 4}};

Test(samplers, euler_reproduces_a_mixture) {
  check_reproduces("euler", &euler_ops, &euler_default);
}

Test(samplers, dpmpp_2m_reproduces_a_mixture) {
  check_reproduces("dpmpp_2m", &dpmpp_2m_ops, &dpmpp_2m_default);
  struct dpmpp_2m scheduled = dpmpp_2m_default;
  scheduled.grid.spacing = GRID_SCHEDULE;
  check_reproduces("dpmpp_2m on the schedule", &dpmpp_2m_ops, &scheduled);
}

Test(samplers, unipc_reproduces_a_mixture_by_ten_evaluations) {
  check_reproduces("unipc", &unipc_ops, &unipc_default);
  cr_assert_leq(unipc_evaluations(&unipc_default, 128), 10);
  struct unipc whole = {.steps = 32, .grid = {.rho = 7}};
  check_reproduces("unipc from end to end", &unipc_ops, &whole);
  whole.grid.spacing = GRID_SCHEDULE;
  check_reproduces("unipc on the schedule", &unipc_ops, &whole);
}

/* Within those of training; a sampler that is told nothing has these. */
Test(samplers, the_ends_of_the_grid_are_in_units_of_what_is_drawn) {
  struct ssk_sampling problem = {.sigma_min = 0.002, .sigma_max = 80, .sigma_data = 0.5};
  const struct grid all = {.rho = 7}, part = {.rho = 7, .sigma_min = 0.01, .sigma_max = 4},
                    beyond = {.rho = 7, .sigma_min = 1e-4, .sigma_max = 1e5};
  const struct grid *grids[] = {&all, &part, &beyond};
  const double highest[] = {80, 2, 80}, lowest[] = {0.002, 0.005, 0.002};
  for (int i = 0; i < 3; i++) {
    cr_expect_float_eq(grid_level(&problem, grids[i], 10, 0), highest[i], 1e-9);
    cr_expect_float_eq(grid_level(&problem, grids[i], 10, 9), lowest[i], 1e-9);
    cr_expect_eq(grid_level(&problem, grids[i], 10, 10), 0);
  }
  problem.sigma_data = 1e-4; /* both ends below those of training: no step would lead anywhere */
  cr_expect_float_eq(grid_level(&problem, &part, 10, 0), 80, 1e-9);
  cr_expect_float_eq(grid_level(&problem, &part, 10, 9), 0.002, 1e-9);
}

/* Where the ODE is linear its solution is known: of N(0, deviation^2), x(0) = x(t) deviation /
 * sqrt(deviation^2 + t^2). So the error's order in 1/N can be measured. */
static ssk_tensor *exact_normal(const struct ssk_sampling *problem, const struct ssk_ctx *ctx,
                                ssk_tensor *x, double sigma) {
  double v = deviation * deviation;
  ssk_tensor *out = ssk_empty(ctx->tape, SSK_SHAPE(problem->n, problem->d));
  for (size_t i = 0; i < x->count; i++)
    out->data[i] = (ssk_real)(v * (double)x->data[i] / (v + sigma * sigma));
  return out;
}

/* |x(0)/solution - 1| of one path. */
static double error_of(const struct ssk_sampler_ops *ops, const void *self) {
  ssk_tape *tape = ssk_tape_new(NULL);
  struct ssk_dims dims = {.size = sizeof dims, .d = 1, .j = 1};
  struct ssk_ctx ctx = {.size = sizeof ctx, .tape = tape, .dims = &dims, .seed = 3, .path = "test"};
  struct ssk_sampling problem = {.size = sizeof problem,
                                 .n = 1,
                                 .d = 1,
                                 .sigma_min = karras_levels.range.sigma_min,
                                 .sigma_max = karras_levels.range.sigma_max,
                                 .sigma = karras_of,
                                 .levels = 128,
                                 .denoise = exact_normal,
                                 .state = &karras_levels};
  ssk_tape_record(tape, false);
  ssk_rng rng = ssk_ctx_rng(&ctx, "sampler", 0);
  double start = (double)ssk_normal(tape, SSK_SHAPE(1), &rng)->data[0] * problem.sigma_max;
  double solution = start * deviation / hypot(deviation, problem.sigma_max);
  double error = fabs((double)ops->run(self, &ctx, &problem)->data[0] / solution - 1);
  ssk_tape_free(tape);
  return error;
}

Test(samplers, euler_dpmpp_2m_and_unipc_are_of_first_second_and_third_order) {
  double first = error_of(&euler_ops, &(struct euler){.steps = 32, .grid = {.rho = 7}}) /
                 error_of(&euler_ops, &(struct euler){.steps = 64, .grid = {.rho = 7}});
  double second = error_of(&dpmpp_2m_ops, &(struct dpmpp_2m){.steps = 32, .grid = {.rho = 7}}) /
                  error_of(&dpmpp_2m_ops, &(struct dpmpp_2m){.steps = 64, .grid = {.rho = 7}});
  cr_expect(first > 1.7 && first < 2.5, "euler: half the step divides the error by %g", first);
  cr_expect(second > 3.3 && second < 5.5, "dpmpp_2m: by %g", second);
  double third = error_of(&unipc_ops, &(struct unipc){.steps = 32, .grid = {.rho = 7}}) /
                 error_of(&unipc_ops, &(struct unipc){.steps = 64, .grid = {.rho = 7}});
  cr_expect(third > 5 && third < 12, "unipc: by %g", third);
}

Test(samplers, ancestral_reproduces_a_mixture) {
  check_reproduces("ancestral", &ancestral_ops, &(struct ancestral){.variance = ANCESTRAL_BETA});
}

Test(samplers, ancestral_with_posterior_variance_reproduces_a_mixture) {
  check_reproduces("ancestral, posterior variance", &ancestral_ops,
                   &(struct ancestral){.variance = ANCESTRAL_POSTERIOR});
}

Test(samplers, too_few_levels_do_not) {
  double floor = finite_sample_floor();
  struct heun short_of = heun_default;
  short_of.steps = 3;
  cr_assert_gt(sampled_divergence(&heun_ops, &short_of, 128), 4 * floor);
  cr_assert_gt(sampled_divergence(&ancestral_ops, &(struct ancestral){.steps = 4}, 128), 4 * floor);
}

Test(samplers, evaluations_are_counted) {
  cr_assert_eq(heun_evaluations(&heun_default, 128), 35);
  cr_assert_eq(euler_evaluations(&euler_default, 1), 128);
  cr_assert_eq(dpmpp_2m_evaluations(&dpmpp_2m_default, 128), 32);
  cr_assert_eq(ancestral_evaluations(&(struct ancestral){.steps = 0}, 128), 128);
  cr_assert_eq(ancestral_evaluations(&(struct ancestral){.steps = 12}, 128), 12);
}
