/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_fused.c - operations that work in blocks of tokens, against the operations that they are
 * made of: several blocks, the last one short, widths that are no multiple of a tile. */
#include <criterion/criterion.h>
#include <math.h>
#include <sskit/tape.h>
#include <stdlib.h>
#include <string.h>

#ifdef SSK_DOUBLE
static const double tolerance = 1e-11;
#else
static const double tolerance = 1e-4;
#endif

enum { most_leaves = 33 };

/* Leaves of given shapes, with values and gradients that two runs share. */
struct rig {
  ssk_err *err;
  ssk_tape *tape;
  int n;
  ssk_tensor *leaf[most_leaves];
  size_t count;
  ssk_real *value[most_leaves], *grad[most_leaves];
  int ndim[most_leaves], shape[most_leaves][SSK_MAX_DIMS];
};

static void add_leaf(struct rig *r, int ndim, const int *shape) {
  ssk_rng rng = ssk_rng_open(3, "fused", "leaf", 0, (uint32_t)r->n);
  size_t count = 1;
  for (int i = 0; i < ndim; i++)
    count *= (size_t)shape[i];
  ssk_real *value = malloc(count * sizeof *value);
  cr_assert(value);
  const double scale = ndim == 2 ? 1 / sqrt((double)shape[0]) : 1;
  for (size_t i = 0; i < count; i++)
    value[i] = (ssk_real)(scale * ssk_rng_normal(&rng));
  r->value[r->n] = value;
  r->grad[r->n] = calloc(count, sizeof(ssk_real));
  cr_assert(r->grad[r->n]);
  r->ndim[r->n] = ndim;
  memcpy(r->shape[r->n], shape, (size_t)ndim * sizeof *shape);
  r->n++;
}

typedef ssk_tensor *build_fn(struct rig *r, const int *arg);

/* The result and, one behind another, all gradients of its product with fixed weights. */
static double *run(struct rig *r, build_fn *build, const int *arg, size_t *n) {
  r->err = ssk_err_new();
  r->tape = ssk_tape_new(r->err);
  size_t total = 0;
  for (int i = 0; i < r->n; i++) {
    r->leaf[i] = ssk_leaf(r->tape, r->ndim[i], r->shape[i], r->value[i], r->grad[i]);
    memset(r->grad[i], 0, r->leaf[i]->count * sizeof(ssk_real));
    total += r->leaf[i]->count;
  }
  /* Its input is a result, not a leaf: so that its gradient may be set instead of added to. */
  ssk_tensor *x = r->leaf[0];
  r->leaf[0] = ssk_affine(r->tape, x, 1, 0);
  ssk_tensor *y = build(r, arg);
  ssk_rng rng = ssk_rng_open(3, "fused", "weights", 0, 0);
  ssk_tensor *weights = ssk_normal(r->tape, y->ndim, y->shape, &rng);
  ssk_backward(r->tape, ssk_sum_all(r->tape, ssk_mul(r->tape, y, weights)), 1);
  ssk_err_print(r->err, stderr, false);
  cr_assert_eq(ssk_tape_code(r->tape), SSK_OK);
  *n = y->count + total;
  double *all = malloc(*n * sizeof *all), *to = all;
  cr_assert(all);
  for (size_t i = 0; i < y->count; i++)
    *to++ = (double)y->data[i];
  r->leaf[0] = x;
  for (int k = 0; k < r->n; k++)
    for (size_t i = 0; i < r->leaf[k]->count; i++)
      *to++ = (double)r->grad[k][i];
  ssk_tape_free(r->tape);
  ssk_err_free(r->err);
  return all;
}

/* Relative to the entries' size, but to no less than the mean size of all. */
static void compare(struct rig *r, build_fn *fused, build_fn *parts, const int *arg) {
  size_t n, m;
  double *a = run(r, fused, arg, &n), *b = run(r, parts, arg, &m), sum = 0, worst = 0;
  cr_assert_eq(n, m);
  for (size_t i = 0; i < n; i++)
    sum += fabs(b[i]);
  for (size_t i = 0; i < n; i++) {
    const double error = fabs(a[i] - b[i]) / fmax(fabs(b[i]), sum / (double)n);
    worst = error > worst || isnan(error) ? error : worst;
  }
  cr_expect(worst <= tolerance, "largest error %g", worst);
  for (int i = 0; i < r->n; i++) {
    free(r->value[i]);
    free(r->grad[i]);
  }
  free(a);
  free(b);
  *r = (struct rig){0};
}

/* ---- transformer ---------------------------------------------------------------------------- */

enum { per_block = 16 };

static ssk_tensor *transformer_fused(struct rig *r, const int *arg) {
  struct ssk_transformer_block block[2];
  for (int i = 0; i < arg[0]; i++) {
    ssk_tensor *const *w = r->leaf + 1 + per_block * i;
    block[i] = (struct ssk_transformer_block){w[0], w[1], w[2],  w[3],  w[4],  w[5],  w[6],  w[7],
                                              w[8], w[9], w[10], w[11], w[12], w[13], w[14], w[15]};
  }
  return ssk_transformer_blocks(r->tape, r->leaf[0], arg[0], block, arg[1], arg[2] != 0);
}

static ssk_tensor *transformer_in_parts(struct rig *r, const int *arg) {
  ssk_tape *tape = r->tape;
  ssk_tensor *x = r->leaf[0];
  const int A = x->ndim == 4 ? x->shape[0] : 1, L = x->shape[x->ndim - 3],
            N = x->shape[x->ndim - 2], C = ssk_width(x), swap[] = {1, 0, 2, 3};
  x = ssk_permute(tape, ssk_reshape(tape, x, SSK_SHAPE(A, L, N, C)), swap);
  x = ssk_reshape(tape, x, SSK_SHAPE(L, A * N, C));
  for (int i = 0; i < arg[0]; i++) {
    ssk_tensor *const *w = r->leaf + 1 + per_block * i;
    ssk_tensor *h = ssk_layer_norm(tape, x, w[0], w[1]);
    h = ssk_attention(tape, ssk_linear(tape, h, w[2], w[3], SSK_LINEAR),
                      ssk_linear(tape, h, w[4], w[5], SSK_LINEAR),
                      ssk_linear(tape, h, w[6], w[7], SSK_LINEAR), arg[1], arg[2] != 0);
    x = ssk_add(tape, x, ssk_linear(tape, h, w[8], w[9], SSK_LINEAR));
    h = ssk_linear(tape, ssk_layer_norm(tape, x, w[10], w[11]), w[12], w[13], SSK_GELU);
    x = ssk_add(tape, x, ssk_linear(tape, h, w[14], w[15], SSK_LINEAR));
  }
  return ssk_permute(tape, ssk_reshape(tape, x, SSK_SHAPE(L, A, N, C)), swap);
}

static void transformer_case(int ndim, const int *shape, int H, const int *arg) {
  struct rig r = {0};
  const int C = shape[ndim - 1];
  add_leaf(&r, ndim, shape);
  for (int i = 0; i < arg[0]; i++) {
    for (int k = 0; k < 2; k++)
      add_leaf(&r, SSK_SHAPE(C));
    for (int k = 0; k < 4; k++) {
      add_leaf(&r, SSK_SHAPE(C, C));
      add_leaf(&r, SSK_SHAPE(C));
    }
    for (int k = 0; k < 2; k++)
      add_leaf(&r, SSK_SHAPE(C));
    add_leaf(&r, SSK_SHAPE(C, H));
    add_leaf(&r, SSK_SHAPE(H));
    add_leaf(&r, SSK_SHAPE(H, C));
    add_leaf(&r, SSK_SHAPE(C));
  }
  compare(&r, transformer_fused, transformer_in_parts, arg);
}

Test(fused, transformer_is_the_sum_of_its_parts) {
  transformer_case(SSK_SHAPE(2, 4, 150, 32), 64, (int[]){2, 4, 0});
  transformer_case(SSK_SHAPE(4, 77, 32), 40, (int[]){1, 4, 1});
  transformer_case(SSK_SHAPE(16, 19, 12), 12, (int[]){1, 3, 0});
  transformer_case(SSK_SHAPE(3, 1, 300, 9), 17, (int[]){2, 1, 1});
}

/* ---- separable convolution ------------------------------------------------------------------- */

static ssk_tensor *separable_fused(struct rig *r, const int *arg) {
  ssk_tensor *const *x = r->leaf;
  return ssk_conv_separable(r->tape, x[0], x[1], x[2], x[3], x[4], arg[0], arg[1] != 0);
}

static ssk_tensor *separable_in_parts(struct rig *r, const int *arg) {
  ssk_tensor *const *x = r->leaf;
  ssk_tensor *h = ssk_conv_depthwise(r->tape, x[0], x[1], x[2], arg[0], arg[1] != 0);
  h = ssk_activate(r->tape, h, SSK_SILU);
  return ssk_add(r->tape, x[0], ssk_linear(r->tape, h, x[3], x[4], SSK_LINEAR));
}

Test(fused, separable_convolution_is_the_sum_of_its_parts) {
  static const int cases[][6] = {/* L, N, C, k, dilation, causal */
                                 {2, 300, 8, 3, 1, 0},  {2, 300, 8, 3, 2, 0},
                                 {40, 11, 12, 4, 3, 1}, {40, 110, 12, 5, 9, 0},
                                 {600, 2, 5, 3, 7, 0},  {1, 70, 16, 5, 1, 0}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const int *c = cases[i];
    struct rig r = {0};
    add_leaf(&r, SSK_SHAPE(c[0], c[1], c[2]));
    add_leaf(&r, SSK_SHAPE(c[3], c[2]));
    add_leaf(&r, SSK_SHAPE(c[2]));
    add_leaf(&r, SSK_SHAPE(c[2], c[2]));
    add_leaf(&r, SSK_SHAPE(c[2]));
    compare(&r, separable_fused, separable_in_parts, c + 4);
  }
}

/* ---- gated block ----------------------------------------------------------------------------- */

enum { from_column = 3 };

/* arg: with skips so far, with a residual path, with side. */
static ssk_tensor *gated_fused(struct rig *r, const int *arg) {
  ssk_tensor *const *x = r->leaf;
  const struct ssk_gated_layers layers = {.W = x[1],
                                          .b = x[2],
                                          .S = x[3],
                                          .s = x[4],
                                          .R = arg[1] ? x[6] : NULL,
                                          .r = arg[1] ? x[7] : NULL};
  return ssk_gated_residual(r->tape, &layers, x[0], arg[2] ? x[8] : NULL, from_column, x[5],
                            (ssk_real)0.7);
}

static ssk_tensor *gated_in_parts(struct rig *r, const int *arg) {
  ssk_tensor *const *x = r->leaf;
  ssk_tape *tape = r->tape;
  ssk_tensor *u = ssk_linear(tape, x[0], x[1], x[2], SSK_LINEAR);
  if (arg[2]) {
    const int rows = x[8]->shape[0], columns = ssk_width(u);
    u = ssk_reshape(tape, u, SSK_SHAPE(rows, ssk_height(u) / rows, columns));
    ssk_tensor *side = ssk_cols(tape, x[8], from_column, columns);
    u = ssk_add(tape, u, ssk_reshape(tape, side, SSK_SHAPE(rows, 1, columns)));
  }
  const int rows = x[0]->shape[0], O = ssk_width(x[3]);
  ssk_tensor *g = ssk_reshape(tape, ssk_gate(tape, u), SSK_SHAPE(rows, ssk_width(u) / 2));
  ssk_tensor *skips = ssk_linear(tape, g, x[3], x[4], SSK_LINEAR);
  if (arg[0])
    skips = ssk_add(tape, skips, ssk_reshape(tape, ssk_rows(tape, x[5], 1, 1), SSK_SHAPE(rows, O)));
  skips = ssk_reshape(tape, skips, SSK_SHAPE(1, rows, O));
  if (!arg[1])
    return skips;
  ssk_tensor *rest =
      ssk_reshape(tape, ssk_linear(tape, g, x[6], x[7], SSK_LINEAR), skips->ndim, skips->shape);
  rest = ssk_affine(tape, ssk_add(tape, rest, ssk_rows(tape, x[5], 0, 1)), (ssk_real)0.7, 0);
  return ssk_concat(tape, 2, (ssk_tensor *[]){rest, skips}, 0);
}

Test(fused, gated_block_is_the_sum_of_its_parts) {
  static const int cases[][8] = {/* rows, I, C, O, rows of side, skips, residual, side */
                                 {2000, 8, 8, 8, 50, 1, 1, 1}, {700, 5, 9, 11, 700, 0, 1, 1},
                                 {333, 8, 8, 8, 37, 1, 1, 1},  {333, 8, 8, 16, 37, 1, 1, 1},
                                 {333, 16, 3, 8, 1, 1, 0, 0},  {900, 8, 8, 4, 1, 0, 0, 1}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const int *c = cases[i], rows = c[0], I = c[1], C = c[2], O = c[3];
    struct rig r = {0};
    add_leaf(&r, SSK_SHAPE(rows, I));
    add_leaf(&r, SSK_SHAPE(I, 2 * C));
    add_leaf(&r, SSK_SHAPE(2 * C));
    add_leaf(&r, SSK_SHAPE(C, O));
    add_leaf(&r, SSK_SHAPE(O));
    add_leaf(&r, SSK_SHAPE(c[5] ? 2 : 1, rows, O));
    add_leaf(&r, SSK_SHAPE(C, O));
    add_leaf(&r, SSK_SHAPE(O));
    add_leaf(&r, SSK_SHAPE(c[4], 2 * C + 5));
    compare(&r, gated_fused, gated_in_parts, c + 5);
  }
}

/* ---- weighted sum ---------------------------------------------------------------------------- */

static ssk_tensor *weighted_fused(struct rig *r, const int *arg) {
  (void)arg;
  return ssk_weighted_sum(r->tape, r->leaf[0], r->leaf[1], r->leaf[2]);
}

static ssk_tensor *weighted_in_parts(struct rig *r, const int *arg) {
  ssk_tensor *const *x = r->leaf;
  ssk_tensor *w = ssk_reshape(r->tape, x[1], SSK_SHAPE(arg[0], 1, arg[2]));
  return ssk_add(r->tape, ssk_sum(r->tape, ssk_mul(r->tape, x[0], w), 0), x[2]);
}

Test(fused, weighted_sum_is_the_sum_of_its_parts) {
  static const int cases[][3] = {{2, 700, 24}, {5, 300, 11}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const int *c = cases[i];
    struct rig r = {0};
    add_leaf(&r, SSK_SHAPE(c[0], c[1], c[2]));
    add_leaf(&r, SSK_SHAPE(c[0], c[2]));
    add_leaf(&r, SSK_SHAPE(c[2]));
    compare(&r, weighted_fused, weighted_in_parts, c);
  }
}
