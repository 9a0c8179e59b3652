/* SPDX-License-Identifier: GPL-3.0-or-later */
/* harmonic.c - sine waves, each with an amplitude, a frequency and a phase of its own.
 *
 *   a ~ U[0.5, 2],   w ~ U[0.2, 0.6] radians a step,   p_1 ~ U[0, 2 pi),   p_t = p_{t-1} + w,
 *   x_t = a sin(p_t) + noise * eps_t
 *
 * The latent is (a, w, p_t). It moves without noise, so this is no oracle: a particle filter would
 * never find a better amplitude than the nearest that it drew at the start. */
#include "generated.h"

enum { AMPLITUDE, FREQUENCY, PHASE, HARMONIC_D };

struct harmonic {
  struct generated generated;
  double noise;
};

static const struct ssk_param harmonic_params[] = {
    GENERATED_PARAMS("1024", "256", "1024"),
    SSK_PARAM_REAL(struct harmonic, noise, "0.05", 0, 100, "data",
                   "Standard deviation of the observation noise."),
    SSK_PARAM_END,
};

static void harmonic_initial(const void *self, ssk_rng *rng, double *z) {
  (void)self;
  z[AMPLITUDE] = 0.5 + 1.5 * ssk_rng_uniform(rng);
  z[FREQUENCY] = 0.2 + 0.4 * ssk_rng_uniform(rng);
  z[PHASE] = 2 * M_PI * ssk_rng_uniform(rng);
}

static void harmonic_transition(const void *self, ssk_rng *rng, const double *z_prev, double *z) {
  (void)self, (void)rng;
  z[AMPLITUDE] = z_prev[AMPLITUDE];
  z[FREQUENCY] = z_prev[FREQUENCY];
  z[PHASE] = z_prev[PHASE] + z_prev[FREQUENCY];
}

static void harmonic_emission(const void *self, ssk_rng *rng, const double *z, double *x) {
  const struct harmonic *d = self;
  *x = z[AMPLITUDE] * sin(z[PHASE]) + d->noise * ssk_rng_normal(rng);
}

static const struct ssk_oracle harmonic_process = {
    .size = sizeof(struct ssk_oracle),
    .d = HARMONIC_D,
    .initial = harmonic_initial,
    .transition = harmonic_transition,
    .emission = harmonic_emission,
};

static int harmonic_open(void *self, uint64_t seed, ssk_err *err) {
  (void)err;
  generated_open(self, seed, "data.harmonic", &harmonic_process, 1);
  return SSK_OK;
}

static const struct ssk_dataset_ops harmonic_ops = {.size = sizeof(struct ssk_dataset_ops),
                                                    .open = harmonic_open,
                                                    .shape = generated_shape,
                                                    .count = generated_count,
                                                    .fill = generated_fill};

static const struct ssk_component harmonic_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_DATASET,
    .name = "harmonic",
    .summary = "generated: sine waves of random amplitude, frequency and phase",
    .doc =
        "x_t = a sin(p_t) + noise eps_t, p_t = p_{t-1} + w, with the amplitude a uniform on "
        "[0.5, 2], the frequency w on [0.2, 0.6] radians a step and the first phase on "
        "[0, 2 pi). The ground-truth latent is (a, w, p_t). A model must carry all three through "
        "the series. There is no oracle: a latent without noise of its own cannot be followed by "
        "a particle filter.",
    .self_size = sizeof(struct harmonic),
    .params = harmonic_params,
    .ops = &harmonic_ops,
};

SSK_PLUGIN(&harmonic_component)
