/* SPDX-License-Identifier: GPL-3.0-or-later */
/* count_allocations.c - count_allocations PLUGINS RECIPE THREADS [planted | KEY=VALUE]
 *
 * Trains a recipe until every thread has had a shard and nothing should grow any more, then counts
 * what is allocated, and mapped, during further steps, in all threads. Prints the number, and on
 * standard error where the first one came from; and behind it the number of those that OpenBLAS
 * made by itself, which has no other place for them: it maps a buffer when so many threads are in
 * it at once for the first time, and some of its kernels for small products take scratch memory.
 * With `planted`, one step is followed by an allocation: the proof that they are counted.
 *
 * The definitions of malloc and its kin here stand before those of the C library for the whole
 * process, OpenBLAS and the plugins included; they pass on to glibc's. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* dladdr */
#endif
#include "train/trainer.h"
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { settle = 6, measured = 24, patience = 3000, depth = 16 };

static atomic_bool counting;
static atomic_int counted, of_blas;
static void *first[depth];
static atomic_int first_depth;

/* Where the first came from: backtrace() was called before, so that it allocates nothing now. */
static void count(void *caller) {
  Dl_info place;
  if (!atomic_load(&counting))
    return;
  if (dladdr(caller, &place) && place.dli_fname && strstr(place.dli_fname, "openblas"))
    atomic_fetch_add(&of_blas, 1);
  else if (atomic_fetch_add(&counted, 1) == 0)
    atomic_store(&first_depth, backtrace(first, depth));
}
#define COUNT() count(__builtin_return_address(0))

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size) {
  COUNT();
  return __libc_malloc(size);
}
void *calloc(size_t n, size_t size) {
  COUNT();
  return __libc_calloc(n, size);
}
void *realloc(void *block, size_t size) {
  COUNT();
  return __libc_realloc(block, size);
}
void *memalign(size_t alignment, size_t size);
void *memalign(size_t alignment, size_t size) {
  COUNT();
  return __libc_memalign(alignment, size);
}
void *aligned_alloc(size_t alignment, size_t size) {
  COUNT();
  return __libc_memalign(alignment, size);
}
int posix_memalign(void **block, size_t alignment, size_t size) {
  COUNT();
  *block = __libc_memalign(alignment, size);
  return *block ? 0 : ENOMEM;
}
void *mmap(void *address, size_t length, int protection, int flags, int file, off_t offset) {
  COUNT();
  return (void *)syscall(SYS_mmap, address, length, protection, flags, file, offset); /* NOLINT */
}

/* Steps until each thread's tape has held something, and some more. */
static int warm_up(struct ssk_trainer *t, ssk_err *err) {
  struct ssk_step_record record;
  int code = SSK_OK, idle = 1;
  for (int i = 0; i < patience && idle && !code; i++) {
    code = ssk_trainer_step(t, &record, err);
    idle = 0;
    for (int k = 0; k < t->n_passes; k++)
      idle += ssk_tape_peak(t->passes[k].ctx.tape) == 0;
  }
  for (int i = 0; i < settle && !code; i++)
    code = ssk_trainer_step(t, &record, err);
  return !code && idle ? ssk_err_set(err, SSK_EFAIL, "%d threads never had a shard", idle) : code;
}

static int measure(struct ssk_trainer *t, bool planted, ssk_err *err) {
  struct ssk_step_record record;
  static void *volatile block;
  int code = warm_up(t, err);
  backtrace(first, depth);
  atomic_store(&counting, true);
  for (int i = 0; i < measured && !code; i++) {
    code = ssk_trainer_step(t, &record, err);
    if (planted && i == 0)
      block = malloc(1);
  }
  atomic_store(&counting, false);
  free(block);
  return code;
}

int main(int argc, char **argv) {
  if (argc < 4) {
    fprintf(stderr, "usage: count_allocations PLUGINS RECIPE THREADS [planted | KEY=VALUE]\n");
    return 2;
  }
  const int threads = atoi(argv[3]) < 64 ? atoi(argv[3]) : 64;
  const bool planted = argc > 4 && strcmp(argv[4], "planted") == 0;
  const char *const overrides[] = {"training.batch=16", "training.shards=8", "training.steps=10000",
                                   argc > 4 ? argv[4] : NULL};
  ssk_err *err = ssk_err_new();
  struct ssk_registry *registry = ssk_registry_new(err);
  struct ssk_experiment *experiment = NULL;
  struct ssk_data *data = NULL;
  struct ssk_model *model = NULL;
  struct ssk_pool *pool = NULL;
  struct ssk_trainer *trainer = NULL;
  int code = ssk_registry_add_folder(registry, argv[1], err);
  if (!code)
    code = ssk_experiment_load(argv[2], argc > 4 && !planted ? 4 : 3, overrides, registry,
                               &experiment, err);
  if (!code)
    code = ssk_data_load(experiment, &data, err);
  if (!code)
    code = ssk_model_build(experiment, data, &model, err);
  if (!code)
    code = ssk_pool_new(threads, &pool, err);
  if (!code)
    code = ssk_trainer_new(experiment, data, model, pool, NULL, &trainer, err);
  if (!code)
    code = measure(trainer, planted, err);
  if (code)
    ssk_err_print(err, stderr, false);
  else
    printf("%d %d\n", atomic_load(&counted), atomic_load(&of_blas));
  fflush(stdout);
  if (atomic_load(&counted))
    backtrace_symbols_fd(first, atomic_load(&first_depth), STDERR_FILENO);
  ssk_trainer_free(trainer);
  ssk_pool_free(pool);
  ssk_model_free(model);
  ssk_data_free(data);
  ssk_experiment_free(experiment);
  ssk_registry_free(registry);
  ssk_err_free(err);
  return code;
}
