/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_kalman_em.c - EM climbs, with gaps too; the fitted row is worth what the oracle is on a
 * linear process, and its likelihood is that of the data's own units. */
#include "infer/baselines.h"
#include "infer/evaluate.h"
#include "infer/kalman_em.h"
#include "support/instances.h"
#include <math.h>
#include <stdlib.h>

TestSuite(kalman_em);

/* Two entries that turn, seen by three, with every fifth entry missing. */
enum { N = 12, T = 40, D = 3, d = 2 };
static double x[N * T * D], mask[N * T * D];
static struct ssk_kalman_series series[N];

static void turning_series(void) {
  static const double C[D * d] = {1, 0, 0, 1, 0.7, -0.7};
  for (int i = 0; i < N; i++) {
    ssk_rng rng = ssk_rng_open(5, "test", "kalman_em", 0, (uint32_t)i);
    double z[d] = {ssk_rng_normal(&rng), ssk_rng_normal(&rng)};
    for (int t = 0; t < T; t++) {
      const double turned[d] = {0.9 * z[0] - 0.3 * z[1], 0.3 * z[0] + 0.9 * z[1]};
      for (int k = 0; k < d; k++)
        z[k] = turned[k] + 0.3 * ssk_rng_normal(&rng);
      for (int k = 0; k < D; k++) {
        const int e = (i * T + t) * D + k;
        x[e] = C[k * d] * z[0] + C[k * d + 1] * z[1] + 0.2 * ssk_rng_normal(&rng);
        mask[e] = e % 5 != 0;
        x[e] = mask[e] != 0 ? x[e] : NAN;
      }
    }
    series[i] = (struct ssk_kalman_series){T, x + i * T * D, mask + i * T * D};
  }
}

static void climb(int latent, bool realise) {
  enum { ITERATIONS = 30 };
  double value[ITERATIONS + 1];
  int done;
  struct ssk_kalman_fit fit;
  ssk_err *err = ssk_err_new();
  cr_assert_eq(ssk_kalman_fit_init(&fit, latent, D, err), SSK_OK);
  if (realise)
    cr_assert_eq(ssk_kalman_realise(N, series, &fit, err), SSK_OK, "%s", ssk_err_message(err, 0));
  for (int i = 0; i < latent && !realise; i++)
    fit.P0[i * latent + i] = fit.Q[i * latent + i] = fit.C[i * latent + i] = 1;
  for (int i = 0; i < D && !realise; i++)
    fit.R[i * D + i] = 1;
  cr_assert_eq(ssk_kalman_em(N, series, &fit, ITERATIONS, 0, value, &done, err), SSK_OK, "%s",
               ssk_err_message(err, 0));
  cr_expect_geq(done, 2);
  cr_expect_gt(value[done], value[0] + 1, "EM brings something");
  for (int i = 1; i <= done; i++)
    cr_expect_geq(value[i], value[i - 1] - 1e-7 * fabs(value[i - 1]),
                  "iteration %d: %.12g, then %.12g", i, value[i - 1], value[i]);
  ssk_kalman_fit_free(&fit);
  ssk_err_free(err);
}

Test(kalman_em, never_falls) {
  turning_series();
  climb(d, true);
  climb(d, false);
  climb(5, true); /* more latents than there are */
}

/* With the right size the eigenvalues are those of the process, 0.9 +- 0.3 i, whatever the basis.
 */
Test(kalman_em, finds_the_process) {
  double value[101];
  int done;
  struct ssk_kalman_fit fit;
  turning_series();
  cr_assert_eq(ssk_kalman_fit_init(&fit, d, D, NULL), SSK_OK);
  cr_assert_eq(ssk_kalman_realise(N, series, &fit, NULL), SSK_OK);
  const double first = fit.A[0] + fit.A[3];
  cr_expect_float_eq(first, 1.8, 0.2, "the realisation's trace is %g", first);
  cr_assert_eq(ssk_kalman_em(N, series, &fit, 100, 1e-6, value, &done, NULL), SSK_OK);
  const double trace = fit.A[0] + fit.A[3], det = fit.A[0] * fit.A[3] - fit.A[1] * fit.A[2];
  cr_expect_float_eq(trace, 1.8, 0.08, "trace %g", trace);
  cr_expect_float_eq(det, 0.9, 0.08, "determinant %g", det);
  for (int i = 0; i < D; i++)
    cr_expect_float_eq(fit.R[i * D + i], 0.04, 0.012, "noise variance %g", fit.R[i * D + i]);
  ssk_kalman_fit_free(&fit);
}

Test(kalman_em, short_series_bear_few_latents) {
  static const double nothing[3 * D] = {0};
  const struct ssk_kalman_series three = {3, nothing, nothing}, four = {4, nothing, nothing};
  cr_expect_eq(ssk_kalman_realisable(1, &three, D, 8), 0);
  cr_expect_eq(ssk_kalman_realisable(1, &four, D, 8), D);
  cr_expect_eq(ssk_kalman_realisable(1, &four, D, 2), 2);
}

/* ---- the row ----------------------------------------------------------------------------------
 */

enum { ELBO, ENERGY, METRICS };

static void score(struct kit *kit, const char *row, struct ssk_data *data,
                  const struct ssk_evaluate_section *how, struct ssk_evaluation *out) {
  struct ssk_forecaster forecaster;
  if (ssk_baseline_forecaster(row, data, how, &forecaster, kit->err) ||
      ssk_evaluate(&forecaster, data, how, 1, NULL, out, kit->err))
    kit_fail(kit, row);
  ssk_forecaster_free(&forecaster);
}

static void equals_the_oracle(const char *settings, int64_t latent) {
  struct kit kit;
  kit_open(&kit);
  struct ssk_instance *metrics[METRICS] = {kit_make(&kit, SSK_METRIC, "elbo", ""),
                                           kit_make(&kit, SSK_METRIC, "energy_score", "")};
  struct ssk_data *data = kit_data(&kit, "lgssm", settings);
  const struct ssk_evaluate_section how = {.split = SSK_TEST,
                                           .horizon = 4,
                                           .samples = 256,
                                           .particles = 2,
                                           .kalman_latent = latent,
                                           .kalman_iterations = 100,
                                           .metrics = {METRICS, metrics}};
  struct ssk_evaluation oracle, fitted;
  score(&kit, "oracle", data, &how, &oracle);
  score(&kit, "kalman_em", data, &how, &fitted);
  for (int m = 0; m < METRICS; m++) {
    const double difference = fabs(fitted.means[m].mean - oracle.means[m].mean);
    cr_expect_lt(difference, 2 * oracle.means[m].se, "metric %d of %d latents: %g, oracle %g +- %g",
                 m, (int)latent, fitted.means[m].mean, oracle.means[m].mean, oracle.means[m].se);
    cr_expect_neq(difference, 0, "it knows nothing of the process");
  }
  ssk_evaluation_free(&oracle);
  ssk_evaluation_free(&fitted);
  kit_close(&kit);
}

Test(kalman_em, is_worth_the_oracle_on_a_linear_process) {
  equals_the_oracle("sequences: 256\nvalid: 0\ntest: 400\nlength: 24\n", 1);
  equals_the_oracle("sequences: 256\nvalid: 0\ntest: 400\nlength: 24\n", 0);
}
