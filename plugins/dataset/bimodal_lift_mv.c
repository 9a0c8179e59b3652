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

#define LIFTED_D    4
#define LIFTED_JUMP 2.0
#define LIFTED_BLUR 0.1
#define LIFTED_KEEP 0.85

struct lifted {
  GENERATED_MEMBERS;
  int64_t D;
  double noise;
  double A[LIFTED_D][LIFTED_D];
  struct lift lift;
};

static const struct ssk_param lifted_params[] = {
    GENERATED_PARAMS(struct lifted, "1024", "256", "1024"),
    SSK_PARAM_INT(struct lifted, D, "8", 1, 4096, "1", "Dimension of the observation."),
    SSK_PARAM_REAL(struct lifted, noise, "0.1", 1e-6, 100, "data",
                   "Standard deviation of the observation noise."),
    SSK_PARAM_END,
};

static int lifted_open(void *self, uint64_t seed, ssk_err *err) {
  struct lifted *d = self;
  generated_open(&d->sizes, seed);
  ssk_rng rng = ssk_rng_open(seed, "data.bimodal_lift_mv", "coupling", 0, 0);
  for (int i = 0; i < LIFTED_D; i++)
    for (int k = 0; k < LIFTED_D; k++)
      d->A[i][k] = ssk_rng_normal(&rng) / sqrt(LIFTED_D);
  d->lift = (struct lift){.d = LIFTED_D, .hidden = 16, .D = (int)d->D, .noise = d->noise};
  return lift_open(&d->lift, seed, "data.bimodal_lift_mv", err);
}

static void lifted_done(void *self) {
  struct lifted *d = self;
  lift_done(&d->lift);
}

static void lifted_shape(const void *self, struct ssk_data_shape *out) {
  const struct lifted *d = self;
  generated_shape(&d->sizes, 2 * LIFTED_D, (int)d->D, out);
}

/* ---- the process: state[0...3] is z, state[4...7] is s -----------------------------------------
 */

static void lifted_initial(const void *self, ssk_rng *rng, double *state) {
  (void)self;
  for (int i = 0; i < LIFTED_D; i++) {
    state[i] = ssk_rng_normal(rng);
    state[LIFTED_D + i] = ssk_rng_sign(rng);
  }
}

/* The centre of z_t's dimension i, without its jump. */
static double lifted_centre(const struct lifted *d, const double *prev, int i) {
  double sum = 0;
  for (int k = 0; k < LIFTED_D; k++)
    sum += d->A[i][k] * prev[k];
  return tanh(sum);
}

static void lifted_transition(const void *self, ssk_rng *rng, const double *prev, double *state) {
  const struct lifted *d = self;
  for (int i = 0; i < LIFTED_D; i++) {
    double sign = prev[LIFTED_D + i] * (ssk_rng_uniform(rng) < LIFTED_KEEP ? 1 : -1);
    state[i] = lifted_centre(d, prev, i) + LIFTED_JUMP * sign + LIFTED_BLUR * ssk_rng_normal(rng);
    state[LIFTED_D + i] = sign;
  }
}

static double lifted_transition_log_prob(const void *self, const double *prev,
                                         const double *state) {
  const struct lifted *d = self;
  double sum = 0;
  for (int i = 0; i < LIFTED_D; i++) {
    double sign = state[LIFTED_D + i];
    if (fabs(sign) != 1)
      return -INFINITY;
    sum += log(sign == prev[LIFTED_D + i] ? LIFTED_KEEP : 1 - LIFTED_KEEP);
    sum += generated_log_normal(state[i] - lifted_centre(d, prev, i) - LIFTED_JUMP * sign,
                                LIFTED_BLUR);
  }
  return sum;
}

static void lifted_emission(const void *self, ssk_rng *rng, const double *state, double *x) {
  const struct lifted *d = self;
  lift_emission(&d->lift, rng, state, x);
}

static double lifted_emission_log_prob(const void *self, const double *state, const double *x,
                                       const double *mask) {
  const struct lifted *d = self;
  return lift_log_prob(&d->lift, state, x, mask);
}

static const struct ssk_oracle lifted_process = {
    .size = sizeof(struct ssk_oracle),
    .d = 2 * LIFTED_D,
    .initial = lifted_initial,
    .transition = lifted_transition,
    .emission = lifted_emission,
    .emission_log_prob = lifted_emission_log_prob,
    .transition_log_prob = lifted_transition_log_prob,
};

static const struct ssk_oracle *lifted_oracle(const void *self) {
  (void)self;
  return &lifted_process;
}

static int lifted_fill(const void *self, enum ssk_split split, int64_t i, struct ssk_series *out,
                       ssk_err *err) {
  const struct lifted *d = self;
  (void)err;
  return generated_fill(self, &lifted_process, (int)d->D, "data.bimodal_lift_mv", split, i, out);
}

static const struct ssk_dataset_ops lifted_ops = {.size = sizeof(struct ssk_dataset_ops),
                                                  .open = lifted_open,
                                                  .shape = lifted_shape,
                                                  .count = generated_count,
                                                  .fill = lifted_fill,
                                                  .oracle = lifted_oracle};

static const struct ssk_component lifted_component = {
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
    .self_size = sizeof(struct lifted),
    .params = lifted_params,
    .ops = &lifted_ops,
    .done = lifted_done,
};

SSK_PLUGIN(&lifted_component)
