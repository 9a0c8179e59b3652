/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_kalman_transition.c - the transition `kalman` against the exact filter of kernel/infer: by
 * itself and in a whole model; and the Jacobian of its extended filter. */
#include "infer/kalman.h"
#include "support/transitions.h"
#include <math.h>

#ifdef SSK_DOUBLE
static const double tolerance = 1e-6;
#else
static const double tolerance = 2e-3;
#endif

/* Sum over t of log p(a_t | a_{1:t-1}) of a[T, d] by the transition. */
static double log_likelihood(struct alone *s, int T, const double *a) {
  struct ssk_ctx *ctx = &s->rig.ctx;
  const int d = s->rig.dims.d;
  rig_begin(&s->rig);
  ssk_tensor *state = ssk_transition_start(s->transition, ctx, 1);
  double sum = 0;
  for (int t = 0; t < T; t++) {
    struct ssk_rows rows = {.size = sizeof rows, .n = 1, .state = state, .step = t};
    rows.past = ssk_full(ctx->tape, SSK_SHAPE(1, d), 0);
    rows.z = ssk_empty(ctx->tape, SSK_SHAPE(1, d));
    for (int i = 0; i < d; i++)
      rows.z->data[i] = (ssk_real)a[t * d + i];
    sum += (double)ssk_transition_log_prob(s->transition, ctx, &rows)->data[0];
    state = ssk_transition_advance(s->transition, ctx, &rows);
    rig_fine(&s->rig);
  }
  return sum;
}

static double exact(const struct ssk_linear_gaussian *model, int T, const double *a,
                    const double *mask) {
  struct ssk_kalman series;
  ssk_err *err = ssk_err_new();
  cr_assert_eq(ssk_kalman_filter(model, T, a, mask, &series, err), SSK_OK);
  const double value = series.log_likelihood;
  ssk_kalman_free(&series);
  ssk_err_free(err);
  return value;
}

/* The process of the data set lgssm, and its series as the pseudo-observations. */
Test(kalman_transition, on_lgssm_it_is_the_exact_likelihood) {
  struct alone s;
  alone_open(&s, (struct ssk_dims){.d = 1, .j = 1, .W = 2}, "kalman",
             "{state: 1, maps: 1, spread: 0, var_min: 1e-12, logvar_min: -29,\n"
             " logvar_start: -4.605170185988091, noise_logvar_start: -4.605170185988091}",
             0);
  *alone_weight(&s, "A") = (ssk_real)-0.1; /* beside the identity */
  *alone_weight(&s, "P0") = -60;           /* z_1 = 0, but for 1e-12 */
  struct kit kit;
  kit_open(&kit);
  struct ssk_data *data = kit_data(&kit, "lgssm", "{sequences: 8, valid: 0, test: 0, length: 40}");
  const struct ssk_dataset_ops *ops = data->dataset->component->ops;
  struct ssk_linear_gaussian process = {.size = sizeof process};
  ops->oracle(data->dataset->self)->linear(data->dataset->self, &process);
  for (int i = 0; i < 8; i++) {
    const double *x = data->split[SSK_TRAIN].x + i * 40;
    const double want = exact(&process, 40, x, data->split[SSK_TRAIN].mask + i * 40);
    cr_expect_float_eq(log_likelihood(&s, 40, x), want, tolerance, "series %d", i);
  }
  kit_close(&kit);
  alone_close(&s);
}

/* What the weights of one map say, in double. */
struct process {
  struct ssk_linear_gaussian model;
  double m0[3], P0[9], A[9], Q[9], C[6], R[4];
};

static void diagonal(double *out, int n, const ssk_real *raw) {
  for (int i = 0; i < n * n; i++)
    out[i] = i % (n + 1) ? 0 : log1p(exp((double)raw[i / (n + 1)])) + 1e-6;
}

static void process_of(struct alone *s, struct process *p) {
  enum { d = 2, k = 3 };
  for (int i = 0; i < k; i++)
    p->m0[i] = (double)alone_weight(s, "m0")[i];
  for (int i = 0; i < k * k; i++)
    p->A[i] = (double)alone_weight(s, "A")[i] + (i % (k + 1) == 0);
  for (int i = 0; i < d * k; i++)
    p->C[i] = (double)alone_weight(s, "C")[i] + (i / k == i % k);
  diagonal(p->P0, k, alone_weight(s, "P0"));
  diagonal(p->Q, k, alone_weight(s, "Q"));
  diagonal(p->R, d, alone_weight(s, "R"));
  p->model = (struct ssk_linear_gaussian){.size = sizeof p->model,
                                          .d = k,
                                          .D = d,
                                          .m0 = p->m0,
                                          .P0 = p->P0,
                                          .A = p->A,
                                          .Q = p->Q,
                                          .C = p->C,
                                          .R = p->R};
}

static const char *const three = "{state: 3, maps: 1}";

Test(kalman_transition, of_several_dimensions_it_is_the_exact_likelihood) {
  enum { T = 20 };
  struct alone s;
  struct process p;
  alone_open(&s, (struct ssk_dims){.d = 2, .j = 1, .W = 12}, "kalman", three, 0.3);
  process_of(&s, &p);
  double a[2 * T];
  ssk_rng rng = ssk_rng_open(4, "a", NULL, 0, 0);
  for (int i = 0; i < 2 * T; i++)
    a[i] = 2 * ssk_rng_normal(&rng);
  cr_expect_float_eq(log_likelihood(&s, T, a), exact(&p.model, T, a, NULL), tolerance);
  alone_close(&s);
}

/* ---- in a whole model ------------------------------------------------------------------------ */

static const char *const whole = "data: {use: lgssm, sequences: 3, valid: 0, test: 0, length: 9}\n"
                                 "standardise: false\n"
                                 "model:\n"
                                 "  latent: 2\n"
                                 "  paths: 2\n"
                                 "  summary: identity\n"
                                 "  encoder: {use: gaussian, frame: free, structured: false}\n"
                                 "  initial: start\n"
                                 "  transition: {use: kalman, state: 3, maps: 1}\n"
                                 "objective: iwae\n";

/* log w = log p(x | a) + log p(a) - log q(a), and log p(a) of the path is the filter's. */
Test(kalman_transition, the_prior_of_a_path_is_the_exact_filters) {
  enum { B = 3, T = 9, P = 6, d = 2 };
  struct alone s; /* the same weights, by name */
  struct process process;
  alone_open(&s, (struct ssk_dims){.d = d, .j = 1, .W = 12}, "kalman", three, 0.3);
  process_of(&s, &process);
  struct ssk_experiment *experiment;
  struct ssk_data *data;
  struct ssk_model *model;
  if (ssk_experiment_parse("test.yaml", whole, strlen(whole), 0, NULL, s.kit.registry, &experiment,
                           s.kit.err) ||
      ssk_data_load(experiment, &data, s.kit.err) ||
      ssk_model_build(experiment, data, &model, s.kit.err))
    kit_fail(&s.kit, "the model cannot be made");
  ssk_real *values = calloc(model->layout.total, sizeof *values);
  ssk_layout_initialise(&model->layout, 1, values);
  for (int k = 0; k < model->layout.n; k++)
    if (!strncmp(model->layout.slice[k].name, "transition.", strlen("transition.")))
      memcpy(values + model->layout.slice[k].offset,
             alone_weight(&s, model->layout.slice[k].name + strlen("transition.")),
             model->layout.slice[k].count * sizeof *values);
  struct ssk_pass pass;
  cr_assert_eq(ssk_pass_init(&pass, model, values), SSK_OK);
  ssk_pass_begin(&pass, T, B, 2, NULL);
  pass.ctx.training = true;
  const struct ssk_observed obs = ssk_observe(&pass, data, SSK_TRAIN, data->windows);
  const struct ssk_segment all = ssk_model_whole(&pass, &obs);
  const struct ssk_posterior q = ssk_segment_encode(&pass, &all);
  const struct ssk_bound bound = ssk_segment_bound(&pass, &all, &q);
  cr_assert_eq(ssk_tape_code(pass.ctx.tape), SSK_OK, "%s", ssk_err_message(pass.err, 0));
  for (int path = 0; path < P; path++) {
    double a[T * d], log_q = 0;
    for (int t = 0; t < T; t++) {
      log_q += (double)q.log_q->data[t * P + path];
      for (int i = 0; i < d; i++)
        a[t * d + i] = (double)q.z->data[(t * P + path) * d + i];
    }
    const double log_p = (double)(bound.log_weight->data[path] + bound.distortion->data[path]);
    cr_expect_float_eq(log_p + log_q, exact(&process.model, T, a, NULL), tolerance, "path %d",
                       path);
  }
  ssk_pass_free(&pass);
  free(values);
  ssk_model_free(model);
  ssk_data_free(data);
  ssk_experiment_free(experiment);
  alone_close(&s);
}

/* ---- the extended filter --------------------------------------------------------------------- */

#ifdef SSK_DOUBLE
/* Mean and covariance of the next state, [2 + 4], from N(m, P), where nothing is observed. */
static void next_belief(struct alone *s, const double *belief, double *next) {
  struct ssk_ctx *ctx = &s->rig.ctx;
  rig_begin(&s->rig);
  struct ssk_rows rows = {.size = sizeof rows,
                          .n = 1,
                          .past = ssk_full(ctx->tape, SSK_SHAPE(1, 1), 0),
                          .state = ssk_const(ctx->tape, SSK_SHAPE(1, 6), belief),
                          .z = ssk_full(ctx->tape, SSK_SHAPE(1, 1), 0)};
  const ssk_tensor *out = ssk_transition_advance(s->transition, ctx, &rows);
  rig_fine(&s->rig);
  memcpy(next, out->data, 6 * sizeof *next);
}

/* P' = F P F' + Q, with F by differences of the mean. The observation's noise is vast. */
Test(kalman_transition, extended_filter_has_the_exact_jacobian) {
  struct alone s;
  alone_open(&s, (struct ssk_dims){.d = 1, .j = 1, .W = 6}, "kalman",
             "{dynamics: state, state: 2, maps: 4, hidden: 5, logvar_max: 30,\n"
             " noise_logvar_start: 29}",
             0);
  const struct ssk_layout *layout = &s.rig.b.layout;
  for (int i = 0; i < layout->n; i++) /* all but the variances away from where they start */
    for (size_t e = 0; e < layout->slice[i].count; e++) {
      ssk_rng rng = ssk_rng_open(5, layout->slice[i].name, "scatter", (uint32_t)e, 0);
      if (layout->slice[i].init != SSK_INIT_CONSTANT)
        s.rig.weights.values[layout->slice[i].offset + e] += 0.5 * ssk_rng_normal(&rng);
    }
  const double P[4] = {0.7, 0.2, 0.2, 0.4}, h = 1e-5;
  double belief[6] = {0.3, -0.8, P[0], P[1], P[2], P[3]}, next[6], up[6], down[6], F[4];
  next_belief(&s, belief, next);
  for (int l = 0; l < 2; l++) {
    belief[l] += h;
    next_belief(&s, belief, up);
    belief[l] -= 2 * h;
    next_belief(&s, belief, down);
    belief[l] += h;
    for (int i = 0; i < 2; i++)
      F[i * 2 + l] = (up[i] - down[i]) / (2 * h);
  }
  const double Q = 1; /* exp(logvar_start) */
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 2; j++) {
      double want = i == j ? Q : 0;
      for (int a = 0; a < 2; a++)
        for (int b = 0; b < 2; b++)
          want += F[i * 2 + a] * P[a * 2 + b] * F[j * 2 + b];
      cr_expect_float_eq(next[2 + i * 2 + j], want, 1e-7);
    }
  alone_close(&s);
}

/* m' = A m / max(1, |A|): of norm 2.25 and of norm 0.5. */
Test(kalman_transition, stable_maps_shrink_what_would_grow) {
  const double maps[2][4] = {{2, 1, 0, 0.5}, {0.5, 0, 0, -0.5}};
  const double norms[2] = {sqrt((5.25 + sqrt(5.25 * 5.25 - 4)) / 2), 1};
  struct alone s;
  alone_open(&s, (struct ssk_dims){.d = 1, .j = 1, .W = 6}, "kalman",
             "{maps: 1, state: 2, stable: true, logvar_max: 30, noise_logvar_start: 29}", 0);
  const double belief[6] = {0.3, -0.8, 0.7, 0.2, 0.2, 0.4};
  for (int i = 0; i < 2; i++) {
    for (int e = 0; e < 4; e++)
      alone_weight(&s, "A")[e] = maps[i][e] - (e % 3 == 0);
    double next[6];
    next_belief(&s, belief, next);
    for (int r = 0; r < 2; r++) {
      const double moved = maps[i][2 * r] * belief[0] + maps[i][2 * r + 1] * belief[1];
      cr_expect_float_eq(next[r], moved / norms[i], 1e-3 * fabs(moved));
    }
  }
  alone_close(&s);
}
#endif
