/* SPDX-License-Identifier: GPL-3.0-or-later */
/* on_disk.h - for tests of readers: bytes in a file, and a data set on it. */
#ifndef TESTS_ON_DISK_H
#define TESTS_ON_DISK_H

#include "core/text.h"
#include "support/instances.h"
#include <unistd.h>

/* data is NULL when the file cannot be read. */
struct on_disk {
  struct kit kit;
  char path[64];
  struct ssk_data *data;
};

/* A recipe with "FILE" in it where the path belongs. */
static inline void on_disk_open(struct on_disk *f, const char *dataset, const void *bytes,
                                size_t size, const char *yaml) {
  snprintf(f->path, sizeof f->path, "/tmp/sskit-test-XXXXXX");
  int file = mkstemp(f->path);
  cr_assert_geq(file, 0);
  cr_assert_eq(write(file, bytes, size), (ssize_t)size);
  close(file);
  kit_open(&f->kit);
  struct ssk_text recipe = {0};
  const char *at;
  while ((at = strstr(yaml, "FILE"))) {
    ssk_text_printf(&recipe, "%.*s%s", (int)(at - yaml), yaml, f->path);
    yaml = at + 4;
  }
  ssk_text_add(&recipe, yaml);
  struct ssk_instance *instance = kit_try(&f->kit, SSK_DATASET, dataset, recipe.data);
  f->data = instance ? kit_load(&f->kit, instance) : NULL;
  ssk_text_free(&recipe);
}

static inline void on_disk_good(struct on_disk *f, const char *dataset, const void *bytes,
                                size_t size, const char *yaml) {
  on_disk_open(f, dataset, bytes, size, yaml);
  if (!f->data)
    kit_fail(&f->kit, "the file was not read");
}

static inline void on_disk_close(struct on_disk *f) {
  unlink(f->path);
  kit_close(&f->kit);
}

/* The file is refused, and what is printed, with "FILE" for its path, begins with `expected`. */
static inline void on_disk_bad(const char *dataset, const void *bytes, size_t size,
                               const char *yaml, const char *expected) {
  struct on_disk f;
  on_disk_open(&f, dataset, bytes, size, yaml);
  cr_assert_null(f.data, "accepted, but expected: %s", expected);
  char *printed = NULL, *at;
  size_t length;
  FILE *stream = open_memstream(&printed, &length);
  ssk_err_print(f.kit.err, stream, false);
  fclose(stream);
  struct ssk_text out = {0};
  const char *rest = printed;
  while ((at = strstr(rest, f.path))) {
    ssk_text_printf(&out, "%.*sFILE", (int)(at - rest), rest);
    rest = at + strlen(f.path);
  }
  ssk_text_add(&out, rest);
  cr_expect_eq(strncmp(out.data, expected, strlen(expected)), 0, "got:\n%s\nexpected:\n%s",
               out.data, expected);
  ssk_text_free(&out);
  free(printed);
  on_disk_close(&f);
}

#endif
