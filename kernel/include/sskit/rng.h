/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rng.h - counter-based random numbers (Philox4x32-10, Salmon et al. 2011, by Random123).
 *
 * A stream is named, not seeded by order: its key is a hash of (seed, path, purpose), its counter
 * is (step, row, index). So the numbers that a component draws depend on nothing but these: not on
 * other components, threads, or how often others drew. Two recipes with one seed and one component
 * in common give it the same numbers: comparisons are paired. */
#ifndef SSKIT_RNG_H
#define SSKIT_RNG_H

#include <gsl/gsl_rng.h>
#include <sskit/err.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A stream of random numbers. A plain value: copy it to fork it. Initialise with ssk_rng_open. */
typedef struct ssk_rng {
  uint64_t key;      /* hash of seed, path and purpose */
  uint32_t step;     /* counter word 0 */
  uint32_t row;      /* counter word 1: shard or series */
  uint64_t index;    /* counter words 2 and 3: the next block of four 32-bit words */
  uint32_t block[4]; /* the current block */
  int used;          /* words of it that were handed out; 4: none is left */
  double spare;      /* the second normal of a pair */
  bool has_spare;
} ssk_rng;

/* Open the stream (seed, path, purpose) at (step, row), index 0. Strings may be NULL (empty). */
SSK_API ssk_rng ssk_rng_open(uint64_t seed, const char *path, const char *purpose, uint32_t step,
                             uint32_t row);

/* The 64-bit key of such a stream (what ssk_rng_open stores): hash once, reuse often. */
SSK_API uint64_t ssk_rng_key(uint64_t seed, const char *path, const char *purpose);

SSK_API uint32_t ssk_rng_u32(ssk_rng *rng);
/* Uniform on the open interval (0, 1), 53 bits. */
SSK_API double ssk_rng_uniform(ssk_rng *rng);
/* Standard normal, by Box and Muller. */
SSK_API double ssk_rng_normal(ssk_rng *rng);
/* Uniform integer in [0, n), without bias; n >= 1. */
SSK_API uint64_t ssk_rng_below(ssk_rng *rng, uint64_t n);
/* Leave out the next n uniforms, or normals, of a stream that has not begun a pair of normals. */
SSK_API void ssk_rng_skip_uniforms(ssk_rng *rng, uint64_t n);
SSK_API void ssk_rng_skip_normals(ssk_rng *rng, uint64_t n);
/* +1 or -1 with probability one half each. */
SSK_API int ssk_rng_sign(ssk_rng *rng);

/* A gsl_rng whose numbers are those of `rng`, for GSL's distributions (gsl_ran_tdist, ...). The
 * caller owns it and frees it with gsl_rng_free; it advances its own copy of `rng`. NULL without
 * memory. */
SSK_API gsl_rng *ssk_rng_gsl(const ssk_rng *rng);

#ifdef __cplusplus
}
#endif
#endif
