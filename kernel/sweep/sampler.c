/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sampler.c - the samplers that look at nothing but the number of the trial. */
#include "sweep/sampler.h"
#include <gsl/gsl_qrng.h>
#include <math.h>
#include <sskit/rng.h>

enum { sobol_axes = 40 }; /* dimensions that GSL has numbers for */

void ssk_sample_grid(const struct ssk_axes *axes, int64_t number, double *point) {
  for (int k = axes->n - 1; k >= 0; k--) {
    const struct ssk_axis *axis = &axes->items[k];
    point[k] = ssk_axis_point(axis, number % axis->n);
    number /= axis->n;
  }
}

/* Named by the axis, so that an axis that is added leaves the others as they are. */
void ssk_sample_random(const struct ssk_axes *axes, uint64_t seed, int64_t number, double *point) {
  for (int k = 0; k < axes->n; k++) {
    ssk_rng rng = ssk_rng_open(seed, axes->items[k].key, "sweep", (uint32_t)number, 0);
    point[k] = ssk_rng_uniform(&rng);
  }
}

/* Shifted modulo 1 by a random vector (Cranley and Patterson 1976): as even, but another one for
 * each seed. */
int ssk_sample_sobol(const struct ssk_axes *axes, uint64_t seed, int64_t number, double *point,
                     ssk_err *err) {
  gsl_qrng *q = gsl_qrng_alloc(gsl_qrng_sobol, (unsigned)axes->n);
  if (!q)
    return ssk_err_set(err, SSK_ENOMEM, "no memory for a Sobol sequence");
  for (int64_t i = 0; i <= number; i++)
    gsl_qrng_get(q, point);
  gsl_qrng_free(q);
  for (int k = 0; k < axes->n; k++) {
    ssk_rng rng = ssk_rng_open(seed, axes->items[k].key, "sobol shift", 0, 0);
    point[k] += ssk_rng_uniform(&rng);
    point[k] -= floor(point[k]);
  }
  return SSK_OK;
}

static int propose(const struct ssk_sweep *sweep, int64_t number, const struct ssk_trials *trials,
                   double *point, ssk_err *err) {
  const struct ssk_sampler_section *how = &sweep->sweep.sampler;
  const uint64_t seed = (uint64_t)how->seed;
  switch ((enum ssk_sampler_kind)how->use) {
  case SSK_SAMPLE_GRID:
    ssk_sample_grid(&sweep->axes, number, point);
    return SSK_OK;
  case SSK_SAMPLE_TPE:
    if (number >= how->startup)
      return ssk_sample_tpe(sweep, number, trials, point, err);
    if (sweep->axes.n <= sobol_axes)
      return ssk_sample_sobol(&sweep->axes, seed, number, point, err);
    break;
  case SSK_SAMPLE_SOBOL:
    return ssk_sample_sobol(&sweep->axes, seed, number, point, err);
  case SSK_SAMPLE_RANDOM:
    break;
  }
  ssk_sample_random(&sweep->axes, seed, number, point);
  return SSK_OK;
}

int ssk_sampler_propose(void *user, int64_t number, const struct ssk_trials *trials, double *point,
                        ssk_err *err) {
  const struct ssk_sweep *sweep = user;
  int code = propose(sweep, number, trials, point, err);
  ssk_axes_snap(&sweep->axes, point);
  return code;
}
