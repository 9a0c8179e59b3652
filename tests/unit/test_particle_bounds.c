/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_particle_bounds.c - the objectives iwae and fivo on a linear model whose exact likelihood
 * the Kalman filter gives: estimates without bias, and bounds in their order. */
#include "model/model.h"
#include "support/untrained.h"

enum { SERIES = 4, REPEATS = 100, B = SERIES * REPEATS, T = 5 };

struct linear_model {
  struct kit kit;
  struct ssk_experiment *experiment;
  struct ssk_data *data;
  struct ssk_model *model;
  struct ssk_pass pass;
  ssk_real *values;
  double exact[SERIES]; /* log p(x) */
};

/* Observations far from where the encoder looks at first: its proposals are no posterior. */
static void open_model(struct linear_model *m, const char *objective, int paths) {
  char text[1024];
  snprintf(text, sizeof text,
           "data: {use: lgssm, sequences: 4, valid: 0, test: 0, length: 5, process_noise: 0.5}\n"
           "standardise: false\n"
           "model:\n"
           "  latent: 1\n"
           "  paths: %d\n"
           "  summary: identity\n"
           "  encoder: {use: gaussian, frame: additive, logvar_start: -0.5}\n"
           "  emission: {use: gaussian, identity: true, logvar_start: -0.7}\n"
           "  initial: standard\n"
           "  transition: {use: linear, logvar_start: -1}\n"
           "objective: %s\n",
           paths, objective);
  *m = (struct linear_model){0};
  kit_open(&m->kit);
  if (ssk_experiment_parse("test.yaml", text, strlen(text), 0, NULL, m->kit.registry,
                           &m->experiment, m->kit.err) ||
      ssk_data_load(m->experiment, &m->data, m->kit.err) ||
      ssk_model_build(m->experiment, m->data, &m->model, m->kit.err))
    kit_fail(&m->kit, "the model cannot be made");
  m->values = calloc(m->model->layout.total, sizeof *m->values);
  ssk_layout_initialise(&m->model->layout, 1, m->values);
  cr_assert_eq(ssk_pass_init(&m->pass, m->model, m->values), SSK_OK);
  for (int i = 0; i < SERIES; i++)
    m->exact[i] = untrained_likelihood(&m->kit, &m->data->split[SSK_TRAIN], i, T);
}

static void close_model(struct linear_model *m) {
  ssk_pass_free(&m->pass);
  free(m->values);
  ssk_model_free(m->model);
  ssk_data_free(m->data);
  ssk_experiment_free(m->experiment);
  kit_close(&m->kit);
}

/* The bound of a pass with REPEATS times each series, each with noise of its own. */
static struct ssk_bound bound_of(struct linear_model *m, uint32_t step) {
  struct ssk_window windows[B];
  for (int b = 0; b < B; b++)
    windows[b] = (struct ssk_window){.series = b % SERIES};
  ssk_pass_begin(&m->pass, T, B, (int)m->experiment->model.paths, NULL);
  m->pass.ctx.training = true;
  m->pass.ctx.step = step;
  const struct ssk_observed obs = ssk_observe(&m->pass, m->data, SSK_TRAIN, windows);
  const struct ssk_bound bound = ssk_model_bound(&m->pass, &obs);
  cr_assert_eq(ssk_tape_code(m->pass.ctx.tape), SSK_OK, "%s", ssk_err_message(m->pass.err, 0));
  return bound;
}

/* The loss of each series of a pass, [B]. */
static void losses_of(struct linear_model *m, uint32_t step, double *loss) {
  const struct ssk_bound bound = bound_of(m, step);
  const struct ssk_instance *objective = m->experiment->objective;
  const struct ssk_objective_ops *ops = objective->component->ops;
  const ssk_tensor *each = ops->loss(objective->self, &m->pass.ctx, &bound);
  const int S = m->pass.ctx.S;
  for (int b = 0; b < B; b++) {
    loss[b] = (double)each->data[b * S];
    for (int s = 1; s < S; s++)
      cr_assert_eq(each->data[b * S + s], each->data[b * S]);
  }
}

struct moments {
  double mean, se;
};
static struct moments moments_of(int n, const double *x) {
  double sum = 0, squares = 0;
  for (int i = 0; i < n; i++)
    sum += x[i];
  for (int i = 0; i < n; i++)
    squares += (x[i] - sum / n) * (x[i] - sum / n);
  return (struct moments){sum / n, sqrt(squares / n / (n - 1))};
}

/* The mean of Z / p(x) is 1: within four standard errors, which are small. */
static void check_unbiased(const char *objective) {
  enum { PASSES = 20 };
  static double ratio[PASSES * B];
  struct linear_model m;
  open_model(&m, objective, 16);
  for (int i = 0; i < PASSES; i++) {
    losses_of(&m, (uint32_t)i, ratio + i * B);
    for (int b = 0; b < B; b++)
      ratio[i * B + b] = exp(-ratio[i * B + b] - m.exact[b % SERIES]);
  }
  const struct moments got = moments_of(PASSES * B, ratio);
  cr_expect_lt(got.se, 0.01, "%s: %g", objective, got.se);
  cr_expect_lt(fabs(got.mean - 1), 4 * got.se, "%s: %g +- %g", objective, got.mean, got.se);
  close_model(&m);
}

Test(particle_bounds, the_likelihood_has_no_bias) {
  check_unbiased("{use: fivo, resample_below: 1}");
  check_unbiased("{use: fivo, resample_below: 0.5}");
  check_unbiased("iwae");
}

/* ELBO < IWAE, ELBO < FIVO < log p(x), and drawing again has brought FIVO over IWAE. */
Test(particle_bounds, bounds_stand_in_their_order) {
  static double elbo[B], iwae[B], fivo[B], difference[B];
  struct linear_model m;
  open_model(&m, "iwae", 16);
  losses_of(&m, 7, iwae);
  const struct ssk_bound bound = bound_of(&m, 7);
  for (int b = 0; b < B; b++) {
    elbo[b] = 0;
    for (int p = b * 16; p < (b + 1) * 16; p++)
      elbo[b] +=
          (double)(bound.distortion->data[p] + bound.initial->data[p] + bound.transition->data[p]) /
          16;
  }
  close_model(&m);
  open_model(&m, "{use: fivo, resample_below: 0.9}", 16);
  losses_of(&m, 7, fivo);
  struct moments gap;
  for (int b = 0; b < B; b++)
    difference[b] = elbo[b] - fivo[b];
  gap = moments_of(B, difference);
  cr_expect_gt(gap.mean, 10 * gap.se, "FIVO over ELBO: %g +- %g", gap.mean, gap.se);
  for (int b = 0; b < B; b++)
    difference[b] = iwae[b] - fivo[b];
  gap = moments_of(B, difference);
  cr_expect_gt(gap.mean, 3 * gap.se, "FIVO over IWAE: %g +- %g", gap.mean, gap.se);
  for (int b = 0; b < B; b++)
    difference[b] = fivo[b] + m.exact[b % SERIES];
  gap = moments_of(B, difference);
  cr_expect_gt(gap.mean, 3 * gap.se, "log p(x) over FIVO: %g +- %g", gap.mean, gap.se);
  close_model(&m);
}

/* Without drawing again a filter is importance sampling of whole paths, with the same noise. */
Test(particle_bounds, a_filter_that_never_draws_again_is_iwae) {
  static double iwae[B], fivo[B];
  struct linear_model m;
  open_model(&m, "iwae", 5);
  losses_of(&m, 3, iwae);
  close_model(&m);
  open_model(&m, "{use: fivo, resample_below: 0}", 5);
  losses_of(&m, 3, fivo);
  close_model(&m);
  for (int b = 0; b < B; b++)
    cr_assert_float_eq(iwae[b], fivo[b], 1e-4 * fabs(iwae[b]));
}

/* With one path both are the plain weight of the path. */
Test(particle_bounds, one_path_is_its_own_weight) {
  static double iwae[B];
  struct linear_model m;
  open_model(&m, "iwae", 1);
  losses_of(&m, 3, iwae);
  const struct ssk_bound bound = bound_of(&m, 3);
  for (int b = 0; b < B; b++)
    cr_assert_float_eq(iwae[b], -(double)bound.log_weight->data[b], 1e-5 * fabs(iwae[b]));
  close_model(&m);
}
