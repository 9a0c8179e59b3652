/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_health.c - the health of models whose encoder and transition are made for it, so that every
 * figure is known: d = 2, on series that jump by +4 or -4. */
#include "model/health.h"
#include "support/smoke.h"
#include <math.h>

/* ---- encoders: dimension 0 as named, dimension 1 carries nothing ------------------------------
 */

static int nothing_to_build(void *self, ssk_builder *b, const struct ssk_dims *dims) {
  (void)self, (void)b, (void)dims;
  return SSK_OK;
}

static ssk_tensor *columns(const struct ssk_ctx *ctx, int n, const ssk_tensor *x, int width, int at,
                           double factor, double other) {
  ssk_tensor *out = ssk_empty(ctx->tape, SSK_SHAPE(n, 2));
  for (int i = 0; i < n; i++) {
    out->data[2 * i] = (ssk_real)(factor * (double)x->data[i * width + at]);
    out->data[2 * i + 1] = (ssk_real)other;
  }
  return out;
}

/* The latent before, dimension 0. */
static ssk_tensor *persisting(const struct ssk_ctx *ctx, const struct ssk_rows *rows) {
  const int j = ctx->dims->j;
  return columns(ctx, rows->n, rows->past, 2 * j, 2 * (j - 1), 0.9, 0);
}

static ssk_tensor *variances(const struct ssk_ctx *ctx, int n, double first) {
  ssk_tensor *out = ssk_full(ctx->tape, SSK_SHAPE(n, 2), 0);
  for (int i = 0; i < n; i++)
    out->data[2 * i] = (ssk_real)log(first);
  return out;
}

static const double seen = 0.01; /* variance where the observation is copied */

static struct ssk_gaussian copying(const void *self, const struct ssk_ctx *ctx,
                                   const struct ssk_encoder_step *step) {
  (void)self;
  return (struct ssk_gaussian){columns(ctx, step->in.n, step->x, ctx->dims->D, 0, 1, 0),
                               variances(ctx, step->in.n, seen)};
}

/* The transition `one` again. */
static struct ssk_gaussian ignoring(const void *self, const struct ssk_ctx *ctx,
                                    const struct ssk_encoder_step *step) {
  (void)self;
  return (struct ssk_gaussian){persisting(ctx, &step->in), variances(ctx, step->in.n, 16)};
}

/* ---- transitions: 0.9 z + jump, N(0, 1) in dimension 1 ----------------------------------------
 */

static struct ssk_gaussian one(const void *self, const struct ssk_ctx *ctx,
                               const struct ssk_rows *rows) {
  (void)self;
  return (struct ssk_gaussian){persisting(ctx, rows), variances(ctx, rows->n, 16)};
}

/* The same moments by draws, of one mode or of two. */
static ssk_tensor *drawn(const struct ssk_ctx *ctx, const struct ssk_rows *rows, double jump,
                         double variance) {
  ssk_tensor *noise = ssk_ctx_normal(ctx, "noise", rows->index, SSK_SHAPE(rows->n, 2));
  ssk_rng rng = ssk_ctx_rng(ctx, "jumps", rows->index);
  ssk_tensor *mean = persisting(ctx, rows);
  for (int i = 0; i < rows->n; i++)
    mean->data[2 * i] += (ssk_real)(ssk_rng_uniform(&rng) < 0.5 ? jump : -jump);
  return ssk_reparam(ctx->tape, (struct ssk_gaussian){mean, variances(ctx, rows->n, variance)},
                     noise);
}
static ssk_tensor *draw_one(const void *self, const struct ssk_ctx *ctx,
                            const struct ssk_rows *rows) {
  (void)self;
  return drawn(ctx, rows, 0, 16);
}
static ssk_tensor *draw_two(const void *self, const struct ssk_ctx *ctx,
                            const struct ssk_rows *rows) {
  (void)self;
  return drawn(ctx, rows, 4, 0.1);
}
static int two_figures(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *rows,
                       struct ssk_figure *figures) {
  (void)self, (void)ctx;
  double newest = 0;
  for (int i = 0; i < rows->n; i++)
    newest += (double)rows->past->data[(i + 1) * ctx->dims->j * 2 - 2] / rows->n;
  figures[0] = (struct ssk_figure){"constant", 3};
  figures[1] = (struct ssk_figure){"newest", newest};
  return 2;
}

static const struct ssk_encoder_ops copying_ops = {
    .size = sizeof copying_ops, .build = nothing_to_build, .posterior = copying};
static const struct ssk_encoder_ops ignoring_ops = {
    .size = sizeof ignoring_ops, .build = nothing_to_build, .posterior = ignoring};
static const struct ssk_transition_ops one_ops = {
    .size = sizeof one_ops, .build = nothing_to_build, .moments = one};
static const struct ssk_transition_ops draw_one_ops = {
    .size = sizeof draw_one_ops, .build = nothing_to_build, .sample = draw_one};
static const struct ssk_transition_ops draw_two_ops = {.size = sizeof draw_two_ops,
                                                       .build = nothing_to_build,
                                                       .sample = draw_two,
                                                       .stats = two_figures};

/* ---- the measurement --------------------------------------------------------------------------
 */

/* On 64 validation series of 16 steps. The components' structs are empty. */
static void measure(const void *encoder_ops, const void *transition_ops, int threads,
                    struct ssk_health *out) {
  const struct ssk_component encoder = {.name = "made", .ops = encoder_ops},
                             transition = {.name = "made", .ops = transition_ops};
  struct ssk_instance made[2] = {{.component = &encoder, .path = "model.encoder"},
                                 {.component = &transition, .path = "model.transition"}};
  static const char *const overrides[] = {
      "standardise=false",  "data.valid=64",           "data.length=16", "evaluate.series=0",
      "evaluate.context=0", "evaluate.bound_paths=16", "model.latent=2", "data.noise=0.2",
      "health.samples=128", "health.conditionings=64", "model.order=2"};
  char path[4096];
  snprintf(path, sizeof path, "%s/recipes/smoke/transition_gaussian.yaml", getenv("top_srcdir"));
  ssk_err *err = ssk_err_new();
  struct ssk_registry *registry = smoke_plugins(err);
  struct ssk_experiment *e = NULL;
  struct ssk_data *data = NULL;
  struct ssk_model *model = NULL;
  struct ssk_pool *pool = NULL;
  int code = ssk_experiment_load(path, sizeof overrides / sizeof overrides[0], overrides, registry,
                                 &e, err);
  cr_assert_eq(code, SSK_OK, "%s", ssk_err_message(err, 0));
  struct ssk_instance *given[2] = {e->model.encoder, e->model.transition};
  e->model.encoder = &made[0];
  e->model.transition = &made[1];
  code = ssk_data_load(e, &data, err);
  code = code ? code : ssk_model_build(e, data, &model, err);
  code = code ? code : ssk_pool_new(threads, &pool, err);
  cr_assert_eq(code, SSK_OK, "%s", ssk_err_message(err, 0));
  ssk_real *values = calloc(model->layout.total + 1, sizeof *values);
  ssk_layout_initialise(&model->layout, 1, values);
  code = ssk_health_measure(model, data, values, SSK_VALID, pool, out, err);
  cr_assert_eq(code, SSK_OK, "%s", ssk_err_message(err, 0));
  free(values);
  ssk_pool_free(pool);
  ssk_model_free(model);
  ssk_data_free(data);
  e->model.encoder = given[0];
  e->model.transition = given[1];
  ssk_experiment_free(e);
  ssk_registry_free(registry);
  ssk_err_free(err);
}

#define IN(x, low, high) check_in(#x, x, low, high)
static void check_in(const char *what, double x, double low, double high) {
  cr_expect(x >= low && x <= high, "%s is %g, not in [%g, %g]", what, x, low, high);
}

/* ---- tests ------------------------------------------------------------------------------------
 */

Test(health, an_encoder_that_copies_has_one_active_unit) {
  struct ssk_health h;
  measure(&copying_ops, &draw_two_ops, 1, &h);
  cr_expect_eq(h.series, 64);
  cr_expect_eq(h.conditionings, 64);
  cr_expect_eq(h.active_units, 1);
  /* z_1 ~ N(0,1), z_t = 0.9 z_{t-1} +- 4, noise 0.2: Var of the first 16 steps, averaged */
  double variance = 1, mean = 0;
  for (int t = 0; t < 16; t++, variance = 0.81 * variance + 16)
    mean += (variance + 0.04) / 16;
  IN(h.row[SSK_HEALTH_POSTERIOR_VARIANCE][0], 0.7 * mean, 1.4 * mean);
  IN(h.row[SSK_HEALTH_LATENT_VARIANCE][0] / h.row[SSK_HEALTH_POSTERIOR_VARIANCE][0], 0.99, 1.01);
  cr_expect_eq(h.row[SSK_HEALTH_POSTERIOR_VARIANCE][1], 0);
  IN(h.row[SSK_HEALTH_LATENT_VARIANCE][1], 0.9, 1.1);
  cr_expect_eq(h.alarms, 0);
  ssk_health_free(&h);
}

/* The step is near +-4, the transition's variance 16.1: KL against the Gaussian with its moments.
 */
Test(health, the_divergence_is_that_of_the_moments) {
  struct ssk_health h;
  measure(&copying_ops, &one_ops, 1, &h);
  const double kl = 0.5 * ((seen + 16) / 16 - 1 + log(16 / seen));
  IN(h.row[SSK_HEALTH_KL][0], kl - 0.1, kl + 0.1);
  IN(h.row[SSK_HEALTH_KL][1], -1e-6, 1e-6);
  ssk_health_free(&h);
  measure(&copying_ops, &draw_one_ops, 1, &h);
  IN(h.row[SSK_HEALTH_KL][0], kl - 0.15, kl + 0.15);
  IN(h.row[SSK_HEALTH_KL][1], -0.005, 0.005);
  ssk_health_free(&h);
}

Test(health, a_transition_with_the_modes_is_healthy) {
  struct ssk_health h;
  measure(&copying_ops, &draw_two_ops, 1, &h);
  cr_expect_eq(h.alarms, 0);
  IN(h.row[SSK_HEALTH_BIMODAL][0], 1, 1);
  IN(h.row[SSK_HEALTH_DIP][0], 0.15, 0.25);
  IN(h.row[SSK_HEALTH_INNOVATION_DIP][0], 0.1, 0.25);
  IN(h.row[SSK_HEALTH_BIMODAL][1], 0, 0.09);
  cr_expect_eq(h.n_figures, 2);
  cr_expect_str_eq(h.figures[0].name, "constant");
  IN(h.figures[0].value, 3 - 1e-9, 3 + 1e-9);
  IN(h.figures[1].value, -4, 4);
  ssk_health_free(&h);
}

Test(health, a_transition_that_lacks_the_modes_is_noticed) {
  static const struct ssk_transition_ops *const unimodal[] = {&one_ops, &draw_one_ops};
  for (int i = 0; i < 2; i++) {
    struct ssk_health h;
    measure(&copying_ops, unimodal[i], 1, &h);
    cr_expect_eq(h.alarms, SSK_ALARM_MODES);
    cr_expect_eq(h.missing, 0);
    IN(h.row[SSK_HEALTH_BIMODAL][0], 0, 0.09);
    ssk_health_free(&h);
  }
}

/* Whatever the latents vary by themselves: it is not about the series. */
Test(health, a_posterior_that_ignores_the_series_has_collapsed) {
  static const struct ssk_transition_ops *const transitions[] = {&one_ops, &draw_one_ops};
  for (int i = 0; i < 2; i++) {
    struct ssk_health h;
    measure(&ignoring_ops, transitions[i], 1, &h);
    cr_expect_eq(h.alarms, SSK_ALARM_POSTERIOR);
    IN(h.row[SSK_HEALTH_KL][0], -0.005, 0.005);
    IN(h.row[SSK_HEALTH_LATENT_VARIANCE][0], 10, 100);
    IN(h.row[SSK_HEALTH_POSTERIOR_VARIANCE][0], 0, 1);
    ssk_health_free(&h);
  }
}

Test(health, is_the_same_with_any_number_of_threads) {
  struct ssk_health a, b;
  measure(&copying_ops, &draw_two_ops, 1, &a);
  measure(&copying_ops, &draw_two_ops, 3, &b);
  cr_expect_arr_eq(a.memory, b.memory, SSK_HEALTH_ROWS * 2 * sizeof(double));
  cr_expect_eq(a.figures[1].value, b.figures[1].value);
  ssk_health_free(&a);
  ssk_health_free(&b);
}

Test(health, units_are_active_in_their_own_scale) {
  struct ssk_health h;
  cr_assert_eq(ssk_health_init(&h, 4), SSK_OK);
  static const double posterior[] = {0.02, 0.005, 2e-5, 0.5}, latent[] = {1, 1, 1e-4, 100};
  for (int k = 0; k < 4; k++) {
    h.row[SSK_HEALTH_POSTERIOR_VARIANCE][k] = posterior[k];
    h.row[SSK_HEALTH_LATENT_VARIANCE][k] = latent[k];
  }
  ssk_health_judge(&h);
  cr_expect_eq(h.active_units, 3); /* all but the second */
  cr_expect_eq(h.alarms, 0);
  for (int k = 0; k < 4; k++)
    h.row[SSK_HEALTH_POSTERIOR_VARIANCE][k] = 0;
  ssk_health_judge(&h);
  cr_expect_eq(h.active_units, 0);
  cr_expect_eq(h.alarms, SSK_ALARM_POSTERIOR);
  h.row[SSK_HEALTH_POSTERIOR_VARIANCE][1] = NAN;
  ssk_health_judge(&h);
  cr_expect_eq(h.active_units, -1);
  cr_expect_eq(h.alarms, 0); /* nothing is known */
  ssk_health_free(&h);
}
