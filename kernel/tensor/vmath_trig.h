/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vmath_trig.h - sine, cosine and Box-Muller pairs in double, to be included behind each double
 * copy of vmath_kernels.h (so it has no guard); NAME(f) and the helpers are those of that copy.
 *
 * Reduction after Cody and Waite (1980): x = q pi/2 + r with pi/2 in three parts, the first two of
 * 33 bits, so that their products with q < 2^20 are exact; then Taylor's series on |r| <= pi/4. */

#define TRIG_SHIFTER 0x1.8p52
#define INLINE       static inline __attribute__((always_inline))

/* The series of sin and cos at r, exchanged and signed by the quadrant q (in the low bits of n +
 * shifter): quarter turns of the angle. */
INLINE void NAME(turn)(double r, double n, double *sine, double *cosine) {
  static const double s[] = {
      -1. / 6,         1. / 120,         -1. / 5040,           1. / 362880,
      -1. / 39916800., 1. / 6227020800., -1. / 1307674368000., 1. / 355687428096000.};
  static const double c[] = {
      1. / 24,         -1. / 720,          1. / 40320,          -1. / 3628800,
      1. / 479001600., -1. / 87178291200., 1. / 20922789888000.};
  const double z = r * r;
  const double sin_r = r + r * (z * NAME(poly)(z, s, 8));
  const double cos_r = 1 - (0.5 * z - z * z * NAME(poly)(z, c, 7));
  const uint64_t q = NAME(bits)(n + TRIG_SHIFTER);
  const uint64_t sign = (uint64_t)1 << 63;
  const double first = q & 1 ? cos_r : sin_r, second = q & 1 ? sin_r : cos_r;
  *sine = NAME(real)(NAME(bits)(first) ^ ((q << 62) & sign));
  *cosine = NAME(real)(NAME(bits)(second) ^ (((q + 1) << 62) & sign));
}

INLINE void NAME(one_sincos)(double x, double *sine, double *cosine) {
  const double n = (x * 0.63661977236758134308 + TRIG_SHIFTER) - TRIG_SHIFTER;
  const double r = ((x - n * 0x1.921fb544p+0) - n * 0x1.0b4611a6p-34) - n * 0x1.3198a2e037073p-69;
  NAME(turn)(r, n, sine, cosine);
}

static void NAME(sin)(size_t n, const double *x, double *y) {
  for (size_t i = 0; i < n; i++) {
    double sine, cosine;
    NAME(one_sincos)(x[i], &sine, &cosine);
    y[i] = sine;
  }
}

static void NAME(cos)(size_t n, const double *x, double *y) {
  for (size_t i = 0; i < n; i++) {
    double sine, cosine;
    NAME(one_sincos)(x[i], &sine, &cosine);
    y[i] = cosine;
  }
}

static void NAME(box_muller)(size_t n, double *pairs) {
  for (size_t i = 0; i < n; i++) {
    const double radius = sqrt(-2 * NAME(one_log)(pairs[2 * i]));
    const double quarters = 4 * pairs[2 * i + 1];
    const double q = (quarters + TRIG_SHIFTER) - TRIG_SHIFTER;
    double sine, cosine;
    NAME(turn)((quarters - q) * 1.57079632679489661923, q, &sine, &cosine);
    pairs[2 * i] = radius * cosine;
    pairs[2 * i + 1] = radius * sine;
  }
}

#undef TRIG_SHIFTER
#undef INLINE
