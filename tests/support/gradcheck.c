/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gradcheck.c - central differences of fourth order, (8 (f(x+h) - f(x-h)) - (f(x+2h) - f(x-2h))) /
 * 12h (Abramowitz and Stegun 25.3.6): with h = 1e-3 both truncation and rounding stay near 1e-12.
 */
#include "support/gradcheck.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the gradient memory holds before: gradients must be added, not stored. */
static const ssk_real already_there = (ssk_real)0.25;

static double difference(gradcheck_scalar *f, void *state, ssk_real *x, size_t i) {
  const ssk_real before = x[i];
  const double h = 1e-3 * fmax(1, fabs((double)before));
  const double step[4] = {-2, -1, 1, 2};
  double value[4];
  for (int k = 0; k < 4; k++) {
    x[i] = before + (ssk_real)(step[k] * h);
    value[k] = f(x, NULL, state);
  }
  x[i] = before;
  return (8 * (value[2] - value[1]) - (value[3] - value[0])) / (12 * h);
}

double gradcheck_function(gradcheck_scalar *f, void *state, size_t n, ssk_real *x,
                          char message[256]) {
  ssk_real *reverse = malloc(n * sizeof *reverse);
  double *central = malloc(n * sizeof *central);
  double worst = INFINITY, largest = 0;
  snprintf(message, 256, "no memory, or the value is not finite");
  if (!reverse || !central)
    goto end;
  for (size_t i = 0; i < n; i++)
    reverse[i] = already_there;
  if (!isfinite(f(x, reverse, state)))
    goto end;
  for (size_t i = 0; i < n; i++) {
    reverse[i] -= already_there;
    central[i] = difference(f, state, x, i);
    largest = fmax(largest, fabs((double)reverse[i]));
  }
  worst = 0;
  snprintf(message, 256, "all gradients are equal");
  for (size_t i = 0; i < n; i++) {
    const double a = (double)reverse[i], b = central[i];
    const double size = fmax(fmax(fabs(a), fabs(b)), fmax(1e-3 * largest, 1e-4));
    const double error = fabs(a - b) / size;
    if (!(error <= worst)) {
      worst = isnan(error) ? (double)INFINITY : error;
      snprintf(message, 256, "entry %zu of %zu: reverse %.12g, difference %.12g, error %.3g", i, n,
               a, b, error);
    }
  }
end:
  free(reverse);
  free(central);
  return worst;
}

static size_t count_of(const struct gradcheck_leaf *leaf) {
  size_t count = 1;
  for (int i = 0; i < leaf->ndim; i++)
    count *= (size_t)leaf->shape[i];
  return count;
}

static void draw(const struct gradcheck_leaf *leaf, int number, ssk_real *x) {
  ssk_rng rng = ssk_rng_open(7, "gradcheck", "leaf", 0, (uint32_t)number);
  for (size_t i = 0; i < count_of(leaf); i++) {
    const double u = leaf->lo + (leaf->hi - leaf->lo) * ssk_rng_uniform(&rng);
    x[i] = (ssk_real)(fabs(u) < leaf->gap ? u + copysign(leaf->gap, u) : u);
  }
}

struct problem {
  gradcheck_fn *build;
  const void *arg;
  int n;
  const struct gradcheck_leaf *leaves;
  ssk_tape *tape;
  bool fresh; /* the inputs are results, whose gradients may be set, instead of leaves */
};

/* Memory that the tape hands out uninitialised: what is added to it shows. */
static void soil(ssk_tape *tape) {
  enum { bytes = 1 << 18 };
  void *memory = ssk_tape_scratch(tape, bytes);
  if (memory)
    memset(memory, 0xff, bytes); /* NaNs */
  ssk_tape_reset(tape);
}

/* The leaves lie one behind another in x. */
static double value_on_tape(const ssk_real *x, ssk_real *gradient, void *state) {
  const struct problem *p = state;
  ssk_tensor *leaf[GRADCHECK_LEAVES];
  ssk_tape_reset(p->tape);
  if (gradient)
    soil(p->tape);
  size_t at = 0;
  for (int i = 0; i < p->n; i++) {
    leaf[i] = ssk_leaf(p->tape, p->leaves[i].ndim, p->leaves[i].shape, (ssk_real *)x + at,
                       gradient ? gradient + at : NULL);
    at += leaf[i]->count;
    if (p->fresh)
      leaf[i] = ssk_affine(p->tape, leaf[i], 1, 0);
  }
  ssk_tensor *y = p->build(p->tape, leaf, p->arg);
  ssk_rng rng = ssk_rng_open(7, "gradcheck", "weights", 0, 0);
  ssk_tensor *weights = ssk_normal(p->tape, y->ndim, y->shape, &rng);
  ssk_tensor *loss = ssk_sum_all(p->tape, ssk_mul(p->tape, y, weights));
  if (gradient)
    ssk_backward(p->tape, loss, 1);
  return ssk_tape_code(p->tape) ? (double)NAN : (double)loss->data[0];
}

double gradcheck(gradcheck_fn *build, const void *arg, int n, const struct gradcheck_leaf *leaves,
                 char message[256]) {
  ssk_err *err = ssk_err_new();
  struct problem p = {build, arg, n, leaves, ssk_tape_new(err), false};
  size_t total = 0;
  for (int i = 0; i < n; i++)
    total += count_of(&leaves[i]);
  ssk_real *x = malloc(total * sizeof *x);
  double worst = INFINITY;
  snprintf(message, 256, "no memory");
  if (p.tape && x) {
    for (int i = 0, at = 0; i < n; at += (int)count_of(&leaves[i++]))
      draw(&leaves[i], i, x + at);
    worst = gradcheck_function(value_on_tape, &p, total, x, message);
    char fresh_message[256];
    p.fresh = true;
    const double fresh = gradcheck_function(value_on_tape, &p, total, x, fresh_message);
    if (!(fresh <= worst)) {
      worst = fresh;
      snprintf(message, 256, "with fresh gradients: %.230s", fresh_message);
    }
    if (ssk_err_count(err))
      snprintf(message, 256, "%s", ssk_err_message(err, 0));
  }
  free(x);
  ssk_tape_free(p.tape);
  ssk_err_free(err);
  return worst;
}
