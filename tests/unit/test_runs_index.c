/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_runs_index.c - the index of runs: what it gives back, and when it is believed. */
#include "core/file.h"
#include "report/run_facts.h"
#include "report/runs_index.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/sskit-test-index-XXXXXX";
static char run_path[64];

static void write_file(const char *name, const char *text) {
  char path[96];
  snprintf(path, sizeof path, "%s/%s", run_path, name);
  cr_assert_eq(ssk_file_write(path, text, strlen(text), NULL), SSK_OK);
}

static void set_up(void) {
  cr_assert(mkdtemp(folder));
  snprintf(run_path, sizeof run_path, "%s/run", folder);
  cr_assert_eq(ssk_folder_make(run_path, NULL), SSK_OK);
  write_file("recipe.yaml", "name: true\nmodel: {latent: 2, empty: ''}\n");
  write_file("status", "done\n");
  write_file("metrics.jsonl", "{\"kind\": \"validation\", \"step\": 4, \"bound_per_step\": 1.5}\n");
  setenv("XDG_CACHE_HOME", folder, 1);
}

static void tear_down(void) {
  char command[128];
  snprintf(command, sizeof command, "rm -r %s", folder);
  cr_assert_eq(system(command), 0);
}

TestSuite(runs_index, .init = set_up, .fini = tear_down);

/* Everything odd that facts can be. */
static struct ssk_run_key odd_keys[] = {{"a", ""}, {"b.c", "[1, 2]"}};
static double odd_bounds[] = {NAN, -INFINITY, 0.1};
static struct ssk_run_info odd_run(void) {
  return (struct ssk_run_info){.path = run_path,
                               .name = "",
                               .status = "failed: x",
                               .command = "sskit train 'é'",
                               .started = "",
                               .step = -1,
                               .bound = NAN,
                               .bound_se = INFINITY,
                               .bound_per_step = 1.0 / 3,
                               .seconds = NAN,
                               .path_loss = true,
                               .n_bounds = 3,
                               .bounds = odd_bounds,
                               .n_keys = 2,
                               .keys = odd_keys};
}

static void expect_odd(const struct ssk_run_info *run) {
  cr_assert_str_eq(run->name, "");
  cr_assert_str_eq(run->status, "failed: x");
  cr_assert_str_eq(run->command, "sskit train 'é'");
  cr_assert_str_eq(run->started, "");
  cr_assert_eq(run->step, -1);
  cr_assert(isnan(run->bound) && isinf(run->bound_se) && isnan(run->seconds));
  cr_assert_eq(run->bound_per_step, 1.0 / 3);
  cr_assert(run->path_loss);
  cr_assert_eq(run->n_bounds, 3);
  cr_assert(!memcmp(run->bounds, odd_bounds, sizeof odd_bounds));
  cr_assert_eq(run->n_keys, 2);
  cr_assert_str_eq(ssk_run_value(run, "a"), "");
  cr_assert_str_eq(ssk_run_value(run, "b.c"), "[1, 2]");
}

Test(runs_index, facts_come_back_whole_or_not_at_all) {
  const struct ssk_run_info odd = odd_run();
  size_t size;
  char *data = ssk_run_facts_pack(&odd, &size);
  cr_assert(data);
  for (size_t n = 0; n < size; n++) {
    char *part = malloc(n + 1); /* of its own size, so that reading on is noticed */
    memcpy(part, data, n);
    struct ssk_run_info run = {.path = run_path};
    cr_assert(!ssk_run_facts_unpack(&run, part, n), "%zu of %zu bytes were accepted", n, size);
    cr_assert_null(run.name);
    free(part);
  }
  struct ssk_run_info run = {.busy = true};
  cr_assert(ssk_run_facts_unpack(&run, data, size));
  cr_assert(run.busy && !run.path);
  expect_odd(&run);
  ssk_run_info_free(&run);
  free(data);
}

Test(runs_index, forgets_what_was_written_just_now) {
  struct ssk_run_stamp stamp;
  ssk_run_stamp_take(&stamp, run_path);
  cr_assert_gt(stamp.files[0].size, 0);
  cr_assert_eq(stamp.files[4].inode, 0); /* command.txt is not there */
  cr_assert(ssk_run_stamp_fresh(&stamp));
  const struct ssk_run_info odd = odd_run();
  struct ssk_runs_index *index = ssk_runs_index_open();
  ssk_runs_index_keep(index, &odd, &stamp);
  struct ssk_run_info run = {.path = run_path};
  cr_assert(!ssk_runs_index_find(index, &run, &stamp));
  ssk_runs_index_close(index);
}

#ifdef SSK_SQLITE
/* The facts of an odd run under the stamp of the true one: whoever sees them believed the index. */
Test(runs_index, is_believed_until_a_file_changes) {
  struct ssk_run_stamp stamp;
  ssk_run_stamp_take(&stamp, run_path);
  for (int tries = 0; ssk_run_stamp_fresh(&stamp) && tries < 100; tries++)
    usleep(100000);
  const struct ssk_run_info odd = odd_run();
  struct ssk_runs_index *index = ssk_runs_index_open();
  cr_assert(index);
  ssk_runs_index_keep(index, &odd, &stamp);
  ssk_runs_index_close(index);

  struct ssk_runs runs = {0};
  ssk_runs_use_index(&runs);
  cr_assert_eq(ssk_runs_scan(&runs, folder, NULL), SSK_OK);
  cr_assert_eq(runs.n, 1);
  expect_odd(&runs.items[0]);
  cr_assert_str_eq(runs.items[0].path, run_path);
  ssk_runs_free(&runs);

  cr_assert_eq(ssk_runs_scan(&runs, folder, NULL), SSK_OK); /* without the index */
  cr_assert_str_eq(runs.items[0].name, "true");
  ssk_runs_free(&runs);

  write_file("status", "done\n"); /* the same bytes in another file */
  ssk_runs_use_index(&runs);
  cr_assert_eq(ssk_runs_scan(&runs, folder, NULL), SSK_OK);
  cr_assert_str_eq(runs.items[0].name, "true");
  cr_assert_eq(runs.items[0].bound_per_step, 1.5);
  ssk_runs_free(&runs);
}

Test(runs_index, forgets_runs_that_are_gone) {
  const struct ssk_run_stamp old = {.files = {{.inode = 1}}};
  struct ssk_run_info odd = odd_run(), found = {.path = run_path};
  char other[64];
  snprintf(other, sizeof other, "%s/other", folder);
  cr_assert_eq(ssk_folder_make(other, NULL), SSK_OK); /* no run */
  struct ssk_runs_index *index = ssk_runs_index_open();
  ssk_runs_index_keep(index, &odd, &old);
  odd.path = other;
  ssk_runs_index_keep(index, &odd, &old);
  ssk_runs_index_close(index);
  index = ssk_runs_index_open();
  cr_assert(ssk_runs_index_find(index, &found, &old));
  found.path = NULL;
  ssk_run_info_free(&found);
  found = (struct ssk_run_info){.path = other};
  cr_assert(!ssk_runs_index_find(index, &found, &old));
  ssk_runs_index_close(index);
}
#endif
