/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_decide.c - the Diebold-Mariano test and the anytime-valid interval: values worked out by
 * hand, and how often they are wrong where nothing differs. */
#include "report/decide.h"
#include "report/score.h"
#include <criterion/criterion.h>
#include <math.h>
#include <sskit/rng.h>
#include <stdlib.h>

TestSuite(decide);

/* Mean 1; deviations -1 1 -1 1, so autocovariances 1 and -3/4. Without lags the statistic is
 * 1/sqrt(1/4) sqrt((4 + 1 - 2)/4). With one lag, which n/4 allows, the variance would be 1 - 2
 * (3/4) < 0, so Newey and West's 1 - 2 (1/2)(3/4) = 1/4 is taken, and the correction is sqrt((4 + 1
 * - 4 + 2/4)/4). Sorted, the values have the autocovariance 1/4 and the variance 1 + 2/4. */
Test(decide, statistic_by_hand) {
  const double d[] = {0, 2, 0, 2}, sorted[] = {0, 0, 2, 2}, same[] = {1, 1, 1, 1};
  cr_expect_float_eq(ssk_diebold_mariano(d, 4, 0).statistic, 2 * sqrt(3.0 / 4), 1e-12);
  cr_expect_float_eq(ssk_diebold_mariano(d, 4, 1).statistic, 4 * sqrt(1.5 / 4), 1e-12);
  cr_expect_float_eq(ssk_diebold_mariano(sorted, 4, 1).statistic, 1, 1e-12);
  cr_expect_eq(ssk_diebold_mariano(d, 4, 9).statistic, ssk_diebold_mariano(d, 4, 1).statistic);
  /* Student's distribution with one degree of freedom is Cauchy's: t = 1 has p = 1/2. */
  const double two[] = {-1, 3};
  struct ssk_test t = ssk_diebold_mariano(two, 2, 0);
  cr_expect_float_eq(t.statistic, 1 / sqrt(4 / 2.0) * sqrt(0.5), 1e-12);
  cr_expect_float_eq(t.p, 2 * (0.5 - atan(0.5) / M_PI), 1e-9);
  cr_expect(isnan(ssk_diebold_mariano(same, 4, 0).p), "no spread, no test");
  cr_expect(isnan(ssk_diebold_mariano(d, 1, 0).p));
}

/* Forecast errors of 4 steps: a moving average over 4 origins. With its 3 lags the test is wrong
 * about as often as it says, without them far more often. */
Test(decide, lags_make_up_for_overlapping_horizons) {
  enum { N = 200, REPEATS = 2000, H = 4 };
  int wrong = 0, naive = 0;
  for (int r = 0; r < REPEATS; r++) {
    ssk_rng rng = ssk_rng_open(5, "test", "decide", 0, (uint32_t)r);
    double noise[N + H], d[N];
    for (int i = 0; i < N + H; i++)
      noise[i] = ssk_rng_normal(&rng);
    for (int i = 0; i < N; i++)
      d[i] = noise[i] + noise[i + 1] + noise[i + 2] + noise[i + 3];
    wrong += ssk_diebold_mariano(d, N, H - 1).p < 0.05;
    naive += ssk_diebold_mariano(d, N, 0).p < 0.05;
  }
  cr_expect_lt(wrong, REPEATS / 12, "%d of %d", wrong, REPEATS);
  cr_expect_gt(naive, REPEATS / 4, "%d of %d", naive, REPEATS);
}

/* The formula at n = 100, tightest there, alpha 0.05, by a calculator: rho^2 = (5.99146 +
 * ln 6.99146)/100 = 0.0793617. */
Test(decide, radius_by_hand) {
  double rho2 = (5.991464547 + log(6.991464547)) / 100, inner = 100 * rho2 + 1;
  cr_expect_float_eq(rho2, 0.0793617, 1e-6);
  cr_expect_float_eq(ssk_anytime_radius(2, 100, 100, 0.05),
                     2 * sqrt(2 * inner / (1e4 * rho2) * log(sqrt(inner) / 0.05)), 1e-9);
}

/* Looking at all n from 50 to 2000: the interval misses the mean in at most 5 % of the sequences,
 * while one of fixed size (1.96 standard errors) misses it in far more. */
Test(decide, one_may_look_as_often_as_one_likes) {
  enum { N = 2000, REPEATS = 600 };
  int missed = 0, fixed = 0;
  for (int r = 0; r < REPEATS; r++) {
    ssk_rng rng = ssk_rng_open(6, "test", "anytime", 0, (uint32_t)r);
    double sum = 0, squares = 0;
    bool out = false, out_fixed = false;
    for (int n = 1; n <= N; n++) {
      double x = ssk_rng_normal(&rng);
      sum += x;
      squares += x * x;
      double mean = sum / n, deviation = n > 1 ? sqrt((squares - n * mean * mean) / (n - 1)) : 0;
      if (n < 50)
        continue;
      out = out || fabs(mean) > ssk_anytime_radius(deviation, n, 50, 0.05);
      out_fixed = out_fixed || fabs(mean) > 1.96 * deviation / sqrt(n);
    }
    missed += out;
    fixed += out_fixed;
  }
  cr_expect_leq(missed, REPEATS / 20 + 3 * 6, "%d of %d", missed, REPEATS);
  cr_expect_gt(fixed, REPEATS / 5, "%d of %d", fixed, REPEATS);
}

/* ---- scoring rows -----------------------------------------------------------------------------
 */

struct world {
  double gap;   /* of row 1 from row 0 */
  int64_t seen; /* most series asked for */
};

static int score(void *user, int row, int s, int64_t first, int64_t count,
                 struct ssk_evaluation *out, ssk_err *err) {
  struct world *w = user;
  (void)s, (void)err;
  static const struct ssk_metric_ops ops = {.size = sizeof ops};
  static const struct ssk_component component = {.ops = &ops};
  static struct ssk_instance metric = {.component = &component};
  *out = (struct ssk_evaluation){.n_series = count, .n_metrics = 1};
  out->values = calloc((size_t)count, sizeof *out->values);
  out->terms = calloc((size_t)count * SSK_METRIC_TERMS, sizeof *out->terms);
  out->means = calloc(1, sizeof *out->means);
  out->reasons = calloc(1, sizeof *out->reasons);
  out->columns = calloc(1, sizeof *out->columns);
  out->columns[0].metric = &metric;
  for (int64_t i = 0; i < count; i++) {
    ssk_rng rng = ssk_rng_open(7, "test", "world", (uint32_t)row, (uint32_t)(first + i));
    out->values[i] = ssk_rng_normal(&rng) + (row == 1 ? w->gap : 0);
  }
  w->seen = first + count > w->seen ? first + count : w->seen;
  return SSK_OK;
}

static struct ssk_sequential run(double gap, struct world *w) {
  struct ssk_sequential rule = {.on = true, .look = 50, .alpha = 0.05};
  struct ssk_scored rows[2] = {{.name = "a", .seeds = 1}, {.name = "b", .seeds = 1}};
  *w = (struct world){.gap = gap};
  cr_assert_eq(ssk_score_rows(rows, 2, 1000, &rule, score, w, NULL), SSK_OK);
  cr_expect_eq(rows[1].evaluations[0].n_series, rule.series);
  cr_expect_eq(rule.series, w->seen);
  for (int64_t i = 0; i < rule.series; i++) { /* the same values as in one go */
    ssk_rng rng = ssk_rng_open(7, "test", "world", 1, (uint32_t)i);
    cr_assert_eq(rows[1].evaluations[0].values[i], ssk_rng_normal(&rng) + gap);
  }
  ssk_scored_free(rows, 2);
  return rule;
}

Test(decide, series_are_added_until_the_difference_is_decided) {
  struct world w;
  struct ssk_sequential large = run(3, &w), middle = run(0.4, &w), none = run(0, &w);
  cr_expect(large.decided && large.series == 50);
  cr_expect(middle.decided && middle.series > 50 && middle.series < 1000, "%lld series",
            (long long)middle.series);
  cr_expect(!none.decided && none.series == 1000);
  cr_expect_eq(large.comparisons, 1);
}
