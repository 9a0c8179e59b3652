/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bimodal_lift.c - one bimodal latent behind a random network.
 *
 *   z_1 ~ N(0, 1),   z_t = tanh(z_{t-1}) + 2 s_t + 0.1 eta_t  with s_t = +1 or -1,
 *   x_t = W2 tanh(W1 z_t + b1) + b2 + noise * eps_t,   8 hidden units, D observed
 *
 * The matrices are those of lift.h. */
#include "lift.h"

#define JUMP 2.0
#define BLUR 0.1

/* ---- the process ----------------------------------------------------------------------------- */

static void jump_initial(const void *self, ssk_rng *rng, double *z) {
  (void)self;
  *z = ssk_rng_normal(rng);
}

static void jump_transition(const void *self, ssk_rng *rng, const double *z_prev, double *z) {
  (void)self;
  double jump = JUMP * ssk_rng_sign(rng);
  *z = tanh(*z_prev) + jump + BLUR * ssk_rng_normal(rng);
}

static double jump_transition_log_prob(const void *self, const double *z_prev, const double *z) {
  (void)self;
  return generated_log_two_modes(*z - tanh(*z_prev), JUMP, BLUR);
}

static double jump_transition_cdf(const void *self, const double *z_prev, int dim, double value) {
  (void)self, (void)dim;
  double e = value - tanh(*z_prev);
  return 0.5 * (generated_normal_cdf(e - JUMP, BLUR) + generated_normal_cdf(e + JUMP, BLUR));
}

static const struct ssk_oracle jump_process = {
    .size = sizeof(struct ssk_oracle),
    .d = 1,
    .initial = jump_initial,
    .transition = jump_transition,
    .emission = lifted_emission,
    .emission_mean = lifted_emission_mean,
    .emission_log_prob = lifted_emission_log_prob,
    .transition_log_prob = jump_transition_log_prob,
    .transition_cdf = jump_transition_cdf,
};

/* ---- slots ----------------------------------------------------------------------------------- */

static int jump_open(void *self, uint64_t seed, ssk_err *err) {
  return lifted_open(self, seed, "data.bimodal_lift", &jump_process, 1, 8, err);
}

static const struct ssk_param jump_params[] = {LIFTED_PARAMS("4"), SSK_PARAM_END};

static const struct ssk_dataset_ops jump_ops = {.size = sizeof(struct ssk_dataset_ops),
                                                .open = jump_open,
                                                .shape = generated_shape,
                                                .count = generated_count,
                                                .fill = generated_fill,
                                                .oracle = generated_oracle};

static const struct ssk_component jump_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_DATASET,
    .name = "bimodal_lift",
    .summary = "generated: one bimodal latent, seen through a random network in D dimensions",
    .doc = "z_1 ~ N(0,1), z_t = tanh(z_{t-1}) + 2 s_t + 0.1 eta_t with independent fair signs s_t, "
           "x_t = W2 tanh(W1 z_t + b1) + b2 + noise eps_t with 8 hidden units. The matrices are "
           "drawn from the data's seed (all N(0,1)), and are the same for all splits. The oracle "
           "has the transition and the emission as sampler and density.",
    .self_size = sizeof(struct lifted),
    .params = jump_params,
    .ops = &jump_ops,
    .done = lifted_done,
};

SSK_PLUGIN(&jump_component)
