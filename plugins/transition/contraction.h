/* SPDX-License-Identifier: GPL-3.0-or-later */
/* contraction.h - square matrices held to a spectral norm of at most 1, so that a process which
 * multiplies by means of them cannot grow. A norm above 1 is divided away, one below is left alone.
 * Source: Miyato, Kataoka, Koyama and Yoshida 2018 (spectral normalisation); here the norm comes
 * from the trace of a power of A'A, which needs no vectors kept from step to step. */
#ifndef TRANSITION_CONTRACTION_H
#define TRANSITION_CONTRACTION_H

#include "triangular.h"

/* Traces [K, 1, 1] of m [K, k, k]. */
static inline ssk_tensor *traces(ssk_tape *tape, ssk_tensor *m) {
  const int K = m->shape[0], k = m->shape[1];
  ssk_tensor *diagonal = ssk_mul(tape, m, identity_matrix(tape, k, k));
  ssk_tensor *sum = ssk_sum(tape, ssk_reshape(tape, diagonal, SSK_SHAPE(K, k * k)), -1);
  return ssk_reshape(tape, sum, SSK_SHAPE(K, 1, 1));
}

/* log of the spectral norms [K, 1, 1] of a [K, k, k], from above by at most log(k)/1024:
 * log tr (A'A)^p / 2p with p = 512, by squaring; each power is divided by its trace, t_j, so that
 * none overflows, and log tr (A'A)^(2^J) = sum_j 2^(J-j) log t_j. */
static inline ssk_tensor *log_spectral_norm(ssk_tape *tape, ssk_tensor *a) {
  enum { SQUARINGS = 9 };
  ssk_tensor *power = ssk_bmm(tape, ssk_permute(tape, a, (const int[]){0, 2, 1}), a);
  ssk_tensor *log_norm = NULL;
  double share = 0.5;
  for (int j = 0; j <= SQUARINGS; j++, share /= 2) {
    ssk_tensor *t = ssk_affine(tape, traces(tape, power), 1, (ssk_real)1e-30);
    ssk_tensor *term = ssk_affine(tape, ssk_log(tape, t), (ssk_real)share, 0);
    log_norm = log_norm ? ssk_add(tape, log_norm, term) : term;
    power = ssk_div(tape, power, t);
    if (j < SQUARINGS)
      power = ssk_bmm(tape, power, power);
  }
  return log_norm;
}

/* a [K, k, k] with each matrix divided by its spectral norm where that is above 1. */
static inline ssk_tensor *contraction(ssk_tape *tape, ssk_tensor *a) {
  ssk_tensor *excess = ssk_clamp(tape, log_spectral_norm(tape, a), 0, 100);
  return ssk_mul(tape, a, ssk_exp(tape, ssk_affine(tape, excess, -1, 0)));
}

#endif
