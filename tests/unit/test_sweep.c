/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_sweep.c - axes, samplers, the rule of successive halving, importance. */
#include "support/sweeps.h"
#include "sweep/asha.h"
#include "sweep/importance.h"
#include "sweep/sampler.h"
#include <criterion/criterion.h>
#include <math.h>
#include <sskit/rng.h>
#include <stdlib.h>
#include <string.h>

TestSuite(sweep);

static const char *value_at(const struct ssk_axis *axis, double point) {
  static char text[64];
  struct ssk_text out = {0};
  ssk_axis_value(axis, point, &out);
  snprintf(text, sizeof text, "%s", out.data);
  ssk_text_free(&out);
  return text;
}

Test(sweep, points_are_values) {
  struct sweep_rig rig;
  sweep_rig_open(&rig,
                 "{a: {loguniform: [1e-4, 1e-2]}, b: {int: [2, 5]}, c: {grid: [0, 1, 5]}, "
                 "d: {categorical: [x, {use: y, n: 2}]}, e: [\"1\", 2], f: {uniform: [1, 3]}}");
  const struct ssk_axis *a = rig.sweep.axes.items;
  cr_expect_str_eq(value_at(&a[0], 0), "0.0001");
  cr_expect_str_eq(value_at(&a[0], 0.5), "0.001");
  cr_expect_str_eq(value_at(&a[0], 1), "0.01");
  cr_expect_str_eq(value_at(&a[1], 0), "2");
  cr_expect_str_eq(value_at(&a[1], 0.26), "3");
  cr_expect_str_eq(value_at(&a[1], 1), "5");
  cr_expect_str_eq(value_at(&a[2], 0.5), "0.5");
  cr_expect_str_eq(value_at(&a[2], 0.99), "1");
  cr_expect_str_eq(value_at(&a[3], 0.6), "{use: y, n: 2}");
  cr_expect_str_eq(value_at(&a[4], 0.1), "\"1\"");
  cr_expect_str_eq(value_at(&a[5], 1.0 / 3), "1.66667");
  for (int64_t k = 0; k < a[1].n; k++)
    cr_expect_eq(ssk_axis_index(&a[1], ssk_axis_point(&a[1], k)), k);
  sweep_rig_close(&rig);
}

Test(sweep, grid_has_every_point_once) {
  struct sweep_rig rig;
  sweep_rig_open(&rig, "{a: [p, q, r], b: {int: [1, 4]}, c: {grid: [0, 1, 2]}}");
  bool seen[3][4][2] = {0};
  for (int64_t i = 0; i < 24; i++) {
    double p[3];
    ssk_sample_grid(&rig.sweep.axes, i, p);
    bool *cell = &seen[ssk_axis_index(&rig.sweep.axes.items[0], p[0])][ssk_axis_index(
        &rig.sweep.axes.items[1], p[1])][ssk_axis_index(&rig.sweep.axes.items[2], p[2])];
    cr_expect_not(*cell, "point %d again", (int)i);
    *cell = true;
  }
  sweep_rig_close(&rig);
}

/* The L2-star discrepancy (Warnock 1972) of n points in two dimensions. */
static double discrepancy(const double (*p)[2], int n) {
  double first = 0, second = 0;
  for (int i = 0; i < n; i++) {
    first += (1 - p[i][0] * p[i][0]) * (1 - p[i][1] * p[i][1]);
    for (int j = 0; j < n; j++)
      second += (1 - fmax(p[i][0], p[j][0])) * (1 - fmax(p[i][1], p[j][1]));
  }
  return sqrt(1.0 / 9 - first / (2.0 * n) + second / ((double)n * n));
}

Test(sweep, sobol_is_more_even_than_chance_and_shifted_by_the_seed) {
  enum { n = 128 };
  struct sweep_rig rig;
  double sobol[n][2], random[n][2], other[2], of_sobol = 0, of_random = 0;
  sweep_rig_open(&rig, "{a: {uniform: [0, 1]}, b: {uniform: [0, 1]}}");
  for (uint64_t seed = 1; seed <= 20; seed++) {
    for (int64_t i = 0; i < n; i++) {
      cr_assert_eq(ssk_sample_sobol(&rig.sweep.axes, seed, i, sobol[i], rig.err), SSK_OK);
      ssk_sample_random(&rig.sweep.axes, seed, i, random[i]);
    }
    of_sobol += discrepancy(sobol, n);
    of_random += discrepancy(random, n);
    ssk_sample_sobol(&rig.sweep.axes, seed + 1, 0, other, rig.err);
    cr_expect_neq(other[0], sobol[0][0]);
  }
  cr_expect_lt(of_sobol, 0.5 * of_random, "%g, %g", of_sobol, of_random);
  sweep_rig_close(&rig);
}

Test(sweep, an_axis_that_is_added_leaves_the_others_alone) {
  struct sweep_rig one, two;
  double p[1], q[2];
  sweep_rig_open(&one, "{b: {uniform: [0, 1]}}");
  sweep_rig_open(&two, "{a: {uniform: [0, 1]}, b: {uniform: [0, 1]}}");
  for (int64_t i = 0; i < 20; i++) {
    ssk_sample_random(&one.sweep.axes, 3, i, p);
    ssk_sample_random(&two.sweep.axes, 3, i, q);
    cr_expect_eq(p[0], q[1]);
  }
  sweep_rig_close(&one);
  sweep_rig_close(&two);
}

/* A narrow valley in two of four numbers, and a choice of three that shifts it. */
static double synthetic(const double *p) {
  const int choice = (int)(p[4] * 3);
  return pow(p[0] - 0.73, 2) + pow(p[1] - 0.21, 2) + 0.1 * pow(p[2] - 0.5, 2) + 0.02 * p[3] +
         (choice == 1 ? 0 : 0.1);
}

/* The best of n trials, one after another. */
static double search(struct sweep_rig *rig, int sampler, int64_t seed, int n) {
  struct ssk_trials trials = {.items = calloc((size_t)n, sizeof *trials.items)};
  double best = INFINITY;
  rig->sweep.sweep.sampler.use = sampler;
  rig->sweep.sweep.sampler.seed = seed;
  for (; trials.n < n; trials.n++) {
    struct ssk_trial *t = &trials.items[trials.n];
    *t = (struct ssk_trial){.number = trials.n,
                            .point = calloc((size_t)rig->sweep.axes.n, sizeof(double)),
                            .state = SSK_TRIAL_DONE};
    cr_assert_eq(ssk_sampler_propose(&rig->sweep, trials.n, &trials, t->point, rig->err), SSK_OK);
    t->value = synthetic(t->point);
    best = fmin(best, t->value);
  }
  ssk_trials_free(&trials);
  return best;
}

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

Test(sweep, tpe_beats_random_search) {
  enum { seeds = 15, n = 80 };
  double tpe[seeds], random[seeds];
  struct sweep_rig rig;
  sweep_rig_open(&rig, "{a: {uniform: [0, 1]}, b: {uniform: [0, 1]}, c: {uniform: [0, 1]}, "
                       "d: {uniform: [0, 1]}, e: {categorical: [x, y, z]}}");
  for (int s = 0; s < seeds; s++) {
    tpe[s] = search(&rig, SSK_SAMPLE_TPE, s, n);
    random[s] = search(&rig, SSK_SAMPLE_RANDOM, s, n);
  }
  qsort(tpe, seeds, sizeof *tpe, by_value);
  qsort(random, seeds, sizeof *random, by_value);
  cr_expect_lt(tpe[seeds / 2], 0.6 * random[seeds / 2], "medians: tpe %g, random %g",
               tpe[seeds / 2], random[seeds / 2]);
  sweep_rig_close(&rig);
}

Test(sweep, rungs_and_who_goes_on) {
  cr_expect(ssk_asha_rung(50, 50, 3));
  cr_expect(ssk_asha_rung(450, 50, 3));
  cr_expect_not(ssk_asha_rung(100, 50, 3));
  cr_expect_not(ssk_asha_rung(25, 50, 3));
  const double losses[] = {4, 1, 3, 2, 6, 5, NAN};
  cr_expect(ssk_asha_keeps(losses, 1, 4, 3), "the first always goes on");
  cr_expect_not(ssk_asha_keeps(losses, 3, 3, 3));
  cr_expect(ssk_asha_keeps(losses, 6, 2, 3), "the second of six");
  cr_expect_not(ssk_asha_keeps(losses, 6, 3, 3));
  cr_expect_not(ssk_asha_keeps(losses, 7, NAN, 3));
}

Test(sweep, importance_is_of_what_matters) {
  enum { n = 90 };
  double share[3];
  struct sweep_rig rig;
  struct ssk_trials trials = {.n = n, .items = calloc(n, sizeof *trials.items)};
  sweep_rig_open(&rig, "{a: {uniform: [0, 1]}, b: {categorical: [x, y]}, c: {uniform: [0, 1]}}");
  for (int i = 0; i < n; i++) {
    struct ssk_trial *t = &trials.items[i];
    *t = (struct ssk_trial){
        .number = i, .point = calloc(3, sizeof(double)), .state = SSK_TRIAL_DONE};
    ssk_sample_random(&rig.sweep.axes, 1, i, t->point);
    t->value = exp(20 * pow(t->point[0] - 0.5, 2) + (t->point[1] < 0.5)); /* not monotone */
  }
  ssk_sweep_importance(&rig.sweep, &trials, share);
  cr_expect_gt(share[0], 0.6, "%g", share[0]);
  cr_expect_gt(share[1], 0.05, "%g", share[1]);
  cr_expect_lt(share[1], share[0]);
  cr_expect_lt(share[2], 0.1, "%g", share[2]);
  trials.n = 9;
  ssk_sweep_importance(&rig.sweep, &trials, share);
  cr_expect(isnan(share[0]), "too few");
  trials.n = n;
  ssk_trials_free(&trials);
  sweep_rig_close(&rig);
}
