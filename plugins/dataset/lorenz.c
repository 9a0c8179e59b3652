/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lorenz.c - the Lorenz system with process noise, all three coordinates observed.
 *
 *   z_t = flow(z_{t-1}; interval) + process_noise * eta_t,   x_t = z_t + noise * eps_t
 *
 * where `flow` carries a state along  a' = 10 (b - a), b' = a (28 - c) - b, c' = a b - 8/3 c
 * (Lorenz 1963) by GSL's Runge-Kutta-Fehlberg solver with a local error of 1e-6. The noise comes
 * after the flow, so the transition is a Gaussian around it, and its density is known. */
#include "generated.h"
#include <gsl/gsl_errno.h>
#include <gsl/gsl_odeiv2.h>
#include <string.h>

#define LORENZ_D     3
#define LORENZ_ERROR 1e-6

struct lorenz {
  struct generated generated;
  double interval, process_noise, noise;
};

static const struct ssk_param lorenz_params[] = {
    GENERATED_PARAMS("1024", "256", "1024"),
    SSK_PARAM_REAL(struct lorenz, interval, "0.1", 1e-3, 10, "1",
                   "Time between observations, in the units of the equations."),
    SSK_PARAM_REAL(struct lorenz, process_noise, "0.5", 1e-6, 100, "data",
                   "Standard deviation of the noise after each interval."),
    SSK_PARAM_REAL(struct lorenz, noise, "1", 1e-6, 100, "data",
                   "Standard deviation of the observation noise."),
    SSK_PARAM_END,
};

/* ---- the flow -------------------------------------------------------------------------------- */

static int lorenz_velocity(double t, const double z[], double velocity[], void *unused) {
  (void)t, (void)unused;
  velocity[0] = 10 * (z[1] - z[0]);
  velocity[1] = z[0] * (28 - z[2]) - z[1];
  velocity[2] = z[0] * z[1] - 8.0 / 3 * z[2];
  return GSL_SUCCESS;
}

/* z, `time` later; not a number where the solver fails, which the reader of the data reports. */
static void lorenz_flow(double time, double *z) {
  gsl_odeiv2_system system = {.function = lorenz_velocity, .dimension = LORENZ_D};
  gsl_odeiv2_driver *driver = gsl_odeiv2_driver_alloc_y_new(&system, gsl_odeiv2_step_rkf45, 0.02,
                                                            LORENZ_ERROR, LORENZ_ERROR);
  double start = 0;
  int code = driver ? gsl_odeiv2_driver_apply(driver, &start, time, z) : GSL_ENOMEM;
  for (int k = 0; code && k < LORENZ_D; k++)
    z[k] = NAN;
  gsl_odeiv2_driver_free(driver);
}

/* ---- the process ----------------------------------------------------------------------------- */

/* Somewhere about the attractor, and then two units of time, in which it is reached. */
static void lorenz_initial(const void *self, ssk_rng *rng, double *z) {
  (void)self;
  for (int k = 0; k < LORENZ_D; k++)
    z[k] = (k == 2 ? 24 : 0) + 8 * ssk_rng_normal(rng);
  lorenz_flow(2, z);
}

static void lorenz_transition(const void *self, ssk_rng *rng, const double *z_prev, double *z) {
  const struct lorenz *d = self;
  for (int k = 0; k < LORENZ_D; k++)
    z[k] = z_prev[k];
  lorenz_flow(d->interval, z);
  for (int k = 0; k < LORENZ_D; k++)
    z[k] += d->process_noise * ssk_rng_normal(rng);
}

static double lorenz_transition_log_prob(const void *self, const double *z_prev, const double *z) {
  const struct lorenz *d = self;
  double centre[LORENZ_D] = {z_prev[0], z_prev[1], z_prev[2]}, sum = 0;
  lorenz_flow(d->interval, centre);
  for (int k = 0; k < LORENZ_D; k++)
    sum += generated_log_normal(z[k] - centre[k], d->process_noise);
  return sum;
}

static void lorenz_emission(const void *self, ssk_rng *rng, const double *z, double *x) {
  const struct lorenz *d = self;
  for (int k = 0; k < LORENZ_D; k++)
    x[k] = z[k] + d->noise * ssk_rng_normal(rng);
}

static void lorenz_emission_mean(const void *self, const double *z, double *x) {
  (void)self;
  memcpy(x, z, LORENZ_D * sizeof *x);
}

static double lorenz_emission_log_prob(const void *self, const double *z, const double *x,
                                       const double *mask) {
  const struct lorenz *d = self;
  double sum = 0;
  for (int k = 0; k < LORENZ_D; k++)
    if (mask[k] != 0)
      sum += generated_log_normal(x[k] - z[k], d->noise);
  return sum;
}

static const struct ssk_oracle lorenz_process = {
    .size = sizeof(struct ssk_oracle),
    .d = LORENZ_D,
    .initial = lorenz_initial,
    .transition = lorenz_transition,
    .emission = lorenz_emission,
    .emission_mean = lorenz_emission_mean,
    .emission_log_prob = lorenz_emission_log_prob,
    .transition_log_prob = lorenz_transition_log_prob,
};

/* ---- slots ----------------------------------------------------------------------------------- */

static int lorenz_open(void *self, uint64_t seed, ssk_err *err) {
  (void)err;
  generated_open(self, seed, "data.lorenz", &lorenz_process, LORENZ_D);
  return SSK_OK;
}

static const struct ssk_dataset_ops lorenz_ops = {.size = sizeof(struct ssk_dataset_ops),
                                                  .open = lorenz_open,
                                                  .shape = generated_shape,
                                                  .count = generated_count,
                                                  .fill = generated_fill,
                                                  .oracle = generated_oracle};

static const struct ssk_component lorenz_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_DATASET,
    .name = "lorenz",
    .summary = "generated: the Lorenz system with process noise, observed in all coordinates",
    .doc = "z_t is z_{t-1} carried for `interval` by a' = 10 (b - a), b' = a (28 - c) - b, "
           "c' = a b - 8/3 c, plus process_noise eta_t; x_t = z_t + noise eps_t. Solved by GSL's "
           "rkf45 with a local error of 1e-6. The oracle has transition and emission as sampler "
           "and density. Source: Lorenz 1963.",
    .self_size = sizeof(struct lorenz),
    .params = lorenz_params,
    .ops = &lorenz_ops,
};

SSK_PLUGIN(&lorenz_component)
