/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pulse.h - the signs of life of a worker, given by a thread with its own connection while the
 * worker is busy. */
#ifndef SSK_SWEEP_PULSE_H
#define SSK_SWEEP_PULSE_H

#include "sweep/store.h"

struct ssk_pulse;

/* Begin to give signs of life of the claim, a fifth of the lease apart. All is borrowed until
 * ssk_pulse_stop. */
int ssk_pulse_start(const char *where, const struct ssk_sweep *sweep, const char *worker,
                    const struct ssk_claim *claim, struct ssk_pulse **out, ssk_err *err);
/* Whether another worker has the run by now. */
bool ssk_pulse_lost(struct ssk_pulse *pulse);
/* Accepts NULL. */
void ssk_pulse_stop(struct ssk_pulse *pulse);

#endif
