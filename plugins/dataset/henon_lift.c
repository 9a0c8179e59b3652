/* SPDX-License-Identifier: GPL-3.0-or-later */
/* henon_lift.c - the noisy Henon map behind a random network.
 *
 *   a_t = 1 - 1.4 a_{t-1}^2 + b_{t-1} + 0.01 eta_t,   b_t = 0.3 a_{t-1} + 0.01 eta'_t,
 *   z = ((a, b) - mean)/deviation,   x_t = W2 tanh(W1 z_t + b1) + b2 + noise * eps_t,
 *   16 hidden units, D observed
 *
 * (Henon 1976, with noise.) From the edge of the attractor the noise can push the state out of its
 * basin: from where |a| > 1.5 the map goes to its fixed point instead, about once in 500 steps. So
 * every state has a successor, and the transition is a Gaussian everywhere.
 *
 * Mean and deviation are those of this process in its steady state, by simulation, to three
 * digits. Series start near the attractor, 20 steps from around the fixed point. */
#include "lift.h"

#define HENON_BLUR 0.01
#define HENON_EDGE 1.5
#define HENON_BURN 20

static const double henon_fixed[2] = {0.631354, 0.189406};
static const double henon_mean[2] = {0.245, 0.075};
static const double henon_deviation[2] = {0.735, 0.219};

/* ---- the process ----------------------------------------------------------------------------- */

/* The centre of z given its predecessor, both standardised. */
static void henon_centre(const double *z_prev, double *centre) {
  double a = henon_mean[0] + henon_deviation[0] * z_prev[0];
  double b = henon_mean[1] + henon_deviation[1] * z_prev[1];
  bool escaped = fabs(a) > HENON_EDGE;
  double next[2] = {escaped ? henon_fixed[0] : 1 - 1.4 * a * a + b,
                    escaped ? henon_fixed[1] : 0.3 * a};
  for (int k = 0; k < 2; k++)
    centre[k] = (next[k] - henon_mean[k]) / henon_deviation[k];
}

static void henon_transition(const void *self, ssk_rng *rng, const double *z_prev, double *z) {
  (void)self;
  double centre[2];
  henon_centre(z_prev, centre);
  for (int k = 0; k < 2; k++)
    z[k] = centre[k] + HENON_BLUR / henon_deviation[k] * ssk_rng_normal(rng);
}

static double henon_transition_log_prob(const void *self, const double *z_prev, const double *z) {
  (void)self;
  double centre[2], sum = 0;
  henon_centre(z_prev, centre);
  for (int k = 0; k < 2; k++)
    sum += generated_log_normal(z[k] - centre[k], HENON_BLUR / henon_deviation[k]);
  return sum;
}

static double henon_transition_cdf(const void *self, const double *z_prev, int dim, double value) {
  (void)self;
  double centre[2];
  henon_centre(z_prev, centre);
  return generated_normal_cdf(value - centre[dim], HENON_BLUR / henon_deviation[dim]);
}

static void henon_initial(const void *self, ssk_rng *rng, double *z) {
  double state[2][2];
  for (int k = 0; k < 2; k++)
    state[0][k] = (henon_fixed[k] + 0.1 * ssk_rng_normal(rng) - henon_mean[k]) / henon_deviation[k];
  for (int t = 1; t <= HENON_BURN; t++)
    henon_transition(self, rng, state[(t - 1) % 2], t == HENON_BURN ? z : state[t % 2]);
}

static const struct ssk_oracle henon_process = {
    .size = sizeof(struct ssk_oracle),
    .d = 2,
    .initial = henon_initial,
    .transition = henon_transition,
    .emission = lifted_emission,
    .emission_mean = lifted_emission_mean,
    .emission_log_prob = lifted_emission_log_prob,
    .transition_log_prob = henon_transition_log_prob,
    .transition_cdf = henon_transition_cdf,
};

/* ---- slots ----------------------------------------------------------------------------------- */

static int henon_open(void *self, uint64_t seed, ssk_err *err) {
  return lifted_open(self, seed, "data.henon_lift", &henon_process, 2, 16, err);
}

static const struct ssk_param henon_params[] = {LIFTED_PARAMS("8"), SSK_PARAM_END};

static const struct ssk_dataset_ops henon_ops = {.size = sizeof(struct ssk_dataset_ops),
                                                 .open = henon_open,
                                                 .shape = generated_shape,
                                                 .count = generated_count,
                                                 .fill = generated_fill,
                                                 .oracle = generated_oracle};

static const struct ssk_component henon_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_DATASET,
    .name = "henon_lift",
    .summary = "generated: the noisy Henon map, seen through a random network in D dimensions",
    .doc = "a' = 1 - 1.4 a^2 + b, b' = 0.3 a, each with noise of deviation 0.01; from |a| > 1.5 "
           "the step goes to the fixed point. The latent z is (a, b) standardised, and "
           "x_t = W2 tanh(W1 z_t + b1) + b2 + noise eps_t with 16 hidden units. The matrices are "
           "drawn from the data's seed (W1 ~ N(0, 1/2), the others N(0,1)), and are the same for "
           "all splits. Chaos with one mode: errors grow by about 1.5 a step. The oracle has the "
           "transition and the emission as sampler and density. Source of the map: Henon 1976.",
    .self_size = sizeof(struct lifted),
    .params = henon_params,
    .ops = &henon_ops,
    .done = lifted_done,
};

SSK_PLUGIN(&henon_component)
