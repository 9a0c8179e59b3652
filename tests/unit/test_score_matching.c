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
#define SCHEDULES_ENTRY(name) score_matching_entry_of_##name
#include "support/all_schedules.h"
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

/* ---- in several dimensions, with every schedule
 * --------------------------------------------------
 */

enum { DIMENSIONS = 3, NODES = 16 };
struct gaussians {
  double mean[DIMENSIONS], var[DIMENSIONS];
};
static const struct gaussians of_encoder = {{-0.3, 0.9, 0.1}, {0.2, 0.004, 1.3}};
static const struct gaussians of_model = {{0.7, -0.4, 0.1}, {0.5, 0.3, 0.8}};

/* E|F - target|^2 at noise sigma, summed over dimensions; of the denoising target, the posterior's
 * variance comes in addition. */
static double expected_errors(enum objective objective, double sigma, double data) {
  double s2 = sigma * sigma, c_out = precondition(sigma, data).c_out, sum = 0;
  for (int i = 0; i < DIMENSIONS; i++) {
    double var = of_encoder.var[i], model = of_model.var[i];
    double of_noise = (model / (model + s2) - var / (var + s2)) * sqrt(var + s2);
    double apart = s2 / (model + s2) * (of_model.mean[i] - of_encoder.mean[i]);
    sum += of_noise * of_noise + apart * apart;
    sum += objective == OBJECTIVE_DSM ? var * s2 / (var + s2) : 0;
  }
  return sum / (c_out * c_out);
}

/* The transition's own ends, at one row. */
static double own_ends(const struct diffusion *self) {
  ssk_tape *tape = ssk_tape_new(NULL);
  struct ssk_dims dims = {.size = sizeof dims, .d = DIMENSIONS, .j = 1};
  struct ssk_ctx ctx = {.size = sizeof ctx, .tape = tape, .dims = &dims};
  struct ssk_gaussian q = {ssk_empty(tape, SSK_SHAPE(1, DIMENSIONS)),
                           ssk_empty(tape, SSK_SHAPE(1, DIMENSIONS))};
  for (int i = 0; i < DIMENSIONS; i++) {
    q.mean->data[i] = (ssk_real)of_encoder.mean[i];
    q.logvar->data[i] = (ssk_real)log(of_encoder.var[i]);
  }
  double ends = (double)continuous_ends(self, &ctx, q, NULL)->data[0];
  ssk_tape_free(tape);
  return ends;
}

/* The bound as the transition has it: its levels, cells, weights and ends. */
static double own_bound(const struct diffusion *self) {
  enum objective objective = (enum objective)self->objective;
  gsl_integration_glfixed_table *rule = gsl_integration_glfixed_table_alloc(NODES);
  double data = self->sigma_data, lowest = self->sigma[0], sum = own_ends(self);
  sum += level_weight(self, 0, lowest, data) * expected_errors(objective, lowest, data);
  for (int k = 1; k < self->levels; k++)
    for (size_t i = 0; i < NODES; i++) {
      double within, weight;
      gsl_integration_glfixed_point(0, 1, i, &within, &weight, rule);
      double sigma = level_sigma(self, k, within);
      sum += weight * level_weight(self, k, sigma, data) * expected_errors(objective, sigma, data);
    }
  gsl_integration_glfixed_table_free(rule);
  return sum;
}

/* Identity: the divergence of the Gaussians, and what the ends add to it. Where the levels reach
 * far enough, that is nothing. */
static void divergence_and_gap(const struct diffusion *self, double *whole, double *gap) {
  double high = pow(self->sigma[self->levels - 1], 2), low = pow(self->sigma[0], 2);
  *whole = *gap = 0;
  for (int i = 0; i < DIMENSIONS; i++) {
    double mean = of_encoder.mean[i], var = of_encoder.var[i];
    double of_mean = of_model.mean[i], of_var = of_model.var[i];
    *whole += divergence(mean, var, of_mean, of_var);
    *gap += divergence(mean, var + high, 0, 1 + high) -
            divergence(mean, var + high, of_mean, of_var + high);
    /* the decoder has another variance than the model's posterior */
    double posterior = var * low / (var + low), exact = of_var * low / (of_var + low);
    double apart = pow(of_var / (of_var + low) - var / (var + low), 2) * (var + low) +
                   pow(low / (of_var + low) * (of_mean - mean), 2);
    *gap += divergence(0, posterior, 0, bound_beta(sqrt(low), 0)) +
            apart / (2 * bound_beta(sqrt(low), 0)) - divergence(0, posterior, 0, exact) -
            apart / (2 * exact);
  }
}

Test(score_matching, is_the_divergence_in_several_dimensions_with_every_schedule) {
  for (int i = 0; i < ALL_SCHEDULES; i++)
    for (int objective = OBJECTIVE_DSM; objective <= OBJECTIVE_ESM; objective++) {
      struct diffusion self = defaults(NULL);
      self.objective = objective;
      self.schedule = &all_schedules[i];
      self.sigma_data = 0.7;
      cr_assert_eq(diffusion_init(&self, NULL), SSK_OK);
      double bound = own_bound(&self), whole, gap;
      divergence_and_gap(&self, &whole, &gap);
      const char *name = all_schedules[i].component->name;
      cr_expect_float_eq(bound - gap, whole, 1e-4, "%s, %s: %.8f less %.8f, %.8f", name,
                         objectives[objective], bound, gap, whole);
      cr_expect_lt(fabs(gap), 1e-3, "%s: %g", name, gap);
      diffusion_done(&self);
    }
}

/* ---- as it is estimated
 * --------------------------------------------------------------------------
 */

static struct diffusion esm(void) {
  struct diffusion self = defaults(NULL);
  self.objective = OBJECTIVE_ESM;
  return self;
}

/* Every mode estimates it without bias, and so does the denoising target (|z| < 4 each, 36
 * z-tests). Few levels: within a cell the integrand varies. */
Test(score_matching, every_level_sampling_has_the_same_mean) {
  double sigma_datas[] = {1, 0.4};
  for (int i = 0; i < 36; i++) {
    struct diffusion self = esm();
    self.levels = 8;
    self.objective = i % 2 ? OBJECTIVE_ESM : OBJECTIVE_DSM;
    self.draw_mode = i / 2 % MODES;
    self.proposal = i / 6 % PROPOSALS;
    self.sigma_data = sigma_datas[i / 18];
    double wanted = continuous_bound(self.sigma_data);
    struct moments got = shard_means(self);
    double z = (got.mean - wanted) / sqrt(got.variance / SHARDS);
    cr_assert_lt(fabs(z), 4, "%s, %s, %s, sigma_data %g: mean %g, wanted %g, z = %g",
                 objectives[self.objective], draw_modes[self.draw_mode], proposals[self.proposal],
                 self.sigma_data, got.mean, wanted, z);
  }
}

/* The same draws estimate the divergence with less noise than the denoising target does, whatever
 * the proposal; and those by importance with less than uniform ones. */
Test(score_matching, has_less_variance_than_denoising) {
  for (int proposal = 0; proposal < PROPOSALS; proposal++) {
    struct diffusion self = defaults(NULL);
    self.proposal = proposal;
    double variance[3];
    for (int objective = 0; objective < 3; objective++) {
      self.objective = objective;
      variance[objective] = shard_means(self).variance;
    }
    cr_expect_lt(variance[OBJECTIVE_ESM], 0.5 * variance[OBJECTIVE_DISCRETE], "%s: %g, %g",
                 proposals[proposal], variance[OBJECTIVE_ESM], variance[OBJECTIVE_DISCRETE]);
    cr_expect_lt(variance[OBJECTIVE_ESM], 0.5 * variance[OBJECTIVE_DSM], "%s: %g, %g",
                 proposals[proposal], variance[OBJECTIVE_ESM], variance[OBJECTIVE_DSM]);
  }
}

Test(score_matching, importance_lowers_the_variance) {
  struct diffusion self = esm();
  double variance[PROPOSALS];
  self.draw_mode = DRAW_IID;
  for (int proposal = 0; proposal < PROPOSALS; proposal++) {
    self.proposal = proposal;
    variance[proposal] = shard_means(self).variance;
  }
  cr_expect_lt(variance[PROPOSAL_IMPORTANCE], 0.9 * variance[PROPOSAL_UNIFORM], "%g, %g",
               variance[PROPOSAL_IMPORTANCE], variance[PROPOSAL_UNIFORM]);
  cr_expect_lt(variance[PROPOSAL_ADAPTIVE], 0.9 * variance[PROPOSAL_UNIFORM], "%g, %g",
               variance[PROPOSAL_ADAPTIVE], variance[PROPOSAL_UNIFORM]);
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
