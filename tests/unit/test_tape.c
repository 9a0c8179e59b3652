/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_tape.c - the arena and the tape: memory, views, recording, errors, the reverse pass. */
#include "core/arena.h"
#include <criterion/criterion.h>
#include <math.h>
#include <sskit/tape.h>
#include <stdint.h>
#include <string.h>

static ssk_err *err;
static ssk_tape *tape;

static void open_tape(void) {
  err = ssk_err_new();
  tape = ssk_tape_new(err);
}
static void close_tape(void) {
  ssk_tape_free(tape);
  ssk_err_free(err);
}
TestSuite(tape, .init = open_tape, .fini = close_tape);

Test(arena, blocks_are_aligned_apart_and_reused) {
  struct ssk_arena arena = {0};
  unsigned char *block[300];
  for (int pass = 0; pass < 2; pass++) {
    for (size_t i = 0; i < 300; i++) {
      unsigned char *p = ssk_arena_alloc(&arena, 7 * i);
      cr_assert_eq((uintptr_t)p % 64, 0);
      memset(p, (int)(i % 251), 7 * i);
      cr_expect(pass == 0 || p == block[i], "block %zu moved after a reset", i);
      block[i] = p;
    }
    for (size_t i = 1; i < 300; i++)
      cr_expect(block[i][0] == i % 251 && block[i][7 * i - 1] == i % 251, "block %zu was changed",
                i);
    ssk_arena_reset(&arena);
  }
  ssk_arena_free(&arena);
}

Test(arena, rewinding_frees_what_came_after_a_mark) {
  struct ssk_arena arena = {0};
  char *kept = ssk_arena_printf(&arena, "%d of %s", 3, "five");
  size_t mark = ssk_arena_mark(&arena), peak = 0;
  void *first = NULL;
  for (int round = 0; round < 50; round++) {
    void *p = ssk_arena_zalloc(&arena, 100);
    cr_expect(round == 0 || p == first);
    first = p;
    /* Large blocks: over several chunks, and in a different order each round. */
    for (size_t i = 0; i < 5; i++)
      cr_assert_not_null(ssk_arena_alloc(&arena, (i + 1) * (size_t)(round % 3 + 1) * 50000));
    peak = arena.peak;
    ssk_arena_rewind(&arena, mark);
    cr_expect_eq(ssk_arena_mark(&arena), mark);
  }
  cr_expect(peak <= mark + 128 + 15 * 150000 + 5 * 64, "peak %zu", peak);
  cr_expect_str_eq(kept, "3 of five");
  cr_expect_null(ssk_arena_alloc(&arena, SIZE_MAX - 10));
  ssk_arena_free(&arena);
}

Test(tape, gradients_add_over_all_uses_and_into_the_leaf) {
  ssk_real w[2] = {2, 3}, g[2] = {10, 20};
  ssk_tensor *x = ssk_leaf(tape, SSK_SHAPE(2), w, g);
  /* loss = sum(x * x) + sum(x): x used three times */
  ssk_tensor *loss = ssk_add(tape, ssk_sum_all(tape, ssk_mul(tape, x, x)), ssk_sum_all(tape, x));
  cr_expect_eq(loss->data[0], 18);
  cr_expect_eq(ssk_backward(tape, loss, 2), SSK_OK);
  cr_expect_eq(g[0], 10 + 2 * (2 * 2 + 1));
  cr_expect_eq(g[1], 20 + 2 * (2 * 3 + 1));
  cr_expect_eq(ssk_backward(tape, loss, 1), SSK_EUSAGE, "twice without a reset");
}

Test(tape, views_share_data_and_gradient_with_their_base) {
  ssk_real w[6] = {1, 2, 3, 4, 5, 6}, g[6] = {0};
  ssk_tensor *x = ssk_leaf(tape, SSK_SHAPE(3, 2), w, g);
  ssk_tensor *y = ssk_affine(tape, x, 1, 0);
  ssk_tensor *row = ssk_rows(tape, ssk_reshape(tape, y, SSK_SHAPE(6, 1)), 2, 2); /* 3, 4 */
  cr_expect_eq(row->data, y->data + 2);
  cr_expect_eq(row->base, y);
  size_t before = ssk_tape_length(tape);
  ssk_tensor *stopped = ssk_stop(tape, row);
  cr_expect_eq(ssk_tape_length(tape), before, "views need no node");
  /* the row, times itself without a gradient, and the whole */
  ssk_tensor *loss = ssk_add(tape, ssk_sum_all(tape, ssk_mul(tape, row, stopped)),
                             ssk_sum_all(tape, ssk_rows(tape, x, 0, 2)));
  ssk_backward(tape, ssk_reshape(tape, loss, SSK_SHAPE(1, 1)), 1);
  const ssk_real expected[6] = {1, 1, 1 + 3, 1 + 4, 0, 0};
  cr_expect_arr_eq(g, expected, sizeof g);
  cr_expect_null(stopped->grad);
}

Test(tape, records_only_what_leads_to_a_gradient) {
  ssk_real w[4] = {1, 2, 3, 4}, g[4] = {0};
  ssk_tensor *constant = ssk_full(tape, SSK_SHAPE(4), 2);
  ssk_exp(tape, constant);
  cr_expect_eq(ssk_tape_length(tape), 0);
  ssk_tensor *leaf = ssk_leaf(tape, SSK_SHAPE(4), w, g);
  ssk_tensor *without = ssk_leaf(tape, SSK_SHAPE(4), w, NULL);
  cr_expect(leaf->needs_grad && !without->needs_grad);
  cr_expect(ssk_tape_record(tape, false));
  size_t mark = ssk_tape_mark(tape);
  ssk_tensor *y = ssk_exp(tape, leaf);
  cr_expect(!y->needs_grad && ssk_tape_length(tape) == 0);
  ssk_tape_rewind(tape, mark);
  cr_expect_eq(ssk_exp(tape, leaf), y, "the memory is used again");
  cr_expect(!ssk_tape_record(tape, true));
  ssk_tensor *z = ssk_mul(tape, constant, leaf);
  cr_expect(z->needs_grad && ssk_tape_length(tape) == 1);
  cr_expect_eq(ssk_backward(tape, ssk_sum_all(tape, z), 1), SSK_OK);
  cr_expect_eq(g[3], 2);
  cr_expect_null(constant->grad);
}

Test(tape, goes_back_from_many_results_and_again_after_a_rewind) {
  ssk_real w[3] = {1, 2, 3}, g[3] = {0};
  ssk_tensor *x = ssk_leaf(tape, SSK_SHAPE(3), w, g);
  size_t mark = ssk_tape_mark(tape);
  for (int round = 1; round <= 3; round++) {
    ssk_tensor *square = ssk_mul(tape, x, x), *constant = ssk_full(tape, SSK_SHAPE(3), 1);
    ssk_tensor *results[] = {square, ssk_rows(tape, square, 1, 1), constant};
    const ssk_real *seeds[] = {(ssk_real[]){1, 10, 100}, (ssk_real[]){1000}, NULL};
    cr_expect_eq(ssk_backward_from(tape, 3, results, seeds), SSK_OK);
    cr_expect_eq(g[0], round * 2 * 1);
    cr_expect_eq(g[1], round * 4 * 1010);
    cr_expect_eq(g[2], round * 6 * 100);
    cr_expect_null(constant->grad);
    ssk_tape_rewind(tape, mark);
    cr_expect_eq(ssk_tape_length(tape), 0);
  }
  size_t later = (ssk_square(tape, x), ssk_tape_mark(tape));
  cr_expect_eq(ssk_backward(tape, ssk_sum_all(tape, x), 1), SSK_OK);
  ssk_tape_rewind(tape, later);
  cr_expect_eq(ssk_backward(tape, ssk_sum_all(tape, x), 1), SSK_EUSAGE, "an operation is left");
}

Test(tape, the_first_error_sticks_until_the_reset) {
  ssk_tensor *a = ssk_full(tape, SSK_SHAPE(2, 3), 1), *b = ssk_full(tape, SSK_SHAPE(2), 1);
  ssk_tensor *bad = ssk_add(tape, a, b);
  cr_expect_eq(bad->count, 0);
  cr_expect_not_null(bad->data);
  cr_expect_eq(ssk_tape_code(tape), SSK_EUSAGE);
  cr_expect_str_eq(ssk_err_message(err, 0),
                   "operation 'add': shapes [2, 3] and [2] cannot be broadcast");
  cr_expect_eq(ssk_exp(tape, bad), bad);
  cr_expect_eq(ssk_stack(tape, 2, (ssk_tensor *[]){a, bad}), bad);
  cr_expect_eq(ssk_rows(tape, bad, 0, 1), bad);
  ssk_tape_fail(tape, SSK_EDATA, "not the first");
  cr_expect_eq(ssk_err_count(err), 1);
  cr_expect_eq(ssk_backward(tape, bad, 1), SSK_EUSAGE);
  ssk_tape_reset(tape);
  cr_expect_eq(ssk_tape_code(tape), SSK_OK);
}

/* What does not fit is said, and nothing is computed. */
static void expect_failure(ssk_tensor *result, const char *message) {
  cr_expect_eq(result->count, 0, "%s", message);
  cr_expect_str_eq(ssk_err_message(err, 0), message);
  ssk_err_clear(err);
  ssk_tape_reset(tape);
}
#define X(...) ssk_full(tape, SSK_SHAPE(__VA_ARGS__), 1)

Test(tape, misfits_name_the_operation_and_the_shapes) {
  expect_failure(ssk_linear(tape, X(4, 3), X(2, 5), NULL, SSK_LINEAR),
                 "operation 'linear': inputs of shape [4, 3] do not fit weights of shape [2, 5]");
  expect_failure(ssk_linear(tape, X(4, 3), NULL, NULL, SSK_LINEAR),
                 "operation 'linear': input 2 is missing");
  expect_failure(ssk_reshape(tape, X(4, 3), SSK_SHAPE(5)),
                 "cannot reshape [4, 3] to [5]: the counts differ");
  expect_failure(ssk_rows(tape, X(4, 3), 3, 2), "no rows [3, 5) in a tensor of shape [4, 3]");
  expect_failure(ssk_cols(tape, X(4, 3), -1, 2),
                 "operation 'cols': no columns [-1, 1) in a tensor of shape [4, 3]");
  expect_failure(ssk_empty(tape, SSK_SHAPE(4, 0)), "a tensor cannot have the shape [4, 0]");
  expect_failure(ssk_permute(tape, X(4, 3), (int[]){1, 1}),
                 "operation 'permute': [1, 1] is not a permutation of 2 axes");
  expect_failure(ssk_attention(tape, X(2, 2, 3), X(2, 2, 3), X(2, 2, 3), 2, true),
                 "operation 'attention': shape [2, 2, 3] is not [L, N, C] with C divisible by 2 "
                 "heads");
  expect_failure(ssk_conv(tape, X(2, 2, 3), X(2, 3, 1), NULL, 1, false),
                 "operation 'conv': a centred filter must have an odd length, not 2");
  expect_failure(ssk_gru(tape, X(2, 2, 3), X(3, 6), X(2, 5), X(6), X(6), NULL),
                 "operation 'gru': weights of shapes [3, 6] and [2, 5] do not fit");
  ssk_backward(tape, X(2), 1);
  expect_failure(ssk_exp(tape, X(2)), "the loss must be a scalar, not of shape [2]");
}

Test(tape, a_steady_state_allocates_nothing) {
  ssk_real w[64], g[64] = {0};
  for (int i = 0; i < 64; i++)
    w[i] = (ssk_real)i / 64;
  size_t peak = 0;
  for (int pass = 0; pass < 3; pass++) {
    ssk_tape_reset(tape);
    ssk_tensor *x = ssk_leaf(tape, SSK_SHAPE(8, 8), w, g);
    for (int i = 0; i < 100; i++)
      x = ssk_linear(tape, x, x, NULL, SSK_TANH);
    cr_expect_eq(ssk_backward(tape, ssk_mean_all(tape, x), 1), SSK_OK);
    cr_expect(pass == 0 || ssk_tape_peak(tape) == peak);
    peak = ssk_tape_peak(tape);
  }
}

/* An operation as a plugin brings it: x^3. */
static int cube_shape(struct ssk_call *call, int *ndim, int *shape) {
  *ndim = call->in[0]->ndim;
  memcpy(shape, call->in[0]->shape, sizeof call->in[0]->shape);
  return *ndim == 1 ? SSK_OK : SSK_EUSAGE;
}
static void cube_forward(struct ssk_call *call) {
  const ssk_real *x = call->in[0]->data, factor = *(const ssk_real *)call->attr;
  for (size_t i = 0; i < call->out->count; i++)
    call->out->data[i] = factor * x[i] * x[i] * x[i];
}
static void cube_backward(struct ssk_call *call) {
  const ssk_real *x = call->in[0]->data, factor = *(const ssk_real *)call->attr;
  for (size_t i = 0; i < call->out->count; i++)
    call->in[0]->grad[i] += 3 * factor * x[i] * x[i] * call->out->grad[i];
}

Test(tape, takes_operations_from_outside) {
  static const struct ssk_op cube = {.size = sizeof cube,
                                     .name = "cube",
                                     .shape = cube_shape,
                                     .forward = cube_forward,
                                     .backward = cube_backward};
  ssk_real w[2] = {2, 3}, g[2] = {0}, factor = 2;
  ssk_tensor *x = ssk_leaf(tape, SSK_SHAPE(2), w, g);
  ssk_tensor *y = ssk_apply(tape, &cube, 1, &x, &factor, sizeof factor);
  factor = 100; /* the attribute was copied */
  cr_expect_eq(y->data[1], 54);
  ssk_backward(tape, ssk_sum_all(tape, y), 1);
  cr_expect_eq(g[0], 24);
  cr_expect_eq(g[1], 54);
  ssk_tape_reset(tape);
  expect_failure(ssk_apply(tape, &cube, 1, (ssk_tensor *[]){X(2, 2)}, &factor, sizeof factor),
                 "operation 'cube': the inputs do not fit");
}
