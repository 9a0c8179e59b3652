/* SPDX-License-Identifier: GPL-3.0-or-later */
/* triangular.h - a Gaussian whose covariance is C C' with a lower triangular C: what a transition
 * needs of it. */
#ifndef TRANSITION_TRIANGULAR_H
#define TRANSITION_TRIANGULAR_H

#include <math.h>
#include <sskit/plugin.h>

struct triangular {
  ssk_tensor *mean;     /* [n, d] */
  ssk_tensor *diagonal; /* [n, d] of C, positive */
  ssk_tensor *C;        /* [n, d, d]; NULL where it is its diagonal */
};

/* [1, rows, columns]: ones on the diagonal. */
static inline ssk_tensor *identity_matrix(ssk_tape *tape, int rows, int columns) {
  ssk_tensor *one = ssk_full(tape, SSK_SHAPE(1, rows, columns), 0);
  for (int i = 0; one->count && i < rows && i < columns; i++)
    one->data[i * columns + i] = 1;
  return one;
}

/* The entries of a row, [n, d], on the diagonal: [n, d, d]. */
static inline ssk_tensor *on_diagonal(ssk_tape *tape, ssk_tensor *x) {
  const int n = x->shape[0], d = x->shape[1];
  return ssk_mul(tape, ssk_reshape(tape, x, SSK_SHAPE(n, d, 1)), identity_matrix(tape, d, d));
}

static inline ssk_tensor *twice_log(ssk_tape *tape, ssk_tensor *x) {
  return ssk_affine(tape, ssk_log(tape, x), 2, 0);
}

/* KL(N(m, S) || N(mu, C C')) = sum_k log(C_kk / s_k) - d/2 + |C^{-1} [S^{1/2}, m - mu]|^2 / 2, of a
 * diagonal q: [n]. */
static inline ssk_tensor *triangular_kl(ssk_tape *tape, struct ssk_gaussian q,
                                        const struct triangular *p) {
  const int n = q.mean->shape[0], d = q.mean->shape[1];
  ssk_tensor *logs = twice_log(tape, p->diagonal);
  if (!p->C)
    return ssk_gaussian_kl(tape, q, (struct ssk_gaussian){p->mean, logs});
  ssk_tensor *s = ssk_exp(tape, ssk_affine(tape, q.logvar, (ssk_real)0.5, 0));
  ssk_tensor *shift = ssk_sub(tape, q.mean, p->mean);
  ssk_tensor *columns[] = {on_diagonal(tape, s), ssk_reshape(tape, shift, SSK_SHAPE(n, d, 1))};
  ssk_tensor *white = ssk_solve_lower(tape, p->C, ssk_concat(tape, 2, columns, -1), false);
  ssk_tensor *size =
      ssk_sum(tape, ssk_square(tape, ssk_reshape(tape, white, SSK_SHAPE(n, d * (d + 1)))), -1);
  ssk_tensor *logs_of_both = ssk_sum(tape, ssk_sub(tape, logs, q.logvar), -1);
  return ssk_affine(tape, ssk_add(tape, size, logs_of_both), (ssk_real)0.5, (ssk_real)(-0.5 * d));
}

/* [n]: the log density at z [n, d]. */
static inline ssk_tensor *triangular_log_prob(ssk_tape *tape, ssk_tensor *z,
                                              const struct triangular *p) {
  const int n = z->shape[0], d = z->shape[1];
  ssk_tensor *logs = twice_log(tape, p->diagonal);
  if (!p->C)
    return ssk_gaussian_log_prob(tape, z, (struct ssk_gaussian){p->mean, logs}, NULL);
  ssk_tensor *shift = ssk_reshape(tape, ssk_sub(tape, z, p->mean), SSK_SHAPE(n, d, 1));
  ssk_tensor *white = ssk_solve_lower(tape, p->C, shift, false);
  ssk_tensor *size = ssk_square(tape, ssk_reshape(tape, white, SSK_SHAPE(n, d)));
  ssk_tensor *sum = ssk_sum(tape, ssk_add(tape, size, logs), -1);
  return ssk_affine(tape, sum, (ssk_real)-0.5, (ssk_real)(-0.5 * d * log(2 * M_PI)));
}

/* [n, d]: mean + C w. */
static inline ssk_tensor *triangular_draw(ssk_tape *tape, ssk_tensor *w,
                                          const struct triangular *p) {
  const int n = w->shape[0], d = w->shape[1];
  if (!p->C)
    return ssk_add(tape, p->mean, ssk_mul(tape, p->diagonal, w));
  ssk_tensor *moved = ssk_bmm(tape, p->C, ssk_reshape(tape, w, SSK_SHAPE(n, d, 1)));
  return ssk_add(tape, p->mean, ssk_reshape(tape, moved, SSK_SHAPE(n, d)));
}

#endif
