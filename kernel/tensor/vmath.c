/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vmath.c - the copies of the array functions, and the choice among them.
 *
 * The choice is made by hand at the first call, not by the linker's indirect functions: their
 * resolvers run before a sanitizer is set up. */
#include "tensor/vmath.h"
#include <math.h>
#include <Random123/philox.h>
#include <stdatomic.h>
#include <stdint.h>

struct kernels {
  void (*exp)(size_t, const ssk_real *, ssk_real *);
  void (*log)(size_t, const ssk_real *, ssk_real *);
  void (*tanh)(size_t, const ssk_real *, ssk_real *);
  void (*sigmoid)(size_t, const ssk_real *, ssk_real *);
  void (*softplus)(size_t, const ssk_real *, ssk_real *);
  void (*sin)(size_t, const double *, double *);
  void (*cos)(size_t, const double *, double *);
  void (*box_muller)(size_t, double *);
  void (*philox)(size_t, const ssk_rng *, double *);
};

/* The copies for the instruction set that ISA names: double, and float where that is ssk_real. */
#define JOIN_(a, b, c) a##_##b##_##c
#define JOIN(a, b, c)  JOIN_(a, b, c)
#ifdef SSK_DOUBLE
#define REAL_NAME(f) JOIN(double, ISA, f)
#else
#define REAL_NAME(f) JOIN(float, ISA, f)
#endif
#define KERNELS                                                                                    \
  {                                                                                                \
    .exp = REAL_NAME(exp), .log = REAL_NAME(log), .tanh = REAL_NAME(tanh),                         \
    .sigmoid = REAL_NAME(sigmoid), .softplus = REAL_NAME(softplus), .sin = JOIN(double, ISA, sin), \
    .cos = JOIN(double, ISA, cos), .box_muller = JOIN(double, ISA, box_muller),                    \
    .philox = JOIN(double, ISA, philox)                                                            \
  }

#define ISA base
#include "tensor/vmath_copies.h"
static const struct kernels base_kernels = KERNELS;
#undef ISA

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define HAVE_AVX2
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#define ISA avx2
#include "tensor/vmath_copies.h"
static const struct kernels avx2_kernels = KERNELS;
#undef ISA
#pragma GCC pop_options

#define HAVE_AVX512
#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma,prefer-vector-width=512")
#define ISA avx512
#include "tensor/vmath_copies.h"
static const struct kernels avx512_kernels = KERNELS;
#undef ISA
#pragma GCC pop_options
#endif

static _Atomic(const struct kernels *) chosen;

void ssk_vmath_choose(enum ssk_isa most) {
  const struct kernels *choice = &base_kernels;
#ifdef HAVE_AVX2
  if (most >= SSK_ISA_AVX2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    choice = &avx2_kernels;
#endif
#ifdef HAVE_AVX512
  if (most >= SSK_ISA_AVX512 && __builtin_cpu_supports("avx512f") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl"))
    choice = &avx512_kernels;
#endif
  (void)most;
  atomic_store_explicit(&chosen, choice, memory_order_relaxed);
}

static const struct kernels *kernels(void) {
  const struct kernels *choice = atomic_load_explicit(&chosen, memory_order_relaxed);
  if (!choice) {
    ssk_vmath_choose(SSK_ISA_BEST);
    choice = atomic_load_explicit(&chosen, memory_order_relaxed);
  }
  return choice;
}

void ssk_vexp(size_t n, const ssk_real *x, ssk_real *y) {
  kernels()->exp(n, x, y);
}
void ssk_vlog(size_t n, const ssk_real *x, ssk_real *y) {
  kernels()->log(n, x, y);
}
void ssk_vtanh(size_t n, const ssk_real *x, ssk_real *y) {
  kernels()->tanh(n, x, y);
}
void ssk_vsigmoid(size_t n, const ssk_real *x, ssk_real *y) {
  kernels()->sigmoid(n, x, y);
}
void ssk_vsoftplus(size_t n, const ssk_real *x, ssk_real *y) {
  kernels()->softplus(n, x, y);
}
void ssk_vbox_muller(size_t n, double *pairs) {
  kernels()->box_muller(n, pairs);
}
void ssk_vphilox(size_t n, const ssk_rng *rng, double *out) {
  kernels()->philox(n, rng, out);
}

/* By blocks in double; arguments beyond the range of the reduction go to the C library. */
static void trigonometric(size_t n, const ssk_real *x, ssk_real *y,
                          void (*kernel)(size_t, const double *, double *),
                          double (*fallback)(double)) {
  enum { block = 256 };
  double in[block], out[block];
  for (size_t from = 0; from < n; from += block) {
    const size_t m = n - from < block ? n - from : block;
    int beyond = 0;
    for (size_t i = 0; i < m; i++) {
      in[i] = x[from + i];
      beyond |= !(fabs(in[i]) <= 1e6);
    }
    kernel(m, in, out);
    if (beyond)
      for (size_t i = 0; i < m; i++)
        if (!(fabs(in[i]) <= 1e6))
          out[i] = fallback(in[i]);
    for (size_t i = 0; i < m; i++)
      y[from + i] = (ssk_real)out[i];
  }
}

void ssk_vsin(size_t n, const ssk_real *x, ssk_real *y) {
  trigonometric(n, x, y, kernels()->sin, sin);
}

void ssk_vcos(size_t n, const ssk_real *x, ssk_real *y) {
  trigonometric(n, x, y, kernels()->cos, cos);
}

void ssk_vlog1p(size_t n, const ssk_real *x, ssk_real *y) {
  for (size_t i = 0; i < n; i++)
    y[i] = (ssk_real)log1p((double)x[i]);
}

void ssk_vlgamma(size_t n, const ssk_real *x, ssk_real *y) {
  int sign; /* lgamma itself writes a global variable */
  for (size_t i = 0; i < n; i++)
    y[i] = (ssk_real)lgamma_r((double)x[i], &sign);
}

/* For x > 0: psi(x) = psi(x+1) - 1/x up to x >= 10, then the asymptotic series (Abramowitz and
 * Stegun 6.3.18). */
static double digamma(double x) {
  double shifted = 0;
  if (!(x > 0))
    return NAN;
  for (; x < 10; x += 1)
    shifted += 1 / x;
  const double z = 1 / (x * x);
  const double series =
      z * (1. / 12 -
           z * (1. / 120 -
                z * (1. / 252 - z * (1. / 240 - z * (1. / 132 - z * (691. / 32760 - z / 12))))));
  return log(x) - 0.5 / x - series - shifted;
}

void ssk_vdigamma(size_t n, const ssk_real *x, ssk_real *y) {
  for (size_t i = 0; i < n; i++)
    y[i] = (ssk_real)digamma((double)x[i]);
}
