/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_files.c - what readers of files share: splits, cutting, sentinels, a file that is not there;
 * and the formats jsonl and npz, sound and broken. */
#include "support/on_disk.h"
#include <math.h>
#include <sskit/files.h>

TestSuite(files);

/* ---- shared ---------------------------------------------------------------------------------- */

#define TEN "a\n0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n"

static double first_of(const struct on_disk *f, int split, int64_t i) {
  return f->data->split[split].x[i * f->data->split[split].room * f->data->shape.D];
}

static void shared(struct on_disk *f, const char *yaml) {
  char recipe[256];
  snprintf(recipe, sizeof recipe, "path: FILE\n%s", yaml);
  on_disk_good(f, "csv", TEN, strlen(TEN), recipe);
}

Test(files, six_counts_need_not_be_in_the_order_of_time) {
  struct on_disk f;
  shared(&f, "split: [4, 7, 7, 99, 0, 3]\noverlap: 2\n");
  cr_expect_eq(f.data->split[SSK_TRAIN].length[0], 3);
  cr_expect_eq(first_of(&f, SSK_TRAIN, 0), 4);
  cr_expect_eq(f.data->split[SSK_VALID].length[0], 5); /* two of history; the end is the file's */
  cr_expect_eq(first_of(&f, SSK_VALID, 0), 5);
  cr_expect_eq(f.data->split[SSK_TEST].length[0], 3); /* nothing is ahead of step 0 */
  cr_expect_eq(first_of(&f, SSK_TEST, 0), 0);
  on_disk_close(&f);
}

Test(files, parts_are_cut_so_that_forecasts_lie_end_to_end) {
  struct on_disk f;
  shared(&f, "split: [0.4, 0, 0.6]\noverlap: 2\ntest_length: 4\n");
  cr_expect_eq(f.data->split[SSK_VALID].n, 0);
  cr_assert_eq(f.data->split[SSK_TEST].n, 3); /* 2-5, 4-7, 6-9 */
  for (int i = 0; i < 3; i++) {
    cr_expect_eq(f.data->split[SSK_TEST].length[i], 4);
    cr_expect_eq(first_of(&f, SSK_TEST, i), 2 + 2 * i);
  }
  on_disk_close(&f);
  shared(&f, "split: [0.4, 0, 0.6]\noverlap: 2\ntest_length: 4\ntest_stride: 3\n");
  cr_expect_eq(f.data->split[SSK_TEST].n, 2);
  on_disk_close(&f);
}

Test(files, columns_may_be_series_and_series_may_be_split) {
  struct on_disk f;
  const char *text = "a,b,c,d\n1,2,3,4\n5,6,,8\n";
  on_disk_good(&f, "csv", text, strlen(text),
               "path: FILE\nwide: true\nsplit_by: series\nsplit: [0.5, 0.25, 0.25]\n");
  cr_expect_eq(f.data->shape.D, 1);
  cr_assert_eq(f.data->split[SSK_TRAIN].n, 2);
  cr_expect_eq(first_of(&f, SSK_TRAIN, 1), 2);
  cr_expect_eq(first_of(&f, SSK_VALID, 0), 3);
  cr_expect_eq(f.data->split[SSK_VALID].mask[1], 0);
  cr_expect_eq(first_of(&f, SSK_TEST, 0), 4);
  struct ssk_series_origin from = {.size = sizeof from};
  const struct ssk_dataset_ops *ops = f.data->dataset->component->ops;
  ops->origin(f.data->dataset->self, SSK_VALID, 0, &from);
  cr_expect_str_eq(from.name, "c");
  cr_expect_str_eq(from.file, f.path);
  on_disk_close(&f);
}

Test(files, calendar_and_columns_without_a_header) {
  struct on_disk f;
  const char *text = "2024-02-29 06:00,1\n2024-03-01 12:00:00,2\n";
  on_disk_good(&f, "csv", text, strlen(text),
               "path: FILE\nheader: false\ntime: 1\ncalendar: [day, week]\nsplit: [1, 0, 0]\n");
  cr_assert_eq(f.data->shape.V, 4);
  cr_assert_eq(f.data->shape.D, 1);
  const double *u = f.data->split[SSK_TRAIN].u;
  double thursday = 2 * M_PI * 3.25 / 7, friday = 2 * M_PI * 4.5 / 7;
  double expected[] = {1, 0, sin(thursday), cos(thursday), 0, -1, sin(friday), cos(friday)};
  for (int k = 0; k < 8; k++)
    cr_expect_float_eq(u[k], expected[k], 1e-12, "entry %d is %g", k, u[k]);
  on_disk_close(&f);
  const char *odd = "t,y\n2024-13-01,1\n";
  on_disk_bad("csv", odd, strlen(odd), "path: FILE\ntime: t\ncalendar: year\n",
              "FILE:2:1: error: '2024-13-01': there is no such date or time of day\n");
}

Test(files, what_is_not_there_says_where_to_get_it) {
  on_disk_bad("csv", TEN, strlen(TEN), "path: FILE.not\nsource: ask the weather service\n",
              "sskit: error: there is no file 'FILE.not'\n"
              "      = hint: ask the weather service\n");
  on_disk_bad("csv", TEN, strlen(TEN), "path: FILE\ntrain: FILE\n",
              "test.yaml:1:1: error: dataset 'csv': 'path' and 'train' are given");
  on_disk_bad("csv", TEN, strlen(TEN), "valid: FILE\n",
              "test.yaml:1:1: error: dataset 'csv': no file is given");
  on_disk_bad("csv", TEN, strlen(TEN), "path: FILE\nsplit: [0, 3, 3, 2, 4, 5]\n",
              "test.yaml:2:1: error: 'split': must be three fractions, or six whole numbers");
}

/* ---- jsonl ----------------------------------------------------------------------------------- */

#define LINE "{\"target\": [1, 2]}\n"

static void bad_jsonl(const char *text, const char *expected) {
  on_disk_bad("jsonl", text, strlen(text), "path: FILE\n", expected);
}

Test(files, jsonl_reads_what_gluonts_writes) {
  struct on_disk f;
  const char *text =
      "{\"item_id\": \"a\", \"start\": \"2020\", \"target\": [[1, null, 3], [4, \"NaN\", -99]],"
      " \"feat_dynamic_real\": [[7, 8, 9, 10]], \"feat_static_real\": [5]}\n\n"
      "{\"target\": [[6], [7]], \"feat_dynamic_real\": [[1]], \"feat_static_real\": [6]}";
  on_disk_good(&f, "jsonl", text, strlen(text),
               "path: FILE\nsplit_by: series\nsplit: [0.5, 0, 0.5]\nmissing: -99\n");
  const struct ssk_split_data *train = &f.data->split[SSK_TRAIN];
  double x[] = {1, 4, 0, 0, 3, 0}, mask[] = {1, 1, 0, 0, 1, 0}, u[] = {7, 8, 9};
  cr_assert_eq(train->length[0], 3);
  cr_expect_arr_eq(train->x, x, sizeof x);
  cr_expect_arr_eq(train->mask, mask, sizeof mask);
  cr_expect_arr_eq(train->u, u, sizeof u);
  cr_expect_eq(train->s[0], 5);
  cr_expect_eq(f.data->split[SSK_TEST].length[0], 1);
  on_disk_close(&f);
}

Test(files, jsonl_may_begin_with_a_byte_order_mark) {
  struct on_disk f;
  const char *text = "\xEF\xBB\xBF" LINE;
  on_disk_good(&f, "jsonl", text, strlen(text), "path: FILE\nsplit: [1, 0, 0]\n");
  cr_expect_eq(f.data->split[SSK_TRAIN].length[0], 2);
  on_disk_close(&f);
  bad_jsonl("\xEF\xBB\xBF{\"target\": [1, \n", "FILE:1:15: error: this line is no JSON: ");
}

Test(files, jsonl_says_what_is_wrong_and_where) {
  bad_jsonl(LINE "{\"target\": [1, \n", "FILE:2:15: error: this line is no JSON: ");
  bad_jsonl("{\"target\": [NaN]}\n", "FILE:1:15: error: this line is no JSON: ");
  bad_jsonl("[{\"target\": [1]}]\n",
            "FILE:1:1: error: this line is no JSON object\n"
            "      = hint: each line is one object, {\"target\": [...]}: of a file with one list");
  bad_jsonl("{\"id\": 3, \"y\": [1]}\n",
            "FILE:1:1: error: there is no 'target'\n"
            "      = hint: its keys are id, y: name that of the series under 'target'");
  bad_jsonl("{\"target\": []}\n", "FILE:1:1: error: 'target' is not a list with something in it\n");
  bad_jsonl("{\"target\": [1, \"two\"]}\n",
            "FILE:1:1: error: 'target': entry 1 of list 0 is no number and not null: \"two\"\n"
            "      = hint: numbers stand without quotes; list under 'missing'");
  bad_jsonl("{\"target\": [\"1,5\"]}\n",
            "FILE:1:1: error: 'target': entry 0 of list 0 is no number and not null: \"1,5\"\n"
            "      = hint: numbers stand without quotes, and with a decimal point\n");
  bad_jsonl("{\"target\": [[1, 2], [1]]}\n",
            "FILE:1:1: error: 'target': list 1 has 1 entries, list 0 has 2\n");
  bad_jsonl("{\"target\": [1, 2], \"feat_dynamic_real\": [[1]]}\n",
            "FILE:1:1: error: 'feat_dynamic_real': list 0 has 1 entries, and 2 steps need one\n");
  bad_jsonl("{\"target\": [1, 2], \"feat_dynamic_real\": [[1, null]]}\n",
            "FILE:1:1: error: series 0, step 1: covariate 0 is missing here\n");
  bad_jsonl("{\"target\": [1, 2], \"feat_static_real\": [[1, 2], [3, 4]]}\n",
            "FILE:1:1: error: 'feat_static_real' is a list of lists, not of numbers\n");
  bad_jsonl("{\"target\": [1, 2], \"feat_dynamic_real\": 3}\n",
            "FILE:1:1: error: 'feat_dynamic_real' is no list\n");
  bad_jsonl(
      LINE "{\"target\": [[1], [2]]}\n",
      "FILE:2:1: error: there are 2 dimensions, 0 covariates and 0 static ones, but what was read "
      "before, in 'FILE', has 1, 0 and 0\n");
  bad_jsonl("\n", "sskit: error: 'FILE' has no series\n");
}

/* ---- npz ------------------------------------------------------------------------------------- */

/* A .npy with this header and these bytes; returns its size. */
static size_t npy(char *out, const char *header, const void *bytes, size_t size) {
  size_t length = strlen(header);
  memcpy(out, "\x93NUMPY\x01", 8);
  out[8] = (char)(length & 255), out[9] = (char)(length >> 8);
  memcpy(out + 10, header, length);
  memcpy(out + 10 + length, bytes, size);
  return 10 + length + size;
}

static void good_npy(const char *header, const void *bytes, size_t size, const double *expected,
                     int n) {
  char file[512];
  struct on_disk f;
  on_disk_good(&f, "npz", file, npy(file, header, bytes, size), "path: FILE\nsplit: [1, 0, 0]\n");
  cr_assert_eq(f.data->split[SSK_TRAIN].length[0] * f.data->shape.D, n);
  cr_expect_arr_eq(f.data->split[SSK_TRAIN].x, expected, (size_t)n * sizeof *expected, "%s",
                   header);
  on_disk_close(&f);
}

Test(files, npy_types_and_orders) {
  const double rows[] = {1, 2, 3, 4, 5, 6}, by_columns[] = {1, 4, 2, 5, 3, 6}, few[] = {1, -2};
  const int16_t little[] = {1, -2};
  good_npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }\n", rows, sizeof rows, rows,
           6);
  good_npy("{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }\n", by_columns,
           sizeof by_columns, rows, 6);
  good_npy("{'shape': (2,), 'fortran_order': False, 'descr': '<i2'}", little, sizeof little, few,
           2);
  good_npy("{'descr': '>i2', 'fortran_order': False, 'shape': (2,), }", "\0\1\377\376", 4, few, 2);
  good_npy("{'descr': '|i1', 'fortran_order': False, 'shape': (2,), }", "\1\376", 2, few, 2);
  good_npy("{'descr': '<f2', 'fortran_order': False, 'shape': (2, 1), }", "\0\x3c\0\xc0", 4, few,
           2);
}

static void bad_npy(const char *header, size_t size, const char *expected) {
  char file[512];
  double zeros[8] = {0};
  on_disk_bad("npz", file, npy(file, header, zeros, size), "path: FILE\n", expected);
}

Test(files, npy_says_what_is_wrong) {
  bad_npy("{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }", 23,
          "sskit: error: 'FILE': array 'values' has 23 bytes for 3 numbers of 8\n");
  bad_npy("{'descr': '|O', 'fortran_order': False, 'shape': (3,), }", 24,
          "sskit: error: 'FILE': array 'values' holds no numbers; its header is ");
  bad_npy("{'descr': '<f8', 'fortran_order': False, 'shape': (), }", 8,
          "sskit: error: 'FILE': array 'values' does not have one to three dimensions; ");
  bad_npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }", 8,
          "sskit: error: 'FILE': array 'values' does not have one to three dimensions; ");
  bad_npy("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", 8,
          "sskit: error: 'FILE': array 'values' is larger than any memory\n");
  bad_npy("{'descr': '<f8', 'fortran_order': False, 'shape': (0, 3), }", 8,
          "sskit: error: 'FILE' has no values\n");
  bad_npy("{}", 0, "sskit: error: 'FILE': array 'values' holds no numbers; its header is {}");
  char file[512];
  const double zeros[3] = {0};
  const size_t size =
      npy(file, "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }", zeros, 24);
  on_disk_bad("npz", file, size, "path: FILE\ninputs: u\n",
              "sskit: error: 'FILE' has no array 'u' (inputs)\n"
              "      = hint: its arrays are none but the values: it is a file of one array\n");
  on_disk_bad("npz", "\x93NUMPY\1\0\xff\xff{'descr'", 18, "path: FILE\n",
              "sskit: error: 'FILE': array 'values' ends within its header\n");
  on_disk_bad("npz", "\x93NUMPY\7\0\1\0  ", 12, "path: FILE\n",
              "sskit: error: 'FILE': array 'values' has version 7 of NumPy's format\n");
  on_disk_bad("npz", "a,b\n", 4, "path: FILE\n", "sskit: error: 'FILE' holds no NumPy arrays: ");
}

/* recipes/smoke/series.npz: twelve series of 8, 9 and 10 steps, and an input. */
static char *archive(size_t *size) {
  char path[2048], *data = NULL;
  ssk_err *err = ssk_err_new();
  snprintf(path, sizeof path, "%s/recipes/smoke/series.npz", getenv("top_srcdir"));
  cr_assert_eq(ssk_files_text(path, &data, size, err), SSK_OK, "%s", ssk_err_message(err, 0));
  ssk_err_free(err);
  return data;
}

Test(files, npz_archive_of_ragged_series) {
  size_t size;
  char *data = archive(&size);
  struct on_disk f;
  on_disk_good(&f, "npz", data, size,
               "path: FILE\nlengths: lengths\ninputs: u\ncolumns: [1]\nsplit_by: series\n");
  cr_expect_eq(f.data->shape.D, 1);
  cr_expect_eq(f.data->shape.V, 1);
  cr_expect_eq(f.data->split[SSK_TRAIN].n, 8); /* of twelve */
  for (int i = 0; i < 8; i++)
    cr_expect_eq(f.data->split[SSK_TRAIN].length[i], 8 + i % 3);
  on_disk_close(&f);
  on_disk_bad("npz", data, size, "path: FILE\nvalues: x\n",
              "sskit: error: 'FILE' has no array 'x' (values)\n"
              "      = hint: its arrays are values, lengths, u\n");
  on_disk_bad("npz", data, size, "path: FILE\nlengths: u\n",
              "sskit: error: 'FILE': series 0 has the length ");
  on_disk_bad("npz", data, size, "path: FILE\ncolumns: 2\n",
              "sskit: error: 'FILE' has columns 0 to 1, no column 2\n");
  on_disk_bad("npz", data, size, "path: FILE\ninputs: lengths\n",
              "sskit: error: 'FILE': 108 rows of values, but 12 of inputs\n");
  on_disk_bad("npz", data, size / 2, "path: FILE\n",
              "sskit: error: 'FILE' holds no NumPy arrays: ");
  data[200] = (char)(data[200] ^ 1); /* within the values: the checksum tells, or inflating */
  on_disk_bad("npz", data, size, "path: FILE\n",
              "sskit: error: 'FILE': array 'values' is damaged: ");
  free(data);
}

/* Covariates are brought to the units of the training series. */
Test(files, covariates_are_standardised_by_training_series) {
  struct kit kit;
  kit_open(&kit);
  char recipe[2200];
  snprintf(recipe, sizeof recipe,
           "path: %s/recipes/smoke/series.npz\nlengths: lengths\ninputs: u\n"
           "split_by: series\n",
           getenv("top_srcdir"));
  static const struct ssk_emission_ops ops = {.size = sizeof ops};
  static const struct ssk_component any = {.size = sizeof any, .name = "any", .ops = &ops};
  struct ssk_instance emission = {.component = &any};
  struct ssk_experiment e = {.name = "test",
                             .standardise = true,
                             .data = kit_make(&kit, SSK_DATASET, "npz", recipe),
                             .window = {.stride = 1},
                             .model = {.emission = &emission}};
  struct ssk_data *data = NULL;
  if (ssk_data_load(&e, &data, kit.err))
    kit_fail(&kit, "not loaded");
  double n = 0, sum = 0, squares = 0;
  const struct ssk_split_data *train = &data->split[SSK_TRAIN];
  for (int64_t i = 0; i < train->n; i++)
    for (int t = 0; t < train->length[i]; t++) {
      double u = train->u[i * train->room + t];
      n++, sum += u, squares += u * u;
    }
  cr_expect_float_eq(sum / n, 0, 1e-12);
  cr_expect_float_eq(squares / n, 1, 1e-12);
  ssk_data_free(data);
  kit_close(&kit);
}
