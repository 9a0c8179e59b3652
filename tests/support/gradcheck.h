/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gradcheck.h - gradients of the tape against central differences, for operations, layers and
 * plugins. Meant for the double build: in float, differences are not exact enough for the
 * tolerances. */
#ifndef SSK_TESTS_GRADCHECK_H
#define SSK_TESTS_GRADCHECK_H

#include <sskit/tape.h>

/* The largest relative error that is allowed: of each entry's gradient, relative to its size but at
 * least to a thousandth of the largest entry, and to 1e-4. */
#define GRADCHECK_TOLERANCE 1e-6

/* At most so many leaves. */
#define GRADCHECK_LEAVES 40

/* A leaf of this shape; entries are drawn from [lo, hi], those nearer to 0 than `gap` are moved
 * away from it (to stay clear of a kink there). */
struct gradcheck_leaf {
  int ndim;
  int shape[SSK_MAX_DIMS];
  double lo, hi, gap;
};
#define GRADCHECK_LEAF(low, high, ...)                                                             \
  {                                                                                                \
    .ndim = (int)(sizeof((int[]){__VA_ARGS__}) / sizeof(int)), .shape = {__VA_ARGS__}, .lo = low,  \
    .hi = high                                                                                     \
  }

/* Builds a result from leaves, as it would in a model. It need not be a scalar: it is contracted
 * with fixed random weights. */
typedef ssk_tensor *gradcheck_fn(ssk_tape *tape, ssk_tensor *const *leaves, const void *arg);

/* Compare all gradients of all leaves. Returns the largest relative error, or infinity when the
 * tape failed; `message` says where the error is largest, or why. */
double gradcheck(gradcheck_fn *build, const void *arg, int n, const struct gradcheck_leaf *leaves,
                 char message[256]);

/* The same for any scalar function of `n` numbers: `f` returns the value at x and, where gradient
 * is not NULL, adds its gradient there. x is changed during the check and put back. */
typedef double gradcheck_scalar(const ssk_real *x, ssk_real *gradient, void *state);
double gradcheck_function(gradcheck_scalar *f, void *state, size_t n, ssk_real *x,
                          char message[256]);

#endif
