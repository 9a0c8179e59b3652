/* SPDX-License-Identifier: GPL-3.0-or-later */
/* planted_leak.c - faults that Criterion lets pass: the proof that tests/support/run-tests sees them.
 *
 * Every assertion here holds. tests/cli/planted_leak.sh runs the tests one by one through the wrapper,
 * which must pass the sound one and fail the others. */
#include <criterion/criterion.h>
#include <limits.h>
#include <stdlib.h>

/* Volatile, so that the compiler can neither keep the only pointer nor drop the allocation. */
static void *volatile block;
static volatile int largest = INT_MAX;

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
  volatile char *bytes = malloc(16);
  cr_assert(bytes != NULL);
  block = (void *)bytes;
  char beyond = bytes[16 + (largest == 0)];
  cr_assert(beyond == beyond);
  free(block);
}

Test(planted, overflow) {
  int sum = largest;
  sum += (largest > 0);
  cr_assert(sum != 0);
}
