/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sampler.h - where trials lie in the unit cube of the axes. */
#ifndef SSK_SWEEP_SAMPLER_H
#define SSK_SWEEP_SAMPLER_H

#include "sweep/store.h"

/* Choose the point of trial `number` as the sweep says; an ssk_propose, whose `user` is the struct
 * ssk_sweep. For grid, random and sobol it depends on the sampler's seed and the number alone. */
int ssk_sampler_propose(void *sweep, int64_t number, const struct ssk_trials *trials, double *point,
                        ssk_err *err);

/* The samplers; point: [axes]. Trial `number` of the grid, the last axis fastest. */
void ssk_sample_grid(const struct ssk_axes *axes, int64_t number, double *point);
void ssk_sample_random(const struct ssk_axes *axes, uint64_t seed, int64_t number, double *point);
/* At most 40 axes; SSK_ENOMEM. */
int ssk_sample_sobol(const struct ssk_axes *axes, uint64_t seed, int64_t number, double *point,
                     ssk_err *err);
/* tpe.c. */
int ssk_sample_tpe(const struct ssk_sweep *sweep, int64_t number, const struct ssk_trials *trials,
                   double *point, ssk_err *err);

#endif
