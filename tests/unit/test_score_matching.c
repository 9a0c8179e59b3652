/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_score_matching.c - the diffusion's objective in continuous time, with the exact denoiser of
 * a Gaussian: integral and ends are the divergence of two Gaussians, and the transition estimates
 * them without bias. */
#include <criterion/criterion.h>
#include <gsl/gsl_integration.h>
#include <math.h>
#include <sskit/plugin.h>
#include <stdlib.h>

#define ssk_plugin_entry score_matching_entry_of_diffusion
#include "../../plugins/transition/diffusion.c"
#undef ssk_plugin_entry
#include "support/exact_diffusion.h"

static double divergence(double mean, double var, double of_mean, double of_var) {
  return 0.5 * (log(of_var / var) + (var + (mean - of_mean) * (mean - of_mean)) / of_var - 1);
}

/* E|F - F*|^2 at noise sigma: D = (v x + sigma^2 m)/(v + sigma^2), and D* likewise of the encoder's
 * Gaussian, at x ~ N(q_mean, q_var + sigma^2). */
static double expected_error(double sigma, double sigma_data) {
  double s2 = sigma * sigma, c_out = precondition(sigma, sigma_data).c_out;
  double of_noise = (v / (v + s2) - q_var / (q_var + s2)) * sqrt(q_var + s2);
  double apart = s2 / (v + s2) * (m - q_mean);
  return (of_noise * of_noise + apart * apart) / (c_out * c_out);
}

static double integrand(double log_sigma, void *sigma_data) {
  double sigma = exp(log_sigma);
  return score_weight(sigma, *(double *)sigma_data) * expected_error(sigma, *(double *)sigma_data);
}

/* The whole bound with levels from 0.002 to 80. */
static double continuous_bound(double sigma_data) {
  double lowest = test_sigma(NULL, 0), highest = test_sigma(NULL, 1), value, error;
  double low2 = lowest * lowest, high2 = highest * highest;
  gsl_function f = {integrand, &sigma_data};
  gsl_integration_workspace *w = gsl_integration_workspace_alloc(1000);
  gsl_integration_qag(&f, log(lowest), log(highest), 0, 1e-10, 1000, GSL_INTEG_GAUSS31, w, &value,
                      &error);
  gsl_integration_workspace_free(w);
  return value + divergence(q_mean, q_var + high2, 0, 1 + high2) +
         divergence(0, q_var * low2 / (q_var + low2), 0, bound_beta(lowest, 0)) +
         bound_weight(VARIANCE_BETA, lowest, 0) * bound_weight_factor(lowest, sigma_data) *
             expected_error(lowest, sigma_data);
}

/* Identity: what is missing is that the diffusion ends in N(0, 1 + sigma_K^2) instead of N(m, v +
 * sigma_K^2), and decodes with variance sigma_1^2. */
Test(score_matching, integral_and_ends_are_the_divergence_of_gaussians) {
  for (double sigma_data = 0.1; sigma_data < 10; sigma_data *= 3)
    cr_assert_float_eq(continuous_bound(sigma_data), divergence(q_mean, q_var, m, v), 1e-4,
                       "sigma_data %g: %.8f, %.8f", sigma_data, continuous_bound(sigma_data),
                       divergence(q_mean, q_var, m, v));
}

static struct diffusion esm(void) {
  struct diffusion self = defaults(NULL);
  self.objective = OBJECTIVE_ESM;
  return self;
}

/* Every mode estimates it without bias (|z| < 4 each, 12 z-tests). Few levels: within a cell the
 * integrand varies. */
Test(score_matching, every_level_sampling_has_the_same_mean) {
  double sigma_datas[] = {1, 0.4};
  for (int i = 0; i < 12; i++) {
    struct diffusion self = esm();
    self.levels = 8;
    self.draw_mode = i % 2;
    self.proposal = i / 2 % 3;
    self.sigma_data = sigma_datas[i / 6];
    double wanted = continuous_bound(self.sigma_data);
    struct moments got = shard_means(self);
    double z = (got.mean - wanted) / sqrt(got.variance / SHARDS);
    cr_assert_lt(fabs(z), 4, "%s, %s, sigma_data %g: mean %g, wanted %g, z = %g",
                 draw_modes[self.draw_mode], proposals[self.proposal], self.sigma_data, got.mean,
                 wanted, z);
  }
}

/* The same draws estimate the divergence with less noise than the denoising target does. */
Test(score_matching, has_less_variance_than_denoising) {
  struct diffusion denoising = defaults(NULL);
  denoising.proposal = PROPOSAL_IMPORTANCE;
  struct diffusion matching = denoising;
  matching.objective = OBJECTIVE_ESM;
  cr_assert_lt(shard_means(matching).variance, 0.2 * shard_means(denoising).variance);
}

/* The exact score of q itself leaves the ends only. */
Test(score_matching, the_score_of_the_encoder_costs_nothing) {
  double lowest = test_sigma(NULL, 0), highest = test_sigma(NULL, 1);
  struct exact_denoiser exact = {1};
  struct diffusion self = esm();
  self.denoiser = &(struct ssk_instance){&exact_component, &exact, "t.denoiser"};
  cr_assert_eq(diffusion_init(&self, NULL), SSK_OK);
  ssk_tape *tape = ssk_tape_new(NULL);
  struct ssk_dims dims = {.size = sizeof dims, .d = 1, .j = 1};
  struct ssk_ctx ctx = {.size = sizeof ctx,
                        .tape = tape,
                        .dims = &dims,
                        .weights = &no_weights,
                        .path = "t",
                        .seed = 5};
  enum { n = 5 };
  struct ssk_rows rows = {.size = sizeof rows,
                          .n = n,
                          .past = ssk_full(tape, SSK_SHAPE(n, 1), 0),
                          .z = ssk_full(tape, SSK_SHAPE(n, 1), 0),
                          .mean = ssk_full(tape, SSK_SHAPE(n, 1), (ssk_real)m),
                          .logvar = ssk_full(tape, SSK_SHAPE(n, 1), (ssk_real)log(v))};
  const ssk_tensor *rate = diffusion_rate(&self, &ctx, &rows);
  cr_assert_eq(ssk_tape_code(tape), SSK_OK);
  double ends =
      divergence(m, v + highest * highest, 0, 1 + highest * highest) +
      divergence(0, v * lowest * lowest / (v + lowest * lowest), 0, bound_beta(lowest, 0));
  for (int i = 0; i < n; i++)
    cr_assert_float_eq(rate->data[i], ends, 1e-6);
  ssk_tape_free(tape);
  diffusion_done(&self);
}
