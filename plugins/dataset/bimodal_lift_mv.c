/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bimodal_lift_mv.c - four coupled bimodal latents with persistent signs behind a random network:
 * sixteen modes a step, of unequal weight.
 *
 *   s_1 fair, s_t = s_{t-1} with probability 0.85 and else -s_{t-1}, each of 4 dimensions by
 * itself, z_1 ~ N(0, I),   z_t = tanh(A z_{t-1}) + 2 s_t + 0.1 eta_t,   A ~ N(0, 1/4), x_t = W2
 * tanh(W1 z_t + b1) + b2 + noise * eps_t,   16 hidden units, D = 8 observed
 *
 * z alone is no Markov process: the signs are part of the state. So the latent, of the ground truth
 * and of the oracle alike, is (z, s), 8 numbers; log p(z', s' | z, s) is a density in z' and a
 * probability in s'. s_1 leaves no trace in z_1 but favours s_2. */
#include "lift.h"

#define COUPLED_D    4
#define COUPLED_JUMP 2.0
#define COUPLED_BLUR 0.1
#define COUPLED_KEEP 0.85

struct coupled {
  struct lifted lifted;
  double A[COUPLED_D][COUPLED_D];
};

/* ---- the process: state[0...3] is z, state[4...7] is s --------------------------------------- */

static void coupled_initial(const void *self, ssk_rng *rng, double *state) {
  (void)self;
  for (int i = 0; i < COUPLED_D; i++) {
    state[i] = ssk_rng_normal(rng);
    state[COUPLED_D + i] = ssk_rng_sign(rng);
  }
}

/* The centre of z_t's dimension i, without its jump. */
static double coupled_centre(const struct coupled *d, const double *prev, int i) {
  double sum = 0;
  for (int k = 0; k < COUPLED_D; k++)
    sum += d->A[i][k] * prev[k];
  return tanh(sum);
}

static void coupled_transition(const void *self, ssk_rng *rng, const double *prev, double *state) {
  const struct coupled *d = self;
  for (int i = 0; i < COUPLED_D; i++) {
    double sign = prev[COUPLED_D + i] * (ssk_rng_uniform(rng) < COUPLED_KEEP ? 1 : -1);
    state[i] =
        coupled_centre(d, prev, i) + COUPLED_JUMP * sign + COUPLED_BLUR * ssk_rng_normal(rng);
    state[COUPLED_D + i] = sign;
  }
}

static double coupled_transition_log_prob(const void *self, const double *prev,
                                          const double *state) {
  const struct coupled *d = self;
  double sum = 0;
  for (int i = 0; i < COUPLED_D; i++) {
    double sign = state[COUPLED_D + i];
    if (fabs(sign) != 1)
      return -INFINITY;
    sum += log(sign == prev[COUPLED_D + i] ? COUPLED_KEEP : 1 - COUPLED_KEEP);
    sum += generated_log_normal(state[i] - coupled_centre(d, prev, i) - COUPLED_JUMP * sign,
                                COUPLED_BLUR);
  }
  return sum;
}

static double coupled_transition_cdf(const void *self, const double *prev, int dim, double value) {
  double e = value - coupled_centre(self, prev, dim), same = COUPLED_JUMP * prev[COUPLED_D + dim];
  return COUPLED_KEEP * generated_normal_cdf(e - same, COUPLED_BLUR) +
         (1 - COUPLED_KEEP) * generated_normal_cdf(e + same, COUPLED_BLUR);
}

static const struct ssk_oracle coupled_process = {
    .size = sizeof(struct ssk_oracle),
    .d = 2 * COUPLED_D,
    .initial = coupled_initial,
    .transition = coupled_transition,
    .emission = lifted_emission,
    .emission_mean = lifted_emission_mean,
    .emission_log_prob = lifted_emission_log_prob,
    .transition_log_prob = coupled_transition_log_prob,
    .labels = COUPLED_D,
    .transition_cdf = coupled_transition_cdf,
};

/* ---- slots ----------------------------------------------------------------------------------- */

static int coupled_open(void *self, uint64_t seed, ssk_err *err) {
  struct coupled *d = self;
  ssk_rng rng = ssk_rng_open(seed, "data.bimodal_lift_mv", "coupling", 0, 0);
  for (int i = 0; i < COUPLED_D; i++)
    for (int k = 0; k < COUPLED_D; k++)
      d->A[i][k] = ssk_rng_normal(&rng) / sqrt(COUPLED_D);
  return lifted_open(self, seed, "data.bimodal_lift_mv", &coupled_process, COUPLED_D, 16, err);
}

static const struct ssk_param coupled_params[] = {LIFTED_PARAMS("8"), SSK_PARAM_END};

static const struct ssk_dataset_ops coupled_ops = {.size = sizeof(struct ssk_dataset_ops),
                                                   .open = coupled_open,
                                                   .shape = generated_shape,
                                                   .count = generated_count,
                                                   .fill = generated_fill,
                                                   .oracle = generated_oracle};

static const struct ssk_component coupled_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_DATASET,
    .name = "bimodal_lift_mv",
    .summary = "generated: four bimodal latents with persistent signs, seen through a network",
    .doc =
        "Each of 4 signs keeps its value with probability 0.85; z_1 ~ N(0,I), z_t = "
        "tanh(A z_{t-1}) + 2 s_t + 0.1 eta_t, x_t = W2 tanh(W1 z_t + b1) + b2 + noise eps_t with "
        "16 hidden units: sixteen modes a step. A and W1 are drawn N(0, 1/4), the other matrices "
        "N(0,1), from the data's seed, the same for all splits. Ground-truth latents and the "
        "oracle's state are z and s side by side (8 numbers), because z alone is not Markov.",
    .self_size = sizeof(struct coupled),
    .params = coupled_params,
    .ops = &coupled_ops,
    .done = lifted_done,
};

SSK_PLUGIN(&coupled_component)
