/* SPDX-License-Identifier: GPL-3.0-or-later */
/* planted_leak.c - faults that assertions do not show: the proof that tests/support/run-tests does.
 *
 * Every assertion here holds. tests/cli/planted_leak.sh runs the tests one by one through the
 * wrapper, which must pass the sound one and fail the others. */
#include <criterion/criterion.h>
#include <limits.h>
#include <stdlib.h>

/* Volatile, so that the compiler neither sees the faults nor removes them. */
static void *volatile block;
static volatile int largest = INT_MAX, end = 16;

Test(planted, sound) {
  block = malloc(16);
  cr_assert(block != NULL);
  free(block);
}

Test(planted, leak) {
  block = malloc(16);
  cr_assert(block != NULL);
  block = NULL;
}

Test(planted, overread) {
  block = malloc(16);
  cr_assert(block != NULL);
  volatile char *bytes = block;
  cr_assert(bytes[end] <= CHAR_MAX);
  free(block);
}

Test(planted, overflow) {
  int sum = largest;
  sum += (largest > 0);
  cr_assert(sum != 0);
}
