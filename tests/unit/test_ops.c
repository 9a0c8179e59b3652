/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_ops.c - the gradient of every operation against central differences, in double.
 *
 * ops.def names the operations; each needs a gradient case gradcase_<name> here, or this does not
 * link. Shapes include length 1 and odd lengths; ranges keep clear of kinks. */
#include "support/gradcheck.h"
#include "tensor/ops.h"
#include <criterion/criterion.h>
#include <math.h>

#define LEAF        GRADCHECK_LEAF
#define LEAVES(...) ((const struct gradcheck_leaf[]){__VA_ARGS__})
#define CHECK(build, arg, ...)                                                                     \
  check(#build, __LINE__, build, arg,                                                              \
        (int)(sizeof(LEAVES(__VA_ARGS__)) / sizeof(struct gradcheck_leaf)), LEAVES(__VA_ARGS__))

static void check(const char *name, int line, gradcheck_fn *build, const void *arg, int n,
                  const struct gradcheck_leaf *leaves) {
  char message[256];
  const double error = gradcheck(build, arg, n, leaves, message);
  cr_expect(error <= GRADCHECK_TOLERANCE, "%s (line %d): %s", name, line, message);
}

/* A builder of a function of its first, or of its first two leaves. */
#define UNARY(f)                                                                                   \
  static ssk_tensor *build_##f(ssk_tape *tape, ssk_tensor *const *x, const void *arg) {            \
    (void)arg;                                                                                     \
    return ssk_##f(tape, x[0]);                                                                    \
  }
#define BINARY(f)                                                                                  \
  static ssk_tensor *build_##f(ssk_tape *tape, ssk_tensor *const *x, const void *arg) {            \
    (void)arg;                                                                                     \
    return ssk_##f(tape, x[0], x[1]);                                                              \
  }
/* A builder with arguments; `a` points to an array of doubles. */
#define BUILD(f, ...)                                                                              \
  static ssk_tensor *build_##f(ssk_tape *tape, ssk_tensor *const *x, const void *arg) {            \
    const double *a = arg;                                                                         \
    (void)a;                                                                                       \
    return __VA_ARGS__;                                                                            \
  }
#define ARGS(...) ((const double[]){__VA_ARGS__})

/* ---- elementwise ---------------------------------------------------------------------------- */

BINARY(add)
BINARY(sub)
BINARY(mul)
BINARY(div)

static void broadcast_case(gradcheck_fn *build) {
  CHECK(build, NULL, LEAF(-1, 1, 7), LEAF(0.5, 2, 7));
  CHECK(build, NULL, LEAF(-1, 1, 5, 3), LEAF(0.5, 2, 3));
  CHECK(build, NULL, LEAF(-1, 1, 3), LEAF(0.5, 2, 5, 3));
  CHECK(build, NULL, LEAF(-1, 1, 5, 3), LEAF(0.5, 2, 5, 1));
  CHECK(build, NULL, LEAF(-1, 1, 5, 1), LEAF(0.5, 2, 1, 3));
  CHECK(build, NULL, LEAF(-1, 1, 1), LEAF(0.5, 2, 4, 1, 3));
  CHECK(build, NULL, LEAF(-1, 1, 2, 3, 2, 3), LEAF(0.5, 2, 1, 3, 1, 3));
  CHECK(build, NULL, LEAF(-1, 1, 2, 1, 2, 1), LEAF(0.5, 2, 3, 1, 3));
  CHECK(build, NULL, LEAF(-1, 1, 40, 70), LEAF(0.5, 2, 70));
  CHECK(build, NULL, {.ndim = 0, .lo = 0.5, .hi = 1}, {.ndim = 0, .lo = 0.5, .hi = 1});
}
static void gradcase_add(void) {
  broadcast_case(build_add);
}
static void gradcase_sub(void) {
  broadcast_case(build_sub);
}
static void gradcase_mul(void) {
  broadcast_case(build_mul);
}
static void gradcase_div(void) {
  broadcast_case(build_div);
}

BUILD(affine, ssk_affine(tape, x[0], (ssk_real)-1.5, (ssk_real)0.3))
static void gradcase_affine(void) {
  CHECK(build_affine, NULL, LEAF(-1, 1, 3, 5));
}

BUILD(activate, ssk_activate(tape, x[0], (enum ssk_act)a[0]))
static void gradcase_activate(void) {
  for (int act = SSK_LINEAR; act <= SSK_SOFTPLUS; act++)
    CHECK(build_activate, ARGS(act), {1, {701}, -5, 5, 0.01});
}

UNARY(exp)
UNARY(log)
UNARY(log1p)
UNARY(lgamma)
UNARY(sqrt)
UNARY(square)
UNARY(sin)
UNARY(cos)
static void gradcase_exp(void) {
  CHECK(build_exp, NULL, LEAF(-3, 3, 3, 5));
}
static void gradcase_log(void) {
  CHECK(build_log, NULL, LEAF(0.3, 5, 3, 5));
}
static void gradcase_log1p(void) {
  CHECK(build_log1p, NULL, LEAF(-0.6, 5, 3, 5));
}
static void gradcase_lgamma(void) {
  CHECK(build_lgamma, NULL, LEAF(0.3, 20, 3, 5));
}
static void gradcase_sqrt(void) {
  CHECK(build_sqrt, NULL, LEAF(0.3, 5, 3, 5));
}
static void gradcase_square(void) {
  CHECK(build_square, NULL, LEAF(-2, 2, 3, 5));
}
static void gradcase_sin(void) {
  CHECK(build_sin, NULL, LEAF(-9, 9, 3, 5));
}
static void gradcase_cos(void) {
  CHECK(build_cos, NULL, LEAF(-9, 9, 3, 5));
}

BUILD(clamp, ssk_clamp(tape, x[0], (ssk_real)a[0], (ssk_real)a[1]))
static void gradcase_clamp(void) {
  CHECK(build_clamp, ARGS(0, 10), {1, {33}, -1, 1, 0.01});
  CHECK(build_clamp, ARGS(-10, 0), {1, {33}, -1, 1, 0.01});
}

/* ---- shape ---------------------------------------------------------------------------------- */

BUILD(cols, ssk_activate_cols(tape, x[0], (int)a[0], (int)a[1], (enum ssk_act)a[2]))
static void gradcase_cols(void) {
  CHECK(build_cols, ARGS(1, 2, SSK_LINEAR), LEAF(-1, 1, 3, 2, 5));
  CHECK(build_cols, ARGS(0, 1, SSK_LINEAR), LEAF(-1, 1, 1));
  CHECK(build_cols, ARGS(3, 17, SSK_SILU), LEAF(-1, 1, 2, 21));
  CHECK(build_cols, ARGS(0, 2, SSK_TANH), LEAF(-1, 1, 4, 3));
}

/* a[0]: axis; a[1]: how many; the same leaf may come twice */
BUILD(concat, ssk_concat(tape, (int)a[1], x, (int)a[0]))
BUILD(concat_twice, ssk_concat(tape, 2, (ssk_tensor *[]){x[0], x[0]}, (int)a[0]))
static ssk_tensor *build_concat_many(ssk_tape *tape, ssk_tensor *const *x, const void *arg) {
  ssk_tensor *list[40];
  for (int i = 0; i < 40; i++)
    list[i] = ssk_affine(tape, x[i % 2], (ssk_real)(i + 1), 0);
  return arg ? ssk_stack(tape, 40, list) : ssk_concat(tape, 40, list, 0);
}
static void gradcase_concat(void) {
  CHECK(build_concat, ARGS(0, 3), LEAF(-1, 1, 1, 3), LEAF(-1, 1, 2, 3), LEAF(-1, 1, 4, 3));
  CHECK(build_concat, ARGS(1, 2), LEAF(-1, 1, 2, 3, 2), LEAF(-1, 1, 2, 1, 2));
  CHECK(build_concat, ARGS(-1, 2), LEAF(-1, 1, 3, 19), LEAF(-1, 1, 3, 1));
  CHECK(build_concat_twice, ARGS(0), LEAF(-1, 1, 3));
  CHECK(build_concat_many, NULL, LEAF(-1, 1, 2), LEAF(-1, 1, 2));
  CHECK(build_concat_many, "stack", LEAF(-1, 1, 2, 3), LEAF(-1, 1, 2, 3));
}

BUILD(permute, ssk_permute(tape, x[0], (int[]){(int)a[0], (int)a[1], (int)a[2], (int)a[3]}))
static void gradcase_permute(void) {
  CHECK(build_permute, ARGS(1, 0, 0, 0), LEAF(-1, 1, 3, 5));
  CHECK(build_permute, ARGS(1, 0, 2, 0), LEAF(-1, 1, 3, 2, 5));
  CHECK(build_permute, ARGS(3, 1, 0, 2), LEAF(-1, 1, 2, 3, 1, 5));
}

BUILD(repeat, ssk_repeat(tape, x[0], (int)a[0], (int)a[1]))
static void gradcase_repeat(void) {
  CHECK(build_repeat, ARGS(0, 3), LEAF(-1, 1, 2, 5));
  CHECK(build_repeat, ARGS(-1, 11), LEAF(-1, 1, 2, 3));
  CHECK(build_repeat, ARGS(1, 1), LEAF(-1, 1, 2, 1, 3));
}

BUILD(gather, ssk_gather(tape, x[0], 4, (int[]){2, 0, 2, 1}))
static void gradcase_gather(void) {
  CHECK(build_gather, NULL, LEAF(-1, 1, 3));
  CHECK(build_gather, NULL, LEAF(-1, 1, 5, 2, 3));
}

UNARY(flip)
BUILD(flip_each, ssk_flip_each(tape, x[0], (int[]){(int)a[0], (int)a[1], (int)a[2]}))
static void gradcase_flip(void) {
  CHECK(build_flip_each, ARGS(2, 4, 0), LEAF(-1, 1, 4, 3, 2));
  CHECK(build_flip, NULL, LEAF(-1, 1, 3, 2));
}

/* ---- reductions ----------------------------------------------------------------------------- */

BUILD(sum, ssk_sum(tape, x[0], (int)a[0]))
static void gradcase_sum(void) {
  for (int axis = -1; axis < 3; axis++)
    CHECK(build_sum, ARGS(axis), LEAF(-1, 1, 2, 11, 3));
  CHECK(build_sum, ARGS(0), LEAF(-1, 1, 1));
}

UNARY(sum_all)
UNARY(mean_all)
static void gradcase_sum_all(void) {
  CHECK(build_sum_all, NULL, LEAF(-1, 1, 3, 7));
  CHECK(build_mean_all, NULL, LEAF(-1, 1, 3, 7));
}

UNARY(logsumexp)
static void gradcase_logsumexp(void) {
  CHECK(build_logsumexp, NULL, LEAF(-3, 3, 3, 5));
  CHECK(build_logsumexp, NULL, LEAF(-3, 3, 1));
}
UNARY(softmax)
static void gradcase_softmax(void) {
  CHECK(build_softmax, NULL, LEAF(-3, 3, 2, 3, 5));
}

/* ---- layers --------------------------------------------------------------------------------- */

/* a[0]: activation; a[1]: with bias; a[2]: what is added is input a[2] */
BUILD(linear, ssk_linear_add(tape, x[0], x[1], a[1] != 0 ? x[2] : NULL,
                             a[2] > 0 ? x[(int)a[2]] : NULL, (enum ssk_act)a[0]))
static void gradcase_linear(void) {
  for (int act = SSK_LINEAR; act <= SSK_SOFTPLUS; act++) {
    CHECK(build_linear, ARGS(act, 1, 0), LEAF(-1, 1, 3, 2, 4), LEAF(-1, 1, 4, 3), LEAF(-1, 1, 3));
    CHECK(build_linear, ARGS(act, 1, 3), LEAF(-1, 1, 5, 2), LEAF(-1, 1, 2, 3), LEAF(-1, 1, 3),
          LEAF(-1, 1, 5, 3));
  }
  CHECK(build_linear, ARGS(SSK_SILU, 0, 0), LEAF(-1, 1, 1, 1), LEAF(-1, 1, 1, 1));
  CHECK(build_linear, ARGS(SSK_TANH, 1, 0), LEAF(-1, 1, 23, 11), LEAF(-.3, .3, 11, 17),
        LEAF(-1, 1, 17));
}

BINARY(bmm)
static void gradcase_bmm(void) {
  CHECK(build_bmm, NULL, LEAF(-1, 1, 3, 2, 4), LEAF(-1, 1, 3, 4, 1));
  CHECK(build_bmm, NULL, LEAF(-1, 1, 1, 2, 4), LEAF(-1, 1, 3, 4, 5));
  CHECK(build_bmm, NULL, LEAF(-1, 1, 3, 1, 4), LEAF(-1, 1, 1, 4, 5));
  CHECK(build_bmm, NULL, LEAF(-1, 1, 2, 13, 14), LEAF(-1, 1, 2, 14, 15));
}

/* x x' + I, of x [N, d, d] */
static ssk_tensor *positive(ssk_tape *tape, ssk_tensor *x) {
  const int d = x->shape[1], turn[] = {0, 2, 1};
  ssk_tensor *one = ssk_full(tape, SSK_SHAPE(1, d, d), 0);
  for (int i = 0; i < d; i++)
    one->data[i * d + i] = 1;
  return ssk_add(tape, ssk_bmm(tape, x, ssk_permute(tape, x, turn)), one);
}
BUILD(cholesky, ssk_cholesky(tape, positive(tape, x[0])))
static void gradcase_cholesky(void) {
  CHECK(build_cholesky, NULL, LEAF(-1, 1, 3, 1, 1));
  CHECK(build_cholesky, NULL, LEAF(-1, 1, 2, 2, 2));
  CHECK(build_cholesky, NULL, LEAF(-1, 1, 3, 5, 5));
}
BUILD(solve_lower, ssk_solve_lower(tape, ssk_cholesky(tape, positive(tape, x[0])), x[1], a[0] != 0))
BUILD(solve_twice, ssk_solve_lower(tape, x[0], x[0], a[0] != 0))
static void gradcase_solve_lower(void) {
  for (int transposed = 0; transposed < 2; transposed++) {
    CHECK(build_solve_lower, ARGS(transposed), LEAF(-1, 1, 3, 1, 1), LEAF(-1, 1, 3, 1, 2));
    CHECK(build_solve_lower, ARGS(transposed), LEAF(-1, 1, 2, 4, 4), LEAF(-1, 1, 2, 4, 3));
    CHECK(build_solve_twice, ARGS(transposed), LEAF(0.5, 1, 2, 3, 3));
  }
}

UNARY(gate)
static void gradcase_gate(void) {
  CHECK(build_gate, NULL, LEAF(-2, 2, 3, 2, 10));
  CHECK(build_gate, NULL, LEAF(-2, 2, 2));
}

BUILD(layer_norm,
      ssk_layer_norm(tape, x[0], a[0] != 0 ? x[1] : NULL, a[1] != 0 ? x[1 + (a[0] != 0)] : NULL))
static void gradcase_layer_norm(void) {
  CHECK(build_layer_norm, ARGS(1, 1), LEAF(-1, 1, 3, 2, 5), LEAF(0.5, 1, 5), LEAF(-1, 1, 5));
  CHECK(build_layer_norm, ARGS(0, 0), LEAF(-1, 1, 4, 17));
  CHECK(build_layer_norm, ARGS(0, 1), LEAF(-1, 1, 2, 3), LEAF(-1, 1, 3));
}

/* a[0]: activation; a[1]: with rows to repeat */
static const int film_index[6] = {2, 0, 1, 1, 2, 2};
BUILD(film, ssk_film(tape, x[0], x[1], a[1] != 0 ? x[2] : NULL, film_index, 1, (enum ssk_act)a[0]))
static void gradcase_film(void) {
  CHECK(build_film, ARGS(SSK_LINEAR, 0), LEAF(-1, 1, 6, 3), LEAF(-1, 1, 3, 7));
  CHECK(build_film, ARGS(SSK_SILU, 1), LEAF(-1, 1, 6, 3), LEAF(-1, 1, 3, 8), LEAF(-1, 1, 2, 3));
  CHECK(build_film, ARGS(SSK_TANH, 1), LEAF(-1, 1, 6, 1), LEAF(-1, 1, 3, 3), LEAF(-1, 1, 6, 1));
}

/* a[0]: first column of side; a[1]: with side; a[2]: with a residual path */
static ssk_tensor *gated_of(ssk_tape *tape, ssk_tensor *const *x, const double *a) {
  const bool residual = a[2] != 0;
  const struct ssk_gated_layers layers = {.W = x[1],
                                          .b = x[2],
                                          .S = x[3],
                                          .s = x[4],
                                          .R = residual ? x[6] : NULL,
                                          .r = residual ? x[7] : NULL};
  return ssk_gated_residual(tape, &layers, x[0], a[1] != 0 ? x[8] : NULL, (int)a[0], x[5],
                            (ssk_real)0.75);
}
BUILD(gated, gated_of(tape, x, a))
static void gradcase_gated_residual(void) {
  CHECK(build_gated, ARGS(0, 0, 1), LEAF(-1, 1, 2, 3, 3), LEAF(-1, 1, 3, 4), LEAF(-1, 1, 4),
        LEAF(-1, 1, 2, 5), LEAF(-1, 1, 5), LEAF(-1, 1, 1, 6, 5), LEAF(-1, 1, 2, 5), LEAF(-1, 1, 5));
  CHECK(build_gated, ARGS(1, 1, 1), LEAF(-1, 1, 6, 2), LEAF(-1, 1, 2, 4), LEAF(-1, 1, 4),
        LEAF(-1, 1, 2, 2), LEAF(-1, 1, 2), LEAF(-1, 1, 2, 6, 2), LEAF(-1, 1, 2, 2), LEAF(-1, 1, 2),
        LEAF(-1, 1, 3, 6));
  CHECK(build_gated, ARGS(0, 0, 0), LEAF(-1, 1, 6, 2), LEAF(-1, 1, 2, 4), LEAF(-1, 1, 4),
        LEAF(-1, 1, 2, 3), LEAF(-1, 1, 3), LEAF(-1, 1, 2, 6, 3));
}

BUILD(weighted_sum, ssk_weighted_sum(tape, x[0], x[1], x[2]))
static void gradcase_weighted_sum(void) {
  CHECK(build_weighted_sum, ARGS(0), LEAF(-1, 1, 3, 5, 2), LEAF(-1, 1, 3, 2), LEAF(-1, 1, 2));
  CHECK(build_weighted_sum, ARGS(0), LEAF(-1, 1, 1, 4, 9), LEAF(-1, 1, 1, 9), LEAF(-1, 1, 9));
}

BUILD(gru, ssk_gru(tape, x[0], x[1], x[2], x[3], x[4], a[0] != 0 ? x[5] : NULL))
static void gradcase_gru(void) {
  CHECK(build_gru, ARGS(1), LEAF(-1, 1, 5, 3, 2), LEAF(-1, 1, 2, 12), LEAF(-1, 1, 4, 12),
        LEAF(-1, 1, 12), LEAF(-1, 1, 12), LEAF(-1, 1, 3, 4));
  CHECK(build_gru, ARGS(0), LEAF(-1, 1, 4, 2, 3), LEAF(-1, 1, 3, 9), LEAF(-1, 1, 3, 9),
        LEAF(-1, 1, 9), LEAF(-1, 1, 9));
  CHECK(build_gru, ARGS(0), LEAF(-1, 1, 1, 1, 1), LEAF(-1, 1, 1, 3), LEAF(-1, 1, 1, 3),
        LEAF(-1, 1, 3), LEAF(-1, 1, 3));
}

/* a[0]: dilation; a[1]: causal; a[2]: with bias */
BUILD(conv, ssk_conv(tape, x[0], x[1], a[2] != 0 ? x[2] : NULL, (int)a[0], a[1] != 0))
BUILD(conv_depthwise,
      ssk_conv_depthwise(tape, x[0], x[1], a[2] != 0 ? x[2] : NULL, (int)a[0], a[1] != 0))
static void gradcase_conv(void) {
  for (int causal = 0; causal < 2; causal++)
    for (int dilation = 1; dilation < 4; dilation++)
      CHECK(build_conv, ARGS(dilation, causal, 1), LEAF(-1, 1, 5, 2, 3), LEAF(-1, 1, 3, 3, 2),
            LEAF(-1, 1, 2));
  CHECK(build_conv, ARGS(1, 1, 0), LEAF(-1, 1, 7, 1, 1), LEAF(-1, 1, 2, 1, 1));
  CHECK(build_conv, ARGS(1, 0, 0), LEAF(-1, 1, 1, 2, 2), LEAF(-1, 1, 3, 2, 2));
}
/* a[0]: dilation; a[1]: causal */
BUILD(conv_separable, ssk_conv_separable(tape, x[0], x[1], x[2], x[3], x[4], (int)a[0], a[1] != 0))
static void gradcase_conv_separable(void) {
  for (int causal = 0; causal < 2; causal++)
    for (int dilation = 1; dilation < 4; dilation++)
      CHECK(build_conv_separable, ARGS(dilation, causal), LEAF(-1, 1, 4, 2, 3), LEAF(-1, 1, 3, 3),
            LEAF(-1, 1, 3), LEAF(-1, 1, 3, 3), LEAF(-1, 1, 3));
  CHECK(build_conv_separable, ARGS(1, 1), LEAF(-1, 1, 3, 1, 1), LEAF(-1, 1, 2, 1), LEAF(-1, 1, 1),
        LEAF(-1, 1, 1, 1), LEAF(-1, 1, 1));
}
static void gradcase_conv_depthwise(void) {
  for (int causal = 0; causal < 2; causal++)
    for (int dilation = 1; dilation < 4; dilation++)
      CHECK(build_conv_depthwise, ARGS(dilation, causal, 1), LEAF(-1, 1, 5, 2, 3),
            LEAF(-1, 1, 3, 3), LEAF(-1, 1, 3));
  CHECK(build_conv_depthwise, ARGS(1, 1, 0), LEAF(-1, 1, 1, 1, 1), LEAF(-1, 1, 2, 1));
}

BUILD(attention, ssk_attention(tape, x[0], x[1], x[2], (int)a[0], a[1] != 0))
BUILD(self_attention, ssk_attention(tape, x[0], x[0], x[0], (int)a[0], a[1] != 0))
static void gradcase_attention(void) {
  for (int causal = 0; causal < 2; causal++) {
    CHECK(build_attention, ARGS(2, causal), LEAF(-1, 1, 5, 3, 6), LEAF(-1, 1, 5, 3, 6),
          LEAF(-1, 1, 5, 3, 6));
    CHECK(build_attention, ARGS(1, causal), LEAF(-1, 1, 1, 2, 3), LEAF(-1, 1, 1, 2, 3),
          LEAF(-1, 1, 1, 2, 3));
    CHECK(build_self_attention, ARGS(3, causal), LEAF(-1, 1, 4, 2, 3));
    CHECK(build_self_attention, ARGS(1, causal), LEAF(-1, 1, 16, 1, 10));
  }
}

/* a: blocks, heads, causal */
static ssk_tensor *build_transformer(ssk_tape *tape, ssk_tensor *const *x, const void *arg) {
  const double *a = arg;
  struct ssk_transformer_block block[2];
  for (int i = 0; i < (int)a[0]; i++) {
    ssk_tensor *const *w = x + 1 + 16 * i;
    block[i] = (struct ssk_transformer_block){w[0], w[1], w[2],  w[3],  w[4],  w[5],  w[6],  w[7],
                                              w[8], w[9], w[10], w[11], w[12], w[13], w[14], w[15]};
  }
  return ssk_transformer_blocks(tape, x[0], (int)a[0], block, (int)a[1], a[2] != 0);
}
#define TRANSFORMER_LEAVES(C, H)                                                                   \
  LEAF(0.5, 1, C), LEAF(-1, 1, C), LEAF(-1, 1, C, C), LEAF(-1, 1, C), LEAF(-1, 1, C, C),           \
      LEAF(-1, 1, C), LEAF(-1, 1, C, C), LEAF(-1, 1, C), LEAF(-1, 1, C, C), LEAF(-1, 1, C),        \
      LEAF(0.5, 1, C), LEAF(-1, 1, C), LEAF(-1, 1, C, H), LEAF(-1, 1, H), LEAF(-1, 1, H, C),       \
      LEAF(-1, 1, C)
static void gradcase_transformer(void) {
  for (int causal = 0; causal < 2; causal++) {
    CHECK(build_transformer, ARGS(1, 2, causal), LEAF(-1, 1, 2, 3, 3, 4), TRANSFORMER_LEAVES(4, 3));
    CHECK(build_transformer, ARGS(2, 1, causal), LEAF(-1, 1, 5, 2, 5), TRANSFORMER_LEAVES(5, 6),
          TRANSFORMER_LEAVES(5, 6));
    CHECK(build_transformer, ARGS(1, 1, causal), LEAF(-1, 1, 1, 1, 3), TRANSFORMER_LEAVES(3, 2));
  }
}

/* ---- densities ------------------------------------------------------------------------------ */

BUILD(reparam, ssk_reparam(tape, (struct ssk_gaussian){x[0], x[1]}, x[2]))
static void gradcase_reparam(void) {
  CHECK(build_reparam, NULL, LEAF(-1, 1, 3, 5), LEAF(-2, 1, 3, 5), LEAF(-2, 2, 3, 5));
}

BUILD(gaussian_log_prob,
      ssk_gaussian_log_prob(tape, x[0], (struct ssk_gaussian){x[1], x[2]}, a[0] != 0 ? x[3] : NULL))
static void gradcase_gaussian_log_prob(void) {
  CHECK(build_gaussian_log_prob, ARGS(0), LEAF(-1, 1, 3, 5), LEAF(-1, 1, 3, 5), LEAF(-2, 1, 3, 5));
  CHECK(build_gaussian_log_prob, ARGS(1), LEAF(-1, 1, 3, 2, 1), LEAF(-1, 1, 3, 2, 1),
        LEAF(-2, 1, 3, 2, 1), LEAF(0, 1, 3, 2, 1));
}

BUILD(gaussian_kl,
      ssk_gaussian_kl(tape, (struct ssk_gaussian){x[0], x[1]}, (struct ssk_gaussian){x[2], x[3]}))
static void gradcase_gaussian_kl(void) {
  CHECK(build_gaussian_kl, NULL, LEAF(-1, 1, 3, 5), LEAF(-2, 1, 3, 5), LEAF(-1, 1, 3, 5),
        LEAF(-2, 1, 3, 5));
  CHECK(build_gaussian_kl, NULL, LEAF(-1, 1, 1), LEAF(-2, 1, 1), LEAF(-1, 1, 1), LEAF(-2, 1, 1));
}

BUILD(logvar, ssk_logvar(tape, x[0], (ssk_real)a[0], (ssk_real)a[1], (ssk_real)a[2]))
static void gradcase_logvar(void) {
  CHECK(build_logvar, ARGS(1e-3, -10, 10), LEAF(-6, 6, 3, 5));
  const double at_zero = log(log(2) + 1e-2); /* the kink, and entries on both sides of it */
  CHECK(build_logvar, ARGS(1e-2, at_zero, 10), {1, {31}, -2, 2, 0.01});
  CHECK(build_logvar, ARGS(1e-2, -10, at_zero), {1, {31}, -2, 2, 0.01});
}

BUILD(weighted_error, ssk_weighted_error(tape, x[0], x[1], NULL))
BUILD(weighted_error_constant,
      ssk_weighted_error(tape, x[0], x[1], ssk_const(tape, SSK_SHAPE(3), (ssk_real[]){1, 2, 3})))
static void gradcase_weighted_error(void) {
  CHECK(build_weighted_error, NULL, LEAF(-1, 1, 2, 3, 5), LEAF(-1, 1, 2, 3, 5));
  CHECK(build_weighted_error_constant, NULL, LEAF(-1, 1, 3, 1), LEAF(-1, 1, 3, 1));
}

/* ---- all of them ---------------------------------------------------------------------------- */

static const struct {
  const char *name;
  void (*check)(void);
} cases[SSK_OP_COUNT] = {
#define SSK_OP(name, least, most, rule, way_back) {#name, gradcase_##name},
#include "tensor/ops.def"
};

Test(ops, every_operation_goes_back_as_differences_say) {
  for (int i = 0; i < SSK_OP_COUNT; i++) {
    cr_expect_str_eq(cases[i].name, ssk_op_table[i].op.name);
#ifdef SSK_DOUBLE
    cases[i].check();
#endif
  }
}

#ifdef SSK_DOUBLE
/* The checker itself: a wrong gradient must not pass. *factor is right when it is 3. */
static double cube(const ssk_real *x, ssk_real *gradient, void *factor) {
  if (gradient)
    gradient[0] += *(const ssk_real *)factor * x[0] * x[0];
  return x[0] * x[0] * x[0];
}
Test(ops, the_gradient_check_sees_a_wrong_gradient) {
  char message[256];
  ssk_real x = 1, right = 3, wrong = 3.00001;
  cr_expect(gradcheck_function(cube, &right, 1, &x, message) <= GRADCHECK_TOLERANCE);
  cr_expect(gradcheck_function(cube, &wrong, 1, &x, message) > GRADCHECK_TOLERANCE);
}
#endif
