/* SPDX-License-Identifier: GPL-3.0-or-later */
/* asha.h - asynchronous successive halving (Li et al. 2020, "A system for massively parallel
 * hyperparameter tuning"), in the form that stops runs instead of promoting them: no run waits. */
#ifndef SSK_SWEEP_ASHA_H
#define SSK_SWEEP_ASHA_H

#include <stdbool.h>
#include <stdint.h>

/* Whether `step` is a rung: min * factor^k. */
bool ssk_asha_rung(int64_t step, int64_t min, int64_t factor);
/* Whether a run with this loss goes on, of all losses[n] at its rung, its own among them: whether
 * it is among the best n/factor, of which there is always one. NaN never goes on. */
bool ssk_asha_keeps(const double *losses, int n, double own, int64_t factor);

#endif
