/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_csv.c - the data set csv: what it reads, and what it says of files that it cannot. */
#include "support/on_disk.h"
#include <sskit/files.h>

TestSuite(csv);

static void good(struct on_disk *t, const char *text, const char *yaml) {
  char recipe[1024];
  snprintf(recipe, sizeof recipe, "path: FILE\n%s", yaml);
  on_disk_good(t, "csv", text, strlen(text), recipe);
}

static void bad(const char *text, const char *yaml, const char *expected) {
  char recipe[1024];
  snprintf(recipe, sizeof recipe, "path: FILE\n%s", yaml);
  on_disk_bad("csv", text, strlen(text), recipe, expected);
}

Test(csv, columns_gaps_and_splits) {
  struct on_disk t;
  good(&t,
       "\xEF\xBB\xBFtime,\"flow, total\",name,rain\r\n"
       "1,10,a,0.5\r\n2,,a,NA\r\n3,-30.5,a,-9999\r\n\r\n4,\"4e1\",a,2\r\n5,50,\"a \"\"b\"\"\",3",
       "time: time\nmissing: [-9999]\nsplit: [0.6, 0.2, 0.2]\noverlap: 2\n");
  cr_expect_eq(t.data->shape.D, 2); /* name is text */
  cr_expect_eq(t.data->shape.V, 0);
  const struct ssk_split_data *train = &t.data->split[SSK_TRAIN], *test = &t.data->split[SSK_TEST];
  cr_assert_eq(train->n, 1);
  cr_assert_eq(train->length[0], 3);
  double x[] = {10, 0.5, 0, 0, -30.5, 0}, mask[] = {1, 1, 0, 0, 1, 0};
  cr_expect_arr_eq(train->x, x, sizeof x);
  cr_expect_arr_eq(train->mask, mask, sizeof mask);
  cr_expect_eq(t.data->split[SSK_VALID].length[0], 3); /* one, and two of history */
  cr_assert_eq(test->length[0], 3);
  double last[] = {-30.5, 0, 40, 2, 50, 3};
  cr_expect_arr_eq(test->x, last, sizeof last);
  on_disk_close(&t);
}

Test(csv, several_series_covariates_and_a_split_column) {
  struct on_disk t;
  good(&t,
       "id,y,u,v,part\n"
       "b,1,10,7,train\na,2,20,7,train\nb,3,30,7,train\na,4,40,7,test\nb,5,50,7,valid\n"
       "a,6,60,7,test\nb,7,70,7,train\n",
       "series: id\ncolumns: [v, y]\ncovariates: u\nsplit_column: part\n");
  cr_assert_eq(t.data->shape.D, 2);
  cr_assert_eq(t.data->shape.V, 1);
  const struct ssk_split_data *train = &t.data->split[SSK_TRAIN];
  int64_t L = t.data->split[SSK_TRAIN].room;
  cr_assert_eq(train->n, 3); /* b twice, as its rows are parted, then a */
  cr_expect_eq(train->length[0], 2);
  double b[] = {7, 1, 7, 3}, u[] = {10, 30};
  cr_expect_arr_eq(train->x, b, sizeof b);
  cr_expect_arr_eq(train->u, u, sizeof u);
  cr_expect_eq(train->x[L * 2 + 1], 7);
  cr_expect_eq(train->x[L * 4 + 1], 2);
  cr_assert_eq(t.data->split[SSK_TEST].n, 1);
  cr_expect_eq(t.data->split[SSK_TEST].x[1], 4);
  cr_expect_eq(t.data->split[SSK_TEST].x[3], 6);
  cr_expect_eq(t.data->split[SSK_VALID].u[0], 50);
  on_disk_close(&t);
}

Test(csv, says_what_is_wrong_and_where) {
  bad("a,b\n1,2\n3,oops\n", "columns: [a, b]\n",
      "FILE:3:3: error: column 'b': 'oops' is not a finite number\n"
      "    3 | 3,oops\n"
      "      |   ^~~~\n"
      "      = hint: list it under 'missing' if it stands for a missing value\n");
  bad("a,b\n1,2\n3\n", "", "FILE:3:1: error: this row has fewer cells than the 2 of the header\n");
  bad("a,b\n1,2,3\n", "", "FILE:2:5: error: this row has more cells than the 2 of the header\n");
  bad("a,b\n1,\"2\n3,4\n", "", "FILE:2:3: error: the quote of this cell is never closed\n");
  bad("a,b\n1,\"2\"3\n", "", "FILE:2:3: error: text after the closing quote of a cell\n");
  bad("a,b\n1,2\"3\n", "", "FILE:2:3: error: a quote inside a cell that does not begin with one\n");
  bad("a,a\n1,2\n", "", "FILE:1:3: error: a second column 'a'\n");
  bad("a,b\n1,2\n", "columns: c\n", "FILE:1:1: error: there is no column 'c' (columns)\n");
  bad("laod,temp\n1,2\n", "columns: [temp, load]\n",
      "FILE:1:1: error: there is no column 'load' (columns)\n"
      "      = hint: did you mean 'laod'? The columns are laod, temp\n");
  bad("Load kW,Temp (C)\n1,2\n", "columns: temp_c\n",
      "FILE:1:1: error: there is no column 'temp_c' (columns)\n"
      "      = hint: did you mean 'Temp (C)'? The columns are Load kW, Temp (C)\n");
  bad("Load kW,Temperature (deg C)\n1,2\n", "columns: temperature\n",
      "FILE:1:1: error: there is no column 'temperature' (columns)\n"
      "      = hint: did you mean 'Temperature (deg C)'? ");
  bad("a,b\n1,2\n", "columns: a\ncovariates: a\n", "FILE:1:1: error: column 'a' has two roles\n");
  bad("a,b\n1,inf\n", "columns: b\n",
      "FILE:2:3: error: column 'b': 'inf' is not a finite number\n");
  bad("a,b\n1,\n", "covariates: b\n", "FILE:2:3: error: covariate 'b' is missing here\n");
  bad("a,b\n1,dev\n", "split_column: b\n", "FILE:2:3: error: 'dev' is not a split\n");
  bad("a,b\n1,test\n", "split_column: b\n", "sskit: error: 'FILE' has no rows for training\n");
  bad("a,b\n", "", "sskit: error: 'FILE' has a header but no rows\n");
  bad("", "", "sskit: error: 'FILE' is empty\n");
  bad("a,b\nx,y\n", "", "sskit: error: 'FILE' has no column of numbers to model\n");
  bad("a;b\n1,5;2\n", "",
      "FILE:2:3: error: this row has more cells than the 1 of the header\n"
      "    2 | 1,5;2\n"
      "      |   ^~~\n"
      "      = hint: its columns are divided by ';': say 'delimiter: \";\"' in the recipe\n");
  bad("a;b\n1;2\n", "",
      "sskit: error: 'FILE' has no column of numbers to model\n"
      "      = hint: its columns are divided by ';': say 'delimiter: \";\"' in the recipe\n");
  bad("a\tb\n1\t2\n", "columns: a\n",
      "FILE:1:1: error: there is no column 'a' (columns)\n"
      "      = hint: its columns are divided by tabs: say 'delimiter: \"\\t\"' in the recipe\n");
}

Test(csv, a_first_line_of_numbers_is_no_header) {
  bad("1,-2.5\n3,4\n", "columns: [load, temp]\n",
      "FILE:1:1: error: the names of columns are expected here, found 1, -2.5\n"
      "      = hint: a first line of numbers alone is no header; give the file one, e.g. "
      "load,temp\n");
  bad("\n1;NA;\n3;4;5\n", "delimiter: ';'\n",
      "FILE:2:1: error: the names of columns are expected here, found 1, NA, \n"
      "      = hint: a first line of numbers alone is no header; give the file one, e.g. x1;x2;x3, "
      "or say 'header: false' in the recipe\n");
  bad("7,1,2\n7,3,4\n", "series: id\ncolumns: y\ncovariates: u\n",
      "FILE:1:1: error: the names of columns are expected here, found 7, 1, 2\n"
      "      = hint: a first line of numbers alone is no header; give the file one, e.g. id,y,u\n");
  bad("2024-01-01 00:00,3\n2024-01-01 01:00,4\n", "",
      "FILE:1:1: error: the names of columns are expected here, found 2024-01-01 00:00, 3\n"
      "      = hint: a first line of dates and numbers is no header; give the file one, e.g. "
      "x1,x2, "
      "or say 'header: false' in the recipe\n");
  bad("shop,1.5\nshop,2.5\n", "",
      "FILE:1:1: error: the names of columns are expected here, found shop, 1.5\n"
      "      = hint: a first line of values is no header; give the file one, e.g. x1,x2, or say "
      "'header: false' in the recipe\n");
  struct on_disk t;
  good(&t, "item,2020,2021\na,1.5,2\nb,3,4\nc,5,6\n", "split: [1, 0, 0]\n");
  cr_expect_eq(t.data->split[SSK_TRAIN].length[0], 3); /* years may be names beside another */
  on_disk_close(&t);
  good(&t, "item,0.5\na,1\nb,3\nc,5\n", "columns: '0.5'\nsplit: [1, 0, 0]\n");
  cr_expect_eq(t.data->split[SSK_TRAIN].length[0], 3);
  on_disk_close(&t);
  good(&t, "2020,2021\n1,2\n3,4\n5,6\n", "columns: ['2020', '2021']\nsplit: [1, 0, 0]\n");
  cr_expect_eq(t.data->split[SSK_TRAIN].length[0], 3); /* names, as the recipe asks for them */
  on_disk_close(&t);
  good(&t, "1,2\n3,4\n5,6\n", "header: false\nsplit: [1, 0, 0]\n");
  cr_expect_eq(t.data->split[SSK_TRAIN].length[0], 3);
  on_disk_close(&t);
}

/* What would otherwise be lost without a word. */
Test(csv, no_column_is_lost_silently) {
  bad("a,b\n1,2\n", "columns: [a, a]\n",
      "sskit: error: 'FILE': 'columns' names the column 'a' twice\n");
  bad("a,b\n1,2\n", "columns: a\ncovariates: [b, b]\n",
      "sskit: error: 'FILE': 'covariates' names the column 'b' twice\n");
  bad("x,y\n1,1\n2,oops\n", "",
      "FILE:3:3: error: column 'y' has numbers, and text: 'oops' is not a finite number\n"
      "    3 | 2,oops\n"
      "      |   ^~~~\n"
      "      = hint: list under 'missing' what stands for a missing value; or name the columns "
      "that "
      "are observed under 'columns'\n");
  bad("x,y\n1,none\n2,3\n", "",
      "FILE:3:3: error: column 'y' has numbers, and text: '3' is a number\n");
  struct on_disk t;
  good(&t, "x,y\n1,NA \n2,3\n", "split: [1, 0, 0]\n"); /* with a blank behind it */
  cr_expect_eq(t.data->shape.D, 2);
  cr_expect_eq(t.data->split[SSK_TRAIN].mask[1], 0);
  on_disk_close(&t);
}

Test(csv, a_decimal_comma_is_no_text) {
  bad("a,b\n\"1,5\",2\n\"2,5\",3\n", "",
      "FILE:2:1: error: column 'a': the number '1,5' has a comma, where a decimal point is "
      "expected\n"
      "    2 | \"1,5\",2\n"
      "      | ^~~~~\n"
      "      = hint: write 1.5 for 1,5 and 1000 for 1,000; if it is text, name the columns that "
      "are "
      "observed under 'columns'\n");
  bad("a;b\n1;2\n1;-2,5e3\n", "delimiter: ';'\ncolumns: b\n",
      "FILE:3:3: error: column 'b': the number '-2,5e3' has a comma, where a decimal point is "
      "expected\n"
      "    3 | 1;-2,5e3\n"
      "      |   ^~~~~~\n"
      "      = hint: write 1.5 for 1,5; \"sed 's/,/./g'\" does it for a whole file\n");
  bad("a,b\n1,\"1,234,567.8\"\n", "", "FILE:2:3: error: column 'b': the number '1,234,567.8' has");
  bad("1,5;2,5\n2,5;3,5\n", "delimiter: ';'\n",
      "FILE:1:1: error: the names of columns are expected here, found 1,5, 2,5\n");
  const char *const others[] = {"1,2,3", "a,5", "1,", ",5", "1,5 kW", "12:30", "1.5"};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    cr_expect_not(ssk_files_comma_number(others[i]), "%s", others[i]);
  struct on_disk t;
  good(&t, "place,b\n\"1,5\",2\n\"2,5\",3\n", "columns: b\nsplit: [1, 0, 0]\n");
  cr_expect_eq(ssk_data_left_out(t.data)->n, 0); /* as the recipe says */
  on_disk_close(&t);
}

Test(csv, tells_what_it_leaves_out) {
  struct on_disk t;
  char expected[128];
  good(&t, "\"\",place,b,gone,\n1,,2,,\n2,east,3,NA,\n", "split: [1, 0, 0]\n");
  cr_expect_eq(t.data->shape.D, 1);
  const struct ssk_strings *said = ssk_data_left_out(t.data);
  const char *const what[] = {"column 1 (it has no name)",
                              "'place' (text, such as 'east' in line 3)",
                              "'gone' (all cells are missing)", "column 5 (it has no name)"};
  cr_assert_eq(said->n, 4);
  for (int i = 0; i < 4; i++) {
    snprintf(expected, sizeof expected, "%s in '%s'", what[i], t.path);
    cr_expect_str_eq(said->items[i], expected);
  }
  on_disk_close(&t);
}

Test(csv, times_ascend) {
  struct on_disk t;
  const char *by = "time: t\nsplit: [1, 0, 0]\n";
  bad("t,y\n2023-02-28,1\n2023-02-30,2\n", by,
      "FILE:3:1: error: '2023-02-30': there is no such date or time of day\n");
  bad("t,y\n2023-02-28 24:01,1\n", by, "FILE:2:1: error: '2023-02-28 24:01': there is no such ");
  bad("t,y\n2023-02-28 1:60,1\n", by, "FILE:2:1: error: '2023-02-28 1:60': there is no such ");
  bad("t,y\n2100-02-29,1\n", by, "FILE:2:1: error: '2100-02-29': there is no such ");
  bad("t,y\n2023-01-01,1\n\n2023-01-02,2\n2023/01/02 00:00,3\n", by,
      "FILE:5:1: error: the time '2023/01/02 00:00' stands in line 4, too: a series has one row "
      "for "
      "each time\n"
      "    5 | 2023/01/02 00:00,3\n"
      "      | ^~~~~~~~~~~~~~~~\n"
      "      = hint: keep one of them, or, where there are several series, name the column that "
      "tells them apart under 'series'; 'time_order: any' takes the rows as they stand\n");
  bad("s,t,y\na,3,1\nb,1,1\na,2,1\n", "time: t\nseries: s\n",
      "FILE:4:3: error: the time '2' is before '3' in line 2: the rows of series 'a' stand in the "
      "order of time\n"
      "    4 | a,2,1\n"
      "      |   ^\n"
      "      = hint: sort them by time; 'time_order: any' takes the rows as they stand\n");
  bad("t,y\n1,1\n,2\n", by, "FILE:3:1: error: the time is missing here\n");
  bad("t,y\n1,1\n2023-01-01,2\n", by,
      "FILE:3:1: error: '2023-01-01' is not a time like those ahead of it\n");
  bad("t,y\n1,1\n2,2\n", "time: t\ncovariates: t\n", "FILE:1:1: error: column 't' has two roles\n");
  good(&t, "s,t,y\na,1,1\nb,1,2\na,2.5,3\nb,1e3,4\n", "time: t\nseries: s\nsplit: [1, 0, 0]\n");
  on_disk_close(&t);
  /* an hour that is there twice has two distances from UTC */
  good(&t,
       "t,y\n2024-02-29T02:30:00.25+02:00,1\n2024-02-29T02:30:00.5+0200,2\n"
       "2024-02-29 02:30:00+01,3\n2024-02-29T01:45Z,4\n2024-02-29 24:00,5\n",
       by);
  on_disk_close(&t);
  good(&t, "t,y\n2,1\n1,2\n1,2\n", "time: t\ntime_order: any\nsplit: [1, 0, 0]\n");
  on_disk_close(&t);
  good(&t, "t,y\nMonday,1\nMonday,2\n", by); /* of no form that is known */
  on_disk_close(&t);
}

Test(csv, a_blank_line_is_a_gap_in_a_single_column) {
  struct on_disk t;
  good(&t, "x\n1\n\n\n4\n\n\n", "split: [1, 0, 0]\n");
  const struct ssk_split_data *train = &t.data->split[SSK_TRAIN];
  cr_assert_eq(train->length[0], 4);
  const double x[] = {1, 0, 0, 4}, mask[] = {1, 0, 0, 1};
  cr_expect_arr_eq(train->x, x, sizeof x);
  cr_expect_arr_eq(train->mask, mask, sizeof mask);
  on_disk_close(&t);
}

Test(csv, a_calendar_has_no_missing_values) {
  struct on_disk t;
  good(&t, "t,x\n2024-01-01,5\n2024-01-02,0\n",
       "time: t\ncalendar: day\nmissing: [0]\nsplit: [1, 0, 0]\n");
  const struct ssk_split_data *train = &t.data->split[SSK_TRAIN];
  cr_expect_eq(train->mask[1], 0);
  cr_expect_eq(train->u[0], 0); /* the sine at midnight */
  on_disk_close(&t);
}
