/* SPDX-License-Identifier: GPL-3.0-or-later */
/* self_test.c - products, random numbers, functions and threads beside what is known of them. */
#include "report/self_test.h"
#include "core/clock.h"
#include "core/pool.h"
#include "tensor/gemm.h"
#include "tensor/roofline.h"
#include "tensor/vmath.h"
#include <float.h>
#include <math.h>
#include <sskit/rng.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double epsilon = sizeof(ssk_real) == 8 ? DBL_EPSILON : (double)FLT_EPSILON;

/* ---- products -------------------------------------------------------------------------------- */

enum { MOST = 96 };

/* The largest error of an entry of A B, beside the sum of the sizes of its terms. */
static double product_error(int m, int n, int k) {
  static ssk_real a[MOST * MOST], b[MOST * MOST], c[MOST * MOST];
  ssk_rng rng = ssk_rng_open(1, "doctor", "product", (uint32_t)m, (uint32_t)k);
  double worst = 0;
  for (int i = 0; i < m * k; i++)
    a[i] = (ssk_real)ssk_rng_normal(&rng);
  for (int i = 0; i < k * n; i++)
    b[i] = (ssk_real)ssk_rng_normal(&rng);
  ssk_gemm(m, n, k, 1, (struct ssk_matrix){a, k, SSK_AS_IS}, (struct ssk_matrix){b, n, SSK_AS_IS},
           0, c, n);
  for (int i = 0; i < m; i++)
    for (int j = 0; j < n; j++) {
      double sum = 0, size = 0;
      for (int l = 0; l < k; l++) {
        const double term = (double)a[i * k + l] * (double)b[l * n + j];
        sum += term;
        size += fabs(term);
      }
      const double error = fabs((double)c[i * n + j] - sum) / size;
      worst = error <= worst ? worst : error;
    }
  return worst;
}

bool ssk_test_products(char detail[SSK_DETAIL]) {
  static const int shapes[][3] = {{1, 1, 1}, {4, 32, 32}, {64, 32, 48}, {7, 5, 96}, {96, 96, 96}};
  enum { N = sizeof shapes / sizeof shapes[0] };
  const double allowed = 8 * epsilon;
  double worst = 0;
  ssk_gemm_prepare();
  for (int i = 0; i < N; i++) {
    const double error = product_error(shapes[i][0], shapes[i][1], shapes[i][2]);
    worst = error <= worst ? worst : error;
  }
  snprintf(detail, SSK_DETAIL, "%d shapes beside plain loops: off by %.2g, allowed %.2g", N, worst,
           allowed);
  return worst <= allowed;
}

double ssk_blas_speed(void) {
  enum { SIDE = 256 };
  struct ssk_gemm_bench square;
  if (ssk_gemm_bench_new(SIDE, SIDE, SIDE, &square))
    return (double)NAN;
  int times = -1; /* the first is not counted */
  double started = 0, seconds = 0;
  for (; times < 1 || seconds < 0.05; times++) {
    if (times == 0)
      started = ssk_clock();
    ssk_gemm_bench_run(&square, SIDE, SIDE, SIDE);
    seconds = times < 0 ? 0 : ssk_clock() - started;
  }
  ssk_gemm_bench_free(&square);
  return 2e-9 * SIDE * SIDE * SIDE * times / seconds;
}

/* ---- random numbers -------------------------------------------------------------------------- */

/* Philox4x32-10: kat_vectors of Random123, all counters and keys zero, and all bits set. */
bool ssk_test_random(char detail[SSK_DETAIL]) {
  static const uint32_t known[2][4] = {{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
                                       {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}};
  bool right = true;
  for (int i = 0; i < 2; i++) {
    const uint32_t word = i ? UINT32_MAX : 0;
    ssk_rng rng = {.step = word, .row = word, .used = 4};
    rng.key = rng.index = i ? UINT64_MAX : 0;
    for (int k = 0; k < 4; k++)
      right = ssk_rng_u32(&rng) == known[i][k] && right;
  }
  snprintf(detail, SSK_DETAIL, "Philox4x32-10 %s the known answers of its authors",
           right ? "gives" : "does not give");
  return right;
}

/* ---- functions ------------------------------------------------------------------------------- */

static double sigmoid(double x) {
  return 1 / (1 + exp(-x));
}
static double softplus(double x) {
  return fmax(x, 0) + log1p(exp(-fabs(x)));
}

bool ssk_test_functions(char detail[SSK_DETAIL]) {
  static const struct {
    const char *name;
    void (*array)(size_t n, const ssk_real *x, ssk_real *y);
    double (*exact)(double);
    double lo, hi;
  } functions[] = {{"exp", ssk_vexp, exp, -20, 20},
                   {"log", ssk_vlog, log, 1e-3, 100},
                   {"tanh", ssk_vtanh, tanh, -8, 8},
                   {"sigmoid", ssk_vsigmoid, sigmoid, -20, 20},
                   {"softplus", ssk_vsoftplus, softplus, -20, 20},
                   {"sin", ssk_vsin, sin, -100, 100},
                   {"cos", ssk_vcos, cos, -100, 100}};
  enum { N = sizeof functions / sizeof functions[0], POINTS = 1000 };
  const double allowed = 4; /* vmath.h promises 3; in double the reference is off by up to 1 */
  const char *name = "";
  double worst = 0;
  for (int f = 0; f < N; f++) {
    ssk_real x[POINTS], y[POINTS];
    for (int i = 0; i < POINTS; i++)
      x[i] = (ssk_real)(functions[f].lo + (functions[f].hi - functions[f].lo) * (i + 0.5) / POINTS);
    functions[f].array(POINTS, x, y);
    for (int i = 0; i < POINTS; i++) {
      const double exact = functions[f].exact((double)x[i]);
      int exponent;
      frexp(exact, &exponent);
      const double off = fabs((double)y[i] - exact) / ldexp(epsilon, exponent - 1);
      if (!(off <= worst)) {
        worst = isnan(off) ? (double)INFINITY : off;
        name = functions[f].name;
      }
    }
  }
  snprintf(detail, SSK_DETAIL,
           "%d functions beside the C library's: off by %.2g ulp (%s), allowed "
           "%g",
           N, worst, name, allowed);
  return worst <= allowed;
}

/* ---- threads --------------------------------------------------------------------------------- */

enum { TASKS = 64 };

static void count_task(int task, int thread, void *state) {
  (void)thread;
  ((int *)state)[task]++;
}

bool ssk_test_threads(char detail[SSK_DETAIL]) {
  int done[TASKS] = {0};
  struct ssk_pool *pool;
  bool right = !ssk_pool_new(0, &pool, NULL);
  if (!right) {
    snprintf(detail, SSK_DETAIL, "threads cannot be started");
    return false;
  }
  ssk_pool_run(pool, TASKS, count_task, done);
  for (int i = 0; i < TASKS; i++)
    right = right && done[i] == 1;
  snprintf(detail, SSK_DETAIL, "%d by default, one a processor; %d tasks are done %s",
           ssk_pool_threads(pool), TASKS, right ? "once each" : "wrongly");
  ssk_pool_free(pool);
  return right;
}
