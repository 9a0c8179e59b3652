/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_path_diffusion.c - priors of whole paths: what training hides, that a draw keeps what is
 * known and sees nothing else, and what does not go together. */
#include "../../plugins/transition/path_targets.h"
#include "infer/model_forecast.h"
#include "infer/model_prior.h"
#include "support/smoke.h"
#include <math.h>

TestSuite(path_diffusion);

/* ---- what is hidden ---------------------------------------------------------------------------
 */

enum { T = 10, P = 400, d = 3, CELLS = T * P * d };

static ssk_real known[CELLS], left_over[CELLS], weight[CELLS];

/* Every fourth entry is missing, others in each path. Choose, check what must hold in any case, and
 * return the mean share of the known that is hidden; where[t]: how many at step t. */
static double choose(enum targets how, int horizon, int *where) {
  ssk_tensor of_known = {.ndim = 3, .shape = {T, P, d, 1}, .count = CELLS, .data = known};
  ssk_tensor of_left = of_known, of_weight = of_known;
  const struct ssk_path path = {.size = sizeof path, .T = T, .P = P, .known = &of_known};
  double share = 0;
  of_left.data = left_over;
  of_weight.data = weight;
  for (int e = 0; e < CELLS; e++)
    known[e] = (e / d % P + e / (P * d) * d + e % d) % 4 != 0;
  memset(where, 0, T * sizeof *where);
  ssk_rng rng = ssk_rng_open(3, "test", "targets", 0, 0);
  targets_choose(how, horizon, &path, 1, &rng, &of_left, &of_weight);
  for (int p = 0; p < P; p++) {
    double sum = 0, of_path = 0, hidden = 0;
    for (int t = 0; t < T; t++)
      for (int k = 0; k < d; k++) {
        const int e = (t * P + p) * d + k;
        cr_assert_eq(left_over[e] + (weight[e] > 0), known[e], "an entry is left, or hidden");
        sum += (double)weight[e];
        of_path += (double)known[e];
        hidden += weight[e] > 0;
        where[t] += weight[e] > 0;
      }
    cr_assert_float_eq(sum, hidden > 0, 1e-5, "the weights of path %d add up to %g", p, sum);
    share += hidden / of_path / P;
  }
  return share;
}

Test(path_diffusion, random_hides_any_share) {
  int where[T];
  const double share = choose(TARGETS_RANDOM, 1, where);
  cr_expect_float_eq(share, 0.5, 4 * sqrt(1.0 / 12 / P), "the mean share is %g", share);
  for (int t = 0; t < T; t++)
    cr_expect_gt(where[t], P, "step %d", t);
}

Test(path_diffusion, a_forecast_hides_the_end) {
  int where[T];
  choose(TARGETS_FORECAST, 4, where);
  for (int t = 0; t < T; t++)
    cr_expect_eq(where[t] > 0, t >= T - 4, "step %d", t);
}

/* The gaps of the neighbour, which are a quarter and never the path's own here, for one half of the
 * paths; a random share for the other. */
static int lent_only(int p) {
  int lent = 0, other = 0;
  for (int t = 0; t < T; t++)
    for (int k = 0; k < d; k++) {
      const bool gap = known[(t * P + (p + 1) % P) * d + k] == 0;
      const int e = (t * P + p) * d + k;
      lent += gap && known[e] != 0 && weight[e] > 0;
      other += !gap && weight[e] > 0;
    }
  return lent > 0 && other == 0;
}

Test(path_diffusion, a_mix_takes_half_of_the_gaps_from_others) {
  int where[T], lent = 0;
  choose(TARGETS_MIX, 1, where);
  for (int p = 0; p < P; p++)
    lent += lent_only(p);
  cr_expect(lent > 0.4 * P && lent < 0.65 * P, "%d of %d paths", lent, P);
}

/* ---- drawing ----------------------------------------------------------------------------------
 */

enum { SAMPLES = 5, CONTEXT = 5, HORIZON = 3, STEPS = CONTEXT + HORIZON };

static void prepare(struct ssk_trial *s, const char *recipe, int n, const char *const *overrides) {
  char path[2048];
  ssk_err *err = ssk_err_new();
  static struct ssk_registry *registry; /* of the process: one test each */
  registry = smoke_plugins(err);
  snprintf(path, sizeof path, "%s/recipes/smoke/%s.yaml", getenv("top_srcdir"), recipe);
  cr_assert(smoke_prepare(s, path, n, overrides, registry, err), "%s", ssk_err_message(err, 0));
  ssk_err_free(err);
}

static void forecast(struct ssk_trial *s, double *paths) {
  struct ssk_forecaster f;
  ssk_err *err = ssk_err_new();
  cr_assert_eq(ssk_model_forecaster(s->model, s->values, "f", 1, &s->experiment->evaluate, &f, err),
               SSK_OK);
  cr_expect(!f.bound && !f.likelihood && !f.transition,
            "there is no bound, and there are no steps");
  cr_assert_eq(
      f.forecast(f.self, s->data, SSK_TEST, 1, CONTEXT, HORIZON, SAMPLES, 1, 0, paths, err), SSK_OK,
      "%s", ssk_err_message(err, 0));
  ssk_forecaster_free(&f);
  ssk_err_free(err);
}

/* The future of the series changes, and of the history one entry: does the forecast? */
static void sees_the_history_alone(const char *recipe) {
  struct ssk_trial s;
  double before[SAMPLES * HORIZON], after[SAMPLES * HORIZON];
  prepare(&s, recipe, 0, NULL);
  cr_assert_eq(s.data->shape.D, 1);
  double *x = s.data->split[SSK_TEST].x + s.data->split[SSK_TEST].room;
  double *mask = s.data->split[SSK_TEST].mask + s.data->split[SSK_TEST].room;
  mask[CONTEXT - 1] = 1;
  forecast(&s, before);
  for (int t = CONTEXT; t < STEPS; t++)
    x[t] += 100;
  mask[CONTEXT] = 0;
  forecast(&s, after);
  cr_expect_arr_eq(before, after, sizeof before, "%s sees what it is to forecast", recipe);
  x[CONTEXT - 1] += 1;
  forecast(&s, after);
  cr_expect_arr_neq(before, after, sizeof before, "%s does not see its history", recipe);
  ssk_trial_release(&s);
}

Test(path_diffusion, a_forecast_sees_its_history_alone) {
  sees_the_history_alone("encoder_copy");
}
Test(path_diffusion, that_of_latents_too) {
  sees_the_history_alone("transition_path_diffusion");
}

/* What was observed comes out as it was, for each path; what was not is drawn, and differs. */
Test(path_diffusion, imputation_keeps_what_is_observed) {
  struct ssk_trial s;
  struct ssk_forecaster f;
  double x[SAMPLES * STEPS], mean[STEPS];
  prepare(&s, "encoder_copy", 0, NULL);
  const struct ssk_split_data *test = &s.data->split[SSK_TEST];
  cr_assert_eq(ssk_model_forecaster(s.model, s.values, "f", 1, &s.experiment->evaluate, &f, NULL),
               SSK_OK);
  const struct ssk_series_posterior out = {.x = x, .mean = mean};
  int missing = 0;
  for (int64_t i = 0; i < test->n; i++) {
    cr_assert_eq(f.posterior(f.self, s.data, SSK_TEST, i, SAMPLES, 1, 0, &out, NULL), SSK_OK);
    for (int t = 0; t < STEPS; t++) {
      const double truth = test->x[i * test->room + t];
      for (int p = 0; p < SAMPLES && test->mask[i * test->room + t] != 0; p++)
        cr_expect_float_eq(x[p * STEPS + t], truth, 1e-5 * fmax(1, fabs(truth)));
      if (test->mask[i * test->room + t] == 0) {
        cr_expect_neq(x[t], x[STEPS + t]);
        missing++;
      }
    }
  }
  cr_expect_gt(missing, 3);
  ssk_forecaster_free(&f);
  ssk_trial_release(&s);
}

Test(path_diffusion, draws_without_any_history) {
  struct ssk_trial s;
  double z[SAMPLES * STEPS * 2], x[SAMPLES * STEPS];
  prepare(&s, "transition_path_diffusion", 0, NULL);
  cr_assert_eq(
      ssk_model_draw(s.model, s.values, s.data, SSK_TEST, 0, STEPS, SAMPLES, 1, z, x, NULL),
      SSK_OK);
  for (int i = 0; i < SAMPLES * STEPS; i++)
    cr_expect(isfinite(x[i]) && isfinite(z[i]));
  cr_expect_neq(x[0], x[STEPS]);
  ssk_trial_release(&s);
}

/* ---- what does not go together ----------------------------------------------------------------
 */

static void refused(const char *recipe, const char *override, const char *reason) {
  char path[2048];
  struct ssk_trial s;
  ssk_err *err = ssk_err_new();
  struct ssk_registry *registry = smoke_plugins(err);
  snprintf(path, sizeof path, "%s/recipes/smoke/%s.yaml", getenv("top_srcdir"), recipe);
  cr_expect_not(smoke_prepare(&s, path, 1, &override, registry, err), "%s", override);
  cr_expect_eq(ssk_err_code(err), SSK_ERECIPE);
  cr_expect_not_null(strstr(ssk_err_message(err, 0), reason), "%s: %s", override,
                     ssk_err_message(err, 0));
  ssk_trial_release(&s);
  ssk_registry_free(registry);
  ssk_err_free(err);
}

Test(path_diffusion, says_what_does_not_go_together) {
  refused("transition_path_diffusion", "objective=fivo", "goes step by step");
  refused("encoder_copy", "model.transition=linear", "a prior of whole paths");
  refused("encoder_copy", "model.emission=gaussian", "do not go together");
  refused("transition_gaussian", "model.emission=copy", "do not go together");
  refused("encoder_copy", "model.latent=2", "model.latent is 2");
  refused("emission_copy", "model.transition.horizon=8", "a horizon of 8 steps leaves nothing");
  refused("transition_path_diffusion", "model.transition.embedding=3", "must be even");
}
