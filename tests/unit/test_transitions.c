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
