/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vmath_kernels.h - the array functions of vmath.h, to be included once for each real type and
 * instruction set (so it has no guard). The includer defines
 *   REAL, BITS        the type, and the unsigned integer of its size
 *   MANTISSA, BIAS    bits of the stored significand; bias of the exponent
 *   NAME(f)           the name of function f in this copy
 *   ARRAYS            1: the functions over arrays too; 0: only those of one number
 *
 * Methods. exp: x = n ln2 + r, |r| <= ln2/2, Taylor's series of exp(r), scaled by 2^n in two
 * factors. log: x = m 2^e with m in [sqrt(1/2), sqrt(2)), log m = 2 artanh((m-1)/(m+1)) by its
 * series. tanh: from expm1(-2|x|), computed as 2^n expm1(r) + (2^n - 1). softplus: max(x,0) + 2
 * artanh(e/(2+e)), e = exp(-|x|). The series are cut where the next term is below a tenth of a unit
 * in the last place. Selections are written so that NaN passes through. */

#define LOG2E 1.44269504088896340736
/* Adding it to a number of modest size rounds that to an integer, held in the lowest bits. */
#define SHIFTER (sizeof(REAL) == 4 ? (REAL)0x1.8p23 : (REAL)0x1.8p52)
/* ln 2 in two parts, the first with so few bits that its multiples by exponents are exact. */
#define LN2_HI (sizeof(REAL) == 4 ? (REAL)0x1.62ep-1 : (REAL)0x1.62e42fee00000p-1)
#define LN2_LO (sizeof(REAL) == 4 ? (REAL)0x1.0bfbe8e7bcd5ep-15 : (REAL)0x1.a39ef35793c76p-33)
#define INLINE static inline __attribute__((always_inline))

INLINE BITS NAME(bits)(REAL x) {
  BITS b;
  __builtin_memcpy(&b, &x, sizeof b);
  return b;
}

INLINE REAL NAME(real)(BITS b) {
  REAL x;
  __builtin_memcpy(&x, &b, sizeof x);
  return x;
}

/* 2^n for integral n of normal results. */
INLINE REAL NAME(power)(REAL n) {
  return NAME(real)((NAME(bits)(n + SHIFTER) + (BITS)BIAS) << MANTISSA);
}

/* The polynomial with coefficients of x^0, x^1, ... */
INLINE REAL NAME(poly)(REAL x, const double *c, int n) {
  REAL sum = (REAL)c[n - 1];
#pragma GCC unroll 20
  for (int i = n - 2; i >= 0; i--)
    sum = sum * x + (REAL)c[i];
  return sum;
}

/* x = n ln2 + r: n, and exp(r) - 1, which is r + r^2 times the sum of r^i / (i+2)! */
INLINE REAL NAME(reduce)(REAL x, REAL *expm1_r) {
  static const double c[] = {1. / 2,        1. / 6,         1. / 24,         1. / 120,
                             1. / 720,      1. / 5040,      1. / 40320,      1. / 362880,
                             1. / 3628800., 1. / 39916800., 1. / 479001600., 1. / 6227020800.};
  const REAL n = (x * (REAL)LOG2E + SHIFTER) - SHIFTER;
  const REAL r = (x - n * LN2_HI) - n * LN2_LO;
  *expm1_r = r + r * r * NAME(poly)(r, c, sizeof(REAL) == 4 ? 6 : 12);
  return n;
}

INLINE REAL NAME(one_exp)(REAL x) {
  const REAL least = sizeof(REAL) == 4 ? (REAL)-105 : (REAL)-750;
  const REAL most = sizeof(REAL) == 4 ? (REAL)89 : (REAL)710;
  x = x < least ? least : x;
  x = x > most ? most : x;
  REAL rest;
  const REAL n = NAME(reduce)(x, &rest);
  const REAL half = (n * (REAL)0.5 + SHIFTER) - SHIFTER;
  return ((REAL)1 + rest) * NAME(power)(half) * NAME(power)(n - half);
}

/* exp(x) - 1 for x in about [-40, 0] */
INLINE REAL NAME(one_expm1)(REAL x) {
  REAL rest;
  const REAL scale = NAME(power)(NAME(reduce)(x, &rest));
  return scale * rest + (scale - (REAL)1);
}

/* 2 (artanh(s) - s) / s as a series in z = s^2: the sum of 2 z^i / (2i+1), i from 1. */
INLINE REAL NAME(artanh_tail)(REAL z, int terms) {
  static const double c[] = {2. / 3,  2. / 5,  2. / 7,  2. / 9,  2. / 11, 2. / 13,
                             2. / 15, 2. / 17, 2. / 19, 2. / 21, 2. / 23, 2. / 25,
                             2. / 27, 2. / 29, 2. / 31, 2. / 33, 2. / 35, 2. / 37};
  return z * NAME(poly)(z, c, terms);
}

INLINE REAL NAME(one_log)(REAL x) {
  const REAL least_normal = sizeof(REAL) == 4 ? (REAL)0x1p-126 : (REAL)0x1p-1022;
  const REAL largest = sizeof(REAL) == 4 ? (REAL)0x1.fffffep127 : (REAL)0x1.fffffffffffffp1023;
  const REAL lift = sizeof(REAL) == 4 ? (REAL)0x1p23 : (REAL)0x1p52;
  const REAL lifted = x < least_normal ? x * lift : x;
  const REAL shift = x < least_normal ? (REAL)(BIAS + MANTISSA) : (REAL)BIAS;
  const BITS root = NAME(bits)((REAL)0.70710678118654752440);
  const BITS ix = NAME(bits)(lifted) + (NAME(bits)((REAL)1) - root);
  /* The exponent becomes a real number by way of the bits of 2^MANTISSA + exponent. */
  const REAL e = NAME(real)((ix >> MANTISSA) | NAME(bits)(lift)) - (lift + shift);
  const REAL m = NAME(real)((ix & (((BITS)1 << MANTISSA) - 1)) + root);
  const REAL f = m - (REAL)1;
  const REAL s = f / ((REAL)2 + f);
  const REAL tail = NAME(artanh_tail)(s * s, sizeof(REAL) == 4 ? 5 : 11);
  REAL y = e * LN2_HI + (f - (s * (f - tail) - e * LN2_LO));
  y = x > largest ? x : y;
  y = x == 0 ? -(REAL)INFINITY : y;
  return x >= 0 ? y : (REAL)NAN;
}

INLINE REAL NAME(one_tanh)(REAL x) {
  const BITS sign = NAME(bits)(x) & ((BITS)1 << (sizeof(REAL) * 8 - 1));
  const REAL most = sizeof(REAL) == 4 ? (REAL)10 : (REAL)20;
  REAL a = NAME(real)(NAME(bits)(x) ^ sign);
  a = a > most ? most : a;
  const REAL e = NAME(one_expm1)((REAL)-2 * a);
  return NAME(real)(NAME(bits)(-e / ((REAL)2 + e)) | sign);
}

/* By exp(-|x|), scaled in one factor: where that is no longer normal, it is 0. */
INLINE REAL NAME(one_sigmoid)(REAL x) {
  const REAL least = sizeof(REAL) == 4 ? (REAL)-88 : (REAL)-709;
  REAL a = x < 0 ? x : -x;
  a = a < least ? least : a;
  REAL rest;
  const REAL n = NAME(reduce)(a, &rest);
  const REAL e = ((REAL)1 + rest) * NAME(power)(n);
  return (x < 0 ? e : (REAL)1) / ((REAL)1 + e);
}

INLINE REAL NAME(one_softplus)(REAL x) {
  const REAL e = NAME(one_exp)(x < 0 ? x : -x);
  const REAL s = e / ((REAL)2 + e);
  const REAL tail = NAME(artanh_tail)(s * s, sizeof(REAL) == 4 ? 8 : 18);
  return (x < 0 ? (REAL)0 : x) + (e - s * (e - tail));
}

#if ARRAYS
#define ARRAY(f)                                                                                   \
  static void NAME(f)(size_t n, const REAL *x, REAL *y) {                                          \
    _Pragma("GCC ivdep") for (size_t i = 0; i < n; i++) y[i] = NAME(one_##f)(x[i]);                \
  }
ARRAY(exp)
ARRAY(log)
ARRAY(tanh)
ARRAY(sigmoid)
ARRAY(softplus)
#undef ARRAY
#endif

#undef LOG2E
#undef SHIFTER
#undef LN2_HI
#undef LN2_LO
#undef INLINE
