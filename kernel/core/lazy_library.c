/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lazy_library.c - see lazy_library.h. */
#include "core/lazy_library.h"
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

/* A pointer that is set already is left alone: other threads may be using it. */
static bool set_pointer(void *library, const struct ssk_lazy_function *function) {
  void *set, *symbol;
  memcpy(&set, function->pointer, sizeof set); /* ISO C has no cast to function pointers */
  if (set)
    return true;
  symbol = dlsym(library, function->name);
  memcpy(function->pointer, &symbol, sizeof symbol);
  return symbol;
}

int ssk_lazy_library(const char *soname, size_t n, const struct ssk_lazy_function *functions,
                     ssk_err *err) {
  int code = SSK_OK;
  pthread_mutex_lock(&one_at_a_time);
  void *library = dlopen(soname, RTLD_NOW | RTLD_LOCAL);
  if (!library)
    code = ssk_err_set(err, SSK_EIO, "cannot load a library: %s", dlerror());
  for (size_t i = 0; i < n && !code; i++)
    if (!set_pointer(library, &functions[i]))
      code = ssk_err_set(err, SSK_EIO, "library %s has no %s", soname, functions[i].name);
  pthread_mutex_unlock(&one_at_a_time);
  return code;
}
