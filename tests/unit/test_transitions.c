/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_transitions.c - transitions against their formulas, written out in plain C. */
#include "support/transitions.h"
#include <math.h>

enum { n = 6 };

static double sigmoid(double x) {
  return 1 / (1 + exp(-x));
}
static double softplus(double x) {
  return log1p(exp(x));
}

/* ---- gated ----------------------------------------------------------------------------------- */

/* With networks that are one linear layer, [z, u] V + b. */
static double affine(struct alone *s, const char *network, const double *c, int in, int k) {
  char name[64];
  snprintf(name, sizeof name, "%s.out.W", network);
  const ssk_real *V = alone_weight(s, name);
  snprintf(name, sizeof name, "%s.out.b", network);
  double sum = (double)alone_weight(s, name)[k];
  for (int i = 0; i < in; i++)
    sum += c[i] * (double)V[i * s->rig.dims.d + k];
  return sum;
}

Test(transitions, gated_is_its_formula) {
  enum { d = 2, V = 1 };
  struct alone s;
  alone_open(&s, (struct ssk_dims){.d = d, .j = 1, .V = V}, "gated",
             "{gate_start: 0.2, network: {use: mlp, layers: 0}, var_min: 0.001}", 0.5);
  struct ssk_rows rows = alone_rows(&s, n, 0);
  const struct ssk_gaussian p = ssk_transition_moments(s.transition, &s.rig.ctx, &rows);
  rig_fine(&s.rig);
  const ssk_real *A = alone_weight(&s, "A"), *B = alone_weight(&s, "B"), *b = alone_weight(&s, "b");
  const ssk_real *W = alone_weight(&s, "spread"), *w = alone_weight(&s, "raw");
  for (int r = 0; r < n; r++) {
    double c[d + V] = {(double)rows.past->data[r * d], (double)rows.past->data[r * d + 1],
                       (double)rows.u->data[r]};
    for (int k = 0; k < d; k++) {
      double gate = sigmoid(affine(&s, "gate", c, d + V, k) + log(0.2 / 0.8));
      double proposal = affine(&s, "proposal", c, d + V, k);
      double linear = (double)b[k] + c[d] * (double)B[k], raw = (double)w[k];
      for (int i = 0; i < d; i++) {
        linear += c[i] * (double)A[i * d + k];
        raw += fmax(affine(&s, "proposal", c, d + V, i), 0) * (double)W[i * d + k];
      }
      cr_assert_float_eq((double)p.mean->data[r * d + k], (1 - gate) * linear + gate * proposal,
                         1e-5);
      cr_assert_float_eq((double)p.logvar->data[r * d + k], log(softplus(raw) + 0.001), 1e-5);
    }
  }
  alone_close(&s);
}

/* A shut gate leaves the transition `linear`, weight by weight. */
Test(transitions, gated_with_a_shut_gate_is_linear) {
  const struct ssk_dims dims = {.d = 3, .j = 2, .V = 1};
  double mean[2][n * 3];
  for (int i = 0; i < 2; i++) {
    struct alone s;
    alone_open(&s, dims, i ? "gated" : "linear", i ? "{gate_start: 1e-6}" : "", 0.1);
    struct ssk_rows rows = alone_rows(&s, n, 0);
    const struct ssk_gaussian p = ssk_transition_moments(s.transition, &s.rig.ctx, &rows);
    rig_fine(&s.rig);
    for (int k = 0; k < n * 3; k++)
      mean[i][k] = (double)p.mean->data[k];
    alone_close(&s);
  }
  for (int k = 0; k < n * 3; k++)
    cr_assert_float_eq(mean[0][k], mean[1][k], 1e-4);
}

/* ---- locally linear -------------------------------------------------------------------------- */

/* What the weights say at row r, in two dimensions: mean[2] and C[2, 2]. */
static void local_map(struct alone *s, const struct ssk_rows *rows, int r, double *mean,
                      double *C) {
  enum { d = 2, M = 3 };
  const double z[d] = {(double)rows->past->data[r * d], (double)rows->past->data[r * d + 1]};
  const double u = (double)rows->u->data[r], c[d + 1] = {z[0], z[1], u};
  const ssk_real *V = alone_weight(s, "weights.out.W"), *v = alone_weight(s, "weights.out.b");
  const ssk_real *A = alone_weight(s, "A"), *B = alone_weight(s, "B"), *b = alone_weight(s, "b");
  const ssk_real *raw = alone_weight(s, "raw"), *below = alone_weight(s, "below");
  double alpha[M], total = 0;
  for (int i = 0; i < M; i++) {
    double logit = (double)v[i];
    for (int k = 0; k < d + 1; k++)
      logit += c[k] * (double)V[k * M + i];
    total += alpha[i] = exp(logit);
  }
  memset(C, 0, 4 * sizeof *C);
  for (int k = 0; k < d; k++) {
    mean[k] = z[k];
    for (int i = 0; i < M; i++) {
      const int column = i * d + k;
      mean[k] += alpha[i] / total *
                 (z[0] * (double)A[column] + z[1] * (double)A[M * d + column] +
                  u * (double)B[column] + (double)b[column]);
      C[k * d + k] += alpha[i] / total * sqrt(softplus((double)raw[column]) + 1e-6);
    }
  }
  for (int i = 0; i < M; i++)
    C[2] += alpha[i] / total * (double)below[i];
}

static const char *const three_maps = "{maps: 3, network: {use: mlp, layers: 0}}";

Test(transitions, locally_linear_is_its_formula) {
  enum { d = 2 };
  struct alone s;
  alone_open(&s, (struct ssk_dims){.d = d, .j = 1, .V = 1}, "locally_linear", three_maps, 0.5);
  struct ssk_rows rows = alone_rows(&s, n, 0);
  rows.mean = ssk_ctx_normal(&s.rig.ctx, "mean", 0, SSK_SHAPE(n, d));
  rows.logvar = ssk_ctx_normal(&s.rig.ctx, "logvar", 0, SSK_SHAPE(n, d));
  const ssk_tensor *log_prob = ssk_transition_log_prob(s.transition, &s.rig.ctx, &rows);
  const ssk_tensor *rate = ssk_transition_rate(s.transition, &s.rig.ctx, &rows);
  rig_fine(&s.rig);
  for (int r = 0; r < n; r++) {
    double mean[d], C[4], off[2][d], spread[d];
    local_map(&s, &rows, r, mean, C);
    double S[4] = {C[0] * C[0], C[0] * C[2], C[0] * C[2], C[2] * C[2] + C[3] * C[3]};
    double det = S[0] * S[3] - S[1] * S[2], form[2];
    for (int k = 0; k < d; k++) {
      off[0][k] = (double)rows.z->data[r * d + k] - mean[k];
      off[1][k] = (double)rows.mean->data[r * d + k] - mean[k];
      spread[k] = exp((double)rows.logvar->data[r * d + k]);
    }
    for (int i = 0; i < 2; i++)
      form[i] = (S[3] * off[i][0] * off[i][0] - 2 * S[1] * off[i][0] * off[i][1] +
                 S[0] * off[i][1] * off[i][1]) /
                det;
    cr_assert_float_eq((double)log_prob->data[r], -0.5 * (form[0] + log(4 * M_PI * M_PI * det)),
                       1e-4);
    double trace = (S[3] * spread[0] + S[0] * spread[1]) / det;
    double kl = 0.5 * (trace + form[1] - d + log(det) - log(spread[0] * spread[1]));
    cr_assert_float_eq((double)rate->data[r], kl, 1e-4 * (1 + kl));
  }
  alone_close(&s);
}

/* Draws, made white by the exact factor, have mean 0 and covariance I: within 5 standard errors. */
Test(transitions, locally_linear_draws_its_density) {
  enum { d = 2, N = 20000 };
  struct alone s;
  alone_open(&s, (struct ssk_dims){.d = d, .j = 1, .V = 1}, "locally_linear", three_maps, 0.5);
  struct ssk_rows rows = alone_rows(&s, N, 3);
  const ssk_tensor *z = ssk_transition_sample(s.transition, &s.rig.ctx, &rows);
  rig_fine(&s.rig);
  double sums[5] = {0};
  for (int r = 0; r < N; r++) {
    double mean[d], C[4];
    local_map(&s, &rows, r, mean, C);
    double w0 = ((double)z->data[r * d] - mean[0]) / C[0];
    double w1 = ((double)z->data[r * d + 1] - mean[1] - C[2] * w0) / C[3];
    double terms[5] = {w0, w1, w0 * w1, (w0 * w0 - 1) / sqrt(2), (w1 * w1 - 1) / sqrt(2)};
    for (int i = 0; i < 5; i++)
      sums[i] += terms[i];
  }
  for (int i = 0; i < 5; i++)
    cr_assert_lt(fabs(sums[i]) / sqrt(N), 5);
  alone_close(&s);
}
