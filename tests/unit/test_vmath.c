/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_vmath.c - the array functions against the C library in a longer type: the errors, in units
 * in the last place, that vmath.h promises, on both instruction sets; and the special values. */
#include "tensor/vmath.h"
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <sskit/rng.h>

#ifdef SSK_DOUBLE
typedef long double longer;
#define LONGER(f) f##l
enum { digits = DBL_MANT_DIG, least_exponent = DBL_MIN_EXP };
#define PROMISED(single, twice) (twice)
#else
typedef double longer;
#define LONGER(f)               f
enum { digits = FLT_MANT_DIG, least_exponent = FLT_MIN_EXP };
#define PROMISED(single, twice) (single)
#endif

enum { points = 1 << 16 };

/* Spacing of ssk_real at x. */
static longer ulp(longer x) {
  int exponent;
  LONGER(frexp)(x, &exponent);
  return LONGER(ldexp)(1, (exponent < least_exponent ? least_exponent : exponent) - digits);
}

static longer exact_sigmoid(longer x) {
  return 1 / (1 + LONGER(exp)(-x));
}
static longer exact_softplus(longer x) {
  return (x > 0 ? x : 0) + LONGER(log1p)(LONGER(exp)(-LONGER(fabs)(x)));
}

/* Arguments: half of them even over [lo, hi], half even in the logarithm of their size. */
static void draw(ssk_rng *rng, double lo, double hi, ssk_real *x) {
  const double largest = fmax(fabs(lo), fabs(hi)), smallest = PROMISED(1e-40, 1e-310);
  for (int i = 0; i < points; i++) {
    double u = ssk_rng_uniform(rng);
    double value = lo + (hi - lo) * u;
    if (i % 2) {
      value = smallest * pow(largest / smallest, u);
      if (value > hi || (lo < 0 && ssk_rng_sign(rng) < 0))
        value = -value;
    }
    x[i] = (ssk_real)fmin(fmax(value, lo), hi);
  }
}

static void hold(const char *name, void (*f)(size_t, const ssk_real *, ssk_real *),
                 longer (*exact)(longer), double lo, double hi, double promised) {
  static ssk_real x[points], y[points];
  for (enum ssk_isa isa = SSK_ISA_BASE; isa <= SSK_ISA_BEST; isa++) {
    ssk_vmath_choose(isa);
    ssk_rng rng = ssk_rng_open(1, "vmath", name, 0, 0);
    draw(&rng, lo, hi, x);
    f(points, x, y);
    double worst = 0, at = 0;
    for (int i = 0; i < points; i++) {
      longer truth = exact(x[i]);
      double error = (double)(LONGER(fabs)(y[i] - truth) / ulp(truth));
      if (!(error <= worst)) {
        worst = error;
        at = (double)x[i];
      }
    }
    cr_expect(worst <= promised, "%s: %.3g ulp at %.17g, promised %.3g (instruction set %d)", name,
              worst, at, promised, (int)isa);
    /* In place, and entry by entry, the bits are the same. */
    static ssk_real one[points];
    for (int i = 0; i < points; i++)
      one[i] = x[i];
    f(points, one, one);
    cr_expect_arr_eq(one, y, sizeof y, "%s in place", name);
    f(1, x + 7, one);
    cr_expect_arr_eq(one, y + 7, sizeof *y, "%s alone", name);
  }
}

Test(vmath, keeps_the_promised_accuracy) {
  hold("exp", ssk_vexp, LONGER(exp), PROMISED(-87.3, -708.3), PROMISED(88.7, 709.7), 1.5);
  hold("exp, subnormal", ssk_vexp, LONGER(exp), PROMISED(-110, -760), PROMISED(-87, -708), 2);
  hold("log", ssk_vlog, LONGER(log), PROMISED(1e-44, 5e-324), PROMISED(1e38, 1e308), 1.5);
  hold("log, near 1", ssk_vlog, LONGER(log), 0.5, 2, 1.5);
  hold("tanh", ssk_vtanh, LONGER(tanh), -25, 25, 3);
  hold("sigmoid", ssk_vsigmoid, exact_sigmoid, PROMISED(-85, -700), 40, 3);
  hold("softplus", ssk_vsoftplus, exact_softplus, PROMISED(-85, -700), 100, 3);
  hold("sin", ssk_vsin, LONGER(sin), -2e6, 2e6, PROMISED(1, 2.5));
  hold("cos", ssk_vcos, LONGER(cos), -2e6, 2e6, PROMISED(1, 2.5));
  hold("sin, one turn", ssk_vsin, LONGER(sin), -7, 7, PROMISED(1, 2.5));
  hold("cos, one turn", ssk_vcos, LONGER(cos), -7, 7, PROMISED(1, 2.5));
}

static ssk_real at(void (*f)(size_t, const ssk_real *, ssk_real *), double x) {
  ssk_real in[3] = {1, (ssk_real)x, 1}, out[3];
  f(3, in, out);
  return out[1];
}

Test(vmath, treats_special_values_as_the_limits) {
  for (enum ssk_isa isa = SSK_ISA_BASE; isa <= SSK_ISA_BEST; isa++) {
    ssk_vmath_choose(isa);
    cr_expect(at(ssk_vexp, 1000) == INFINITY);
    cr_expect(at(ssk_vexp, INFINITY) == INFINITY);
    cr_expect(at(ssk_vexp, -1000) == 0);
    cr_expect(at(ssk_vexp, -INFINITY) == 0);
    cr_expect(at(ssk_vexp, 0) == 1);
    cr_expect(at(ssk_vlog, 0) == -INFINITY);
    cr_expect(at(ssk_vlog, 1) == 0);
    cr_expect(at(ssk_vlog, INFINITY) == INFINITY);
    cr_expect(isnan(at(ssk_vlog, -1)));
    cr_expect(at(ssk_vtanh, INFINITY) == 1);
    cr_expect(at(ssk_vtanh, -INFINITY) == -1);
    cr_expect(signbit(at(ssk_vtanh, -0.0)));
    cr_expect(at(ssk_vsigmoid, INFINITY) == 1);
    cr_expect(at(ssk_vsigmoid, -INFINITY) == 0);
    cr_expect(at(ssk_vsigmoid, 0) == (ssk_real)0.5);
    cr_expect(at(ssk_vsoftplus, INFINITY) == INFINITY);
    cr_expect(at(ssk_vsoftplus, -INFINITY) == 0);
    cr_expect(at(ssk_vsin, 0) == 0);
    cr_expect(at(ssk_vcos, 0) == 1);
    cr_expect(isnan(at(ssk_vsin, INFINITY)));
    cr_expect(at(ssk_vsin, 1e30) == (ssk_real)sin((double)(ssk_real)1e30));
    void (*const all[])(size_t, const ssk_real *, ssk_real *) = {
        ssk_vexp, ssk_vlog, ssk_vtanh, ssk_vsigmoid, ssk_vsoftplus, ssk_vsin, ssk_vcos};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
      cr_expect(isnan(at(all[i], NAN)), "function %zu of nan", i);
  }
}

Test(vmath, digamma_is_the_slope_of_lgamma) {
  const double euler = 0.57721566490153286061;
  cr_expect_float_eq(at(ssk_vdigamma, 1), -euler, 4e-7);
  cr_expect_float_eq(at(ssk_vdigamma, 0.5), -euler - 2 * log(2), 4e-7);
  for (double x = 0.11; x < 50; x *= 1.3) {
    int sign;
    double h = 1e-4 * x;
    double slope = (lgamma_r(x + h, &sign) - lgamma_r(x - h, &sign)) / (2 * h);
    cr_expect_float_eq(at(ssk_vdigamma, x), slope, 1e-6 * (1 + fabs(slope)), "at %g", x);
    cr_expect_float_eq(at(ssk_vlgamma, x), lgamma_r(x, &sign), 1e-6 * (1 + x), "at %g", x);
  }
}
