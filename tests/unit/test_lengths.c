/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_lengths.c - the lengths of series in archives of arrays: found by their name, of series that
 * are filled up to one length or lie one behind the other, and not fitting. */
#include "core/file.h"
#include "support/on_disk.h"
#include "train/npz.h"

TestSuite(lengths);

/* Values of the given shape that count from 0, and lengths. */
struct archive {
  int ndim;
  int64_t shape[3];
  int n;
  int32_t lengths[4];
};

static char *bytes_of(const struct archive *a, size_t *size) {
  double values[64];
  struct ssk_array arrays[] = {
      {.name = "values", .dtype = "F64", .ndim = a->ndim, .data = values, .size = sizeof *values},
      {.name = "lengths",
       .dtype = "I32",
       .ndim = 1,
       .shape = {a->n},
       .data = a->lengths,
       .size = (size_t)a->n * sizeof *a->lengths}};
  for (int k = 0; k < 64; k++)
    values[k] = k;
  for (int k = 0; k < a->ndim; k++) {
    arrays[0].shape[k] = a->shape[k];
    arrays[0].size *= (size_t)a->shape[k];
  }
  char path[] = "/tmp/sskit-test-XXXXXX", *data = NULL;
  const int file = mkstemp(path);
  cr_assert_geq(file, 0);
  close(file);
  ssk_err *err = ssk_err_new();
  cr_assert_eq(ssk_npz_write(path, arrays, 2, err), SSK_OK, "%s", ssk_err_message(err, 0));
  cr_assert_eq(ssk_file_read(path, SIZE_MAX, &data, size, err), SSK_OK);
  ssk_err_free(err);
  unlink(path);
  return data;
}

static void good(const struct archive *a, const char *yaml, const double *first) {
  size_t size;
  char *data = bytes_of(a, &size);
  struct on_disk f;
  on_disk_good(&f, "npz", data, size, yaml);
  const struct ssk_split_data *train = &f.data->split[SSK_TRAIN];
  cr_assert_eq(train->n, a->n);
  for (int i = 0; i < a->n; i++) {
    cr_expect_eq(train->length[i], a->lengths[i]);
    cr_expect_eq(train->x[i * train->room * f.data->shape.D], first[i]);
  }
  on_disk_close(&f);
  free(data);
}

static void bad(const struct archive *a, const char *yaml, const char *expected) {
  size_t size;
  char *data = bytes_of(a, &size);
  on_disk_bad("npz", data, size, yaml, expected);
  free(data);
}

#define FOUND "path: FILE\nsplit: [1, 0, 0]\n"
#define NAMED FOUND "lengths: lengths\n"

Test(lengths, end_what_is_filled_up) {
  const struct archive padded = {3, {3, 4, 2}, 3, {2, 4, 1}};
  const double first[] = {0, 8, 16}, second[] = {1, 9, 17};
  good(&padded, FOUND, first);
  good(&padded, NAMED, first);
  good(&padded, NAMED "columns: 1\ninputs: values\n", second);
}

Test(lengths, part_what_lies_one_behind_the_other) {
  const struct archive row = {2, {7, 2}, 3, {2, 4, 1}};
  const double first[] = {0, 4, 12};
  good(&row, FOUND, first);
  good(&row, NAMED, first);
}

Test(lengths, that_do_not_fit_are_refused) {
  bad(&(struct archive){3, {3, 3, 1}, 3, {2, 4, 1}}, FOUND,
      "sskit: error: 'FILE': series 1 has the length 4; 1 to 3 are allowed, the steps of the "
      "values\n"
      "      = hint: an array of the name lengths is taken for the series' lengths: give it "
      "another "
      "name if it is something else\n");
  bad(&(struct archive){3, {3, 4, 1}, 4, {2, 4, 1, 1}}, NAMED,
      "sskit: error: 'FILE': 4 lengths, but 3 series of values\n");
  bad(&(struct archive){2, {4, 4}, 4, {2, 4, 1, 1}}, FOUND,
      "sskit: error: 'FILE': series 1 has the length 4; 2 rows of values are left for it\n"
      "      = hint: series that are filled up to one length are [series, steps, dimensions]: "
      "store "
      "these values as [4, 4, 1]\n");
  bad(&(struct archive){1, {6}, 2, {2, 3}}, FOUND,
      "sskit: error: 'FILE': the lengths sum to 5, and there are 6 rows\n");
}
