/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_arrays.c - files of named arrays that other libraries read: HDF5 and MATLAB, sound and
 * broken. recipes/smoke/series.* hold the same twelve series of 8, 9 and 10 steps with an input. */
#include "support/on_disk.h"
#include <math.h>
#include <sskit/files.h>

TestSuite(arrays);

/* NULL, and the test skipped by name, where the build is without the format's library. */
static char *bytes_of(const char *file, size_t *size) {
  char path[2048], *data = NULL;
  const char *without = getenv("SSKIT_WITHOUT");
  if (without && strstr(without, strstr(file, ".mat") ? "dataset_mat" : "dataset_hdf5"))
    cr_skip_test("no library for this format");
  ssk_err *err = ssk_err_new();
  snprintf(path, sizeof path, "%s/recipes/smoke/%s", getenv("top_srcdir"), file);
  cr_assert_eq(ssk_files_text(path, &data, size, err), SSK_OK, "%s", ssk_err_message(err, 0));
  ssk_err_free(err);
  return data;
}

/* As the archive of NumPy's arrays has them, series 0 to 7. */
static void same_as_npz(const struct on_disk *f, double tolerance) {
  size_t size;
  char *data = bytes_of("series.npz", &size);
  struct on_disk z;
  on_disk_good(&z, "npz", data, size,
               "path: FILE\nlengths: lengths\ninputs: u\nsplit_by: series\n"
               "split: [0, 8, 8, 10, 10, 12]\n");
  const struct ssk_data *a = f->data, *b = z.data;
  cr_assert_eq(a->shape.D, b->shape.D);
  cr_assert_eq(a->shape.V, b->shape.V);
  cr_assert_eq(a->split[SSK_TRAIN].n, b->split[SSK_TRAIN].n);
  for (int i = 0; i < b->split[SSK_TRAIN].n; i++) {
    const int T = b->split[SSK_TRAIN].length[i], D = b->shape.D;
    cr_assert_eq(a->split[SSK_TRAIN].length[i], T);
    const double *x = a->split[SSK_TRAIN].x + i * a->split[SSK_TRAIN].room * D,
                 *y = b->split[SSK_TRAIN].x + i * b->split[SSK_TRAIN].room * D;
    for (int k = 0; k < T * D; k++)
      cr_expect_leq(fabs(x[k] - y[k]), tolerance, "series %d, number %d", i, k);
  }
  on_disk_close(&z);
  free(data);
}

Test(arrays, hdf5_groups_types_and_compression) {
  size_t size;
  char *data = bytes_of("series.h5", &size);
  struct on_disk f;
  on_disk_good(&f, "hdf5", data, size,
               "train: FILE\nvalid: FILE\ntest: FILE\nvalues: '*/values'\nlengths: '*/lengths'\n"
               "inputs: '*/u'\n");
  cr_expect_eq(f.data->split[SSK_VALID].n, 2);
  cr_expect_eq(f.data->split[SSK_TEST].n, 2);
  same_as_npz(&f, 1e-6); /* its values are stored in single precision */
  on_disk_close(&f);
  on_disk_good(&f, "hdf5", data, size,
               "train: FILE\nvalid: FILE\ntest: FILE\nvalues: '*/values'\ninputs: '*/u'\n");
  same_as_npz(&f, 1e-6); /* its lengths are found beside the values */
  on_disk_close(&f);
  free(data);
}

Test(arrays, hdf5_says_what_is_wrong) {
  size_t size;
  char *data = bytes_of("series.h5", &size);
  on_disk_bad("hdf5", data, size, "path: FILE\nvalues: x\n",
              "sskit: error: 'FILE' has no array 'x' (values)\n"
              "      = hint: its arrays are test/lengths, test/u, test/values, train/lengths, ");
  on_disk_bad("hdf5", data, size, "path: FILE\nvalues: train/note\n",
              "sskit: error: 'FILE': array 'train/note' holds no numbers\n");
  on_disk_bad("hdf5", data, size, "path: FILE\nvalues: train\n",
              "sskit: error: 'FILE' has no array 'train' (values)\n");
  on_disk_bad("hdf5", "a,b\n", 4, "path: FILE\n",
              "sskit: error: 'FILE' is not in the format HDF5, or damaged\n");
  on_disk_bad("hdf5", data, size / 2, "path: FILE\n",
              "sskit: error: 'FILE' is not in the format HDF5, or damaged\n");
  free(data);
}

Test(arrays, mat_cells_are_series) {
  size_t size;
  char *data = bytes_of("series.mat", &size);
  struct on_disk f;
  on_disk_good(&f, "mat", data, size,
               "train: FILE\nvalid: FILE\ntest: FILE\nvalues: '*data'\ninputs: '*u'\n");
  cr_expect_eq(f.data->split[SSK_VALID].n, 2);
  cr_expect_eq(f.data->split[SSK_TEST].n, 2);
  same_as_npz(&f, 0);
  on_disk_close(&f);
  free(data);
}

Test(arrays, mat_matrices_come_into_the_order_of_c) {
  size_t size;
  char *data = bytes_of("series.mat", &size);
  struct on_disk f;
  on_disk_good(&f, "mat", data, size, "path: FILE\nvalues: matrix\nsplit: [1, 0, 0]\n");
  cr_expect_eq(f.data->shape.D, 2);
  cr_assert_eq(f.data->split[SSK_TRAIN].length[0], 3);
  for (int k = 0; k < 6; k++)
    cr_expect_eq(f.data->split[SSK_TRAIN].x[k], k);
  on_disk_close(&f);
  on_disk_good(&f, "mat", data, size, "path: FILE\nvalues: row\nsplit: [1, 0, 0]\n");
  cr_expect_eq(f.data->shape.D, 1);
  cr_assert_eq(f.data->split[SSK_TRAIN].length[0], 5);
  cr_expect_eq(f.data->split[SSK_TRAIN].x[3], 1.5);
  on_disk_close(&f);
  on_disk_good(&f, "mat", data, size,
               "path: FILE\nvalues: cube\nsplit_by: series\nsplit: [0, 2, 0, 0, 0, 0]\n");
  cr_expect_eq(f.data->shape.D, 4);
  cr_assert_eq(f.data->split[SSK_TRAIN].n, 2);
  for (int k = 0; k < 24; k++)
    cr_expect_eq(f.data->split[SSK_TRAIN].x[k], k);
  on_disk_close(&f);
  free(data);
}

Test(arrays, mat_says_what_is_wrong) {
  size_t size;
  char *data = bytes_of("series.mat", &size);
  on_disk_bad("mat", data, size, "path: FILE\nvalues: x\n",
              "sskit: error: 'FILE' has no array 'x' (values)\n"
              "      = hint: its arrays are traindata, trainu, ");
  on_disk_bad("mat", data, size, "path: FILE\nvalues: complex\n",
              "sskit: error: 'FILE': array 'complex' is complex\n");
  on_disk_bad("mat", data, size, "path: FILE\nvalues: sparse\n",
              "sskit: error: 'FILE': array 'sparse' is sparse: store it as full(...)\n");
  on_disk_bad("mat", data, size, "path: FILE\nvalues: text\n",
              "sskit: error: 'FILE': array 'text' is neither numbers nor cells of numbers\n");
  on_disk_bad("mat", data, size, "path: FILE\nvalues: uneven\n",
              "sskit: error: 'FILE': array 'uneven': cell 2 has not the 2 columns of the first\n");
  on_disk_bad("mat", data, size, "path: FILE\nvalues: traindata\nlengths: row\n",
              "sskit: error: 'FILE': the values say by themselves how long series are, ");
  on_disk_bad("mat", "a,b\n", 4, "path: FILE\n", "sskit: error: 'FILE' is no MATLAB file\n");
  free(data);
}
