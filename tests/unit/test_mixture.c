/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_mixture.c - the transition `mixture`: its density integrates to one, its draws follow it,
 * one component is the transition `gaussian`. */
#include "support/transitions.h"
#include <gsl/gsl_integration.h>
#include <math.h>

enum { ROWS = 5 };

/* n rows with one past, the same in all. */
static struct ssk_rows rows_of(struct alone *s, int n, uint32_t index) {
  const struct ssk_dims *dims = &s->rig.dims;
  struct ssk_ctx *ctx = &s->rig.ctx;
  rig_begin(&s->rig);
  ssk_tensor *past = ssk_ctx_normal(ctx, "past", 0, SSK_SHAPE(1, dims->j * dims->d));
  struct ssk_rows rows = {.size = sizeof rows,
                          .n = n,
                          .past = ssk_repeat(ctx->tape, past, 0, n),
                          .z = ssk_empty(ctx->tape, SSK_SHAPE(n, dims->d)),
                          .index = index};
  if (dims->V)
    rows.u = ssk_full(ctx->tape, SSK_SHAPE(n, dims->V), (ssk_real)0.3);
  if (dims->F)
    rows.time = ssk_full(ctx->tape, SSK_SHAPE(n, dims->F), (ssk_real)-0.4);
  return rows;
}

/* exp(log_prob) of points[n, d], which it overwrites the first n of. */
static void densities(struct alone *s, int n, double *points) {
  struct ssk_rows rows = rows_of(s, n, 0);
  for (size_t i = 0; i < rows.z->count; i++)
    rows.z->data[i] = (ssk_real)points[i];
  const ssk_tensor *log_prob = ssk_transition_log_prob(s->transition, &s->rig.ctx, &rows);
  rig_fine(&s->rig);
  for (int i = 0; i < n; i++)
    points[i] = exp((double)log_prob->data[i]);
}

static double density(double z, void *state) {
  densities(state, 1, &z);
  return z;
}

/* Over the cube [-edge, edge]^d by Gauss and Legendre's rule of `nodes` points. */
static double integral_over_cube(struct alone *s, double edge, int nodes) {
  int d = s->rig.dims.d, n = d == 1 ? nodes : nodes * nodes;
  gsl_integration_glfixed_table *table = gsl_integration_glfixed_table_alloc((size_t)nodes);
  double *points = malloc((size_t)(n * d) * sizeof *points), sum = 0;
  double *weight = malloc((size_t)n * sizeof *weight);
  for (int i = 0; i < n; i++) {
    weight[i] = 1;
    for (int k = 0, rest = i; k < d; k++, rest /= nodes) {
      double w;
      gsl_integration_glfixed_point(-edge, edge, (size_t)(rest % nodes), &points[i * d + k], &w,
                                    table);
      weight[i] *= w;
    }
  }
  densities(s, n, points);
  for (int i = 0; i < n; i++)
    sum += weight[i] * points[i];
  gsl_integration_glfixed_table_free(table);
  free(points);
  free(weight);
  return sum;
}

static const char *const three =
    "{components: 3, network: {use: mlp, hidden: 6, layers: 2}, spread: 2, logvar_start: -2}";

Test(mixture, density_integrates_to_one) {
  struct ssk_dims dims[] = {{.d = 1, .j = 2, .V = 1, .F = 2}, {.d = 2, .j = 1}};
  for (int i = 0; i < 2; i++) {
    struct alone s;
    alone_start(&s, dims[i], "mixture", three, ROWS, 0.3);
    cr_assert_float_eq(integral_over_cube(&s, 20, i ? 400 : 2000), 1, 1e-5);
    alone_close(&s);
  }
}

static double integral_between(struct alone *s, double from, double to) {
  double value, error;
  gsl_function f = {density, s};
  gsl_integration_workspace *w = gsl_integration_workspace_alloc(200);
  gsl_integration_qag(&f, from, to, 1e-5, 1e-5, 200, GSL_INTEG_GAUSS31, w, &value, &error);
  gsl_integration_workspace_free(w);
  return value;
}

/* A Kolmogorov-Smirnov test of draws against the integrated density: sqrt(n) times the distance
 * exceeds 1.95 with probability 0.001. */
static int ascending(const void *a, const void *b) {
  ssk_real x = *(const ssk_real *)a, y = *(const ssk_real *)b;
  return (x > y) - (x < y);
}

Test(mixture, draws_follow_the_density) {
  enum { N = 4000, EVERY = 80 };
  struct alone s;
  alone_start(&s, (struct ssk_dims){.d = 1, .j = 1}, "mixture", three, ROWS, 0.3);
  struct ssk_rows rows = rows_of(&s, N, 0);
  const ssk_tensor *draws = ssk_transition_sample(s.transition, &s.rig.ctx, &rows);
  rig_fine(&s.rig);
  static ssk_real z[N];
  memcpy(z, draws->data, sizeof z);
  qsort(z, N, sizeof *z, ascending);
  double below = -40, cdf = 0, distance = 0;
  for (int i = 0; i < N; i += EVERY) {
    cdf += integral_between(&s, below, (double)z[i]);
    below = (double)z[i];
    distance = fmax(distance, fabs(cdf - (i + 0.5) / N));
  }
  cr_assert_lt(distance * sqrt(N), 1.95);
  alone_close(&s);
}

/* At the start of training no network says anything: what tells components apart is the offset. */
Test(mixture, components_start_apart) {
  struct alone s;
  alone_start(&s, (struct ssk_dims){.d = 1, .j = 1}, "mixture",
              "{components: 2, frame: free, spread: 1, logvar_start: -4}", ROWS, 0);
  double quantile = 0.6744897501960817; /* of 3/4 */
  double there = density(quantile, &s), between = density(0, &s);
  cr_assert_float_eq(there, density(-quantile, &s), 1e-4);
  cr_assert_float_eq(there, 0.5 * exp(2) / sqrt(2 * M_PI), 1e-3);
  cr_assert_lt(between, 0.1 * there);
  alone_close(&s);
}

/* The same weights, by name: densities and draws are those of the Gaussian transition. */
Test(mixture, one_component_is_the_gaussian_transition) {
  enum { n = 7 };
  struct ssk_dims dims = {.d = 3, .j = 2, .V = 1};
  double log_prob[2][n], z[2][n * 3];
  for (int i = 0; i < 2; i++) {
    struct alone s;
    alone_start(&s, dims, i ? "mixture" : "gaussian",
                i ? "{components: 1, network: {use: mlp, hidden: 5}, spread: 3}"
                  : "{network: {use: mlp, hidden: 5}}",
                ROWS, 0);
    const struct ssk_layout *layout = &s.rig.b.layout;
    for (int k = 0; k < layout->n;
         k++) { /* away from zero, by name: the mixture has more weights */
      ssk_rng rng = ssk_rng_open(5, layout->slice[k].name, "scatter", 0, 0);
      for (size_t e = 0; e < layout->slice[k].count; e++)
        s.rig.weights.values[layout->slice[k].offset + e] += (ssk_real)(0.3 * ssk_rng_normal(&rng));
    }
    struct ssk_rows rows = rows_of(&s, n, 4);
    rows.z = ssk_ctx_normal(&s.rig.ctx, "z", 0, SSK_SHAPE(n, 3));
    const ssk_tensor *p = ssk_transition_log_prob(s.transition, &s.rig.ctx, &rows);
    const ssk_tensor *draw = ssk_transition_sample(s.transition, &s.rig.ctx, &rows);
    rig_fine(&s.rig);
    for (int r = 0; r < n; r++)
      log_prob[i][r] = (double)p->data[r];
    for (int k = 0; k < n * 3; k++)
      z[i][k] = (double)draw->data[k];
    alone_close(&s);
  }
  for (int r = 0; r < n; r++)
    cr_assert_float_eq(log_prob[0][r], log_prob[1][r], 1e-4);
  for (int k = 0; k < n * 3; k++)
    cr_assert_float_eq(z[0][k], z[1][k], 1e-5);
}
