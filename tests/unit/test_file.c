/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_file.c - whole files and folders. */
#include "core/file.h"
#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/sskit-test-file-XXXXXX";
static char path[256];

static const char *in_folder(const char *name) {
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static void set_up(void) {
  cr_assert(mkdtemp(folder));
}

static int count_entries(void) {
  int n = 0;
  DIR *dir = opendir(folder);
  while (readdir(dir))
    n++;
  closedir(dir);
  return n - 2;
}

static void tear_down(void) {
  char command[128];
  snprintf(command, sizeof command, "rm -r %s", folder);
  cr_assert_eq(system(command), 0);
}

TestSuite(file, .init = set_up, .fini = tear_down);

Test(file, writes_reads_and_replaces) {
  char *data;
  size_t size;
  ssk_err *err = ssk_err_new();
  struct ssk_piece pieces[] = {{"one\0", 4}, {"", 0}, {"two", 3}};
  cr_assert_eq(ssk_file_write(in_folder("f"), "longer than the next", 20, err), SSK_OK);
  cr_assert_eq(ssk_file_write_pieces(in_folder("f"), pieces, 3, err), SSK_OK);
  cr_assert_eq(ssk_file_read(in_folder("f"), 7, &data, &size, err), SSK_OK);
  cr_assert_eq(size, 7u);
  cr_assert_eq(memcmp(data, "one\0two", 8), 0); /* and the NUL behind */
  free(data);
  cr_assert_eq(count_entries(), 1); /* no temporary is left */
  cr_assert_eq(ssk_err_count(err), 0);
  ssk_err_free(err);
}

/* In a container each process may have the number of one that was killed. */
Test(file, temporaries_that_were_left_do_not_matter) {
  ssk_err *err = ssk_err_new();
  for (int serial = 0; serial < 20; serial++) {
    char name[64];
    snprintf(name, sizeof name, "g.tmp%ld-%d", (long)getpid(), serial);
    fclose(fopen(in_folder(name), "w"));
  }
  cr_expect_eq(ssk_file_write(in_folder("g"), "text", 4, err), SSK_OK);
  cr_expect_eq(ssk_err_count(err), 0);
  ssk_err_free(err);
}

Test(file, refuses_what_is_missing_too_large_or_no_file) {
  char *data;
  size_t size;
  ssk_err *err = ssk_err_new();
  cr_assert_eq(ssk_file_write(in_folder("f"), "12345", 5, err), SSK_OK);
  cr_assert_eq(ssk_file_read(in_folder("f"), 4, &data, &size, err), SSK_EIO);
  cr_assert_null(data);
  cr_assert(strstr(ssk_err_message(err, 0), "larger than 4 bytes"));
  cr_assert_eq(ssk_file_read(in_folder("none"), 4, &data, &size, err), SSK_EIO);
  cr_assert(strstr(ssk_err_message(err, 1), "No such file"));
  cr_assert_eq(ssk_file_read(folder, 4, &data, &size, err), SSK_EIO);
  cr_assert(strstr(ssk_err_message(err, 2), "Is a directory"));
  cr_assert_eq(mkfifo(in_folder("pipe"), 0600), 0);
  cr_assert_eq(ssk_file_read(in_folder("pipe"), 4, &data, &size, err), SSK_EIO); /* does not wait */
  cr_assert(strstr(ssk_err_message(err, 3), "not a regular file"));
  ssk_err_free(err);
}

Test(file, a_failed_write_leaves_nothing) {
  ssk_err *err = ssk_err_new();
  cr_assert_eq(mkdir(in_folder("d"), 0700), 0);
  cr_assert_eq(ssk_file_write(in_folder("d"), "x", 1, err), SSK_EIO); /* a folder is in the way */
  cr_assert_eq(ssk_file_write(in_folder("none/f"), "x", 1, err), SSK_EIO);
  cr_assert_eq(ssk_err_count(err), 2);
  cr_assert_eq(count_entries(), 1);
  ssk_err_free(err);
}

Test(file, writes_through_links_and_into_pipes) {
  char target[300], read_back[8] = {0};
  struct stat info;
  cr_assert_eq(ssk_file_write(in_folder("target"), "old", 3, NULL), SSK_OK);
  snprintf(target, sizeof target, "%s", path);
  cr_assert_eq(symlink("target", in_folder("link")), 0);
  cr_assert_eq(ssk_file_write(path, "new", 3, NULL), SSK_OK);
  cr_assert(lstat(path, &info) == 0 && S_ISLNK(info.st_mode));
  FILE *file = fopen(target, "r");
  cr_assert(file && fread(read_back, 1, 7, file) == 3);
  cr_expect_str_eq(read_back, "new");
  fclose(file);
  cr_assert_eq(mkfifo(in_folder("pipe"), 0600), 0);
  const int reader = open(path, O_RDONLY | O_NONBLOCK);
  cr_assert_eq(ssk_file_write(path, "through", 7, NULL), SSK_OK);
  cr_assert_eq(read(reader, read_back, 7), 7);
  cr_expect_eq(memcmp(read_back, "through", 7), 0);
  close(reader);
  cr_assert(stat(path, &info) == 0 && S_ISFIFO(info.st_mode));
  cr_expect_eq(count_entries(), 3);
}

Test(file, makes_and_claims_folders) {
  ssk_err *err = ssk_err_new();
  cr_assert_eq(ssk_folder_make(in_folder("a/b//c/"), err), SSK_OK);
  cr_assert(ssk_file_exists(in_folder("a/b/c")));
  cr_assert_eq(ssk_folder_make(in_folder("a/b"), err), SSK_OK);
  cr_assert_eq(ssk_folder_claim(in_folder("x/run"), err), SSK_OK);
  cr_assert_eq(ssk_folder_claim(in_folder("x/run"), err), SSK_EIO);
  cr_assert(strstr(ssk_err_message(err, 0), "exists"));
  cr_assert_eq(ssk_file_write(in_folder("f"), "", 0, err), SSK_OK);
  cr_assert_eq(ssk_folder_make(in_folder("f/g"), err), SSK_EIO);
  ssk_err_free(err);
}

static void expect_folder(const char *of, const char *expected) {
  char *got = ssk_path_folder(of);
  cr_expect_str_eq(got, expected);
  free(got);
}

Test(file, takes_paths_apart_and_together) {
  expect_folder("a/b.yaml", "a");
  expect_folder("b.yaml", ".");
  expect_folder("/b.yaml", "/");
  expect_folder("/a//b/", "/a");
  expect_folder("", ".");
  char *joined = ssk_path_join("a/", "b");
  cr_expect_str_eq(joined, "a/b");
  free(joined);
}
