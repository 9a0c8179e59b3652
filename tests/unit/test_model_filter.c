/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_model_filter.c - the particle filter over a model against the exact Kalman filter, on a
 * linear model with known parameters: likelihood, filtered and predicted moments, with a gap; and
 * that its numbers are named by series and step. */
#include "infer/model_filter.h"
#include "support/untrained.h"

enum { T = 5 };

struct linear_model {
  struct kit kit;
  struct ssk_experiment *experiment;
  struct ssk_data *data;
  struct ssk_model *model;
  ssk_real *values;
};

/* The model of untrained.h. */
static void open_model(struct linear_model *m, const char *emission) {
  char text[1024];
  snprintf(text, sizeof text,
           "data: {use: lgssm, sequences: 4, valid: 0, test: 0, length: %d, process_noise: 0.5}\n"
           "standardise: false\n"
           "model:\n"
           "  latent: 1\n"
           "  summary: identity\n"
           "  encoder: gaussian\n"
           "  emission: %s\n"
           "  initial: standard\n"
           "  transition: {use: linear, logvar_start: -1}\n",
           T, emission);
  *m = (struct linear_model){0};
  kit_open(&m->kit);
  if (ssk_experiment_parse("test.yaml", text, strlen(text), 0, NULL, m->kit.registry,
                           &m->experiment, m->kit.err) ||
      ssk_data_load(m->experiment, &m->data, m->kit.err) ||
      ssk_model_build(m->experiment, m->data, &m->model, m->kit.err))
    kit_fail(&m->kit, "the model cannot be made");
  m->values = calloc(m->model->layout.total, sizeof *m->values);
  ssk_layout_initialise(&m->model->layout, 1, m->values);
}

static void close_model(struct linear_model *m) {
  free(m->values);
  ssk_model_free(m->model);
  ssk_data_free(m->data);
  ssk_experiment_free(m->experiment);
  kit_close(&m->kit);
}

static const char identity[] = "{use: gaussian, identity: true, logvar_start: -0.7}";

static struct ssk_filter *filter_of(struct linear_model *m, int particles, uint64_t seed) {
  struct ssk_filter *filter;
  if (ssk_filter_open(m->model, m->values, m->data, particles, seed, &filter, m->kit.err))
    kit_fail(&m->kit, "no filter");
  return filter;
}

/* The sum of log densities of a series x[T]; *last: what is known at its end. */
static double run(struct linear_model *m, struct ssk_filter *filter, int64_t series,
                  const double *x, struct ssk_filtered *last) {
  double sum = 0;
  cr_assert_eq(ssk_filter_begin(filter, series, m->kit.err), SSK_OK);
  for (int t = 0; t < T; t++) {
    cr_assert_eq(ssk_filter_feed(filter, x + t, NULL, last, m->kit.err), SSK_OK);
    cr_assert_eq(last->step, t);
    sum += last->log_density;
  }
  return sum;
}

/* The mean of Z / p(x) is 1, within four standard errors, which are small. */
Test(model_filter, the_likelihood_has_no_bias) {
  enum { REPEATS = 1500 };
  struct linear_model m;
  open_model(&m, identity);
  const double *x = m.data->split[SSK_TRAIN].x;
  const double exact = untrained_likelihood(&m.kit, &m.data->split[SSK_TRAIN], 0, T);
  struct ssk_filter *filter = filter_of(&m, 64, 1);
  struct ssk_filtered last;
  double sum = 0, squares = 0;
  for (int i = 0; i < REPEATS; i++) {
    const double ratio = exp(run(&m, filter, i, x, &last) - exact);
    sum += ratio;
    squares += ratio * ratio;
  }
  const double mean = sum / REPEATS;
  const double se = sqrt((squares / REPEATS - mean * mean) / REPEATS);
  cr_expect_lt(se, 0.01, "%g", se);
  cr_expect_gt(se, 1e-5, "%g", se);
  cr_expect_lt(fabs(mean - 1), 4 * se, "%g +- %g", mean, se);
  ssk_filter_free(filter);
  close_model(&m);
}

/* With many particles, likelihood and moments are the exact ones; step 2 is missing. */
Test(model_filter, moments_are_those_of_kalman) {
  enum { PARTICLES = 200000 };
  const double zero = 0, one = 1, q = exp(-1), r = exp(-0.7);
  const struct ssk_linear_gaussian same = {.size = sizeof same,
                                           .d = 1,
                                           .D = 1,
                                           .m0 = &zero,
                                           .P0 = &one,
                                           .A = &one,
                                           .Q = &q,
                                           .C = &one,
                                           .R = &r};
  struct linear_model m;
  open_model(&m, identity);
  double x[T], mask[T] = {1, 1, 0, 1, 1};
  for (int t = 0; t < T; t++)
    x[t] = mask[t] != 0 ? m.data->split[SSK_TRAIN].x[t] : NAN;
  double seen[T];
  for (int t = 0; t < T; t++)
    seen[t] = mask[t] != 0 ? x[t] : 0;
  struct ssk_kalman exact;
  cr_assert_eq(ssk_kalman_filter(&same, T, seen, mask, &exact, m.kit.err), SSK_OK);
  struct ssk_filter *filter = filter_of(&m, PARTICLES, 1);
  struct ssk_filtered last;
  const double log_likelihood = run(&m, filter, 0, x, &last);
  cr_expect_float_eq(log_likelihood, exact.log_likelihood, 0.02, "%g %g", log_likelihood,
                     exact.log_likelihood);
  const double mean = exact.filtered_mean[T - 1], variance = exact.filtered_cov[T - 1];
  cr_expect_float_eq(last.mean[0], mean, 0.01);
  cr_expect_float_eq(last.sd[0], sqrt(variance), 0.01);
  cr_expect_float_eq(last.predicted_mean[0], mean, 0.01);
  const double sd = sqrt(variance + q + r); /* of the next observation, A being 1 */
  cr_expect_float_eq(ssk_filtered_quantile(filter, 0, 0.5), mean, 0.02);
  cr_expect_float_eq(ssk_filtered_quantile(filter, 0, 0.95), mean + 1.644854 * sd, 0.04);
  cr_expect_float_eq(ssk_filtered_quantile(filter, 0, 0.05), mean - 1.644854 * sd, 0.04);
  ssk_kalman_free(&exact);
  ssk_filter_free(filter);
  close_model(&m);
}

Test(model_filter, numbers_are_named_by_seed_series_and_step) {
  struct linear_model m;
  open_model(&m, identity);
  const double *x = m.data->split[SSK_TRAIN].x;
  struct ssk_filter *one = filter_of(&m, 50, 7), *two = filter_of(&m, 50, 7),
                    *other = filter_of(&m, 50, 8);
  struct ssk_filtered a, b;
  run(&m, one, 1, x, &a); /* what was filtered before does not matter */
  const double first = run(&m, one, 3, x, &a), second = run(&m, two, 3, x, &b);
  cr_expect_eq(first, second);
  cr_expect_eq(a.mean[0], b.mean[0]);
  for (int i = 0; i < 50; i++)
    cr_expect_eq(a.predicted[i], b.predicted[i]);
  cr_expect_neq(run(&m, two, 2, x, &b), first);
  cr_expect_neq(run(&m, other, 3, x, &b), first);
  ssk_filter_free(one);
  ssk_filter_free(two);
  ssk_filter_free(other);
  close_model(&m);
}

/* Nothing that happened says anything of an observation that no particle explains. */
Test(model_filter, an_impossible_observation_leaves_the_weights) {
  struct linear_model m;
  open_model(&m, identity);
  struct ssk_filter *filter = filter_of(&m, 20, 1);
  struct ssk_filtered now;
  cr_assert_eq(ssk_filter_begin(filter, 0, m.kit.err), SSK_OK);
  cr_assert_eq(ssk_filter_feed(filter, (double[]){1e300}, NULL, &now, m.kit.err), SSK_OK);
  cr_expect(isinf(now.log_density) && now.log_density < 0);
  cr_expect_float_eq(now.effective, 20, 1e-6);
  cr_assert_eq(ssk_filter_feed(filter, (double[]){NAN}, NULL, &now, m.kit.err), SSK_OK);
  cr_expect_eq(now.log_density, 0);
  ssk_filter_free(filter);
  close_model(&m);
}
