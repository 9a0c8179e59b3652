/* SPDX-License-Identifier: GPL-3.0-or-later */
/* random_walk_mixture.c - a decaying random walk that steps up or down, each step blurred.
 *
 *   z_1 ~ N(0, 1),   z_t = 0.9 z_{t-1} + s_t + 0.2 eta_t  with s_t = +1 or -1,
 *   x_t = z_t + noise * eps_t
 *
 * By default noise = 0: the latent is observed exactly, and p(x | z) has no density. A particle
 * filter cannot weigh by it, so the process is an oracle only where noise > 0. */
#include "generated.h"

#define WALK_DECAY 0.9
#define WALK_BLUR  0.2

struct walk {
  struct generated generated;
  double noise;
};

static const struct ssk_param walk_params[] = {
    GENERATED_PARAMS("1024", "256", "1024"),
    SSK_PARAM_REAL(struct walk, noise, "0", 0, 100, "data",
                   "Standard deviation of the observation noise; 0: no oracle."),
    SSK_PARAM_END,
};

/* ---- the process ----------------------------------------------------------------------------- */

static void walk_initial(const void *self, ssk_rng *rng, double *z) {
  (void)self;
  *z = ssk_rng_normal(rng);
}

static void walk_transition(const void *self, ssk_rng *rng, const double *z_prev, double *z) {
  (void)self;
  double step = ssk_rng_sign(rng);
  *z = WALK_DECAY * *z_prev + step + WALK_BLUR * ssk_rng_normal(rng);
}

static void walk_emission(const void *self, ssk_rng *rng, const double *z, double *x) {
  const struct walk *d = self;
  *x = *z + d->noise * ssk_rng_normal(rng);
}

static void walk_emission_mean(const void *self, const double *z, double *x) {
  (void)self;
  *x = *z;
}

static double walk_emission_log_prob(const void *self, const double *z, const double *x,
                                     const double *mask) {
  const struct walk *d = self;
  return *mask == 0 ? 0 : generated_log_normal(*x - *z, d->noise);
}

static double walk_predictive_centre(const void *self, const double *z_prev, int dim) {
  (void)self, (void)dim;
  return WALK_DECAY * *z_prev;
}

static double walk_transition_log_prob(const void *self, const double *z_prev, const double *z) {
  return generated_log_two_modes(*z - walk_predictive_centre(self, z_prev, 0), 1, WALK_BLUR);
}

static double walk_transition_cdf(const void *self, const double *z_prev, int dim, double value) {
  double e = value - walk_predictive_centre(self, z_prev, dim);
  return 0.5 * (generated_normal_cdf(e - 1, WALK_BLUR) + generated_normal_cdf(e + 1, WALK_BLUR));
}

static double walk_predictive_cdf(const void *self, const double *z_prev, int dim, double value) {
  const struct walk *d = self;
  double e = value - walk_predictive_centre(self, z_prev, dim);
  double unit = M_SQRT2 * hypot(WALK_BLUR, d->noise);
  return 0.25 * (erfc(-(e - 1) / unit) + erfc(-(e + 1) / unit));
}

static const struct ssk_oracle walk_process = {
    .size = sizeof(struct ssk_oracle),
    .d = 1,
    .initial = walk_initial,
    .transition = walk_transition,
    .emission = walk_emission,
    .emission_mean = walk_emission_mean,
    .emission_log_prob = walk_emission_log_prob,
    .transition_log_prob = walk_transition_log_prob,
    .transition_cdf = walk_transition_cdf,
    .predictive_cdf = walk_predictive_cdf,
    .predictive_centre = walk_predictive_centre,
};

/* ---- slots ----------------------------------------------------------------------------------- */

static int walk_open(void *self, uint64_t seed, ssk_err *err) {
  (void)err;
  generated_open(self, seed, "data.random_walk_mixture", &walk_process, 1);
  return SSK_OK;
}

static const struct ssk_oracle *walk_oracle(const void *self) {
  const struct walk *d = self;
  return d->noise > 0 ? &walk_process : NULL;
}

static const struct ssk_dataset_ops walk_ops = {.size = sizeof(struct ssk_dataset_ops),
                                                .open = walk_open,
                                                .shape = generated_shape,
                                                .count = generated_count,
                                                .fill = generated_fill,
                                                .oracle = walk_oracle};

static const struct ssk_component walk_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_DATASET,
    .name = "random_walk_mixture",
    .summary = "generated: a decaying walk with steps near +1 or -1, observed exactly",
    .doc =
        "z_1 ~ N(0,1), z_t = 0.9 z_{t-1} + s_t + 0.2 eta_t with independent fair signs s_t, "
        "x_t = z_t + noise eps_t. A two-component Gaussian mixture given z_{t-1}, with modes ten "
        "standard deviations apart. Without noise (the default) the emission has no density, and "
        "there is no oracle; with noise > 0 the oracle has every density and the predictive cdf.",
    .self_size = sizeof(struct walk),
    .params = walk_params,
    .ops = &walk_ops,
};

SSK_PLUGIN(&walk_component)
