/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_kalman_smoother.c - the smoother, and paths drawn given the whole series: against
 * conditioning by hand, against its own moments, and against what other programs found where
 * entries are missing (SSKIT_DATA/kalman_oracles; they are by R's KFAS). */
#include "infer/dense.h"
#include "infer/kalman.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(kalman_smoother);

/* ---- draws ------------------------------------------------------------------------------------
 */

/* A position with a velocity of which only the first is seen, now and then; the start is known, and
 * the innovations are of rank one, so that the states of two steps determine some others. */
static const double A[] = {1, 1, 0, 0.9}, C[] = {1, 0}, R[] = {0.5}, Q[] = {0, 0, 0, 0.3};
static const double m0[] = {1, 0.5}, P0[] = {0, 0, 0, 1};
enum { T = 7, d = 2 };
static const double x[T] = {1.2, 0, 0, 3.5, 0, 2.0, 0}, mask[T] = {1, 0, 0, 1, 0, 1, 0};

/* Mean and covariance of n numbers, each apart by `step` from the next. */
static double mean_of(const double *z, int n, size_t step) {
  double sum = 0;
  for (int i = 0; i < n; i++)
    sum += z[(size_t)i * step];
  return sum / n;
}
static double covariance_of(const double *a, const double *b, int n, size_t step) {
  double ma = mean_of(a, n, step), mb = mean_of(b, n, step), sum = 0;
  for (int i = 0; i < n; i++)
    sum += (a[(size_t)i * step] - ma) * (b[(size_t)i * step] - mb);
  return sum / n;
}

/* Moments within five standard errors of the smoother's, and each path obeys the process: the first
 * state has no innovation of its own. */
Test(kalman_smoother, draws_have_the_smoother_s_moments) {
  enum { N = 20000 };
  const struct ssk_linear_gaussian model = {sizeof model, d, 1, m0, P0, A, Q, C, R};
  struct ssk_kalman k;
  cr_assert_eq(ssk_kalman_filter(&model, T, x, mask, &k, NULL), SSK_OK);
  cr_assert_eq(ssk_kalman_smooth(&model, &k, NULL), SSK_OK);
  double *z = malloc(sizeof *z * N * T * d);
  ssk_rng rng = ssk_rng_open(5, "test", "draws", 0, 0);
  cr_assert_eq(ssk_kalman_draw(&model, &k, N, &rng, z, NULL), SSK_OK);
  for (int t = 0; t < T; t++)
    for (int i = 0; i < d; i++) {
      const double *a = z + t * d + i, sd = sqrt(k.smoothed_cov[(t * d + i) * d + i]);
      cr_expect_leq(fabs(mean_of(a, N, T * d) - k.smoothed_mean[t * d + i]),
                    5 * sd / sqrt(N) + 1e-9, "mean of state %d, step %d", i, t);
      for (int j = 0; j < d; j++) {
        const double other = sqrt(k.smoothed_cov[(t * d + j) * d + j]);
        const double got = covariance_of(a, z + t * d + j, N, T * d);
        cr_expect_leq(fabs(got - k.smoothed_cov[(t * d + i) * d + j]),
                      5 * sqrt(2.0 / N) * sd * other + 1e-9, "covariance of step %d", t);
      }
    }
  for (int s = 0; s < N; s++)
    for (int t = 1; t < T; t++) {
      const double *now = z + (s * T + t) * d, *before = now - d;
      cr_assert_leq(fabs(now[0] - before[0] - before[1]), 1e-6, "path %d jumps at step %d", s, t);
    }
  free(z);
  ssk_kalman_free(&k);
}

/* Neighbouring steps: cov(z_t, z_{t+1} | x) = J_t V_{t+1}, for a scalar state in closed form. */
Test(kalman_smoother, draws_are_paths_not_points) {
  enum { N = 40000, L = 5 };
  static const double a = 0.9, q = 0.2, one = 1, zero = 0, r = 0.3;
  static const double y[L] = {0.4, -0.2, 0, 0, 0.9}, seen[L] = {1, 1, 0, 0, 1};
  const struct ssk_linear_gaussian model = {sizeof model, 1, 1, &zero, &one, &a, &q, &one, &r};
  struct ssk_kalman k;
  cr_assert_eq(ssk_kalman_filter(&model, L, y, seen, &k, NULL), SSK_OK);
  cr_assert_eq(ssk_kalman_smooth(&model, &k, NULL), SSK_OK);
  double *z = malloc(sizeof *z * N * L);
  ssk_rng rng = ssk_rng_open(6, "test", "draws", 0, 0);
  cr_assert_eq(ssk_kalman_draw(&model, &k, N, &rng, z, NULL), SSK_OK);
  for (int t = 0; t + 1 < L; t++) {
    const double J = k.filtered_cov[t] * a / k.predicted_cov[t + 1];
    const double want = J * k.smoothed_cov[t + 1], got = covariance_of(z + t, z + t + 1, N, L);
    const double scale = sqrt(k.smoothed_cov[t] * k.smoothed_cov[t + 1]);
    cr_expect_leq(fabs(got - want), 5 * sqrt(2.0 / N) * scale, "steps %d and %d: %g, not %g", t,
                  t + 1, got, want);
  }
  free(z);
  ssk_kalman_free(&k);
}

/* ---- answers of other programs ------------------------------------------------------------------
 */

enum { ROWS = 256, WIDE = 64 };

struct table {
  int rows, columns;
  char name[WIDE][32];
  double value[ROWS][WIDE];
};

/* A CSV file with a header, numbers perhaps in quotes; what is no number becomes NaN. */
static bool read_table(const char *name, struct table *table) {
  const char *folder = getenv("SSKIT_DATA");
  char path[4096], line[8192];
  *table = (struct table){0};
  snprintf(path, sizeof path, "%s/%s", folder ? folder : "", name);
  FILE *file = folder ? fopen(path, "r") : NULL;
  if (!file)
    return false;
  for (int row = -1; row < ROWS && fgets(line, sizeof line, file); row++) {
    char *rest = line, *cell;
    for (int c = 0; c < WIDE && (cell = strsep(&rest, ",\r\n")) && rest; c++) {
      cell += *cell == '"';
      cell[strcspn(cell, "\"")] = 0;
      char *end;
      const double number = strtod(cell, &end);
      if (row < 0)
        snprintf(table->name[table->columns++], sizeof table->name[0], "%.31s", cell);
      else
        table->value[row][c] = end == cell ? NAN : number;
    }
    table->rows = row + 1;
  }
  fclose(file);
  return true;
}

static int column(const struct table *table, const char *name) {
  for (int c = 0; c < table->columns; c++)
    if (!strcmp(table->name[c], name))
      return c;
  cr_assert_fail("no column %s", name);
  return -1;
}

static double determinant3(const double *m) {
  return m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6]) +
         m[2] * (m[3] * m[7] - m[4] * m[6]);
}

static struct table answer, data; /* large */

/* The means against the columns alphahat1...3, to `tolerance` of the largest. */
static void compare_means(const struct ssk_kalman *k, double tolerance) {
  double largest = 0;
  for (int t = 0; t < k->T; t++)
    for (int i = 0; i < 3; i++)
      largest = fmax(largest, fabs(k->smoothed_mean[t * 3 + i]));
  for (int t = 0; t < k->T; t++)
    for (int i = 0; i < 3; i++) {
      char name[16];
      snprintf(name, sizeof name, "alphahat%d", i + 1);
      const double want = answer.value[t][column(&answer, name)];
      cr_expect_leq(fabs(k->smoothed_mean[t * 3 + i] - want), tolerance * largest,
                    "step %d, state %d: %.12g, not %.12g", t, i, k->smoothed_mean[t * 3 + i], want);
    }
}

/* Three random walks with noise, of which different stretches are missing. */
Test(kalman_smoother, three_walks_with_gaps) {
  enum { L = 202 };
  static const char *const names[] = {"realgdp", "realcons", "realinv"};
  static const double I[] = {1, 0, 0, 0, 1, 0, 0, 0, 1}, zero[3] = {0};
  static const double wide[] = {1e6, 0, 0, 0, 1e6, 0, 0, 0, 1e6};
  if (!read_table("kalman_oracles/results_smoothing_R.csv", &answer) ||
      !read_table("classics/macrodata_statsmodels.csv", &data))
    cr_skip_test("three_walks_with_gaps: SSKIT_DATA has no kalman_oracles/results_smoothing_R.csv");
  cr_assert(answer.rows == L && data.rows == L + 1);
  double y[L * 3], seen[L * 3];
  for (int t = 0; t < L; t++)
    for (int i = 0; i < 3; i++) {
      const int c = column(&data, names[i]), row = t + 1; /* counted from 1 */
      const bool gap[3] = {row <= 50 || (row >= 120 && row <= 130), row >= 20 && row <= 70,
                           (row >= 40 && row <= 90) || (row >= 120 && row <= 130)};
      y[t * 3 + i] = data.value[t + 1][c] - data.value[t][c];
      seen[t * 3 + i] = !gap[i];
    }
  const struct ssk_linear_gaussian model = {sizeof model, 3, 3, zero, wide, I, I, I, I};
  struct ssk_kalman k;
  cr_assert_eq(ssk_kalman_filter(&model, L, y, seen, &k, NULL), SSK_OK);
  cr_assert_eq(ssk_kalman_smooth(&model, &k, NULL), SSK_OK);
  cr_expect_float_eq(k.log_likelihood, -205310.9767, 1e-4, "%.10g", k.log_likelihood);
  compare_means(&k, 1e-10);
  for (int t = 0; t < L; t++) {
    const double want = answer.value[t][column(&answer, "detV")];
    cr_expect_leq(fabs(determinant3(k.smoothed_cov + t * 9) / want - 1), 1e-8, "step %d", t);
  }
  ssk_kalman_free(&k);
}

/* An autoregression of order three that is observed without noise, with a gap: all covariances are
 * singular. */
Test(kalman_smoother, autoregression_without_noise) {
  enum { L = 123 };
  static const double AR[] = {.5270715, .0952613, .2580355, 1, 0, 0, 0, 1, 0};
  static const double innovation[] = {.5307459, 0, 0, 0, 0, 0, 0, 0, 0}, first[] = {1, 0, 0};
  static const double zero[3] = {0};
  if (!read_table("kalman_oracles/results_smoothing3_R.csv", &answer) ||
      !read_table("kalman_oracles/wpi.csv", &data))
    cr_skip_test("autoregression_without_noise: SSKIT_DATA has no "
                 "kalman_oracles/results_smoothing3_R.csv");
  cr_assert(answer.rows == L && data.rows == L + 1);
  double y[L], seen[L], stationary[9] = {0}, next[9], work[9];
  for (int t = 0; t < L; t++) {
    y[t] = data.value[t + 1][column(&data, "wpi")] - data.value[t][column(&data, "wpi")];
    seen[t] = t + 1 < 10 || t + 1 > 20;
  }
  for (int i = 0; i < 2000; i++) { /* P = A P A' + Q */
    ssk_dense_sandwich(3, 3, AR, stationary, innovation, work, next);
    memcpy(stationary, next, sizeof next);
  }
  const struct ssk_linear_gaussian model = {sizeof model, 3,          1,     zero, stationary,
                                            AR,           innovation, first, zero};
  struct ssk_kalman k;
  cr_assert_eq(ssk_kalman_filter(&model, L, y, seen, &k, NULL), SSK_OK);
  cr_assert_eq(ssk_kalman_smooth(&model, &k, NULL), SSK_OK);
  cr_expect_float_eq(k.log_likelihood, -130.0310409, 1e-6, "%.10g", k.log_likelihood);
  compare_means(&k, 1e-8);
  ssk_kalman_free(&k);
}
