/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_emissions.c - the emissions against GSL's densities and their own draws; missing entries;
 * and data that cannot be. That gradients are right is for test_plugins.c. */
#include "model/model.h"
#include "support/instances.h"
#include "support/rig.h"
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <math.h>

enum { D = 3, LATENT = 2, N = 6000 };

struct subject {
  struct kit kit;
  struct rig rig;
  struct ssk_instance *emission;
  const struct ssk_emission_ops *ops;
};

static void open_subject(struct subject *s, const char *name, const char *yaml) {
  kit_open(&s->kit);
  s->emission = kit_make(&s->kit, SSK_EMISSION, name, yaml);
  s->emission->path = "model.emission";
  s->ops = s->emission->component->ops;
  rig_open(&s->rig, (struct ssk_dims){.d = LATENT, .D = D, .j = 1});
  cr_assert_eq(s->ops->build(s->emission->self, &s->rig.b, &s->rig.dims), SSK_OK);
  rig_start(&s->rig, N, 0.3);
  ssk_tape_record(s->rig.ctx.tape, false);
}

static void close_subject(struct subject *s) {
  rig_close(&s->rig);
  kit_close(&s->kit);
}

/* n rows with one latent, the same in all. */
static struct ssk_rows rows_of(struct subject *s, int n) {
  struct ssk_ctx *ctx = &s->rig.ctx;
  rig_begin(&s->rig);
  ssk_tensor *z = ssk_ctx_normal(ctx, "z", 0, SSK_SHAPE(1, LATENT));
  return (struct ssk_rows){
      .size = sizeof(struct ssk_rows), .n = n, .past = ssk_repeat(ctx->tape, z, 0, n)};
}

/* log p of n observations x[n, D], of which column `dim` alone is observed; -1: all columns. */
static void log_probs(struct subject *s, int n, const double *x, int dim, double *out) {
  struct ssk_rows rows = rows_of(s, n);
  ssk_tape *tape = s->rig.ctx.tape;
  ssk_tensor *value = ssk_empty(tape, SSK_SHAPE(n, D)), *mask = ssk_empty(tape, SSK_SHAPE(n, D));
  for (int i = 0; i < n * D; i++) {
    mask->data[i] = dim < 0 || i % D == dim;
    value->data[i] = mask->data[i] != 0 ? (ssk_real)x[i] : 0;
  }
  const ssk_tensor *log_p = s->ops->log_prob(s->emission->self, &s->rig.ctx, &rows, value, mask);
  rig_fine(&s->rig);
  cr_assert_eq(log_p->count, (size_t)n);
  for (int i = 0; i < n; i++)
    out[i] = (double)log_p->data[i];
}

/* Means [D] as the emission states them, and draws [N, D]. */
static void draw(struct subject *s, double mean[D], double *x) {
  struct ssk_rows rows = rows_of(s, N);
  const ssk_tensor *expected = s->ops->mean(s->emission->self, &s->rig.ctx, &rows);
  const ssk_tensor *value = s->ops->sample(s->emission->self, &s->rig.ctx, &rows);
  rig_fine(&s->rig);
  for (int k = 0; k < D; k++)
    mean[k] = (double)expected->data[k];
  for (int i = 0; i < N * D; i++)
    x[i] = (double)value->data[i];
}

static double column_mean(const double *x, int k, double *se) {
  double sum = 0, squares = 0;
  for (int i = 0; i < N; i++) {
    sum += x[i * D + k];
    squares += x[i * D + k] * x[i * D + k];
  }
  *se = sqrt((squares / N - sum / N * sum / N) / N);
  return sum / N;
}

static double draws[N * D];

/* A row's log p is the sum of its observed entries'. */
static void check_missing(struct subject *s, const double *x) {
  double all, one, sum = 0;
  log_probs(s, 1, x, -1, &all);
  for (int k = 0; k < D; k++) {
    log_probs(s, 1, x, k, &one);
    sum += one;
  }
  cr_expect_float_eq(all, sum, 1e-4);
}

Test(emissions, bernoulli_agrees_with_gsl) {
  struct subject s;
  double mean[D], se, log_p;
  open_subject(&s, "bernoulli", "");
  draw(&s, mean, draws);
  for (int k = 0; k < D; k++) {
    cr_expect(mean[k] > 0.01 && mean[k] < 0.99);
    cr_expect_lt(fabs(column_mean(draws, k, &se) - mean[k]), 4 * se);
    for (unsigned value = 0; value < 2; value++) {
      double x[D] = {value, value, value};
      log_probs(&s, 1, x, k, &log_p);
      cr_expect_float_eq(log_p, log(gsl_ran_bernoulli_pdf(value, mean[k])), 1e-5);
    }
  }
  for (int i = 0; i < N * D; i++)
    cr_assert(draws[i] == 0 || draws[i] == 1);
  check_missing(&s, draws);
  close_subject(&s);
}

Test(emissions, poisson_agrees_with_gsl) {
  struct subject s;
  double mean[D], se, log_p;
  open_subject(&s, "poisson", "");
  draw(&s, mean, draws);
  for (int k = 0; k < D; k++) {
    cr_expect_lt(fabs(column_mean(draws, k, &se) - mean[k]), 4 * se);
    cr_expect_lt(fabs(se * sqrt(N) / sqrt(mean[k]) - 1), 0.1, "its variance is its mean");
    for (unsigned value = 0; value < 12; value += 3) {
      double x[D] = {value, value, value};
      log_probs(&s, 1, x, k, &log_p);
      cr_expect_float_eq(log_p, log(gsl_ran_poisson_pdf(value, mean[k])), 2e-5 * (1 + fabs(log_p)));
    }
  }
  check_missing(&s, draws);
  close_subject(&s);
}

/* The log rate is cut off, so that a wild latent gives a bad likelihood and not infinity. */
Test(emissions, poisson_rates_stay_finite) {
  struct subject s;
  open_subject(&s, "poisson", "frame: free\n");
  struct ssk_rows rows = rows_of(&s, 1);
  for (size_t i = 0; i < rows.past->count; i++)
    rows.past->data[i] = (ssk_real)1e6;
  const ssk_tensor *mean = s.ops->mean(s.emission->self, &s.rig.ctx, &rows);
  for (int k = 0; k < D; k++)
    cr_expect(isfinite(mean->data[k]) && mean->data[k] > 0);
  close_subject(&s);
}

/* Location and scale are found from the density: its maximum is at the mean that is stated, and
 * the ratio of two densities there is GSL's. */
Test(emissions, student_t_agrees_with_gsl) {
  struct subject s;
  double mean[D];
  open_subject(&s, "student_t", "degrees_of_freedom: 3\nlogvar_start: 0.5\n");
  const struct ssk_layout *layout = &s.rig.b.layout;
  double nu[D];
  for (int k = 0; k < layout->n; k++)
    if (!strcmp(layout->slice[k].name, "test.degrees"))
      for (int i = 0; i < D; i++) {
        double raw = (double)s.rig.weights.values[layout->slice[k].offset + (size_t)i];
        nu[i] = 1 + log1p(exp(raw));
      }
  draw(&s, mean, draws);
  for (int k = 0; k < D; k++) {
    double at[4 * D], log_p[4], below[3] = {0};
    cr_expect(fabs(nu[k] - 3) < 2 && fabs(nu[k] - 3) > 1e-6, "scattered around its start");
    for (int i = 0; i < 4; i++)
      at[i * D + k] = mean[k] + (i == 0 ? 0 : i == 1 ? 1 : i == 2 ? -1 : 7);
    log_probs(&s, 4, at, k, log_p);
    double scale = gsl_ran_tdist_pdf(0, nu[k]) / exp(log_p[0]);
    for (int i = 0; i < 4; i++)
      cr_expect_float_eq(
          log_p[i], log(gsl_ran_tdist_pdf((at[i * D + k] - mean[k]) / scale, nu[k]) / scale), 1e-4);
    const double places[3] = {-3, 0, 1};
    for (int i = 0; i < N; i++)
      for (int q = 0; q < 3; q++)
        below[q] += draws[i * D + k] <= mean[k] + scale * places[q];
    for (int q = 0; q < 3; q++) {
      double p = gsl_cdf_tdist_P(places[q], nu[k]);
      cr_expect_lt(fabs(below[q] / N - p), 4 * sqrt(p * (1 - p) / N));
    }
  }
  check_missing(&s, draws);
  close_subject(&s);
}

/* Observations that an emission has no density for are found when the data are read. */
static void check_refused(const char *emission, const char *message) {
  struct kit kit;
  struct ssk_data *data = NULL;
  kit_open(&kit);
  struct ssk_experiment experiment = {
      .name = "test",
      .standardise = true,
      .data = kit_make(&kit, SSK_DATASET, "lgssm", "{sequences: 2, valid: 0, test: 0}"),
      .window = {.stride = 1},
      .model = {.emission = kit_make(&kit, SSK_EMISSION, emission, "")}};
  cr_expect_eq(ssk_data_load(&experiment, &data, kit.err), SSK_EDATA);
  cr_expect_null(data);
  cr_expect(strstr(ssk_err_message(kit.err, 0), message) != NULL, "%s",
            ssk_err_message(kit.err, 0));
  kit_close(&kit);
}

Test(emissions, values_that_cannot_be_are_refused) {
  check_refused("bernoulli", "but the emission 'bernoulli' takes 0 or 1");
  check_refused("poisson", "but the emission 'poisson' takes a count: 0, 1, 2, ...");
  struct kit kit;
  kit_open(&kit);
  const struct ssk_instance *bernoulli = kit_make(&kit, SSK_EMISSION, "bernoulli", "");
  const struct ssk_instance *poisson = kit_make(&kit, SSK_EMISSION, "poisson", "");
  const struct ssk_emission_ops *binary = bernoulli->component->ops;
  const struct ssk_emission_ops *counts = poisson->component->ops;
  cr_expect(!binary->refuse(NULL, 0) && !binary->refuse(NULL, 1) && binary->refuse(NULL, 2) &&
            binary->refuse(NULL, -1) && binary->refuse(NULL, 0.5));
  cr_expect(!counts->refuse(NULL, 0) && !counts->refuse(NULL, 7) && counts->refuse(NULL, -1) &&
            counts->refuse(NULL, 0.5));
  kit_close(&kit);
}
