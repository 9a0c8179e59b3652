/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_baselines.c - what persistence and the seasonal naive forecast carry forward, with gaps; the
 * likelihood and the forecast of the rows for binary data. */
#include "infer/baselines.h"
#include "support/on_disk.h"
#include <math.h>

TestSuite(baselines);

enum { CONTEXT = 7, HORIZON = 4, SAMPLES = 2, D = 2 };

/* Two steps for training; seven of history, in which b is never seen; four that follow. */
static const char table[] = "a,b\n10,100\n30,\n"
                            "1,\n2,\n3,\n4,\n,\n6,\n7,\n"
                            "8,8\n8,8\n8,8\n8,8\n";

static void expect(const struct ssk_data *data, const char *name, int64_t season,
                   const double *expected) {
  struct ssk_forecaster f;
  double paths[SAMPLES * HORIZON * D];
  const struct ssk_evaluate_section how = {.season = season};
  cr_assert_eq(ssk_baseline_forecaster(name, data, &how, &f, NULL), SSK_OK);
  cr_assert_eq(f.forecast(f.self, data, SSK_TEST, 0, CONTEXT, HORIZON, SAMPLES, 1, 0, paths, NULL),
               SSK_OK);
  for (int s = 0; s < SAMPLES; s++)
    for (int h = 0; h < HORIZON; h++) {
      const double *at = paths + (s * HORIZON + h) * D;
      cr_expect_eq(at[0], expected[h], "%s, season %d, step %d: %g, not %g", name, (int)season, h,
                   at[0], expected[h]);
      cr_expect_eq(at[1], 100, "what was never seen has the mean of training, not %g", at[1]);
    }
  ssk_forecaster_free(&f);
}

Test(baselines, a_season_is_carried_forward_over_gaps) {
  struct on_disk f;
  on_disk_good(&f, "csv", table, strlen(table), "path: FILE\nsplit: [0, 2, 2, 2, 2, 13]\n");
  expect(f.data, "persistence", 3, (const double[]){7, 7, 7, 7});
  expect(f.data, "seasonal_naive", 1, (const double[]){7, 7, 7, 7});
  /* The value of step 4 is missing, hence that of step 1; step 7 is not known yet. */
  expect(f.data, "seasonal_naive", 3, (const double[]){2, 6, 7, 2});
  expect(f.data, "seasonal_naive", 8, (const double[]){7, 1, 2, 3}); /* no step -1 */
  on_disk_close(&f);
}

Test(baselines, a_season_must_be_said) {
  struct on_disk f;
  struct ssk_forecaster forecaster;
  const struct ssk_evaluate_section how = {.season = 0};
  on_disk_good(&f, "csv", table, strlen(table), "path: FILE\nsplit: [0, 2, 2, 2, 2, 13]\n");
  cr_expect_eq(ssk_baseline_forecaster("seasonal_naive", f.data, &how, &forecaster, f.kit.err),
               SSK_ERECIPE);
  cr_expect_not_null(strstr(ssk_err_message(f.kit.err, 0), "evaluate.season"));
  on_disk_close(&f);
}

/* Training shows 1 to 1, 1 to 0 and 0 to 1 once each, and nothing over its gap. */
static const char notes[] = "note\n1\n1\n0\n1\nNA\n0\n"
                            "0\nNA\n1\n";

/* Half a count more of each: 3 of 5 are ones, 1 of 2 after a one, 1 of 1 after a zero. */
static const double first = 3.5 / 6, after_one = 1.5 / 3, after_zero = 1.5 / 2;

static void expect_binary(const struct ssk_data *data, const char *name, double likelihood,
                          double next) {
  enum { MANY = 4000 };
  struct ssk_forecaster f;
  struct ssk_series_bound bound;
  struct ssk_series_likelihood exact;
  double paths[MANY], ones = 0;
  cr_assert_eq(ssk_baseline_forecaster(name, data, NULL, &f, NULL), SSK_OK);
  cr_assert_eq(f.bound(f.self, data, SSK_TEST, 0, 3, 1, 0, &bound, NULL), SSK_OK);
  cr_assert_eq(f.likelihood(f.self, data, SSK_TEST, 0, 3, 1, 0, &exact, NULL), SSK_OK);
  cr_expect_float_eq(-bound.distortion, likelihood, 1e-12, "%s: %g", name, -bound.distortion);
  cr_expect_float_eq(exact.log_likelihood, likelihood, 1e-12);
  cr_assert_eq(f.forecast(f.self, data, SSK_TEST, 0, 1, 1, MANY, 1, 0, paths, NULL), SSK_OK);
  for (int s = 0; s < MANY; s++)
    ones += paths[s];
  cr_expect_float_eq(ones / MANY, next, 4 * sqrt(next * (1 - next) / MANY), "%s: %g", name,
                     ones / MANY);
  ssk_forecaster_free(&f);
}

Test(baselines, binary_data_have_an_exact_likelihood) {
  struct on_disk f;
  on_disk_good(&f, "csv", notes, strlen(notes), "path: FILE\nsplit: [0, 6, 6, 6, 6, 9]\n");
  expect_binary(f.data, "bernoulli", log(1 - first) + log(first), first);
  /* After the zero, the missing step is summed out. */
  const double missing = after_zero, last = missing * after_one + (1 - missing) * after_zero;
  expect_binary(f.data, "markov", log(1 - first) + log(last), missing);
  on_disk_close(&f);
}

Test(baselines, binary_rows_look_at_the_test_series_too) {
  static const char grades[] = "note\n1\n1\n0\n1\n0\n0\n0\n3\n1\n";
  struct on_disk f;
  struct ssk_forecaster forecaster;
  on_disk_good(&f, "csv", grades, strlen(grades), "path: FILE\nsplit: [0, 5, 5, 6, 6, 9]\n");
  cr_expect_eq(ssk_baseline_forecaster("markov", f.data, NULL, &forecaster, f.kit.err), SSK_EDATA);
  cr_expect_not_null(strstr(ssk_err_message(f.kit.err, 0), "(test) is 3 at step 1"));
  on_disk_close(&f);
}

Test(baselines, binary_rows_are_for_binary_data) {
  struct on_disk f;
  struct ssk_forecaster forecaster;
  on_disk_good(&f, "csv", table, strlen(table), "path: FILE\nsplit: [0, 2, 2, 2, 2, 13]\n");
  cr_expect_eq(ssk_baseline_forecaster("markov", f.data, NULL, &forecaster, f.kit.err), SSK_EDATA);
  cr_expect_not_null(strstr(ssk_err_message(f.kit.err, 0), "data of 0 and 1"));
  on_disk_close(&f);
}
