/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_facts.c - numbers of a fixed size, then the bounds, then strings that end with a NUL. */
#include "report/run_facts.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Without gaps: padding would make the bytes depend on what was on the stack. */
struct numbers {
  int64_t step, path_loss, n_bounds, n_keys;
  double bound, bound_se, bound_per_step, seconds;
};

static void put_text(FILE *out, const char *text) {
  fwrite(text, 1, strlen(text) + 1, out);
}

char *ssk_run_facts_pack(const struct ssk_run_info *run, size_t *size) {
  const struct numbers numbers = {.step = run->step,
                                  .path_loss = run->path_loss,
                                  .n_bounds = run->n_bounds,
                                  .n_keys = run->n_keys,
                                  .bound = run->bound,
                                  .bound_se = run->bound_se,
                                  .bound_per_step = run->bound_per_step,
                                  .seconds = run->seconds};
  char *data = NULL;
  FILE *out = open_memstream(&data, size);
  if (!out)
    return NULL;
  fwrite(&numbers, sizeof numbers, 1, out);
  if (run->n_bounds)
    fwrite(run->bounds, sizeof *run->bounds, (size_t)run->n_bounds, out);
  put_text(out, run->name);
  put_text(out, run->status);
  put_text(out, run->command);
  put_text(out, run->started);
  for (int k = 0; k < run->n_keys; k++) {
    put_text(out, run->keys[k].key);
    put_text(out, run->keys[k].value);
  }
  const bool failed = ferror(out);
  if (!fclose(out) && !failed)
    return data;
  free(data);
  return NULL;
}

struct bytes {
  const char *at, *end;
};

static const void *take(struct bytes *from, size_t size) {
  const char *at = from->at;
  if (size > (size_t)(from->end - at))
    return NULL;
  from->at += size;
  return at;
}

/* malloc'ed; NULL without memory or where no string is left. */
static char *take_text(struct bytes *from) {
  const size_t left = (size_t)(from->end - from->at), n = strnlen(from->at, left);
  const char *text = n < left ? take(from, n + 1) : NULL;
  return text ? strdup(text) : NULL;
}

static bool take_bounds(struct ssk_run_info *run, struct bytes *from, int64_t n) {
  if (n < 0 || (size_t)n > (size_t)(from->end - from->at) / sizeof *run->bounds)
    return false;
  const size_t size = (size_t)n * sizeof *run->bounds;
  run->bounds = n ? malloc(size) : NULL;
  if (n && !run->bounds)
    return false;
  if (n)
    memcpy(run->bounds, take(from, size), size);
  run->n_bounds = (int)n;
  return true;
}

static bool take_keys(struct ssk_run_info *run, struct bytes *from, int64_t n) {
  if (n < 0 || n > (from->end - from->at) / 2) /* each has two NULs at least */
    return false;
  run->keys = n ? calloc((size_t)n, sizeof *run->keys) : NULL;
  if (n && !run->keys)
    return false;
  run->n_keys = (int)n;
  bool fine = true;
  for (int k = 0; k < run->n_keys && fine; k++) {
    struct ssk_run_key *own = &run->keys[k];
    fine = (own->key = take_text(from)) && (own->value = take_text(from));
  }
  return fine;
}

bool ssk_run_facts_unpack(struct ssk_run_info *run, const void *data, size_t size) {
  struct numbers numbers;
  struct bytes from = {data, (const char *)data + size};
  const void *head = take(&from, sizeof numbers);
  if (!head)
    return false;
  memcpy(&numbers, head, sizeof numbers);
  struct ssk_run_info read = {.step = numbers.step,
                              .path_loss = numbers.path_loss,
                              .bound = numbers.bound,
                              .bound_se = numbers.bound_se,
                              .bound_per_step = numbers.bound_per_step,
                              .seconds = numbers.seconds};
  if (!take_bounds(&read, &from, numbers.n_bounds) || !(read.name = take_text(&from)) ||
      !(read.status = take_text(&from)) || !(read.command = take_text(&from)) ||
      !(read.started = take_text(&from)) || !take_keys(&read, &from, numbers.n_keys) ||
      from.at != from.end) {
    ssk_run_info_free(&read);
    return false;
  }
  read.path = run->path;
  read.busy = run->busy;
  memcpy(read.changed, run->changed, sizeof read.changed);
  *run = read;
  return true;
}
