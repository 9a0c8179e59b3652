/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_baselines.c - what persistence and the seasonal naive forecast carry forward, with gaps. */
#include "infer/baselines.h"
#include "support/on_disk.h"

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
