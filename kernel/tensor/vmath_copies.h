/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vmath_copies.h - the array functions for one instruction set: float unless the build is double,
 * and double. Included by vmath.c once for each ISA (so it has no guard). */
#ifndef SSK_DOUBLE
#define REAL     float
#define BITS     uint32_t
#define MANTISSA 23
#define BIAS     127
#define NAME(f)  JOIN(float, ISA, f)
#define ARRAYS   1
#include "tensor/vmath_kernels.h"
#undef REAL
#undef BITS
#undef MANTISSA
#undef BIAS
#undef NAME
#undef ARRAYS
#define ARRAYS 0
#else
#define ARRAYS 1
#endif

#define REAL     double
#define BITS     uint64_t
#define MANTISSA 52
#define BIAS     1023
#define NAME(f)  JOIN(double, ISA, f)
#include "tensor/vmath_kernels.h"
#include "tensor/vmath_philox.h"
#include "tensor/vmath_trig.h"
#undef REAL
#undef BITS
#undef MANTISSA
#undef BIAS
#undef NAME
#undef ARRAYS
