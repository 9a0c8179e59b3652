/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_lazy_library.c - libraries that are loaded where they are needed. */
#include "core/lazy_library.h"
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#define LIBM(F) F(cos) F(ldexp)
static struct { LIBM(SSK_LAZY_MEMBER) } libm;
#define ENTRY(name) SSK_LAZY_ENTRY(libm, name)
static const struct ssk_lazy_function functions[] = {LIBM(ENTRY)};

Test(lazy_library, has_the_functions_that_were_asked_for) {
  for (int times = 0; times < 2; times++)
    cr_assert_eq(ssk_lazy_library("libm.so.6", 2, functions, NULL), SSK_OK);
  cr_expect_eq(libm.cos(0), 1);
  cr_expect_eq(libm.ldexp(3, 2), 12);
}

static void expect_refused(const char *soname, const char *name, const char *said) {
  void *pointer = NULL;
  const struct ssk_lazy_function function = {name, &pointer};
  ssk_err *err = ssk_err_new();
  cr_expect_eq(ssk_lazy_library(soname, 1, &function, err), SSK_EIO);
  cr_expect(strstr(ssk_err_message(err, 0), said), "%s", ssk_err_message(err, 0));
  cr_expect_null(pointer);
  ssk_err_free(err);
}

Test(lazy_library, says_what_is_not_there) {
  expect_refused("libnowhere.so.7", "cos", "libnowhere.so.7");
  expect_refused("libm.so.6", "cosine", "library libm.so.6 has no cosine");
}
