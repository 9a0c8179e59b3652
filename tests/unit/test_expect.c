/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_expect.c - expectations in recipes: what is read, what is refused, what is met. */
#include "report/verdict.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(expect);

static char folder[] = "/tmp/expect.XXXXXX";
static char path[64];

static void write_recipe(const char *text) {
  if (!strchr(path, '/')) {
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/r.yaml", folder);
  }
  FILE *file = fopen(path, "w");
  cr_assert_not_null(file);
  fputs(text, file);
  fclose(file);
}

static void clean(void) {
  unlink(path);
  rmdir(folder);
}

static const char both[] =
    "name: x\n"
    "expect:\n"
    "  - {metric: crps, definition: crps, value: 2, tolerance: 0.1, source: here}\n"
    "  - {row: a, metric: elbo, definition: elbo, value: -3, tolerance: 0, sense: at_least, "
    "source: there}\n"
    "quick:\n"
    "  set: [training.steps=3]\n"
    "  expect:\n"
    "    - {metric: crps, definition: crps, value: 4, tolerance: 1, source: quick}\n";

Test(expect, both_versions, .fini = clean) {
  struct ssk_expectations e;
  write_recipe(both);
  cr_assert_eq(ssk_expectations_load(path, false, &e, NULL), SSK_OK);
  cr_assert_eq(e.n, 2);
  cr_expect_str_eq(e.items[0].row, "");
  cr_expect_eq(e.items[1].sense, SSK_EXPECT_AT_LEAST);
  cr_expect_eq(e.items[1].value, -3);
  cr_expect_eq(e.set.n, 0);
  ssk_expectations_free(&e);
  cr_assert_eq(ssk_expectations_load(path, true, &e, NULL), SSK_OK);
  cr_assert_eq(e.n, 1);
  cr_expect_eq(e.items[0].value, 4);
  cr_assert_eq(e.set.n, 1);
  cr_expect_str_eq(e.set.items[0], "training.steps=3");
  ssk_expectations_free(&e);
}

static void refuse(const char *text, bool quick, const char *message) {
  struct ssk_expectations e;
  ssk_err *err = ssk_err_new();
  write_recipe(text);
  cr_expect_eq(ssk_expectations_load(path, quick, &e, err), SSK_ERECIPE);
  cr_expect_not_null(strstr(ssk_err_message(err, 0), message), "%s", ssk_err_message(err, 0));
  ssk_expectations_free(&e);
  ssk_err_free(err);
}

Test(expect, what_is_wrong_is_said, .fini = clean) {
  refuse("name: x\n", false, "has no 'expect'");
  refuse("expect: 3\n", false, "must be a list");
  refuse("expect: [crps]\n", false, "is a map of metric");
  refuse("expect:\n  - {metric: crps, value: 1, tolerance: 1, source: s}\n", false, "definition");
  refuse("expect:\n  - {metrc: crps, definition: crps, value: 1, tolerance: 1, source: s}\n", false,
         "metrc");
  refuse("quick: {set: [a.b=1]}\n", true, "needs expectations of its own");
}

Test(expect, senses) {
  struct ssk_expect e = {.value = 2, .tolerance = 0.5};
  cr_expect(ssk_expect_met(&e, 1.5) && ssk_expect_met(&e, 2.5));
  cr_expect(!ssk_expect_met(&e, 1.4) && !ssk_expect_met(&e, 2.6) && !ssk_expect_met(&e, NAN));
  e.sense = SSK_EXPECT_AT_MOST;
  cr_expect(ssk_expect_met(&e, -9) && ssk_expect_met(&e, 2.5));
  cr_expect(!ssk_expect_met(&e, 2.6) && !ssk_expect_met(&e, NAN));
  e.sense = SSK_EXPECT_AT_LEAST;
  cr_expect(ssk_expect_met(&e, 9) && !ssk_expect_met(&e, 1.4) && !ssk_expect_met(&e, NAN));
}

/* A table of two rows and one metric, held against one expectation. */
static int judge(const char *row, const char *metric, const char *definition, double value,
                 int *failed, ssk_err *err) {
  static char first[] = "a", second[] = "b";
  struct ssk_metric_column column = {.name = "crps", .id = "crps"};
  struct ssk_table_cell cells[2] = {{.value = {1, 0.1, 9}}, {.value = {3, 0.1, 9}}};
  struct ssk_table_row rows[2] = {{.name = first, .cells = &cells[0]},
                                  {.name = second, .cells = &cells[1]}};
  struct ssk_expect expect = {
      .row = row, .metric = metric, .definition = definition, .value = value, .tolerance = 0.01};
  const struct ssk_expectations expected = {.n = 1, .items = &expect};
  const struct ssk_table table = {.n_columns = 1, .n_rows = 2, .columns = &column, .rows = rows};
  struct ssk_found found;
  ssk_err_clear(err);
  int code = ssk_expectations_judge(&expected, &table, &found, failed, err);
  if (!code)
    cr_expect_eq(found.value.mean, *row == 'a' ? 1 : 3);
  return code;
}

Test(expect, verdicts) {
  ssk_err *err = ssk_err_new();
  int failed;
  cr_expect_eq(judge("b", "crps", "crps", 3, &failed, err), SSK_OK);
  cr_expect_eq(failed, 0);
  cr_expect_eq(judge("a", "crps", "crps", 3, &failed, err), SSK_OK);
  cr_expect_eq(failed, 1);
  cr_expect_eq(judge("b", "crps", "crps_quantile(levels=9)", 3, &failed, err), SSK_ERECIPE);
  cr_expect_str_eq(ssk_err_message(err, 0),
                   "crps is another figure than the one expected, crps_quantile(levels=9)");
  cr_expect_eq(judge("c", "crps", "crps", 3, &failed, err), SSK_ERECIPE);
  cr_expect_str_eq(ssk_err_message(err, 0), "the table has no row 'c'");
  cr_expect_eq(judge("b", "crsp", "crps", 3, &failed, err), SSK_ERECIPE);
  cr_expect_str_eq(ssk_err_message(err, 0), "the table has no metric 'crsp'");
  cr_expect_eq(judge("", "crps", "crps", 3, &failed, err), SSK_ERECIPE);
  cr_expect_str_eq(ssk_err_message(err, 0), "the table has several rows: name one");
  ssk_err_free(err);
}
