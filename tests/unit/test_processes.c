/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_processes.c - the generated data sets whose latents obey a law of their own: do the series
 * obey it? That samplers, densities and splits are sound is for test_datasets.c. */
#include "support/instances.h"
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <math.h>

TestSuite(processes);

/* A process, and draws of its transition from one state. */
struct subject {
  struct kit kit;
  struct ssk_data *data;
  ssk_rng rng;
};

static void open_subject(struct subject *s, const char *name, const char *yaml) {
  kit_open(&s->kit);
  s->data = kit_data(&s->kit, name, yaml);
  s->rng = ssk_rng_open(9, name, "test", 0, 0);
}

static void next(struct subject *s, const double *from, double *to) {
  s->data->oracle->transition(s->data->dataset->self, &s->rng, from, to);
}

/* Step t of series i of the training split: latent and observation. */
static const double *latent_at(const struct subject *s, int i, int t) {
  const struct ssk_data *d = s->data;
  return d->split[SSK_TRAIN].z + (i * d->split[SSK_TRAIN].room + t) * d->shape.latent;
}
static const double *shown_at(const struct subject *s, int i, int t) {
  const struct ssk_data *d = s->data;
  return d->split[SSK_TRAIN].x + ((int64_t)i * d->split[SSK_TRAIN].room + t) * d->shape.D;
}

Test(processes, student_t_has_the_tails_and_density_of_gsl) {
  enum { N = 20000 };
  struct subject s;
  open_subject(&s, "student_t",
               "{sequences: 1, valid: 0, test: 0, decay: 0.5, degrees_of_freedom: 2.5, scale: 2}");
  const double from = 3, places[] = {-20, -2, 0, 1, 8};
  double below[5] = {0}, z;
  for (int i = 0; i < N; i++) {
    next(&s, &from, &z);
    for (int k = 0; k < 5; k++)
      below[k] += (z - 1.5) / 2 <= places[k];
  }
  for (int k = 0; k < 5; k++) {
    double p = gsl_cdf_tdist_P(places[k], 2.5);
    cr_expect_lt(fabs(below[k] / N - p), 4 * sqrt(p * (1 - p) / N), "P(e <= %g)", places[k]);
    z = 1.5 + 2 * places[k];
    cr_expect_float_eq(s.data->oracle->transition_log_prob(s.data->dataset->self, &from, &z),
                       log(gsl_ran_tdist_pdf(places[k], 2.5) / 2), 1e-10);
  }
  kit_close(&s.kit);
}

Test(processes, harmonic_series_are_sine_waves) {
  struct subject s;
  open_subject(&s, "harmonic", "{sequences: 200, valid: 0, test: 0, length: 16}");
  double squares = 0, least = 9, most = 0;
  cr_expect_null(s.data->oracle);
  for (int i = 0; i < 200; i++) {
    const double *z = latent_at(&s, i, 0);
    least = fmin(least, z[0]);
    most = fmax(most, z[0]);
    cr_expect(z[1] >= 0.2 && z[1] <= 0.6 && z[2] >= 0 && z[2] < 2 * M_PI);
    for (int t = 0; t < 16; t++) {
      double e = *shown_at(&s, i, t) - z[0] * sin(z[2] + t * z[1]);
      squares += e * e / (200 * 16);
    }
  }
  cr_expect(least >= 0.5 && least < 0.6 && most <= 2 && most > 1.9);
  cr_expect_lt(fabs(squares / 0.0025 - 1), 4 * sqrt(2.0 / (200 * 16)));
  kit_close(&s.kit);
}

/* In the steady state the latent is standardised, from the first step on; neither coordinate leaves
 * the attractor's neighbourhood, although some states are kicked out of its basin. */
Test(processes, henon_stays_on_its_attractor) {
  enum { N = 1000, T = 50 };
  struct subject s;
  open_subject(&s, "henon_lift", "{sequences: 1000, valid: 0, test: 0, length: 50}");
  double sum[2] = {0}, squares[2] = {0}, largest = 0;
  for (int i = 0; i < N; i++)
    for (int t = 0; t < T; t++)
      for (int k = 0; k < 2; k++) {
        double z = latent_at(&s, i, t)[k];
        sum[k] += z / (N * T);
        squares[k] += z * z / (N * T);
        largest = fmax(largest, fabs(z));
      }
  for (int k = 0; k < 2; k++) {
    cr_expect_lt(fabs(sum[k]), 0.02);
    cr_expect_lt(fabs(squares[k] - 1), 0.02);
  }
  cr_expect(largest > 1.8 && largest < 5);

  /* b' = 0.3 a ties the second coordinate to the first; out of the basin both go to the fixed
   * point. */
  const double away[2] = {(-2.0 - 0.245) / 0.735, 0}, inside[2] = {(0.5 - 0.245) / 0.735, 0};
  double z[2];
  next(&s, inside, z);
  cr_expect_float_eq(0.245 + 0.735 * z[0], 1 - 1.4 * 0.25 + 0.075, 0.05);
  cr_expect_float_eq(0.075 + 0.219 * z[1], 0.15, 0.05);
  next(&s, away, z);
  cr_expect_float_eq(0.245 + 0.735 * z[0], 0.631, 0.05);
  cr_expect_float_eq(0.075 + 0.219 * z[1], 0.189, 0.05);
  kit_close(&s.kit);
}

Test(processes, four_wells_are_visited_equally_and_folded) {
  enum { N = 800, T = 32 };
  struct subject s;
  open_subject(&s, "four_well_fold", "{sequences: 800, valid: 0, test: 0, length: 32}");
  double in[2][4] = {{0}}, crossings = 0, depth = 0;
  for (int i = 0; i < N; i++) {
    for (int end = 0; end < 2; end++) {
      const double *z = latent_at(&s, i, end ? T - 1 : 0);
      in[end][(z[0] > 0) + 2 * (z[1] > 0)] += 1.0 / N;
      depth += fabs(z[0]) / (2 * N);
    }
    for (int t = 1; t < T; t++)
      crossings += (latent_at(&s, i, t)[0] > 0) != (latent_at(&s, i, t - 1)[0] > 0);
  }
  for (int k = 0; k < 8; k++)
    cr_expect_lt(fabs(in[k / 4][k % 4] - 0.25), 4 * sqrt(0.25 * 0.75 / N));
  cr_expect(depth > 0.85 && depth < 1.05, "the wells are at %g", depth);
  /* Kramers' rate at sigma = 0.8 is sqrt(8 * 4)/(2 pi) exp(-2/0.64) = 0.04 a unit of time, 0.8 of
   * which pass in a step; the barrier is not high against the noise, so it is a rough figure. */
  double rate = crossings / (N * (T - 1)) / 0.8;
  cr_expect(rate > 0.02 && rate < 0.08, "%g crossings a unit of time", rate);

  const double z[2] = {0.9, -1.1}, mirror[2] = {-0.9, 1.1}, x[2] = {-1, -0.8}, all[2] = {1, 1};
  const struct ssk_oracle *oracle = s.data->oracle;
  const void *self = s.data->dataset->self;
  cr_expect_eq(oracle->emission_log_prob(self, z, x, all),
               oracle->emission_log_prob(self, mirror, x, all));
  cr_expect_null(oracle->transition_log_prob);
  kit_close(&s.kit);
}

/* Without its noise: exact on the third axis, symmetric about it, a semigroup, and tangent to the
 * equations. */
Test(processes, lorenz_follows_its_equations) {
  struct subject s, half, instant;
  const char *yaml = "{sequences: 20, valid: 0, test: 0, process_noise: 1e-6, interval: 0.2}";
  open_subject(&s, "lorenz", yaml);
  open_subject(&half, "lorenz",
               "{sequences: 1, valid: 0, test: 0, process_noise: 1e-6, interval: 0.1}");
  open_subject(&instant, "lorenz",
               "{sequences: 1, valid: 0, test: 0, process_noise: 1e-6, interval: 0.001}");
  const double axis[3] = {0, 0, 9}, from[3] = {1, 2, 3}, mirror[3] = {-1, -2, 3};
  const double velocity[3] = {10, 1 * (28 - 3) - 2, 1 * 2 - 8.0 / 3 * 3};
  double z[3], other[3], between[3];
  next(&s, axis, z);
  cr_expect_float_eq(z[2], 9 * exp(-8.0 / 3 * 0.2), 1e-4);
  next(&s, from, z);
  next(&s, mirror, other);
  cr_expect(fabs(z[0] + other[0]) < 1e-4 && fabs(z[1] + other[1]) < 1e-4);
  next(&half, from, between);
  next(&half, between, other);
  for (int k = 0; k < 3; k++)
    cr_expect_float_eq(z[k], other[k], 1e-3);
  next(&instant, from, z);
  for (int k = 0; k < 3; k++)
    cr_expect_float_eq((z[k] - from[k]) / 1e-3, velocity[k], 0.3);
  for (int i = 0; i < 20; i++) /* on the attractor from the start */
    for (int t = 0; t < 32; t++) {
      const double *at = latent_at(&s, i, t);
      cr_expect(fabs(at[0]) < 22 && fabs(at[1]) < 30 && at[2] > 0 && at[2] < 50);
    }
  kit_close(&s.kit);
  kit_close(&half.kit);
  kit_close(&instant.kit);
}

Test(processes, pendulum_swings_and_its_pictures_show_the_angle) {
  enum { N = 20000, PIXELS = 24 };
  struct subject s;
  open_subject(&s, "pendulum", "{sequences: 20, valid: 0, test: 0, length: 12, pixels: 24}");
  cr_assert_eq(s.data->shape.D, PIXELS * PIXELS);
  for (int i = 0; i < 20; i++)
    for (int t = 0; t < 12; t++) {
      const double *x = shown_at(&s, i, t), *z = latent_at(&s, i, t);
      int brightest = 0;
      for (int k = 1; k < PIXELS * PIXELS; k++)
        brightest = x[k] > x[brightest] ? k : brightest;
      double size = 3.0 / PIXELS; /* the top row is at +1.5 - size/2 */
      double right = -1.5 + (brightest % PIXELS + 0.5) * size;
      double up = 1.5 - (brightest / PIXELS + 0.5) * size;
      cr_expect_lt(hypot(right - sin(z[0]), up + cos(z[0])), size);
    }

  /* Small swings are linear: the mean of many is the swing without kicks. */
  const double from[2] = {0.1, 0.2};
  double angle = from[0], speed = from[1], z[2], sum[2] = {0}, squares[2] = {0};
  for (int i = 0; i < 4; i++) {
    speed += (-4 * angle - 0.1 * speed) * 0.05;
    angle += speed * 0.05;
  }
  for (int i = 0; i < N; i++) {
    next(&s, from, z);
    for (int k = 0; k < 2; k++) {
      sum[k] += z[k] / N;
      squares[k] += z[k] * z[k] / N;
    }
  }
  for (int k = 0; k < 2; k++) {
    double se = sqrt((squares[k] - sum[k] * sum[k]) / N);
    cr_expect_lt(fabs(sum[k] - (k ? speed : angle)), 4 * se + 1e-3);
  }
  cr_expect_float_eq(sqrt(squares[1] - sum[1] * sum[1]), 0.5 * sqrt(0.2), 0.02);
  kit_close(&s.kit);
}
