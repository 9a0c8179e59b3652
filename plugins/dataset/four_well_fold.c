/* SPDX-License-Identifier: GPL-3.0-or-later */
/* four_well_fold.c - diffusion among four wells, seen through a product that folds them onto two.
 *
 *   dz_k = -dU/dz_k dt + sigma dW_k,   U(z) = (z_1^2 - 1)^2 + (z_2^2 - 1)^2,
 *   x_t = (z_1 z_2 + 0.1 eps_1, sin(z_1 z_2) + 0.05 eps_2)
 *
 * by Euler and Maruyama, 40 steps of 0.02 between observations. The wells are at (+-1, +-1). What
 * is observed is the same at z and -z, so two wells always explain it equally well, and the sign of
 * either coordinate alone is never known.
 *
 * The density over 40 inner steps has no closed form: the oracle has the transition as a sampler
 * only, which is what a particle filter needs. */
#include "generated.h"

#define WELLS_STEP  0.02
#define WELLS_STEPS 40

struct wells {
  struct generated generated;
  double sigma, spread;
};

static const struct ssk_param wells_params[] = {
    GENERATED_PARAMS("1024", "256", "1024"),
    SSK_PARAM_REAL(struct wells, sigma, "0.8", 1e-3, 3, "1",
                   "Strength of the noise; the barriers between neighbouring wells have height 1."),
    SSK_PARAM_REAL(struct wells, spread, "0", 0, 3, "latent",
                   "Series start anywhere in [-spread, spread]^2, barriers included, from where "
                   "all wells can be reached; 0: in one of the wells."),
    SSK_PARAM_END,
};

static const double wells_noise[2] = {0.1, 0.05};

/* ---- the process ----------------------------------------------------------------------------- */

static void wells_transition(const void *self, ssk_rng *rng, const double *z_prev, double *z) {
  const struct wells *d = self;
  double kick = d->sigma * sqrt(WELLS_STEP);
  for (int k = 0; k < 2; k++) { /* the coordinates do not see each other */
    double at = z_prev[k];
    for (int i = 0; i < WELLS_STEPS; i++)
      at += -4 * at * (at * at - 1) * WELLS_STEP + kick * ssk_rng_normal(rng);
    z[k] = at;
  }
}

/* Any well, and then long enough for its bottom to fill: relaxation within a well takes about an
 * eighth of a unit of time, a transition 0.8. */
static void wells_initial(const void *self, ssk_rng *rng, double *z) {
  const struct wells *d = self;
  double bottom[2];
  for (int k = 0; k < 2 && d->spread > 0; k++)
    z[k] = d->spread * (2 * ssk_rng_uniform(rng) - 1);
  if (d->spread > 0)
    return;
  for (int k = 0; k < 2; k++)
    bottom[k] = ssk_rng_sign(rng);
  wells_transition(self, rng, bottom, z);
}

static double wells_mean(const double *z, int dim) {
  double product = z[0] * z[1];
  return dim ? sin(product) : product;
}

static void wells_emission(const void *self, ssk_rng *rng, const double *z, double *x) {
  (void)self;
  for (int k = 0; k < 2; k++)
    x[k] = wells_mean(z, k) + wells_noise[k] * ssk_rng_normal(rng);
}

static void wells_emission_mean(const void *self, const double *z, double *x) {
  (void)self;
  for (int k = 0; k < 2; k++)
    x[k] = wells_mean(z, k);
}

static double wells_emission_log_prob(const void *self, const double *z, const double *x,
                                      const double *mask) {
  double sum = 0;
  (void)self;
  for (int k = 0; k < 2; k++)
    if (mask[k] != 0)
      sum += generated_log_normal(x[k] - wells_mean(z, k), wells_noise[k]);
  return sum;
}

static const struct ssk_oracle wells_process = {
    .size = sizeof(struct ssk_oracle),
    .d = 2,
    .initial = wells_initial,
    .transition = wells_transition,
    .emission = wells_emission,
    .emission_mean = wells_emission_mean,
    .emission_log_prob = wells_emission_log_prob,
};

/* ---- slots ----------------------------------------------------------------------------------- */

static int wells_open(void *self, uint64_t seed, ssk_err *err) {
  (void)err;
  generated_open(self, seed, "data.four_well_fold", &wells_process, 2);
  return SSK_OK;
}

static const struct ssk_dataset_ops wells_ops = {.size = sizeof(struct ssk_dataset_ops),
                                                 .open = wells_open,
                                                 .shape = generated_shape,
                                                 .count = generated_count,
                                                 .fill = generated_fill,
                                                 .oracle = generated_oracle};

static const struct ssk_component wells_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_DATASET,
    .name = "four_well_fold",
    .summary = "generated: diffusion among four wells, observed through a product that folds them",
    .doc = "dz = -grad U dt + sigma dW with U = (z_1^2 - 1)^2 + (z_2^2 - 1)^2, by Euler and "
           "Maruyama with 40 steps of 0.02 between observations; x = (z_1 z_2 + 0.1 eps_1, "
           "sin(z_1 z_2) + 0.05 eps_2). Series start in any of the wells (+-1, +-1) with equal "
           "probability, or spread over the plane. z and -z look alike: the posterior of the "
           "latent has two modes or four. "
           "The oracle has the transition as a sampler, without a density.",
    .self_size = sizeof(struct wells),
    .params = wells_params,
    .ops = &wells_ops,
};

SSK_PLUGIN(&wells_component)
