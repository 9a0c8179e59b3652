/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kalman_filter.h - a step of the Kalman filter on the tape, for n filters at once, each with
 * matrices of its own. Covariances are updated in Joseph's form, which stays positive definite
 * under rounding, and made symmetric. Source: Bucy and Joseph 1968; Simon 2006, equation 3.26. */
#ifndef TRANSITION_KALMAN_FILTER_H
#define TRANSITION_KALMAN_FILTER_H

#include "triangular.h"

/* N(m, P) of the hidden state, [n, k, 1] and [n, k, k]. */
struct belief {
  ssk_tensor *m, *P;
};

static inline ssk_tensor *transposed(ssk_tape *tape, ssk_tensor *x) {
  return ssk_permute(tape, x, (const int[]){0, 2, 1});
}

static inline ssk_tensor *symmetric(ssk_tape *tape, ssk_tensor *x) {
  return ssk_affine(tape, ssk_add(tape, x, transposed(tape, x)), (ssk_real)0.5, 0);
}

/* a s a', made symmetric, plus a diagonal [k]. */
static inline ssk_tensor *sandwich(ssk_tape *tape, ssk_tensor *a, ssk_tensor *s,
                                   ssk_tensor *diagonal) {
  ssk_tensor *out = ssk_bmm(tape, ssk_bmm(tape, a, s), transposed(tape, a));
  const int k = out->shape[1];
  ssk_tensor *plus =
      ssk_mul(tape, ssk_reshape(tape, diagonal, SSK_SHAPE(1, k, 1)), identity_matrix(tape, k, k));
  return ssk_add(tape, symmetric(tape, out), plus);
}

/* What is observed next, a = C z + N(0, diag R): C [n, d, k], R [d]. */
static inline struct triangular observe(ssk_tape *tape, struct belief b, ssk_tensor *C,
                                        ssk_tensor *R) {
  const int n = C->shape[0], d = C->shape[1];
  struct triangular p = {.C = ssk_cholesky(tape, sandwich(tape, C, b.P, R))};
  p.mean = ssk_reshape(tape, ssk_bmm(tape, C, b.m), SSK_SHAPE(n, d));
  p.diagonal = ssk_sum(tape, ssk_mul(tape, p.C, identity_matrix(tape, d, d)), -1);
  return p;
}

/* The belief after a [n, d] was observed; p: of `observe`. */
static inline struct belief update(ssk_tape *tape, struct belief b, ssk_tensor *C, ssk_tensor *R,
                                   const struct triangular *p, ssk_tensor *a) {
  const int n = C->shape[0], d = C->shape[1], k = C->shape[2];
  ssk_tensor *CP = ssk_bmm(tape, C, b.P);
  ssk_tensor *white = ssk_solve_lower(tape, p->C, CP, false);
  ssk_tensor *turned_gain = ssk_solve_lower(tape, p->C, white, true); /* K' = S^{-1} C P */
  ssk_tensor *gain = transposed(tape, turned_gain);
  ssk_tensor *error = ssk_reshape(tape, ssk_sub(tape, a, p->mean), SSK_SHAPE(n, d, 1));
  ssk_tensor *kept = ssk_sub(tape, identity_matrix(tape, k, k), ssk_bmm(tape, gain, C));
  ssk_tensor *scaled = ssk_mul(tape, gain, ssk_reshape(tape, R, SSK_SHAPE(1, 1, d)));
  ssk_tensor *noise = ssk_bmm(tape, scaled, turned_gain);
  ssk_tensor *P = ssk_bmm(tape, ssk_bmm(tape, kept, b.P), transposed(tape, kept));
  return (struct belief){.m = ssk_add(tape, b.m, ssk_bmm(tape, gain, error)),
                         .P = symmetric(tape, ssk_add(tape, P, noise))};
}

#endif
