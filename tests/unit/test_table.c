/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_table.c - the comparison table: its statistics, its order, and its four forms. */
#include "report/table.h"
#include "support/instances.h"
#include <jansson.h>
#include <math.h>

TestSuite(table);

Test(table, numbers_show_the_digits_that_their_error_allows) {
  char text[48];
  cr_expect_str_eq(ssk_table_number(text, 0.08123, 0.0021), "0.081 \u00b1 0.002");
  cr_expect_str_eq(ssk_table_number(text, 2.0612, 0.0096), "2.06 \u00b1 0.01");
  cr_expect_str_eq(ssk_table_number(text, 1234.5, 31), "1234 \u00b1 31");
  cr_expect_str_eq(ssk_table_number(text, -0.42871, 0.00004), "-0.42871 \u00b1 0.00004");
  cr_expect_str_eq(ssk_table_number(text, M_LN2, 3e-7), "0.693147");
  cr_expect_str_eq(ssk_table_number(text, M_LN2, NAN), "0.6931");
  cr_expect_str_eq(ssk_table_number(text, M_LN2, 0), "0.6931");
  cr_expect_str_eq(ssk_table_number(text, NAN, NAN), "-");
}

Test(table, means_leave_out_what_has_no_value) {
  const double values[] = {1, 9, NAN, 9, 3, 9, 5, 9};
  struct ssk_mean m = ssk_mean_of(values, 4, 2);
  cr_expect_eq(m.n, 3);
  cr_expect_float_eq(m.mean, 3, 1e-15);
  cr_expect_float_eq(m.se, 2 / sqrt(3), 1e-15);
  m = ssk_mean_of(values + 2, 1, 1);
  cr_expect(m.n == 0 && isnan(m.mean) && isnan(m.se));
}

/* Seeds' means 2 and 4: the mean of means, and their standard error. */
Test(table, several_seeds_are_averaged_by_seed) {
  const double first[] = {1, 3, NAN}, second[] = {4, 4, 4};
  const double *values[] = {first, second};
  struct ssk_mean m = ssk_mean_over_seeds((struct ssk_sample){2, 3, 1, values, NULL});
  cr_expect_eq(m.n, 2);
  cr_expect_float_eq(m.mean, 3, 1e-15);
  cr_expect_float_eq(m.se, 1, 1e-15);
}

/* The interval of the mean of 400 paired differences is that of the normal approximation, however
 * much the series differ among themselves. */
Test(table, paired_differences_see_through_what_series_share) {
  enum { N = 400 };
  double a[N], b[N];
  ssk_rng rng = ssk_rng_open(2, "test", "table", 0, 0);
  for (int i = 0; i < N; i++) {
    double shared = 50 * ssk_rng_normal(&rng);
    b[i] = shared + ssk_rng_normal(&rng);
    a[i] = shared + 0.5;
  }
  const double *rows[] = {a}, *reference[] = {b};
  struct ssk_difference d, again;
  struct ssk_sample row = {1, N, 1, rows, NULL}, other = {1, N, 1, reference, NULL};
  const struct ssk_difference_how how = {.resamples = 4000, .seed = 9};
  cr_assert_eq(ssk_paired_difference(row, other, &how, &d, NULL), SSK_OK);
  cr_expect_lt(fabs(d.mean - 0.5), 0.2);
  cr_expect_float_eq((d.high - d.low) / 2, 1.96 / sqrt(N), 0.012);
  cr_expect(d.low < d.mean && d.mean < d.high);
  cr_assert_eq(ssk_paired_difference(row, other, &how, &again, NULL), SSK_OK);
  cr_expect(again.low == d.low && again.high == d.high);
  row.series = N - 1; /* other series: not paired */
  cr_assert_eq(ssk_paired_difference(row, other, &how, &d, NULL), SSK_OK);
  cr_expect(isnan(d.mean));
}

Test(table, other_seeds_do_not_pair) {
  const double a[] = {1, 2}, b[] = {3, 4};
  const double *values[] = {a, b};
  const uint64_t one[] = {1, 2}, two[] = {1, 3};
  const struct ssk_difference_how how = {.resamples = 10, .seed = 1};
  struct ssk_sample row = {2, 2, 1, values, one}, other = {2, 2, 1, values, two};
  struct ssk_difference d;
  cr_assert_eq(ssk_paired_difference(row, other, &how, &d, NULL), SSK_OK);
  cr_expect(isnan(d.mean));
  other.seed = one;
  cr_assert_eq(ssk_paired_difference(row, other, &how, &d, NULL), SSK_OK);
  cr_expect_eq(d.mean, 0);
}

/* The seeds' spread is in the interval too: two seeds 10 apart. */
Test(table, paired_differences_resample_seeds) {
  const double low[] = {0, 0, 0}, high[] = {10, 10, 10}, zero[] = {0, 0, 0};
  const double *rows[] = {low, high}, *reference[] = {zero};
  struct ssk_difference d;
  const struct ssk_difference_how how = {.resamples = 500, .seed = 1};
  cr_assert_eq(ssk_paired_difference((struct ssk_sample){2, 3, 1, rows, NULL},
                                     (struct ssk_sample){1, 3, 1, reference, NULL}, &how, &d, NULL),
               SSK_OK);
  cr_expect_eq(d.mean, 5);
  cr_expect_eq(d.low, 0);
  cr_expect_eq(d.high, 10);
}

/* ---- the table
 * ----------------------------------------------------------------------------------- */

/* Columns crps (lower), elbo (higher), coverage (0.9); five series a row. */
static void add(struct ssk_table *table, const char *name, bool best_possible, double crps,
                double elbo, double coverage) {
  double values[15];
  for (int i = 0; i < 5; i++) {
    values[3 * i] = crps + 0.01 * i;
    values[3 * i + 1] = elbo - 0.1 * i;
    values[3 * i + 2] = coverage;
  }
  const char *reasons[3] = {[1] = isnan(elbo) ? "no bound" : NULL};
  struct ssk_evaluation e = {.n_series = 5,
                             .n_metrics = 3,
                             .columns = table->columns,
                             .values = values,
                             .reasons = reasons,
                             .evaluations = 7};
  cr_assert_eq(ssk_table_add(table, name, best_possible, 1, NULL, &e, NULL), SSK_OK);
}

static void make_table(struct kit *kit, struct ssk_instance **metrics, struct ssk_table *table) {
  kit_open(kit);
  metrics[0] = kit_make(kit, SSK_METRIC, "crps", "");
  metrics[1] = kit_make(kit, SSK_METRIC, "elbo", "");
  metrics[2] = kit_make(kit, SSK_METRIC, "coverage", "");
  struct ssk_evaluate_section section = {
      .split = SSK_TEST, .horizon = 1, .samples = 64, .metrics = {3, metrics}};
  cr_assert_eq(ssk_table_init(table, &section, NULL), SSK_OK);
  const struct ssk_difference_how how = {.resamples = 200, .seed = 1, .lags = -1};
  add(table, "dkf", false, 2.42, -1.5, 0.97);
  add(table, "ddssm", false, 2.11, -1.2, 0.88);
  add(table, "oracle", true, 2.06, -0.5, 0.9);
  add(table, "persistence", false, 4.02, NAN, 0);
  cr_assert_eq(ssk_table_finish(table, &how, NULL), SSK_OK);
}

Test(table, order_best_and_reference) {
  struct kit kit;
  struct ssk_instance *metrics[3];
  struct ssk_table table;
  make_table(&kit, metrics, &table);
  cr_expect_str_eq(table.rows[0].name, "oracle");
  cr_expect_str_eq(table.rows[1].name, "dkf");
  cr_expect_eq(table.reference, 1);
  for (int c = 0; c < 3; c++)
    for (int r = 0; r < 4; r++)
      cr_expect_eq(table.rows[r].cells[c].best, r == 2, "row %d, column %d", r, c);
  cr_expect_float_eq(table.rows[2].cells[0].difference.mean, 2.11 - 2.42, 1e-12);
  cr_expect(isnan(table.rows[1].cells[0].difference.mean));
  ssk_table_free(&table);
  kit_close(&kit);
}

/* The same metric over another horizon is another figure. */
Test(table, definitions_do_not_mix) {
  struct kit kit;
  struct ssk_instance *metrics[3];
  struct ssk_table table, other;
  make_table(&kit, metrics, &table);
  struct ssk_evaluate_section section = {
      .split = SSK_TEST, .horizon = 2, .samples = 64, .metrics = {3, metrics}};
  cr_assert_eq(ssk_table_init(&other, &section, NULL), SSK_OK);
  double values[3] = {1, 2, 3};
  struct ssk_evaluation e = {
      .n_series = 1, .n_metrics = 3, .columns = other.columns, .values = values};
  cr_expect_eq(ssk_table_add(&table, "longer", false, 1, NULL, &e, kit.err), SSK_EUSAGE);
  cr_expect_not_null(strstr(ssk_err_message(kit.err, 0), "'longer' defines crps otherwise"));
  cr_expect_eq(table.n_rows, 4);
  ssk_table_free(&other);
  ssk_table_free(&table);
  kit_close(&kit);
}

Test(table, settings_order_and_latex) {
  struct kit kit;
  struct ssk_instance *metrics[3];
  struct ssk_table table;
  struct ssk_text text = {0};
  const char *keys[] = {"model.d_z"};
  make_table(&kit, metrics, &table);
  cr_assert_eq(ssk_table_name_settings(&table, 1, keys, NULL), SSK_OK);
  for (int r = 0; r < table.n_rows; r++)
    cr_assert_eq(ssk_table_set(&table, r, 0, r ? "3" : NULL, NULL), SSK_OK);
  cr_assert_eq(ssk_table_sort(&table, "elbo", NULL), SSK_OK);
  static const char *const order[] = {"oracle", "ddssm", "dkf", "persistence"};
  for (int r = 0; r < 4; r++)
    cr_expect_str_eq(table.rows[r].name, order[r]);
  cr_expect_str_eq(table.rows[table.reference].name, "dkf", "the reference is the same row");
  cr_expect_eq(ssk_table_sort(&table, "elbow", kit.err), SSK_EUSAGE);
  ssk_table_latex(&table, &text);
  cr_expect_not_null(strstr(text.data, " & model.d\\_z & crps & elbo & coverage \\\\\n"), "%s",
                     text.data);
  cr_expect_not_null(strstr(text.data, "ddssm & 3 & $\\mathbf{2.130}\\pm 0.007$ & "), "%s",
                     text.data);
  cr_expect_not_null(strstr(text.data, "oracle & - & $2.080\\pm 0.007$ & "));
  ssk_text_free(&text);
  ssk_table_free(&table);
  kit_close(&kit);
}

/* Columns that lack the same are told together, and so are rows. */
Test(table, reasons_are_told_once) {
  static const char bound[] = "no bound", oracle[] = "no oracle";
  static const char *const lacks[3][4] = {
      {NULL, NULL, NULL, NULL}, {NULL, bound, bound, oracle}, {NULL, bound, bound, "no density"}};
  static char names[3][8] = {"a", "b", "c"};
  struct ssk_metric_column columns[4] = {
      {.name = "crps"}, {.name = "elbo"}, {.name = "iwae"}, {.name = "jsd"}};
  struct ssk_table_cell cells[3][4] = {{{.reason = NULL}}};
  struct ssk_table_row rows[3];
  for (int r = 0; r < 3; r++) {
    rows[r] = (struct ssk_table_row){.name = names[r], .cells = cells[r]};
    for (int c = 0; c < 4; c++)
      cells[r][c].reason = lacks[r][c];
  }
  const struct ssk_table table = {.n_columns = 4, .n_rows = 3, .columns = columns, .rows = rows};
  const struct ssk_table whole = {.n_columns = 1, .n_rows = 3, .columns = columns, .rows = rows};
  struct ssk_text text = {0}, none = {0};
  ssk_table_reasons(&table, &text);
  cr_expect_str_eq(text.data,
                   "elbo, iwae of b, c: no bound; jsd of b: no oracle, of c: no density");
  ssk_table_reasons(&whole, &none);
  cr_expect_eq(none.length, 0);
  ssk_text_free(&text);
}

static int widest_line(const char *text) {
  int widest = 0;
  for (int width = 0; *text; text++) {
    width = *text == '\n' ? 0 : width + (((unsigned char)*text & 0xC0) != 0x80);
    widest = width > widest ? width : widest;
  }
  return widest;
}

Test(table, forms) {
  struct kit kit;
  struct ssk_instance *metrics[3];
  struct ssk_table table;
  struct ssk_text text = {0}, markdown = {0}, latex = {0}, html = {0}, csv = {0}, json = {0};
  make_table(&kit, metrics, &table);
  ssk_table_latex(&table, &latex);
  ssk_table_page(&table, &html);
  ssk_table_text(&table, &text);
  ssk_table_markdown(&table, &markdown);
  ssk_table_csv(&table, &csv);
  ssk_table_json(&table, &json);
  static const char *const lines = "                      crps          elbo  coverage\n"
                                   "oracle       2.080 \u00b1 0.007  -0.70 \u00b1 0.07       0.9\n"
                                   "dkf          2.440 \u00b1 0.007  -1.70 \u00b1 0.07      0.97\n"
                                   "ddssm        2.130 \u00b1 0.007* -1.40 \u00b1 0.07*     0.88*\n"
                                   "persistence  4.040 \u00b1 0.007             -         0\n";
  cr_expect_eq(strncmp(text.data, lines, strlen(lines)), 0, "got:\n%s", text.data);
  cr_expect_leq(widest_line(text.data), 100);
  cr_expect_not_null(strstr(text.data, "oracle 7, dkf 7"));
  cr_expect_not_null(strstr(text.data, "coverage (1, best is 0.9)\n"));
  cr_expect_not_null(strstr(markdown.data, "| ddssm | **2.130 \u00b1 0.007** |"));
  cr_expect_not_null(strstr(csv.data, "\n\"persistence\",elbo,,,0,1,5,0,0,,,,,,7,0,nats/step,\""));
  cr_expect_not_null(strstr(text.data, "\nwithout a value (-): elbo of persistence: no bound\n"));
  cr_expect_not_null(
      strstr(markdown.data, "\n\nwithout a value (-): elbo of persistence: no bound\n"));
  cr_expect_not_null(
      strstr(latex.data, "\n% without a value (--): elbo of persistence: no bound\n"));
  cr_expect_not_null(strstr(html.data, "<td>- <small>no bound</small></td>"));
  cr_expect_not_null(strstr(csv.data, ",id,definition,reason\n"));
  cr_expect_not_null(strstr(csv.data, ",\"no bound\"\n"));
  json_error_t error;
  json_t *root = json_loads(json.data, 0, &error);
  cr_assert_not_null(root, "%s", error.text);
  json_t *row = json_array_get(json_object_get(root, "rows"), 2);
  json_t *crps = json_object_get(json_object_get(row, "metrics"), "crps");
  cr_expect_str_eq(json_string_value(json_object_get(row, "name")), "ddssm");
  cr_expect_float_eq(json_real_value(json_object_get(crps, "mean")), 2.13, 1e-12);
  cr_expect_str_eq(json_string_value(json_object_get(crps, "definition")),
                   table.columns[0].definition);
  cr_expect_str_eq(json_string_value(json_object_get(
                       json_object_get(json_object_get(row, "metrics"), "coverage"), "id")),
                   "coverage(level=0.9)");
  cr_expect_null(json_object_get(crps, "reason"));
  json_t *none = json_object_get(
      json_object_get(json_array_get(json_object_get(root, "rows"), 3), "metrics"), "elbo");
  cr_expect(json_is_null(json_object_get(none, "mean")));
  cr_expect_str_eq(json_string_value(json_object_get(none, "reason")), "no bound");
  json_decref(root);
  ssk_text_free(&text);
  ssk_text_free(&markdown);
  ssk_text_free(&latex);
  ssk_text_free(&html);
  ssk_text_free(&csv);
  ssk_text_free(&json);
  ssk_table_free(&table);
  kit_close(&kit);
}

/* A table of many columns goes on in further blocks. */
Test(table, text_keeps_within_100_columns) {
  enum { COLUMNS = 9 };
  struct ssk_metric_column columns[COLUMNS];
  struct ssk_table_cell cells[COLUMNS];
  char name[] = "a_row_of_a_rather_long_name";
  for (int c = 0; c < COLUMNS; c++) {
    columns[c] = (struct ssk_metric_column){.unit = "data", .better = -1};
    snprintf(columns[c].name, sizeof columns[c].name, "metric_%d", c);
    for (int k = 0; k < 60; k++)
      strcat(columns[c].definition, "a word ");
    cells[c] = (struct ssk_table_cell){.value = {0.123456, 0.00012, 10}, .best = true};
  }
  struct ssk_table_row row = {.name = name, .seeds = 1, .series = 10, .cells = cells};
  struct ssk_table table = {
      .n_columns = COLUMNS, .n_rows = 1, .columns = columns, .rows = &row, .reference = -1};
  struct ssk_text text = {0};
  ssk_table_text(&table, &text);
  cr_expect_leq(widest_line(text.data), 100);
  int seen = 0;
  for (const char *at = text.data; (at = strstr(at, "0.1235 \u00b1 0.0001*")); at++)
    seen++;
  cr_expect_eq(seen, COLUMNS);
  ssk_text_free(&text);
}
