/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bimodal.c - the series with two futures: each step jumps up or down, a fair coin decides.
 *
 *   z_1 ~ N(0, 1),   z_t = 0.9 z_{t-1} + 4 s_t  with s_t = +1 or -1,   x_t = z_t + noise * eps_t
 *
 * The one-step predictive density given z_{t-1} is an equal mixture of two Gaussians at
 * 0.9 z_{t-1} +- 4: no single Gaussian forecast comes near it. With noise 0.2 a series of 32 steps
 * has a negative log-likelihood of 17.84 nats on average. */
#include "generated.h"

#define BIMODAL_DECAY 0.9
#define BIMODAL_JUMP  4.0

struct bimodal {
  struct generated generated;
  double noise;
};

static const struct ssk_param bimodal_params[] = {
    GENERATED_PARAMS("1024", "256", "1024"),
    SSK_PARAM_REAL(struct bimodal, noise, "0.2", 1e-6, 100, "data",
                   "Standard deviation of the observation noise."),
    SSK_PARAM_END,
};

/* ---- the process ----------------------------------------------------------------------------- */

static void bimodal_initial(const void *self, ssk_rng *rng, double *z) {
  (void)self;
  *z = ssk_rng_normal(rng);
}

static void bimodal_transition(const void *self, ssk_rng *rng, const double *z_prev, double *z) {
  (void)self;
  *z = BIMODAL_DECAY * *z_prev + BIMODAL_JUMP * ssk_rng_sign(rng);
}

static void bimodal_emission(const void *self, ssk_rng *rng, const double *z, double *x) {
  const struct bimodal *d = self;
  *x = *z + d->noise * ssk_rng_normal(rng);
}

static void bimodal_emission_mean(const void *self, const double *z, double *x) {
  (void)self;
  *x = *z;
}

static double bimodal_emission_log_prob(const void *self, const double *z, const double *x,
                                        const double *mask) {
  const struct bimodal *d = self;
  return *mask == 0 ? 0 : generated_log_normal(*x - *z, d->noise);
}

static double bimodal_predictive_centre(const void *self, const double *z_prev, int dim) {
  (void)self, (void)dim;
  return BIMODAL_DECAY * *z_prev;
}

static double bimodal_predictive_cdf(const void *self, const double *z_prev, int dim,
                                     double value) {
  const struct bimodal *d = self;
  double e = value - bimodal_predictive_centre(self, z_prev, dim), unit = d->noise * M_SQRT2;
  return 0.25 * (erfc(-(e - BIMODAL_JUMP) / unit) + erfc(-(e + BIMODAL_JUMP) / unit));
}

static const struct ssk_oracle bimodal_process = {
    .size = sizeof(struct ssk_oracle),
    .d = 1,
    .initial = bimodal_initial,
    .transition = bimodal_transition,
    .emission = bimodal_emission,
    .emission_mean = bimodal_emission_mean,
    .emission_log_prob = bimodal_emission_log_prob,
    .predictive_cdf = bimodal_predictive_cdf,
    .predictive_centre = bimodal_predictive_centre,
};

/* ---- slots ----------------------------------------------------------------------------------- */

static int bimodal_open(void *self, uint64_t seed, ssk_err *err) {
  (void)err;
  generated_open(self, seed, "data.bimodal", &bimodal_process, 1);
  return SSK_OK;
}

static const struct ssk_dataset_ops bimodal_ops = {.size = sizeof(struct ssk_dataset_ops),
                                                   .open = bimodal_open,
                                                   .shape = generated_shape,
                                                   .count = generated_count,
                                                   .fill = generated_fill,
                                                   .oracle = generated_oracle};

static const struct ssk_component bimodal_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_DATASET,
    .name = "bimodal",
    .summary = "generated: z jumps by +4 or -4 each step, observed with a little noise",
    .doc = "z_1 ~ N(0,1), z_t = 0.9 z_{t-1} + 4 s_t with independent fair signs s_t, "
           "x_t = z_t + noise eps_t. The next observation has two modes; the oracle knows them. "
           "Training, validation and test series are disjoint slices of one population.",
    .self_size = sizeof(struct bimodal),
    .params = bimodal_params,
    .ops = &bimodal_ops,
};

SSK_PLUGIN(&bimodal_component)
