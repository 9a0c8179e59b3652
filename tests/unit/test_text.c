/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_text.c - growing strings, numbers as text, UTF-8, nearest names, hashes. */
#include "core/hash.h"
#include "core/text.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

Test(text, grows) {
  struct ssk_text text = {0};
  for (int i = 0; i < 1000; i++)
    ssk_text_printf(&text, "%d,", i % 10);
  ssk_text_add(&text, "end");
  cr_assert_not(text.failed);
  cr_assert_eq(text.length, 2003u);
  cr_assert_str_eq(text.data + 1990, "5,6,7,8,9,end");
  ssk_text_free(&text);
  cr_assert_null(text.data);
}

Test(text, writes_the_shortest_double_that_reads_back) {
  static const struct {
    double value;
    const char *text;
  } cases[] = {
      {0.1, "0.1"},      {1e-7, "1e-07"},   {128, "128"},        {1000, "1000"},
      {1e300, "1e+300"}, {-2.5, "-2.5"},    {-10, "-10"},        {0, "0"},
      {-0.0, "-0"},      {INFINITY, "inf"}, {-INFINITY, "-inf"}, {1.0 / 3, "0.3333333333333333"},
      {5e-324, "5e-324"}};
  char buffer[32];
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    cr_expect_str_eq(ssk_text_double(buffer, cases[i].value), cases[i].text);
    cr_expect_eq(strtod(buffer, NULL), cases[i].value);
  }
}

Test(text, reads_decimal_numbers_and_nothing_else) {
  static const char *const good[] = {"1", "-1.5", "+2", ".5", "5.", "1e3", "1E-3", "0.1e+2"};
  static const double values[] = {1, -1.5, 2, 0.5, 5, 1000, 1e-3, 10};
  static const char *const bad[] = {"",      "+",      ".",   "e3",    "1e",   "0x10", "1_000",
                                    "nan",   ".nan",   " 1",  "1 ",    "1.5f", "1,5",  "infinity",
                                    "1e999", "1e-999", "--1", "1.2.3", "i",    "-.i",  "1e3.5"};
  double value;
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
    cr_expect(ssk_text_read_double(good[i], &value), "%s", good[i]);
    cr_expect_eq(value, values[i], "%s", good[i]);
  }
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    cr_expect_not(ssk_text_read_double(bad[i], &value), "%s", bad[i]);
  cr_expect(ssk_text_read_double("-.inf", &value) && value == -INFINITY);
  cr_expect(ssk_text_read_double("inf", &value) && value == INFINITY);
}

Test(text, tells_text_from_bytes) {
  size_t bad = 99;
  cr_expect_eq(ssk_text_check("a\t\n\xc3\xa4\xe2\x82\xac\xf0\x9f\x99\x82", 12, &bad),
               SSK_TEXT_CLEAN);
  cr_expect_eq(bad, 99u);
  static const struct {
    const char *bytes;
    size_t size, bad;
    enum ssk_text_flaw flaw;
  } cases[] = {
      {"ab\0c", 4, 2, SSK_TEXT_CONTROL},         {"a\033", 2, 1, SSK_TEXT_CONTROL},
      {"\xc2\x85", 2, 0, SSK_TEXT_CONTROL},      {"\xe2\x80\xa8", 3, 0, SSK_TEXT_CONTROL},
      {"a\x7f", 2, 1, SSK_TEXT_CONTROL},         {"a\xff", 2, 1, SSK_TEXT_NOT_UTF8},
      {"\xc0\xaf", 2, 0, SSK_TEXT_NOT_UTF8},     {"\xe0\x80\xaf", 3, 0, SSK_TEXT_NOT_UTF8},
      {"\xed\xa0\x80", 3, 0, SSK_TEXT_NOT_UTF8}, {"\xf4\x90\x80\x80", 4, 0, SSK_TEXT_NOT_UTF8},
      {"ok\xe2\x82", 4, 2, SSK_TEXT_NOT_UTF8},   {"\x80", 1, 0, SSK_TEXT_NOT_UTF8}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    cr_expect_eq(ssk_text_check(cases[i].bytes, cases[i].size, &bad), cases[i].flaw, "case %zu", i);
    cr_expect_eq(bad, cases[i].bad, "case %zu", i);
  }
}

static const char *nearest(const char *wanted) {
  struct ssk_nearest search = {.wanted = wanted};
  ssk_nearest_offer(&search, "length");
  ssk_nearest_offer(&search, "levels");
  ssk_nearest_offer(&search, "gru");
  return search.best ? search.best : "";
}

Test(text, finds_the_nearest_name) {
  cr_expect_str_eq(nearest("lenght"), "length"); /* a swap of neighbours */
  cr_expect_str_eq(nearest("level"), "levels");
  cr_expect_str_eq(nearest("GRU"), "gru");
  cr_expect_str_eq(nearest("gr"), "gru");
  cr_expect_str_eq(nearest("Length (s)"), "length");
  cr_expect_str_eq(nearest("len"), "length"); /* its beginning */
  cr_expect_str_eq(nearest("gru_with_memory"), "gru");
  cr_expect_str_eq(nearest("transition"), "");
  cr_expect_str_eq(nearest("xyz"), "");
  char long_name[200];
  memset(long_name, 'l', sizeof long_name - 1);
  long_name[sizeof long_name - 1] = 0;
  cr_expect_str_eq(nearest(long_name), "");
}

Test(text, hashes_are_what_they_always_were) {
  cr_expect_eq(ssk_hash(0, "", 0), UINT64_C(0xefd01f60ba992926));
  cr_expect_eq(ssk_hash_text(0, NULL), ssk_hash(0, "", 0));
  cr_expect_eq(ssk_hash_text(7, "abc"), ssk_hash(7, "abc", 3));
  cr_expect_neq(ssk_hash_text(7, "abc"), ssk_hash_text(8, "abc"));
  cr_expect_neq(ssk_hash_text(ssk_hash_text(0, "ab"), "c"),
                ssk_hash_text(ssk_hash_text(0, "a"), "bc"));
}
