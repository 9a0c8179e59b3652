/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_probability_flow.c - the diffusion's density by its probability flow, with the exact
 * denoisers of densities that are known. */
#include <criterion/criterion.h>
#include <math.h>
#include <sskit/plugin.h>
#include <stdlib.h>

#define ssk_plugin_entry flow_entry_of_diffusion
#include "../../plugins/transition/diffusion.c"
#undef ssk_plugin_entry
#define SCHEDULES_ENTRY(name) flow_entry_of_##name
#include "support/all_schedules.h"
#include "support/exact_diffusion.h"

#ifdef SSK_DOUBLE
#define TOLERANCE 1e-9
#define ERROR     1e-5
#else
#define TOLERANCE 1e-5
#define ERROR     5e-3
#endif

static const double sigma_data = 0.8;

/* F of a D that tape operations compute from x and sigma. */
static ssk_tensor *raw_of(ssk_tape *tape, ssk_tensor *D, ssk_tensor *x, double sigma) {
  struct precondition c = precondition(sigma, sigma_data);
  return ssk_affine(tape, ssk_sub(tape, D, ssk_affine(tape, x, (ssk_real)c.c_skip, 0)),
                    (ssk_real)(1 / c.c_out), 0);
}
static double sigma_of(const struct ssk_noisy *in) {
  return exp(4 * (double)in->c_noise->data[0]);
}
static ssk_tensor *value_of(ssk_tape *tape, const struct ssk_noisy *in) {
  return ssk_affine(tape, in->noisy, (ssk_real)(1 / precondition(sigma_of(in), sigma_data).c_in),
                    0);
}

/* N(m, v) in every dimension: D = (v x + sigma^2 m)/(v + sigma^2). */
static ssk_tensor *gaussian_run(const void *self, const struct ssk_ctx *ctx,
                                const struct ssk_noisy *in) {
  (void)self;
  double sigma = sigma_of(in), s2 = sigma * sigma;
  ssk_tensor *x = value_of(ctx->tape, in);
  return raw_of(ctx->tape,
                ssk_affine(ctx->tape, x, (ssk_real)(v / (v + s2)), (ssk_real)(s2 * m / (v + s2))),
                x, sigma);
}

/* Half of N(-mode, v), half of N(mode, v): D = (v x + sigma^2 mode tanh(mode x/(v + sigma^2)))/(v +
 * sigma^2). */
static const double mode = 1.5;
static ssk_tensor *mixture_run(const void *self, const struct ssk_ctx *ctx,
                               const struct ssk_noisy *in) {
  (void)self;
  ssk_tape *tape = ctx->tape;
  double sigma = sigma_of(in), s2 = sigma * sigma, total = v + s2;
  ssk_tensor *x = value_of(tape, in);
  ssk_tensor *side = ssk_activate(tape, ssk_affine(tape, x, (ssk_real)(mode / total), 0), SSK_TANH);
  return raw_of(tape,
                ssk_add(tape, ssk_affine(tape, x, (ssk_real)(v / total), 0),
                        ssk_affine(tape, side, (ssk_real)(s2 * mode / total), 0)),
                x, sigma);
}

/* Two correlated dimensions, (x_1 + x_2)/sqrt 2 of variance `wide`, (x_1 - x_2)/sqrt 2 of variance
 * `narrow`: D = x A with A's eigenvalues variance/(variance + sigma^2). */
static const double wide = 1.7, narrow = 0.2;
static ssk_tensor *correlated_run(const void *self, const struct ssk_ctx *ctx,
                                  const struct ssk_noisy *in) {
  (void)self;
  ssk_tape *tape = ctx->tape;
  double sigma = sigma_of(in), s2 = sigma * sigma;
  double a = wide / (wide + s2), b = narrow / (narrow + s2);
  ssk_real A[] = {(ssk_real)((a + b) / 2), (ssk_real)((a - b) / 2), (ssk_real)((a - b) / 2),
                  (ssk_real)((a + b) / 2)};
  ssk_tensor *x = value_of(tape, in);
  return raw_of(tape, ssk_linear(tape, x, ssk_const(tape, SSK_SHAPE(2, 2), A), NULL, SSK_LINEAR), x,
                sigma);
}

static double highest;
static double wide_sigma(const void *self, double u) {
  (void)self;
  return karras(0.002, highest, u);
}
static const struct ssk_schedule_ops wide_ops = {.size = sizeof wide_ops, .sigma = wide_sigma};
static const struct ssk_component wide_schedule = {
    .size = sizeof wide_schedule, .kind = SSK_SCHEDULE, .ops = &wide_ops};

typedef ssk_tensor *run_fn(const void *self, const struct ssk_ctx *ctx, const struct ssk_noisy *in);

static struct ssk_instance wide_instance = {&wide_schedule, NULL, "t.schedule"};
/* Levels from 0.002 up to sigma_max. */
static struct ssk_instance *up_to(double sigma_max) {
  highest = sigma_max;
  return &wide_instance;
}

/* log p of n values of d dimensions. */
static void densities(run_fn *run, struct ssk_instance *schedule, int n, int d, int probes,
                      const double *z, double *log_prob) {
  struct ssk_denoiser_ops ops = {.size = sizeof ops, .build = exact_build, .run = run};
  struct ssk_component component = {
      .size = sizeof component, .kind = SSK_DENOISER, .name = "known", .ops = &ops};
  struct ssk_instance denoiser = {&component, NULL, "t.denoiser"};
  struct diffusion self = defaults(&denoiser);
  self.schedule = schedule;
  self.sigma_data = sigma_data;
  self.likelihood_probes = probes;
  self.likelihood_tolerance = TOLERANCE;
  cr_assert_eq(diffusion_init(&self, NULL), SSK_OK);
  ssk_err *err = ssk_err_new();
  ssk_tape *tape = ssk_tape_new(err);
  ssk_tape_record(tape, false);
  struct ssk_dims dims = {.size = sizeof dims, .d = d, .j = 1};
  struct ssk_ctx ctx = {.size = sizeof ctx,
                        .tape = tape,
                        .dims = &dims,
                        .weights = &no_weights,
                        .path = "t",
                        .seed = 5};
  struct ssk_rows rows = {.size = sizeof rows,
                          .n = n,
                          .past = ssk_full(tape, SSK_SHAPE(n, d), 0),
                          .z = ssk_empty(tape, SSK_SHAPE(n, d))};
  for (int i = 0; i < n * d; i++)
    rows.z->data[i] = (ssk_real)z[i];
  const ssk_tensor *out = diffusion_log_prob(&self, &ctx, &rows);
  cr_assert_eq(ssk_tape_code(tape), SSK_OK, "%s", ssk_err_message(err, 0));
  for (int i = 0; i < n; i++)
    log_prob[i] = (double)out->data[i];
  ssk_tape_free(tape);
  ssk_err_free(err);
  diffusion_done(&self);
}

static double log_normal(double x, double mean, double var) {
  return -0.5 * (log_two_pi + log(var) + (x - mean) * (x - mean) / var);
}

/* Identity: the flow of a Gaussian's score has the Gaussian's density; levels go so far that the
 * mean is forgotten. More rows than a group has. */
Test(probability_flow, equals_the_gaussian_density) {
  enum { n = 300, d = 2 };
  double z[n * d], log_prob[n];
  ssk_rng rng = ssk_rng_open(1, "test", "z", 0, 0);
  for (int i = 0; i < n * d; i++)
    z[i] = m + 1.2 * ssk_rng_normal(&rng);
  densities(gaussian_run, up_to(1e6), n, d, 0, z, log_prob);
  for (int i = 0; i < n; i++) {
    double exact = log_normal(z[2 * i], m, v) + log_normal(z[2 * i + 1], m, v);
    cr_assert_float_eq(log_prob[i], exact, ERROR * (1 + fabs(exact)), "row %d: %.8f, %.8f", i,
                       log_prob[i], exact);
  }
}

/* N(0, 1) in every dimension: D = x/(1 + sigma^2). The flow of its score ends in N(0, 1 +
 * sigma_K^2) wherever the levels end, and begins at the lowest: N(0, 1 + sigma_1^2). */
static ssk_tensor *standard_run(const void *self, const struct ssk_ctx *ctx,
                                const struct ssk_noisy *in) {
  (void)self;
  double sigma = sigma_of(in);
  ssk_tensor *x = value_of(ctx->tape, in);
  return raw_of(ctx->tape, ssk_affine(ctx->tape, x, (ssk_real)(1 / (1 + sigma * sigma)), 0), x,
                sigma);
}

Test(probability_flow, equals_the_gaussian_density_with_every_schedule) {
  enum { n = 7, d = 3 };
  double z[n * d], log_prob[n];
  ssk_rng rng = ssk_rng_open(2, "test", "z", 0, 0);
  for (int i = 0; i < n * d; i++)
    z[i] = 1.5 * ssk_rng_normal(&rng);
  for (int s = 0; s < ALL_SCHEDULES; s++) {
    double var = 1 + pow(ssk_schedule_sigma(&all_schedules[s], 0), 2);
    densities(standard_run, &all_schedules[s], n, d, 0, z, log_prob);
    for (int i = 0; i < n; i++) {
      double exact = 0;
      for (int k = 0; k < d; k++)
        exact += log_normal(z[i * d + k], 0, var);
      cr_expect_float_eq(log_prob[i], exact, ERROR * (1 + fabs(exact)), "%s, row %d: %.8f, %.8f",
                         all_schedules[s].component->name, i, log_prob[i], exact);
    }
  }
}

Test(probability_flow, equals_the_density_of_a_mixture) {
  enum { n = 41 };
  double z[n], log_prob[n];
  for (int i = 0; i < n; i++)
    z[i] = -4 + 0.2 * i;
  densities(mixture_run, up_to(1e4), n, 1, 0, z, log_prob);
  for (int i = 0; i < n; i++) {
    double exact =
        log(0.5 * exp(log_normal(z[i], -mode, v)) + 0.5 * exp(log_normal(z[i], mode, v)));
    cr_assert_float_eq(log_prob[i], exact, 2 * ERROR * (1 + fabs(exact)), "z = %g: %.8f, %.8f",
                       z[i], log_prob[i], exact);
  }
}

/* A Jacobian that is not diagonal: its trace is exact, and estimated without bias. With two random
 * signs v'Jv is the trace plus or minus twice the entry aside, so that two values are seen. */
Test(probability_flow, probes_estimate_the_trace) {
  enum { n = 400 };
  double z[2 * n], exact[n], estimated[n], known, sum = 0, squares = 0;
  for (int i = 0; i < 2 * n; i++)
    z[i] = i % 2 ? -0.3 : 0.9;
  double along = (0.9 - 0.3) / sqrt(2), across = (0.9 + 0.3) / sqrt(2);
  known = log_normal(along, 0, wide) + log_normal(across, 0, narrow);
  densities(correlated_run, up_to(1e4), n, 2, 0, z, exact);
  densities(correlated_run, up_to(1e4), n, 2, 1, z, estimated);
  for (int i = 0; i < n; i++) {
    cr_assert_float_eq(exact[i], known, ERROR * (1 + fabs(known)));
    double error = estimated[i] - known;
    sum += error / n;
    squares += error * error / n;
  }
  cr_assert_gt(squares, 0.1, "the probes say more than one can: %g", squares);
  cr_assert_lt(fabs(sum), 4 * sqrt(squares / n), "mean error %g", sum);
}

Test(probability_flow, fails_where_a_gradient_is_asked_for) {
  struct ssk_denoiser_ops ops = {.size = sizeof ops, .build = exact_build, .run = gaussian_run};
  struct ssk_component component = {.size = sizeof component, .kind = SSK_DENOISER, .ops = &ops};
  struct ssk_instance denoiser = {&component, NULL, "t.denoiser"};
  struct diffusion self = defaults(&denoiser);
  cr_assert_eq(diffusion_init(&self, NULL), SSK_OK);
  ssk_tape *tape = ssk_tape_new(NULL);
  struct ssk_dims dims = {.size = sizeof dims, .d = 1, .j = 1};
  struct ssk_ctx ctx = {.size = sizeof ctx,
                        .tape = tape,
                        .dims = &dims,
                        .weights = &no_weights,
                        .path = "t",
                        .seed = 5};
  struct ssk_rows rows = {.size = sizeof rows,
                          .n = 1,
                          .past = ssk_full(tape, SSK_SHAPE(1, 1), 0),
                          .z = ssk_full(tape, SSK_SHAPE(1, 1), 0)};
  diffusion_log_prob(&self, &ctx, &rows);
  cr_assert_eq(ssk_tape_code(tape), SSK_EUSAGE);
  ssk_tape_free(tape);
  diffusion_done(&self);
}
