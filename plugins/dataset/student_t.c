/* SPDX-License-Identifier: GPL-3.0-or-later */
/* student_t.c - a scalar AR(1) process with heavy-tailed innovations.
 *
 *   z_1 = scale * e_1,   z_t = decay z_{t-1} + scale * e_t,   e_t ~ Student-t(nu),
 *   x_t = z_t + noise * eps_t
 *
 * With the default nu = 3 an innovation has the variance 3 scale^2, and no fourth moment. */
#include "generated.h"

struct heavy {
  struct generated generated;
  double decay, degrees_of_freedom, scale, noise;
  double log_density_at_0; /* of an innovation */
};

static const struct ssk_param heavy_params[] = {
    GENERATED_PARAMS("1024", "256", "1024"),
    SSK_PARAM_REAL(struct heavy, decay, "0.9", -1, 1, "1",
                   "The factor from one latent to the next."),
    SSK_PARAM_REAL(struct heavy, degrees_of_freedom, "3", 0.5, 1000, "1",
                   "nu of the innovations: the smaller, the heavier the tails."),
    SSK_PARAM_REAL(struct heavy, scale, "1", 1e-6, 100, "data", "Scale of the innovations."),
    SSK_PARAM_REAL(struct heavy, noise, "0.2", 1e-6, 100, "data",
                   "Standard deviation of the observation noise."),
    SSK_PARAM_END,
};

/* ---- the process ----------------------------------------------------------------------------- */

/* Exactly Student-t, from two uniforms (Bailey 1994, the polar method in its trigonometric form):
 * sqrt(nu (u^(-2/nu) - 1)) cos(2 pi v). */
static double heavy_innovation(const struct heavy *d, ssk_rng *rng) {
  double nu = d->degrees_of_freedom;
  double u = ssk_rng_uniform(rng), v = ssk_rng_uniform(rng);
  return d->scale * sqrt(nu * expm1(-2 / nu * log(u))) * cos(2 * M_PI * v);
}

static void heavy_initial(const void *self, ssk_rng *rng, double *z) {
  *z = heavy_innovation(self, rng);
}

static void heavy_transition(const void *self, ssk_rng *rng, const double *z_prev, double *z) {
  const struct heavy *d = self;
  *z = d->decay * *z_prev + heavy_innovation(d, rng);
}

static double heavy_transition_log_prob(const void *self, const double *z_prev, const double *z) {
  const struct heavy *d = self;
  double nu = d->degrees_of_freedom, e = (*z - d->decay * *z_prev) / d->scale;
  return d->log_density_at_0 - 0.5 * (nu + 1) * log1p(e * e / nu);
}

static void heavy_emission(const void *self, ssk_rng *rng, const double *z, double *x) {
  const struct heavy *d = self;
  *x = *z + d->noise * ssk_rng_normal(rng);
}

static double heavy_emission_log_prob(const void *self, const double *z, const double *x,
                                      const double *mask) {
  const struct heavy *d = self;
  return *mask == 0 ? 0 : generated_log_normal(*x - *z, d->noise);
}

static const struct ssk_oracle heavy_process = {
    .size = sizeof(struct ssk_oracle),
    .d = 1,
    .initial = heavy_initial,
    .transition = heavy_transition,
    .emission = heavy_emission,
    .emission_log_prob = heavy_emission_log_prob,
    .transition_log_prob = heavy_transition_log_prob,
};

/* ---- slots ----------------------------------------------------------------------------------- */

static int heavy_open(void *self, uint64_t seed, ssk_err *err) {
  struct heavy *d = self;
  double nu = d->degrees_of_freedom;
  (void)err;
  d->log_density_at_0 =
      lgamma((nu + 1) / 2) - lgamma(nu / 2) - 0.5 * log(nu * M_PI) - log(d->scale);
  generated_open(&d->generated, seed, "data.student_t", &heavy_process, 1);
  return SSK_OK;
}

static const struct ssk_dataset_ops heavy_ops = {.size = sizeof(struct ssk_dataset_ops),
                                                 .open = heavy_open,
                                                 .shape = generated_shape,
                                                 .count = generated_count,
                                                 .fill = generated_fill,
                                                 .oracle = generated_oracle};

static const struct ssk_component heavy_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_DATASET,
    .name = "student_t",
    .summary = "generated: a scalar AR(1) process with Student-t innovations",
    .doc = "z_1 = scale e_1, z_t = decay z_{t-1} + scale e_t with e_t ~ Student-t of "
           "degrees_of_freedom, x_t = z_t + noise eps_t. A Gaussian transition must choose between "
           "the usual step and the rare large one. The oracle has transition and emission as "
           "sampler and density; its likelihood needs about 20000 particles, because few of them "
           "take the rare steps.",
    .self_size = sizeof(struct heavy),
    .params = heavy_params,
    .ops = &heavy_ops,
};

SSK_PLUGIN(&heavy_component)
