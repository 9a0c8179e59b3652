/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pendulum.c - pictures of a damped pendulum that is kicked at random.
 *
 *   d angle = speed dt,   d speed = (-4 sin(angle) - 0.1 speed) dt + 0.5 dW
 *
 * 4 steps of 0.05 between pictures; each step moves the speed first, and the angle with the new
 * speed (symplectic Euler: without damping and noise its energy would not drift). A picture has
 * pixels x pixels entries, row by row from the top: a round bob at (sin(angle), -cos(angle)) on a
 * square that reaches from -1.5 to 1.5, brightness exp(-distance^2/(2 * 0.15^2)), plus
 * noise * eps.
 *
 * One picture shows the angle and not the speed. The density over 4 inner steps has no closed form:
 * the oracle has the transition as a sampler only. */
#include "generated.h"

#define PENDULUM_STEP       0.05
#define PENDULUM_STEPS      4
#define PENDULUM_EDGE       1.5
#define PENDULUM_BOB        0.15
#define PENDULUM_PIXELS_MAX 64

enum { ANGLE, SPEED, PENDULUM_D };

struct pendulum {
  struct generated generated;
  int64_t pixels;
  double noise;
};

static const struct ssk_param pendulum_params[] = {
    GENERATED_PARAMS("256", "64", "128"),
    SSK_PARAM_INT(struct pendulum, pixels, "32", 4, PENDULUM_PIXELS_MAX, "pixels",
                  "Side of the picture; the observation has its square for dimension."),
    SSK_PARAM_REAL(struct pendulum, noise, "0.02", 1e-6, 100, "1",
                   "Standard deviation of a pixel's noise; the bob has brightness 1."),
    SSK_PARAM_END,
};

/* ---- the process ----------------------------------------------------------------------------- */

static void pendulum_initial(const void *self, ssk_rng *rng, double *z) {
  (void)self;
  z[ANGLE] = M_PI * (2 * ssk_rng_uniform(rng) - 1);
  z[SPEED] = ssk_rng_normal(rng);
}

static void pendulum_transition(const void *self, ssk_rng *rng, const double *z_prev, double *z) {
  double angle = z_prev[ANGLE], speed = z_prev[SPEED];
  (void)self;
  for (int i = 0; i < PENDULUM_STEPS; i++) {
    speed += (-4 * sin(angle) - 0.1 * speed) * PENDULUM_STEP +
             0.5 * sqrt(PENDULUM_STEP) * ssk_rng_normal(rng);
    angle += speed * PENDULUM_STEP;
  }
  z[ANGLE] = angle;
  z[SPEED] = speed;
}

/* The picture is a product of one profile along each axis. */
struct picture {
  double column[PENDULUM_PIXELS_MAX], row[PENDULUM_PIXELS_MAX];
};

static void pendulum_render(const struct pendulum *d, const double *z, struct picture *out) {
  double x = sin(z[ANGLE]), y = -cos(z[ANGLE]), size = 2 * PENDULUM_EDGE / (double)d->pixels;
  for (int i = 0; i < d->pixels; i++) {
    double at = -PENDULUM_EDGE + (i + 0.5) * size;
    double across = (at - x) / PENDULUM_BOB, down = (-at - y) / PENDULUM_BOB;
    out->column[i] = exp(-0.5 * across * across);
    out->row[i] = exp(-0.5 * down * down);
  }
}

static void pendulum_emission(const void *self, ssk_rng *rng, const double *z, double *x) {
  const struct pendulum *d = self;
  struct picture picture;
  pendulum_render(d, z, &picture);
  for (int r = 0; r < d->pixels; r++)
    for (int c = 0; c < d->pixels; c++)
      *x++ = picture.row[r] * picture.column[c] + d->noise * ssk_rng_normal(rng);
}

static void pendulum_emission_mean(const void *self, const double *z, double *x) {
  const struct pendulum *d = self;
  struct picture picture;
  pendulum_render(d, z, &picture);
  for (int r = 0; r < d->pixels; r++)
    for (int c = 0; c < d->pixels; c++)
      *x++ = picture.row[r] * picture.column[c];
}

static double pendulum_emission_log_prob(const void *self, const double *z, const double *x,
                                         const double *mask) {
  const struct pendulum *d = self;
  struct picture picture;
  double squares = 0, constant = generated_log_normal(0, d->noise);
  int n = 0;
  pendulum_render(d, z, &picture);
  for (int r = 0; r < d->pixels; r++)
    for (int c = 0; c < d->pixels; c++, x++, mask++)
      if (*mask != 0) {
        double e = *x - picture.row[r] * picture.column[c];
        squares += e * e;
        n++;
      }
  return n * constant - 0.5 * squares / (d->noise * d->noise);
}

static const struct ssk_oracle pendulum_process = {
    .size = sizeof(struct ssk_oracle),
    .d = PENDULUM_D,
    .initial = pendulum_initial,
    .transition = pendulum_transition,
    .emission = pendulum_emission,
    .emission_mean = pendulum_emission_mean,
    .emission_log_prob = pendulum_emission_log_prob,
};

/* ---- slots ----------------------------------------------------------------------------------- */

static int pendulum_open(void *self, uint64_t seed, ssk_err *err) {
  struct pendulum *d = self;
  (void)err;
  generated_open(&d->generated, seed, "data.pendulum", &pendulum_process,
                 (int)(d->pixels * d->pixels));
  return SSK_OK;
}

static const struct ssk_dataset_ops pendulum_ops = {.size = sizeof(struct ssk_dataset_ops),
                                                    .open = pendulum_open,
                                                    .shape = generated_shape,
                                                    .count = generated_count,
                                                    .fill = generated_fill,
                                                    .oracle = generated_oracle};

static const struct ssk_component pendulum_component = {
    .size = sizeof(struct ssk_component),
    .kind = SSK_DATASET,
    .name = "pendulum",
    .summary = "generated: pictures of a damped pendulum that is kicked at random",
    .doc = "d angle = speed dt, d speed = (-4 sin(angle) - 0.1 speed) dt + 0.5 dW, 4 steps of 0.05 "
           "between pictures (symplectic Euler and Maruyama). The first angle is uniform, the "
           "first speed N(0,1). The picture shows the bob, exp(-distance^2/(2 0.15^2)) around "
           "(sin(angle), -cos(angle)) on the square of side 3, plus noise eps a pixel. The "
           "ground-truth latent is (angle, speed), the angle not wrapped. The oracle has the "
           "transition as a sampler, without a density; a picture tells the angle so exactly that "
           "its particle filter needs many particles.",
    .self_size = sizeof(struct pendulum),
    .params = pendulum_params,
    .ops = &pendulum_ops,
};

SSK_PLUGIN(&pendulum_component)
