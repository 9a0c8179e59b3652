/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vmath.h - elementary functions over arrays: branch-free polynomials that the compiler vectorises,
 * compiled for the base instruction set, for AVX2 with FMA and for AVX-512, chosen at run time.
 *
 * Results may be written over the arguments (y == x); other overlaps are not allowed. An entry's
 * result does not depend on its neighbours. NaN gives NaN, infinities give the limit, arguments and
 * results below the normal range are handled. Largest errors, in units in the last place of the
 * result (both instruction sets; tests/unit/test_vmath.c holds them to it):
 *
 *              float  double   remark
 *   exp          1.5     1.5   overflows to inf, underflows gradually to 0; 2 where subnormal
 *   log          1.5     1.5   log(0) = -inf, log(x < 0) = nan
 *   tanh         3       3     relative, also near 0; tanh(-0) = -0
 *   sigmoid      3       3     relative, in both tails; 1.0 from about 17 (37) on
 *   softplus     3       3     log(1 + exp(x))
 *   sin, cos     1       2.5   |x| <= 1e6; beyond, and at infinities and nan, the C library's value
 *   log1p, lgamma              the C library's, one by one
 */
#ifndef SSK_TENSOR_VMATH_H
#define SSK_TENSOR_VMATH_H

#include <sskit/tape.h>
#include <string.h>

void ssk_vexp(size_t n, const ssk_real *x, ssk_real *y);
void ssk_vlog(size_t n, const ssk_real *x, ssk_real *y);
void ssk_vtanh(size_t n, const ssk_real *x, ssk_real *y);
void ssk_vsigmoid(size_t n, const ssk_real *x, ssk_real *y);
void ssk_vsoftplus(size_t n, const ssk_real *x, ssk_real *y);
void ssk_vsin(size_t n, const ssk_real *x, ssk_real *y);
void ssk_vcos(size_t n, const ssk_real *x, ssk_real *y);
void ssk_vlog1p(size_t n, const ssk_real *x, ssk_real *y);
void ssk_vlgamma(size_t n, const ssk_real *x, ssk_real *y);
void ssk_vdigamma(size_t n, const ssk_real *x, ssk_real *y);

enum ssk_isa { SSK_ISA_BASE, SSK_ISA_AVX2, SSK_ISA_AVX512, SSK_ISA_BEST = SSK_ISA_AVX512 };

/* Use the best instruction set of the machine up to `most`: for tests; the default is the best. */
void ssk_vmath_choose(enum ssk_isa most);

/* Box and Muller's transform in double: pairs of uniforms on (0,1), in place, to pairs of standard
 * normals (n pairs, 2n entries). */
void ssk_vbox_muller(size_t n, double *pairs);

/* 2n uniforms on (0,1): those of n blocks of the generator's stream, from rng->index on; rng stays
 * as it is. The same numbers by every instruction set. */
void ssk_vphilox(size_t n, const ssk_rng *rng, double *out);

/* The odd multiples of 2^-53: 52 random bits and a half, so neither 0 nor 1 can come out. The bits
 * are those behind the point of a number in [1, 2). */
static inline double ssk_uniform_of(uint64_t bits) {
  const uint64_t in_one_two = bits >> 12 | (uint64_t)1023 << 52;
  double x;
  memcpy(&x, &in_one_two, sizeof x);
  return (x - 1) + 0x1p-53;
}

#endif
