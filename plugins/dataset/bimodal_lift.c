/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bimodal_lift.c - one bimodal latent behind a random network.
 *
 *   z_1 ~ N(0, 1),   z_t = tanh(z_{t-1}) + 2 s_t + 0.1 eta_t  with s_t = +1 or -1,
 *   x_t = W2 tanh(W1 z_t + b1) + b2 + noise * eps_t,   8 hidden units, D observed
 *
 * The matrices are those of lift.h. */
#include "lift.h"

#define LIFTED_JUMP 2.0
#define LIFTED_BLUR 0.1

struct lifted {
  GENERATED_MEMBERS;
  int64_t D;
  double noise;
  struct lift lift;
};

static const struct ssk_param lifted_params[] = {
    GENERATED_PARAMS(struct lifted, "1024", "256", "1024"),
    SSK_PARAM_INT(struct lifted, D, "4", 1, 4096, "1", "Dimension of the observation."),
    SSK_PARAM_REAL(struct lifted, noise, "0.1", 1e-6, 100, "data",
                   "Standard deviation of the observation noise."),
    SSK_PARAM_END,
};

static int lifted_open(void *self, uint64_t seed, ssk_err *err) {
  struct lifted *d = self;
  generated_open(&d->sizes, seed);
  d->lift = (struct lift){.d = 1, .hidden = 8, .D = (int)d->D, .noise = d->noise};
  return lift_open(&d->lift, seed, "data.bimodal_lift", err);
}

static void lifted_done(void *self) {
  struct lifted *d = self;
  lift_done(&d->lift);
}

static void lifted_shape(const void *self, struct ssk_data_shape *out) {
  const struct lifted *d = self;
  generated_shape(&d->sizes, 1, (int)d->D, out);
}

/* ---- the process ----------------------------------------------------------------------------- */

static void lifted_initial(const void *self, ssk_rng *rng, double *z) {
  (void)self;
  *z = ssk_rng_normal(rng);
}

static void lifted_transition(const void *self, ssk_rng *rng, const double *z_prev, double *z) {
  (void)self;
  double jump = LIFTED_JUMP * ssk_rng_sign(rng);
  *z = tanh(*z_prev) + jump + LIFTED_BLUR * ssk_rng_normal(rng);
}

static double lifted_transition_log_prob(const void *self, const double *z_prev, const double *z) {
  (void)self;
  double e = fabs(*z - tanh(*z_prev)); /* the nearer mode is at e = LIFTED_JUMP */
  double near = generated_log_normal(e - LIFTED_JUMP, LIFTED_BLUR);
  double far = generated_log_normal(e + LIFTED_JUMP, LIFTED_BLUR);
  return near + log1p(exp(far - near)) - M_LN2;
}

static void lifted_emission(const void *self, ssk_rng *rng, const double *z, double *x) {
  const struct lifted *d = self;
  lift_emission(&d->lift, rng, z, x);
}

static double lifted_emission_log_prob(const void *self, const double *z, const double *x,
                                       const double *mask) {
  const struct lifted *d = self;
  return lift_log_prob(&d->lift, z, x, mask);
}

static const struct ssk_oracle lifted_process = {
    .size = sizeof(struct ssk_oracle),
    .d = 1,
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
  return generated_fill(self, &lifted_process, (int)d->D, "data.bimodal_lift", split, i, out);
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
    .name = "bimodal_lift",
    .summary = "generated: one bimodal latent, seen through a random network in D dimensions",
    .doc = "z_1 ~ N(0,1), z_t = tanh(z_{t-1}) + 2 s_t + 0.1 eta_t with independent fair signs s_t, "
           "x_t = W2 tanh(W1 z_t + b1) + b2 + noise eps_t with 8 hidden units. The matrices are "
           "drawn from the data's seed (all N(0,1)), and are the same for all splits. The oracle "
           "has the transition and the emission as sampler and density.",
    .self_size = sizeof(struct lifted),
    .params = lifted_params,
    .ops = &lifted_ops,
    .done = lifted_done,
};

SSK_PLUGIN(&lifted_component)
