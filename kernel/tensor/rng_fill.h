/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rng_fill.h - many random numbers at once: the same as so many calls of ssk_rng_normal, or
 * ssk_rng_uniform, but faster. */
#ifndef SSK_TENSOR_RNG_FILL_H
#define SSK_TENSOR_RNG_FILL_H

#include <sskit/tape.h>

void ssk_rng_fill_normal(ssk_rng *rng, size_t n, ssk_real *out);
/* On the open interval (0, 1) in ssk_real too: what would round to 1 is the number below. */
void ssk_rng_fill_uniform(ssk_rng *rng, size_t n, ssk_real *out);

#endif
