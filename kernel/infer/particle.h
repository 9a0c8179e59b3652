/* SPDX-License-Identifier: GPL-3.0-or-later */
/* particle.h - the bootstrap particle filter on the generating process of a data set. */
#ifndef SSK_INFER_PARTICLE_H
#define SSK_INFER_PARTICLE_H

#include <sskit/plugin.h>

/* Particles of one series. Open with ssk_particles_open, feed the steps in order, free. */
struct ssk_particles {
  const struct ssk_oracle *oracle;
  const void *self; /* the data set's */
  int n, d;
  int64_t steps;         /* fed so far */
  double *z;             /* [n, d] */
  double *weight;        /* [n], sum to 1 */
  double log_likelihood; /* the estimate of log p(x_{1:steps}); exp of it is unbiased */
  int *ancestor;         /* [n] which particle of the step before each one comes from */
  ssk_rng rng;
  double *memory;
};

/* The random numbers are those of `rng`, a copy of which is kept. */
int ssk_particles_open(struct ssk_particles *p, const struct ssk_oracle *oracle, const void *self,
                       int n, ssk_rng rng, ssk_err *err);
/* The next step: resample if the effective sample size is under n/2, propagate, weight by x[D]. */
void ssk_particles_feed(struct ssk_particles *p, const double *x, const double *mask, int D);
/* Draw n_draws states from the weighted particles, systematically: z[n_draws, d]. */
void ssk_particles_draw(struct ssk_particles *p, int n_draws, double *z);
/* Forecast: draw states and let the process go on: paths[samples, horizon, D]; from its start where
 * nothing was fed. */
int ssk_particles_forecast(struct ssk_particles *p, int samples, int horizon, int D, double *paths,
                           ssk_err *err);
/* Smooth: draw paths z[samples, T, d] of the states given the whole series x[T, D], by following
 * the filter's particles back to where they come from (Kitagawa 1996). Paths that are drawn share
 * their first steps where these are many more than particles are. Feeds p, which is fresh. */
int ssk_particles_smooth(struct ssk_particles *p, int T, const double *x, const double *mask, int D,
                         int samples, double *z, ssk_err *err);
/* Weighted mean of the states, [d]. */
void ssk_particles_mean(const struct ssk_particles *p, double *mean);
void ssk_particles_free(struct ssk_particles *p);

#endif
