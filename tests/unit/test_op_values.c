/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_op_values.c - the results of the operations, against their definitions written down as plain
 * loops in double. (Gradients are checked against these results, in test_ops.c.) */
#include <criterion/criterion.h>
#include <float.h>
#include <gsl/gsl_randist.h>
#include <math.h>
#include <sskit/tape.h>
#include <string.h>

#ifdef SSK_DOUBLE
static const double tolerance = 1e-12;
#else
static const double tolerance = 4e-6;
#endif

static ssk_err *err;
static ssk_tape *tape;
static ssk_rng rng;

static void open_tape(void) {
  err = ssk_err_new();
  tape = ssk_tape_new(err);
  rng = ssk_rng_open(1, "values", NULL, 0, 0);
}
static void close_tape(void) {
  ssk_err_print(err, stderr, false);
  cr_expect_eq(ssk_tape_code(tape), SSK_OK);
  ssk_tape_free(tape);
  ssk_err_free(err);
}
TestSuite(op_values, .init = open_tape, .fini = close_tape);

#define NORMAL(...) ssk_normal(tape, SSK_SHAPE(__VA_ARGS__), &rng)

static void near(double value, double expected, const char *what) {
  cr_expect(fabs(value - expected) <= tolerance * (1 + fabs(expected)), "%s: %.9g, not %.9g", what,
            value, expected);
}
static double at(const ssk_tensor *x, int i, int j, int k, int l) {
  const int *n = x->shape;
  return (double)x->data[((i * n[1] + j) * n[2] + k) * n[3] + l];
}
static void has_shape(const ssk_tensor *x, int ndim, int a, int b, int c, int d) {
  cr_assert(x->ndim == ndim && x->shape[0] == a && x->shape[1] == b && x->shape[2] == c &&
                x->shape[3] == d,
            "%d axes: %d %d %d %d", x->ndim, x->shape[0], x->shape[1], x->shape[2], x->shape[3]);
}
static double sigmoid(double x) {
  return 1 / (1 + exp(-x));
}
static double activation(enum ssk_act act, double x) {
  switch (act) {
  case SSK_LINEAR:
    return x;
  case SSK_RELU:
    return fmax(x, 0);
  case SSK_TANH:
    return tanh(x);
  case SSK_SIGMOID:
    return sigmoid(x);
  case SSK_SILU:
    return x * sigmoid(x);
  case SSK_GELU:
    return 0.5 * x * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  case SSK_SOFTPLUS:
    return log1p(exp(x));
  }
  return NAN;
}

Test(op_values, broadcasting_follows_the_rule) {
  /* a [2,1,3,1], b [4,1,5]: axes repeated by turns on both sides */
  ssk_tensor *a = NORMAL(2, 1, 3, 1), *b = NORMAL(4, 1, 5);
  ssk_tensor *sum = ssk_add(tape, a, b), *difference = ssk_sub(tape, a, b);
  ssk_tensor *product = ssk_mul(tape, a, b), *quotient = ssk_div(tape, b, a);
  has_shape(quotient, 4, 2, 4, 3, 5);
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 4; j++)
      for (int k = 0; k < 3; k++)
        for (int l = 0; l < 5; l++) {
          const double x = at(a, i, 0, k, 0), y = (double)b->data[j * 5 + l];
          near(at(sum, i, j, k, l), x + y, "sum");
          near(at(difference, i, j, k, l), x - y, "difference");
          near(at(product, i, j, k, l), x * y, "product");
          near(at(quotient, i, j, k, l), y / x, "quotient");
        }
  ssk_tensor *one = ssk_full(tape, 0, NULL, 3);
  has_shape(ssk_mul(tape, one, b), 3, 4, 1, 5, 1);
  near((double)ssk_mul(tape, one, one)->data[0], 9, "scalars");
  has_shape(ssk_mul(tape, one, one), 0, 1, 1, 1, 1);
}

Test(op_values, functions_of_one_tensor) {
  ssk_tensor *x = NORMAL(700);
  ssk_tensor *clamped = ssk_clamp(tape, x, (ssk_real)-0.5, 1);
  ssk_tensor *affine = ssk_affine(tape, x, 2, -1), *square = ssk_square(tape, x);
  ssk_tensor *root = ssk_sqrt(tape, square), *log1p_ = ssk_log1p(tape, square);
  ssk_tensor *gamma = ssk_lgamma(tape, square);
  for (int act = SSK_LINEAR; act <= SSK_SOFTPLUS; act++) {
    ssk_tensor *y = ssk_activate(tape, x, (enum ssk_act)act);
    for (int i = 0; i < 700; i++)
      near((double)y->data[i], activation((enum ssk_act)act, (double)x->data[i]), "activation");
  }
  for (int i = 0; i < 700; i++) {
    const double v = (double)x->data[i];
    near((double)clamped->data[i], v < -0.5 ? -0.5 : v > 1 ? 1 : v, "clamp");
    near((double)affine->data[i], 2 * v - 1, "affine");
    near((double)root->data[i], fabs(v), "sqrt of square");
    near((double)log1p_->data[i], log1p((double)square->data[i]), "log1p");
    near((double)gamma->data[i], lgamma((double)square->data[i]), "lgamma");
  }
  x->data[3] = NAN;
  cr_expect(isnan(ssk_clamp(tape, x, -1, 1)->data[3]), "clamp hides nan");
  cr_expect(isnan(ssk_activate(tape, x, SSK_RELU)->data[3]), "relu hides nan");
}

Test(op_values, copies_put_entries_where_they_belong) {
  ssk_tensor *x = NORMAL(2, 3, 4), *y = NORMAL(2, 3, 20);
  ssk_tensor *both = ssk_concat(tape, 2, (ssk_tensor *[]){x, y}, -1);
  ssk_tensor *stacked = ssk_stack(tape, 2, (ssk_tensor *[]){x, x});
  ssk_tensor *turned = ssk_permute(tape, x, (int[]){2, 0, 1});
  ssk_tensor *repeated = ssk_repeat(tape, x, 1, 2), *flipped = ssk_flip(tape, x);
  ssk_tensor *middle = ssk_cols(tape, y, 2, 17);
  has_shape(both, 3, 2, 3, 24, 1);
  has_shape(stacked, 4, 2, 2, 3, 4);
  has_shape(turned, 3, 4, 2, 3, 1);
  has_shape(repeated, 3, 2, 6, 4, 1);
  has_shape(middle, 3, 2, 3, 17, 1);
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 3; j++)
      for (int k = 0; k < 20; k++) {
        const double w = at(y, i, j, k, 0), v = k < 4 ? at(x, i, j, k, 0) : 0;
        cr_expect_eq(at(both, i, j, 4 + k, 0), w);
        cr_expect(k < 2 || k >= 19 || at(middle, i, j, k - 2, 0) == w);
        if (k < 4) {
          cr_expect_eq(at(both, i, j, k, 0), v);
          cr_expect(at(stacked, 0, i, j, k) == v && at(stacked, 1, i, j, k) == v);
          cr_expect_eq(at(turned, k, i, j, 0), v);
          cr_expect(at(repeated, i, 2 * j, k, 0) == v && at(repeated, i, 2 * j + 1, k, 0) == v);
          cr_expect_eq(at(flipped, 1 - i, j, k, 0), v);
        }
      }
  ssk_tensor *each = ssk_flip_each(tape, turned, (int[]){3, 4});
  for (int t = 0; t < 4; t++)
    for (int k = 0; k < 3; k++) {
      cr_expect_eq(at(each, t, 0, k, 0), at(turned, t < 3 ? 2 - t : t, 0, k, 0));
      cr_expect_eq(at(each, t, 1, k, 0), at(turned, 3 - t, 1, k, 0));
    }
  ssk_tensor *numbers[30];
  for (int i = 0; i < 30; i++)
    numbers[i] = ssk_full(tape, 0, NULL, (ssk_real)i);
  ssk_tensor *list = ssk_stack(tape, 30, numbers);
  has_shape(list, 1, 30, 1, 1, 1);
  cr_expect_eq(list->data[29], 29);
}

Test(op_values, sums_are_accurate_and_in_a_fixed_order) {
  /* A million tenths: a plain float sum is off by a percent. */
  const int rows = 1 << 18, columns = 5;
  ssk_tensor *x = ssk_full(tape, SSK_SHAPE(rows, columns), (ssk_real)0.1);
  const double tenth = (double)(ssk_real)0.1, all = tenth * rows * columns;
  ssk_tensor *wide = ssk_reshape(tape, x, SSK_SHAPE(columns, rows));
  cr_expect_float_eq(ssk_sum_all(tape, x)->data[0], all, 1e-7 * all);
  cr_expect_float_eq(ssk_mean_all(tape, x)->data[0], tenth, 1e-7 * tenth);
  cr_expect_float_eq(ssk_sum(tape, x, 0)->data[3], tenth * rows, 1e-7 * all);
  cr_expect_float_eq(ssk_sum(tape, wide, 1)->data[4], tenth * rows, 1e-7 * all);
  ssk_tensor *cube = NORMAL(3, 10, 4), *middle = ssk_sum(tape, cube, 1);
  has_shape(middle, 2, 3, 4, 1, 1);
  for (int i = 0; i < 3; i++)
    for (int k = 0; k < 4; k++) {
      double sum = 0;
      for (int j = 0; j < 10; j++)
        sum += at(cube, i, j, k, 0);
      near(at(middle, i, k, 0, 0), sum, "middle axis");
    }
}

Test(op_values, softmax_is_safe_against_overflow) {
  const ssk_real big = 1e4, none = -INFINITY;
  ssk_tensor *x = ssk_const(tape, SSK_SHAPE(3, 3),
                            (ssk_real[]){big, big - 1, none, -big, -big, -big, none, none, none});
  ssk_tensor *lse = ssk_logsumexp(tape, x), *p = ssk_softmax(tape, x);
  near((double)lse->data[0], 1e4 + log1p(exp(-1)), "logsumexp");
  near((double)lse->data[1], -1e4 + log(3), "logsumexp");
  cr_expect_eq(lse->data[2], none);
  near(at(p, 0, 1, 0, 0), exp(-1) / (1 + exp(-1)), "softmax");
  cr_expect_eq(at(p, 0, 2, 0, 0), 0);
  near(at(p, 1, 2, 0, 0), 1. / 3, "softmax");
}

Test(op_values, dense_layers_and_products) {
  ssk_tensor *x = NORMAL(3, 7, 11), *W = NORMAL(11, 13), *b = NORMAL(13);
  for (int act = SSK_LINEAR; act <= SSK_SOFTPLUS; act++) {
    ssk_tensor *y = ssk_linear(tape, x, W, act % 2 ? NULL : b, (enum ssk_act)act);
    has_shape(y, 3, 3, 7, 13, 1);
    for (int r = 0; r < 21; r++)
      for (int o = 0; o < 13; o++) {
        double sum = act % 2 ? 0 : (double)b->data[o];
        for (int i = 0; i < 11; i++)
          sum += (double)x->data[r * 11 + i] * (double)W->data[i * 13 + o];
        near((double)y->data[r * 13 + o], activation((enum ssk_act)act, sum), "linear");
      }
  }
  ssk_tensor *a = NORMAL(4, 2, 3), *c = NORMAL(1, 3, 5), *y = ssk_bmm(tape, a, c);
  has_shape(y, 3, 4, 2, 5, 1);
  near(at(y, 3, 1, 4, 0),
       at(a, 3, 1, 0, 0) * at(c, 0, 0, 4, 0) + at(a, 3, 1, 1, 0) * at(c, 0, 1, 4, 0) +
           at(a, 3, 1, 2, 0) * at(c, 0, 2, 4, 0),
       "bmm");
}

Test(op_values, triangular_factors_and_solves) {
  enum { N = 3, d = 4, m = 2 };
  ssk_tensor *x = NORMAL(N, d, d), *b = NORMAL(N, d, m);
  const int turn[] = {0, 2, 1};
  ssk_tensor *a = ssk_bmm(tape, x, ssk_permute(tape, x, turn)), *L = ssk_cholesky(tape, a);
  has_shape(L, 3, N, d, d, 1);
  ssk_tensor *again = ssk_bmm(tape, L, ssk_permute(tape, L, turn));
  for (int i = 0; i < N * d * d; i++) {
    near((double)again->data[i], (double)a->data[i], "cholesky");
    if (i % d > i / d % d)
      cr_assert_eq(L->data[i], 0);
  }
  for (int transposed = 0; transposed < 2; transposed++) {
    ssk_tensor *factor = transposed ? ssk_permute(tape, L, turn) : L;
    ssk_tensor *back = ssk_bmm(tape, factor, ssk_solve_lower(tape, L, b, transposed));
    for (int i = 0; i < N * d * m; i++)
      near((double)back->data[i], (double)b->data[i], "solve_lower");
  }
  for (int i = 0; i < N * d * d; i++)
    a->data[i] = -a->data[i];
  cr_assert(isnan((double)ssk_cholesky(tape, a)->data[0]), "not positive definite");
}

Test(op_values, gate_and_layer_norm) {
  const int C = 9;
  ssk_tensor *x = NORMAL(4, 2 * C), *gain = NORMAL(2 * C), *bias = NORMAL(2 * C);
  ssk_tensor *gated = ssk_gate(tape, x), *normed = ssk_layer_norm(tape, x, gain, bias);
  has_shape(gated, 2, 4, C, 1, 1);
  for (int r = 0; r < 4; r++) {
    double mean = 0, var = 0;
    for (int c = 0; c < 2 * C; c++)
      mean += at(x, r, c, 0, 0) / (2 * C);
    for (int c = 0; c < 2 * C; c++)
      var += pow(at(x, r, c, 0, 0) - mean, 2) / (2 * C);
    for (int c = 0; c < C; c++)
      near(at(gated, r, c, 0, 0), sigmoid(at(x, r, c, 0, 0)) * tanh(at(x, r, C + c, 0, 0)), "gate");
    for (int c = 0; c < 2 * C; c++)
      near(at(normed, r, c, 0, 0),
           (at(x, r, c, 0, 0) - mean) / sqrt(var + 1e-5) * (double)gain->data[c] +
               (double)bias->data[c],
           "layer norm");
  }
}

Test(op_values, gru_follows_its_recursion) {
  const int T = 6, N = 3, I = 4, H = 5;
  ssk_tensor *x = NORMAL(T, N, I), *Wx = NORMAL(I, 3 * H), *Wh = NORMAL(H, 3 * H);
  ssk_tensor *bx = NORMAL(3 * H), *bh = NORMAL(3 * H), *h0 = NORMAL(N, H);
  for (int with = 0; with < 2; with++) {
    ssk_tensor *y = ssk_gru(tape, x, Wx, Wh, bx, bh, with ? h0 : NULL);
    has_shape(y, 3, T, N, H, 1);
    for (int n = 0; n < N; n++) {
      double h[5], next[5];
      for (int c = 0; c < H; c++)
        h[c] = with ? at(h0, n, c, 0, 0) : 0;
      for (int t = 0; t < T; t++) {
        for (int c = 0; c < H; c++) {
          double of_x[3], of_h[3];
          for (int g = 0; g < 3; g++) {
            of_x[g] = (double)bx->data[g * H + c];
            of_h[g] = (double)bh->data[g * H + c];
            for (int i = 0; i < I; i++)
              of_x[g] += at(x, t, n, i, 0) * at(Wx, i, g * H + c, 0, 0);
            for (int i = 0; i < H; i++)
              of_h[g] += h[i] * at(Wh, i, g * H + c, 0, 0);
          }
          const double reset = sigmoid(of_x[0] + of_h[0]), update = sigmoid(of_x[1] + of_h[1]);
          const double candidate = tanh(of_x[2] + reset * of_h[2]);
          next[c] = (1 - update) * candidate + update * h[c];
        }
        for (int c = 0; c < H; c++)
          near(at(y, t, n, c, 0), h[c] = next[c], "gru");
      }
    }
  }
}

Test(op_values, convolutions_see_the_right_steps) {
  const int L = 7, N = 2, I = 3, O = 4, k = 3;
  ssk_tensor *x = NORMAL(L, N, I), *W = NORMAL(k, I, O), *b = NORMAL(O);
  ssk_tensor *own = NORMAL(k, I), *own_b = NORMAL(I);
  for (int causal = 0; causal < 2; causal++)
    for (int dilation = 1; dilation < 5; dilation += 3) {
      ssk_tensor *y = ssk_conv(tape, x, W, b, dilation, causal);
      ssk_tensor *z = ssk_conv_depthwise(tape, x, own, own_b, dilation, causal);
      for (int l = 0; l < L; l++)
        for (int n = 0; n < N; n++) {
          double full[4], single[3];
          for (int o = 0; o < O; o++)
            full[o] = (double)b->data[o];
          for (int i = 0; i < I; i++)
            single[i] = (double)own_b->data[i];
          for (int tap = 0; tap < k; tap++) {
            const int seen = l + (tap - (causal ? k - 1 : k / 2)) * dilation;
            for (int i = 0; i < I && seen >= 0 && seen < L; i++) {
              single[i] += at(x, seen, n, i, 0) * at(own, tap, i, 0, 0);
              for (int o = 0; o < O; o++)
                full[o] += at(x, seen, n, i, 0) * at(W, tap, i, o, 0);
            }
          }
          for (int o = 0; o < O; o++)
            near(at(y, l, n, o, 0), full[o], "conv");
          for (int i = 0; i < I; i++)
            near(at(z, l, n, i, 0), single[i], "depthwise conv");
        }
    }
}

static void attention_case(int L) {
  const int N = 2, C = 6, heads = 2, depth = 3;
  ssk_tensor *q = NORMAL(L, N, C), *k = NORMAL(L, N, C), *v = NORMAL(L, N, C);
  for (int causal = 0; causal < 2; causal++) {
    ssk_tensor *y = ssk_attention(tape, q, k, v, heads, causal);
    for (int l = 0; l < L; l++)
      for (int n = 0; n < N; n++)
        for (int c = 0; c < C; c++) {
          const int first = c / depth * depth;
          double weights = 0, sum = 0;
          for (int m = 0; m < (causal ? l + 1 : L); m++) {
            double score = 0;
            for (int i = first; i < first + depth; i++)
              score += at(q, l, n, i, 0) * at(k, m, n, i, 0);
            const double weight = exp(score / sqrt(depth));
            weights += weight;
            sum += weight * at(v, m, n, c, 0);
          }
          near(at(y, l, n, c, 0), sum / weights, "attention");
        }
  }
}

/* Short and long axes go different ways. */
Test(op_values, attention_weighs_what_it_may_see) {
  attention_case(1);
  attention_case(5);
  attention_case(19);
}

Test(op_values, densities_include_every_constant) {
  const int N = 5, C = 3;
  ssk_tensor *x = NORMAL(N, C), *m = NORMAL(N, C), *v = NORMAL(N, C), *m2 = NORMAL(N, C);
  ssk_tensor *v2 = NORMAL(N, C), *mask = ssk_full(tape, SSK_SHAPE(N, C), 1), *w = NORMAL(N);
  mask->data[4] = 0;
  struct ssk_gaussian p = {m, v}, p2 = {m2, v2};
  ssk_tensor *log_prob = ssk_gaussian_log_prob(tape, x, p, mask);
  ssk_tensor *kl = ssk_gaussian_kl(tape, p, p2), *none = ssk_gaussian_kl(tape, p, p);
  ssk_tensor *draw = ssk_reparam(tape, p, x), *error = ssk_weighted_error(tape, x, m, w);
  ssk_tensor *logvar = ssk_logvar(tape, x, (ssk_real)0.01, -1, (ssk_real)0.5);
  has_shape(log_prob, 1, N, 1, 1, 1);
  for (int n = 0; n < N; n++) {
    double sum_log = 0, sum_kl = 0, sum_error = 0;
    for (int c = 0; c < C; c++) {
      const double a = at(x, n, c, 0, 0), b = at(m, n, c, 0, 0), s = exp(at(v, n, c, 0, 0) / 2);
      const double b2 = at(m2, n, c, 0, 0), s2 = exp(at(v2, n, c, 0, 0) / 2);
      sum_log += at(mask, n, c, 0, 0) * log(gsl_ran_gaussian_pdf(a - b, s));
      sum_kl += log(s2 / s) + (s * s + (b - b2) * (b - b2)) / (2 * s2 * s2) - 0.5;
      sum_error += (a - b) * (a - b);
      near(at(draw, n, c, 0, 0), b + s * a, "reparam");
      near(at(logvar, n, c, 0, 0), fmin(fmax(log(log1p(exp(a)) + 0.01), -1), 0.5), "logvar");
    }
    near((double)log_prob->data[n], sum_log, "log_prob");
    near((double)kl->data[n], sum_kl, "kl");
    near((double)none->data[n], 0, "kl of equals");
    near((double)error->data[n], (double)w->data[n] * sum_error, "weighted error");
  }
}

/* Whether an operation records must not change its result. */
Test(op_values, recording_changes_no_bit) {
  ssk_real g[4 * 3 * 6] = {0};
  ssk_tensor *x = NORMAL(4, 3, 6), *leaf = ssk_leaf(tape, SSK_SHAPE(4, 3, 6), x->data, g);
  ssk_tensor *Wx = NORMAL(6, 9), *Wh = NORMAL(3, 9), *b = NORMAL(9), *W = NORMAL(6, 5);
  ssk_tensor *pairs[][2] = {
      {ssk_gru(tape, x, Wx, Wh, b, b, NULL), ssk_gru(tape, leaf, Wx, Wh, b, b, NULL)},
      {ssk_linear(tape, x, W, NULL, SSK_GELU), ssk_linear(tape, leaf, W, NULL, SSK_GELU)},
      {ssk_logvar(tape, x, 0, -5, 5), ssk_logvar(tape, leaf, 0, -5, 5)},
      {ssk_attention(tape, x, x, x, 2, true), ssk_attention(tape, leaf, x, leaf, 2, true)}};
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
    cr_expect(pairs[i][1]->needs_grad && !pairs[i][0]->needs_grad);
    cr_expect_arr_eq(pairs[i][0]->data, pairs[i][1]->data, pairs[i][0]->count * sizeof(ssk_real),
                     "pair %zu", i);
  }
}

/* act(x W + b) of many rows, which the operation works on in blocks, as one product or as one for
 * each of `parts` groups of rows; its gradients come back in dx and dW. */
enum { many = 1000, wide_in = 61, wide_out = 83 };
static void product(int parts, const ssk_real *x, const ssk_real *W, const ssk_real *weight,
                    ssk_real *y, ssk_real *dx, ssk_real *dW) {
  ssk_tape_reset(tape);
  ssk_tensor *X = ssk_leaf(tape, SSK_SHAPE(many, wide_in), (ssk_real *)x, dx);
  ssk_tensor *weights = ssk_leaf(tape, SSK_SHAPE(wide_in, wide_out), (ssk_real *)W, dW);
  ssk_tensor *results[10];
  for (int i = 0; i < parts; i++)
    results[i] = ssk_linear(tape, ssk_rows(tape, X, i * (many / parts), many / parts), weights,
                            NULL, SSK_SILU);
  ssk_tensor *all = parts > 1 ? ssk_concat(tape, parts, results, 0) : results[0];
  ssk_tensor *G = ssk_const(tape, SSK_SHAPE(many, wide_out), weight);
  ssk_backward(tape, ssk_sum_all(tape, ssk_mul(tape, all, G)), 1);
  memcpy(y, all->data, all->count * sizeof *y);
}

Test(op_values, long_products_are_those_of_their_parts) {
  static ssk_real x[many * wide_in], W[wide_in * wide_out], weight[many * wide_out];
  static ssk_real y[2][many * wide_out], dx[2][many * wide_in], dW[2][wide_in * wide_out];
  memcpy(x, NORMAL(many, wide_in)->data, sizeof x);
  memcpy(W, NORMAL(wide_in, wide_out)->data, sizeof W);
  memcpy(weight, NORMAL(many, wide_out)->data, sizeof weight);
  for (int k = 0; k < 2; k++)
    product(k ? 10 : 1, x, W, weight, y[k], dx[k], dW[k]);
  for (int i = 0; i < many * wide_out; i++)
    near((double)y[0][i], (double)y[1][i], "result");
  for (int i = 0; i < many * wide_in; i++)
    near((double)dx[0][i], (double)dx[1][i], "gradient of the inputs");
  for (int i = 0; i < wide_in * wide_out; i++) /* sums over all rows: in another order */
    cr_expect(fabs((double)(dW[0][i] - dW[1][i])) <=
              100 * tolerance * (1 + fabs((double)dW[1][i])));
}
