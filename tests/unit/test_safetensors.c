/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_safetensors.c - checkpoints: what is written is read back, and nothing else is. */
#include "core/file.h"
#include "train/checkpoint.h"
#include "train/safetensors.h"
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64];
static char path[96];

static void set_up(void) {
  strcpy(folder, "/tmp/sskit-test-XXXXXX");
  cr_assert(mkdtemp(folder) != NULL);
  snprintf(path, sizeof path, "%s/a.safetensors", folder);
}

static void tear_down(void) {
  unlink(path);
  rmdir(folder);
}

TestSuite(safetensors, .init = set_up, .fini = tear_down);

/* ---- the format ------------------------------------------------------------------------------ */

/* A file with this header and `size` bytes of data. */
static void write_raw(const char *header, size_t size) {
  unsigned char length[8] = {(unsigned char)strlen(header)};
  char data[64] = {0};
  const struct ssk_piece pieces[] = {{length, 8}, {header, strlen(header)}, {data, size}};
  cr_assert(eq(int, ssk_file_write_pieces(path, pieces, 3, NULL), SSK_OK));
}

/* What opening the file says; "" when it succeeds. */
static void open_message(char *message, size_t n) {
  struct ssk_safetensors *file;
  ssk_err *err = ssk_err_new();
  const int code = ssk_safetensors_open(path, &file, err);
  cr_assert(eq(int, code, ssk_err_code(err)));
  snprintf(message, n, "%s", ssk_err_message(err, 0));
  ssk_safetensors_close(file);
  ssk_err_free(err);
}

Test(safetensors, reads_a_file_written_by_hand) {
  write_raw("{\"b\":{\"dtype\":\"U8\",\"shape\":[2,3],\"data_offsets\":[4,10]},"
            "\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},"
            "\"__metadata__\":{\"k\":\"v\"}}   ",
            10);
  struct ssk_safetensors *file;
  cr_assert(eq(int, ssk_safetensors_open(path, &file, NULL), SSK_OK));
  cr_assert(eq(str, (char *)ssk_safetensors_at(file, 0)->name, "a"));
  const struct ssk_array *b = ssk_safetensors_find(file, "b");
  cr_assert(b == ssk_safetensors_at(file, 1));
  cr_assert(b->ndim == 2 && b->shape[0] == 2 && b->shape[1] == 3 && b->size == 6);
  cr_assert(eq(str, (char *)ssk_safetensors_text(file, "k"), "v"));
  cr_assert(ssk_safetensors_text(file, "none") == NULL);
  cr_assert(ssk_safetensors_find(file, "c") == NULL && ssk_safetensors_at(file, 2) == NULL);
  ssk_safetensors_close(file);
}

#define ENTRY(name, dtype, shape, from, to)                                                        \
  "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":[" from "," to "]}"

Test(safetensors, refuses_headers_that_lie) {
  static const struct {
    const char *header;
    const char *part; /* of the message */
  } rows[] = {
      {"[]", "no JSON object"},
      {"{\"a\":", "no JSON object"},
      {"{" ENTRY("a", "F32", "[2]", "0", "8") "," ENTRY("a", "F32", "[2]", "0", "8") "}",
       "no JSON object"},
      {"{\"a\":1}", "lacks dtype"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", "lacks dtype"},
      {"{" ENTRY("a", "F33", "[2]", "0", "8") "}", "dtype is unknown"},
      {"{" ENTRY("a", "F32", "[1,1,1,1,1,1,1,1,2]", "0", "8") "}", "too many axes"},
      {"{" ENTRY("a", "F32", "[-2]", "0", "8") "}", "not a list of lengths"},
      {"{" ENTRY("a", "F32", "[2.0]", "0", "8") "}", "not a list of lengths"},
      {"{" ENTRY("a", "F32", "[4611686018427387904,4]", "0", "8") "}", "larger than memory"},
      {"{" ENTRY("a", "F32", "[2]", "0", "8.0") "}", "not integers"},
      {"{" ENTRY("a", "F32", "[2]", "-8", "0") "}", "outside the file"},
      {"{" ENTRY("a", "F32", "[2]", "8", "0") "}", "outside the file"},
      {"{" ENTRY("a", "F32", "[4]", "0", "16") "}", "outside the file"},
      {"{" ENTRY("a", "F32", "[2]", "0", "4") "}", "do not fit its shape"},
      {"{" ENTRY("a", "F32", "[1]", "0", "4") "," ENTRY("b", "F32", "[2]", "0", "8") "}",
       "overlap"},
      {"{" ENTRY("a", "F32", "[1]", "4", "8") "}", "leave a gap"},
      {"{" ENTRY("a", "F32", "[1]", "0", "4") "}", "4 bytes belong to no tensor"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    char message[512];
    write_raw(rows[i].header, 8);
    open_message(message, sizeof message);
    cr_assert(strstr(message, rows[i].part) != NULL, "%s: '%s' does not say '%s'", rows[i].header,
              message, rows[i].part);
  }
}

/* ---- checkpoints ----------------------------------------------------------------------------- */

static struct ssk_slice slices[] = {
    {.name = "encoder.W", .ndim = 2, .shape = {2, 3}, .offset = 0, .count = 6},
    {.name = "encoder.b", .ndim = 1, .shape = {3}, .offset = 16, .count = 3},
};
static struct ssk_layout layout = {.n = 2, .slice = slices, .total = 32, .trained = 9};
static const struct ssk_training_section settings = {.steps = 1};
static const struct ssk_counters counters = {.step = 123456789012345,
                                             .updates = 70,
                                             .skipped = 7,
                                             .skipped_in_row = 3,
                                             .best_step = 50,
                                             .best = 1.0 / 3,
                                             .validated_step = 100,
                                             .validation = {.series = 9,
                                                            .steps = 32,
                                                            .distortion = -1e-300,
                                                            .initial = 0.1,
                                                            .transition = INFINITY,
                                                            .total = NAN,
                                                            .se = 2}};
static const struct ssk_origin origin = {"name: \"a\\b\"\nseed: 7\n", UINT64_MAX, 0xfeedbeef,
                                         "{\"dimensions\":1}"};

static void fill(struct ssk_optimiser *o, int start) {
  cr_assert(eq(int, ssk_optimiser_init(o, &layout, &settings, NULL), SSK_OK));
  ssk_real *vectors[] = {o->values, o->average, o->m, o->v};
  for (int k = 0; k < 4 && start; k++)
    for (int i = 0; i < layout.n; i++)
      for (size_t e = 0; e < slices[i].count; e++)
        vectors[k][slices[i].offset + e] =
            (ssk_real)(start + 1000 * k + (double)(slices[i].offset + e) / 3);
  o->updates = start;
}

static void save(int start) {
  struct ssk_optimiser o;
  fill(&o, start);
  cr_assert(eq(int, ssk_checkpoint_save(path, &o, &counters, &origin, NULL), SSK_OK));
  ssk_optimiser_free(&o);
}

Test(safetensors, a_checkpoint_comes_back_bit_by_bit) {
  save(70);
  struct ssk_checkpoint c;
  cr_assert(eq(int, ssk_checkpoint_open(&c, path, NULL), SSK_OK));
  struct ssk_optimiser written, o;
  fill(&written, 70);
  fill(&o, 0);
  cr_assert(eq(int, ssk_checkpoint_restore(&c, &o, NULL), SSK_OK));
  const size_t bytes = layout.total * sizeof(ssk_real);
  cr_assert(memcmp(o.values, written.values, bytes) == 0);
  cr_assert(memcmp(o.average, written.average, bytes) == 0);
  cr_assert(memcmp(o.m, written.m, bytes) == 0);
  cr_assert(memcmp(o.v, written.v, bytes) == 0);
  cr_assert(eq(long, (long)o.updates, 70));
  cr_assert(c.counters.step == counters.step && c.counters.skipped == 7);
  cr_assert(c.counters.skipped_in_row == 3 && c.counters.best_step == 50);
  cr_assert(c.counters.best == counters.best && c.counters.validation.series == 9);
  cr_assert(c.counters.validation.distortion == -1e-300 && c.counters.validation.initial == 0.1);
  cr_assert(isinf(c.counters.validation.transition) && isnan(c.counters.validation.total));
  cr_assert(eq(str, (char *)c.origin.recipe, (char *)origin.recipe));
  cr_assert(eq(str, (char *)c.origin.units, (char *)origin.units));
  cr_assert(c.origin.seed == origin.seed && c.origin.fingerprint == origin.fingerprint);
  ssk_checkpoint_close(&c);
  ssk_optimiser_free(&o);
  ssk_optimiser_free(&written);
}

/* The message of restoring the file at `path` into the layout. */
static void restore_message(char *message, size_t n) {
  struct ssk_checkpoint c;
  struct ssk_optimiser o;
  ssk_err *err = ssk_err_new();
  fill(&o, 0);
  int code = ssk_checkpoint_open(&c, path, err);
  if (!code)
    code = ssk_checkpoint_restore(&c, &o, err);
  cr_assert(eq(int, code, ssk_err_code(err)));
  snprintf(message, n, "%s", ssk_err_message(err, 0));
  ssk_checkpoint_close(&c);
  ssk_optimiser_free(&o);
  ssk_err_free(err);
}

Test(safetensors, a_checkpoint_of_another_model_is_refused_by_tensor) {
  char message[512];
  save(1);
  slices[0].shape[0] = 3;
  slices[0].shape[1] = 2;
  restore_message(message, sizeof message);
  cr_expect(strstr(message, "tensor 'weights/encoder.W' is [2, 3], the model needs [3, 2]") != NULL,
            "%s", message);
  slices[0].shape[0] = 2;
  slices[0].shape[1] = 3;
  slices[1].name = "encoder.c";
  restore_message(message, sizeof message);
  cr_expect(strstr(message, "lacks the tensor 'weights/encoder.c'") != NULL, "%s", message);
  slices[1].name = "encoder.b";
  layout.n = 1;
  restore_message(message, sizeof message);
  cr_expect(strstr(message, "the model has no tensor 'weights/encoder.b'") != NULL, "%s", message);
  layout.n = 2;
  write_raw("{\"__metadata__\":{\"format\":\"pt\"}}", 0);
  restore_message(message, sizeof message);
  cr_expect(strstr(message, "its format is 'pt'") != NULL, "%s", message);
  restore_message(message, sizeof message);
}

/* Whatever is cut off or flipped: an error or a valid checkpoint, never a crash. */
Test(safetensors, damaged_checkpoints_are_survived) {
  save(1);
  char *bytes, message[512];
  size_t size;
  cr_assert(eq(int, ssk_file_read(path, 1 << 20, &bytes, &size, NULL), SSK_OK));
  const size_t header = size - 4 * 9 * sizeof(ssk_real);
  for (size_t n = 0; n < size; n += 1 + n / 100) {
    cr_assert(eq(int, ssk_file_write(path, bytes, n, NULL), SSK_OK));
    open_message(message, sizeof message);
    cr_assert(message[0] != 0, "%zu of %zu bytes were taken for a whole file", n, size);
  }
  int refused = 0;
  for (size_t at = 0; at < header; at += 3) {
    bytes[at] ^= 1 << at % 8;
    cr_assert(eq(int, ssk_file_write(path, bytes, size, NULL), SSK_OK));
    restore_message(message, sizeof message);
    refused += *message != 0;
    bytes[at] ^= 1 << at % 8;
  }
  cr_assert(refused > (int)header / 6, "only %d damaged headers were noticed", refused);
  free(bytes);
}
