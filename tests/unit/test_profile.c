/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_profile.c - the profile of a tape: what it is booked on, and the arithmetic of products. */
#include "tensor/ops.h"
#include "tensor/profile.h"
#include <criterion/criterion.h>
#include <string.h>

static ssk_real memory[4096], gradient[4096];

/* A leaf that wants a gradient, or does not. */
static ssk_tensor *leaf(ssk_tape *tape, bool wants, int ndim, const int *shape) {
  return ssk_leaf(tape, ndim, shape, memory, wants ? gradient : NULL);
}

static const struct ssk_profile_row *find(const struct ssk_profile *profile, const char *scope,
                                          const char *name) {
  for (int i = 0; i < profile->n; i++) {
    const struct ssk_profile_key *key = &profile->rows[i].key;
    if (key->scope == scope && (name ? key->name && !strcmp(key->name, name) : !key->name))
      return &profile->rows[i];
  }
  return NULL;
}

/* Forward and back through what `y` was made by; what was booked on its operation. */
#define EXPECT_FLOPS(there, back, ...)                                                             \
  do {                                                                                             \
    struct ssk_profile profile = {0};                                                              \
    ssk_tape *tape = ssk_tape_new(NULL);                                                           \
    ssk_tape_profile(tape, &profile);                                                              \
    ssk_tensor *y = __VA_ARGS__;                                                                   \
    ssk_backward(tape, ssk_sum_all(tape, y), 1);                                                   \
    cr_assert_eq(ssk_tape_code(tape), SSK_OK);                                                     \
    double flops[SSK_WAYS] = {0};                                                                  \
    for (int i = 0; i < profile.n; i++)                                                            \
      for (int way = 0; way < SSK_WAYS; way++)                                                     \
        flops[way] += profile.rows[i].way[way].flops;                                              \
    cr_expect_eq(flops[SSK_FORWARD], there, "%s: %g forward", #__VA_ARGS__, flops[SSK_FORWARD]);   \
    cr_expect_eq(flops[SSK_BACKWARD], back, "%s: %g back", #__VA_ARGS__, flops[SSK_BACKWARD]);     \
    ssk_tape_free(tape);                                                                           \
    ssk_profile_free(&profile);                                                                    \
  } while (0)

#define W(...) leaf(tape, true, SSK_SHAPE(__VA_ARGS__))
#define X(...) leaf(tape, false, SSK_SHAPE(__VA_ARGS__))

Test(profile, arithmetic_of_products) {
  const double linear = 2 * 7 * 3 * 5;
  EXPECT_FLOPS(linear, 2 * linear, ssk_linear(tape, W(7, 3), W(3, 5), W(5), SSK_TANH));
  EXPECT_FLOPS(linear, linear, ssk_linear(tape, X(7, 3), W(3, 5), W(5), SSK_LINEAR));
  const double bmm = 2 * 4 * 2 * 3 * 5;
  EXPECT_FLOPS(bmm, bmm, ssk_bmm(tape, W(4, 2, 3), X(1, 3, 5)));
  /* Three steps have two states before them, or three with a given first one. */
  const double in = 2 * 3 * 2 * 5 * 12, state = 2 * 2 * 4 * 12;
  EXPECT_FLOPS(in + 2 * state, in + 2 * state + 2 * state,
               ssk_gru(tape, X(3, 2, 5), W(5, 12), W(4, 12), W(12), W(12), NULL));
  EXPECT_FLOPS(in + 3 * state, 2 * in + 3 * state + 3 * state,
               ssk_gru(tape, W(3, 2, 5), W(5, 12), W(4, 12), W(12), W(12), W(2, 4)));
  /* The outer taps of a centred filter of three miss one of six positions each. */
  const double conv = 2 * (5 + 6 + 5) * 2 * 3 * 4;
  EXPECT_FLOPS(conv, 2 * conv, ssk_conv(tape, W(6, 2, 3), W(3, 3, 4), NULL, 1, false));
  const double depthwise = 2 * (4 + 5 + 6) * 2 * 3;
  EXPECT_FLOPS(depthwise, depthwise, ssk_conv_depthwise(tape, X(6, 2, 3), W(3, 3), NULL, 1, true));
  /* Two products forward, four back. */
  const double pairs = 2 * 25 * 2 * 6, causal = 2 * 15 * 2 * 6;
  EXPECT_FLOPS(2 * pairs, 4 * pairs,
               ssk_attention(tape, W(5, 2, 6), W(5, 2, 6), W(5, 2, 6), 2, false));
  EXPECT_FLOPS(2 * causal, causal,
               ssk_attention(tape, X(5, 2, 6), X(5, 2, 6), W(5, 2, 6), 2, true));
  EXPECT_FLOPS(0, 0, ssk_add(tape, W(5, 6), W(5, 6)));
  /* What is computed twice, once without recording, is needed once. */
  EXPECT_FLOPS(linear, linear,
               (ssk_tape_record(tape, false), ssk_linear(tape, X(7, 3), W(3, 5), NULL, SSK_TANH),
                ssk_tape_record(tape, true), ssk_linear(tape, X(7, 3), W(3, 5), NULL, SSK_TANH)));
}

Test(profile, rows_by_scope_and_operation) {
  static const char outer[] = "outer", inner[] = "inner";
  struct ssk_profile profile = {0};
  ssk_tape *tape = ssk_tape_new(NULL);
  ssk_tape_profile(tape, &profile);
  for (int pass = 1; pass <= 2; pass++) {
    ssk_profile_start(&profile);
    ssk_tape_reset(tape);
    ssk_tape_scope(tape, outer);
    ssk_tensor *y = ssk_square(tape, W(10));
    ssk_tape_scope(tape, inner);
    y = ssk_square(tape, ssk_square(tape, y));
    ssk_tape_scope(tape, outer);
    ssk_backward(tape, ssk_sum_all(tape, y), 1);
    const struct ssk_profile_row *of_outer = find(&profile, outer, "square");
    const struct ssk_profile_row *of_inner = find(&profile, inner, "square");
    cr_assert(of_outer && of_inner);
    cr_expect_eq(of_outer->way[SSK_FORWARD].calls, 1);
    cr_expect_eq(of_inner->way[SSK_FORWARD].calls, 2);
    cr_expect_eq(of_outer->way[SSK_BACKWARD].calls, 1);
    cr_expect_eq(of_inner->way[SSK_BACKWARD].calls, 2, "operations keep their scope");
    cr_expect_eq(of_outer->way[SSK_FORWARD].bytes, 20 * sizeof(ssk_real));
    cr_expect(find(&profile, outer, NULL), "code between operations has a row");
    cr_expect(!find(&profile, NULL, "square"));
  }
  const int rows = profile.n;
  ssk_tape_profile(tape, NULL);
  ssk_square(tape, W(11));
  cr_expect_eq(profile.n, rows, "a detached profile is left alone");
  ssk_tape_free(tape);
  ssk_profile_free(&profile);
}

Test(profile, many_rows_are_found_again) {
  enum { n = 1000 };
  struct ssk_profile profile = {0};
  ssk_tape *tape = ssk_tape_new(NULL);
  ssk_tape_profile(tape, &profile);
  for (int pass = 0; pass < 2; pass++)
    for (int i = 1; i <= n; i++)
      ssk_square(tape, W(i));
  int found = 0;
  for (int i = 0; i < profile.n; i++)
    found += profile.rows[i].key.name && profile.rows[i].way[SSK_FORWARD].calls == 2;
  cr_expect_eq(found, n);
  ssk_tape_free(tape);
  ssk_profile_free(&profile);
}
