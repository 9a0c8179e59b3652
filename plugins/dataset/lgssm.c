/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lgssm.c - a scalar linear-Gaussian state-space model, for which the Kalman filter is exact.
 *
 *   z_1 = 0,   z_t = 0.9 z_{t-1} + 0.1 eta_t,   x_t = z_t + 0.1 eps_t
 *
 * In the steady state the one-step predictive variance is 0.02484, that is -0.4287 nats a step. */
#include "generated.h"

struct lgssm {
  struct generated generated;
  double decay, process_noise, noise;
  double zero, Q, C, R; /* the process as one-by-one matrices */
};

static const struct ssk_param lgssm_params[] = {
    GENERATED_PARAMS("1024", "256", "1024"),
    SSK_PARAM_REAL(struct lgssm, decay, "0.9", -1, 1, "1",
                   "The factor from one latent to the next."),
    SSK_PARAM_REAL(struct lgssm, process_noise, "0.1", 1e-6, 100, "data",
                   "Standard deviation of the latent's innovations."),
    SSK_PARAM_REAL(struct lgssm, noise, "0.1", 1e-6, 100, "data",
                   "Standard deviation of the observation noise."),
    SSK_PARAM_END,
};

/* ---- the process ----------------------------------------------------------------------------- */

static void lgssm_initial(const void *self, ssk_rng *rng, double *z) {
  (void)self, (void)rng;
  *z = 0;
}

static void lgssm_transition(const void *self, ssk_rng *rng, const double *z_prev, double *z) {
  const struct lgssm *d = self;
  *z = d->decay * *z_prev + d->process_noise * ssk_rng_normal(rng);
}

static void lgssm_emission(const void *self, ssk_rng *rng, const double *z, double *x) {
  const struct lgssm *d = self;
  *x = *z + d->noise * ssk_rng_normal(rng);
}

static double lgssm_emission_log_prob(const void *self, const double *z, const double *x,
                                      const double *mask) {
  const struct lgssm *d = self;
  return *mask == 0 ? 0 : generated_log_normal(*x - *z, d->noise);
}

static double lgssm_transition_log_prob(const void *self, const double *z_prev, const double *z) {
  const struct lgssm *d = self;
  return generated_log_normal(*z - d->decay * *z_prev, d->process_noise);
}

static double lgssm_transition_cdf(const void *self, const double *z_prev, int dim, double value) {
  const struct lgssm *d = self;
  (void)dim;
  return generated_normal_cdf(value - d->decay * *z_prev, d->process_noise);
}

static double lgssm_predictive_centre(const void *self, const double *z_prev, int dim) {
  const struct lgssm *d = self;
  (void)dim;
  return d->decay * *z_prev;
}

static double lgssm_predictive_cdf(const void *self, const double *z_prev, int dim, double value) {
  const struct lgssm *d = self;
  double e = value - lgssm_predictive_centre(self, z_prev, dim);
  return 0.5 * erfc(-e / sqrt(2 * (d->Q + d->R)));
}

static void lgssm_linear(const void *self, struct ssk_linear_gaussian *out) {
  const struct lgssm *d = self;
  *out = (struct ssk_linear_gaussian){.size = sizeof *out,
                                      .d = 1,
                                      .D = 1,
                                      .m0 = &d->zero,
                                      .P0 = &d->zero,
                                      .A = &d->decay,
                                      .Q = &d->Q,
                                      .C = &d->C,
                                      .R = &d->R};
}

static const struct ssk_oracle lgssm_process = {
    .size = sizeof(struct ssk_oracle),
    .d = 1,
    .initial = lgssm_initial,
    .transition = lgssm_transition,
    .emission = lgssm_emission,
    .emission_log_prob = lgssm_emission_log_prob,
    .transition_log_prob = lgssm_transition_log_prob,
    .transition_cdf = lgssm_transition_cdf,
    .predictive_cdf = lgssm_predictive_cdf,
    .predictive_centre = lgssm_predictive_centre,
    .linear = lgssm_linear,
};

/* ---- slots ----------------------------------------------------------------------------------- */

static int lgssm_open(void *self, uint64_t seed, ssk_err *err) {
  struct lgssm *d = self;
  (void)err;
  d->zero = 0;
  d->Q = d->process_noise * d->process_noise;
  d->C = 1;
  d->R = d->noise * d->noise;
  generated_open(&d->generated, seed, "data.lgssm", &lgssm_process, 1);
  return SSK_OK;
}

static const struct ssk_dataset_ops lgssm_ops = {.size = sizeof(struct ssk_dataset_ops),
                                                 .open = lgssm_open,
                                                 .shape = generated_shape,
                                                 .count = generated_count,
                                                 .fill = generated_fill,
                                                 .oracle = generated_oracle};

static const struct ssk_component lgssm_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_DATASET,
    .name = "lgssm",
    .summary = "generated: a scalar linear-Gaussian model with its exact Kalman answer",
    .doc =
        "z_1 = 0, z_t = decay z_{t-1} + process_noise eta_t, x_t = z_t + noise eps_t. The oracle "
        "is linear: the kernel's Kalman filter gives the exact likelihood and forecasts.",
    .self_size = sizeof(struct lgssm),
    .params = lgssm_params,
    .ops = &lgssm_ops,
};

SSK_PLUGIN(&lgssm_component)
