/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_err.c - diagnostics: their form, their limit, and that they copy what they keep. */
#include "core/err_place.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static char printed[8192];

static const char *print(const ssk_err *err, bool colour) {
  FILE *stream = fmemopen(printed, sizeof printed, "w");
  ssk_err_print(err, stream, colour);
  fclose(stream);
  return printed;
}

Test(err, prints_place_excerpt_caret_and_hint) {
  ssk_err *err = ssk_err_new();
  char line[] = "      lenght: 32", file[] = "recipes/a.yaml";
  struct ssk_pos pos = {.file = file, .line = 14, .column = 7, .width = 6, .line_text = line};
  cr_assert_eq(ssk_err_at(err, SSK_ERECIPE, &pos, "unknown key '%s'", "lenght"), SSK_ERECIPE);
  ssk_err_hint(err, "did you mean '%s'?", "length");
  memset(line, 'x', sizeof line - 1); /* what the diagnostic kept is its own */
  memset(file, 'x', sizeof file - 1);
  cr_assert_str_eq(print(err, false), "recipes/a.yaml:14:7: error: unknown key 'lenght'\n"
                                      "   14 |       lenght: 32\n"
                                      "      |       ^~~~~~\n"
                                      "      = hint: did you mean 'length'?\n");
  ssk_err_free(err);
}

Test(err, prints_without_place_and_with_the_file_only) {
  ssk_err *err = ssk_err_new();
  ssk_err_set(err, SSK_EIO, "disk is full");
  ssk_err_context(err, "saving %d", 7);
  ssk_err_at(err, SSK_ERECIPE, &(struct ssk_pos){.file = "a.yaml"}, "is empty");
  cr_assert_str_eq(print(err, false), "sskit: error: saving 7: disk is full\n"
                                      "a.yaml: error: is empty\n");
  cr_assert_eq(ssk_err_code(err), SSK_EIO);
  cr_assert_str_eq(ssk_err_message(err, 0), "saving 7: disk is full");
  cr_assert(strstr(print(err, true), "\033["));
  ssk_err_free(err);
}

Test(err, aligns_carets_below_tabs_and_characters_of_several_bytes) {
  ssk_err *err = ssk_err_new();
  struct ssk_pos pos = {.file = "f",
                        .line = 1,
                        .column = 5,
                        .width = 4,
                        .line_text = "\t\xc3\xa4 d\xc3\xbc"
                                     "e"};
  ssk_err_at(err, SSK_ERECIPE, &pos, "bad");
  cr_assert_str_eq(print(err, false), "f:1:5: error: bad\n"
                                      "    1 | \t\xc3\xa4 d\xc3\xbc"
                                      "e\n"
                                      "      | \t  ^~~\n");
  ssk_err_free(err);
}

Test(err, cuts_long_lines_and_masks_control_characters) {
  ssk_err *err = ssk_err_new();
  char *line = malloc(100001);
  memset(line, 'a', 100000);
  line[100000] = 0;
  line[50000] = '\033';
  struct ssk_pos pos = {.file = "f", .line = 3, .column = 50001, .width = 99999, .line_text = line};
  ssk_err_at(err, SSK_ERECIPE, &pos, "escape \033[31m in\na line");
  free(line);
  print(err, false);
  cr_assert(strstr(printed, "error: escape ?[31m in a line\n"));
  cr_assert_not(strchr(printed, '\033'));
  cr_assert_lt(strlen(printed), 300u);
  /* the caret stands under the place */
  const char *caret = strchr(printed, '^'), *mark = strrchr(printed, '?');
  const char *caret_line = strrchr(printed, '|'), *mark_line = strchr(printed, '|');
  cr_assert_eq(caret - caret_line, mark - mark_line);
  ssk_err_free(err);
}

Test(err, keeps_twenty_and_counts_the_rest) {
  ssk_err *err = ssk_err_new();
  for (int i = 0; i < 25; i++) {
    ssk_err_set(err, i == 0 ? SSK_EDATA : SSK_EIO, "number %d", i);
    ssk_err_hint(err, "hint %d", i);
  }
  cr_assert_eq(ssk_err_count(err), 25);
  cr_assert_eq(ssk_err_code(err), SSK_EDATA);
  cr_assert_str_eq(ssk_err_message(err, 19), "number 19");
  cr_assert_str_eq(ssk_err_message(err, 20), "");
  print(err, false);
  cr_assert(strstr(printed, "hint: hint 19\n... and 5 more\n"));
  cr_assert_null(strstr(printed, "number 20"));
  ssk_err_clear(err);
  cr_assert_eq(ssk_err_count(err), 0);
  cr_assert_eq(ssk_err_code(err), SSK_OK);
  ssk_err_free(err);
}

Test(err, places_only_what_has_no_place) {
  ssk_err *err = ssk_err_new();
  ssk_err_set(err, SSK_EPLUGIN, "before");
  int before = ssk_err_count(err);
  ssk_err_set(err, SSK_EPLUGIN, "without");
  ssk_err_at(err, SSK_EPLUGIN, &(struct ssk_pos){.file = "other"}, "with");
  ssk_err_place(err, before, &(struct ssk_pos){.file = "f", .line = 2, .column = 1});
  cr_assert_str_eq(print(err, false), "sskit: error: before\n"
                                      "f:2:1: error: without\n"
                                      "other: error: with\n");
  ssk_err_free(err);
}

Test(err, passes_on_what_is_new) {
  ssk_err *err = ssk_err_new(), *from = ssk_err_new();
  const struct ssk_pos pos = {
      .file = "a.yaml", .line = 2, .column = 3, .width = 4, .line_text = "a: bcde"};
  const struct ssk_pos other = {
      .file = "a.yaml", .line = 3, .column = 1, .width = 1, .line_text = "x"};
  ssk_err_at(from, SSK_ERECIPE, &pos, "unknown key");
  ssk_err_hint(from, "did you mean 'b'?");
  ssk_err_at(from, SSK_ERECIPE, &other, "unknown key");
  ssk_err_set(from, SSK_EDATA, "no series");
  cr_expect(ssk_err_pass_on(err, from, 0));
  ssk_err_context(err, "row 'a'");
  cr_expect_not(ssk_err_pass_on(err, from, 0), "the same in another row");
  cr_expect(ssk_err_pass_on(err, from, 1), "the same words at another place");
  cr_expect(ssk_err_pass_on(err, from, 2));
  ssk_err_context(err, "row 'a'");
  ssk_err_place(err, 2, &other);
  cr_expect_not(ssk_err_pass_on(err, from, 2), "what had no place got one");
  cr_expect_not(ssk_err_pass_on(err, from, 3), "there is no such");
  ssk_err_free(from); /* what was passed on is a copy */
  cr_assert_str_eq(print(err, false), "a.yaml:2:3: error: row 'a': unknown key\n"
                                      "    2 | a: bcde\n"
                                      "      |   ^~~~\n"
                                      "      = hint: did you mean 'b'?\n"
                                      "a.yaml:3:1: error: unknown key\n"
                                      "    3 | x\n"
                                      "      | ^\n"
                                      "a.yaml:3:1: error: row 'a': no series\n"
                                      "    3 | x\n"
                                      "      | ^\n");
  ssk_err_free(err);
}

Test(err, no_collection_passes_codes_through) {
  cr_assert_eq(ssk_err_set(NULL, SSK_EDATA, "lost"), SSK_EDATA);
  ssk_err_hint(NULL, "lost");
  ssk_err_context(NULL, "lost");
  ssk_err_place(NULL, 0, &(struct ssk_pos){.file = "f"});
  cr_assert_eq(ssk_err_count(NULL), 0);
  cr_assert_eq(ssk_err_code(NULL), SSK_OK);
}
