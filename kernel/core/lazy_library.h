/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lazy_library.h - a shared library that few runs need, loaded where it is first needed. To be
 * linked with libpq and libzip, and so with the cryptography and the directory services under
 * them, costs every run 6 MB and some milliseconds.
 *
 *     #define LIBPQ(F) F(PQconnectdb) F(PQfinish)
 *     static struct { LIBPQ(SSK_LAZY_MEMBER) } pq;
 *     #define ENTRY(name) SSK_LAZY_ENTRY(pq, name)
 *     static const struct ssk_lazy_function functions[] = {LIBPQ(ENTRY)};
 */
#ifndef SSK_CORE_LAZY_LIBRARY_H
#define SSK_CORE_LAZY_LIBRARY_H

#include <sskit/err.h>
#include <stddef.h>

/* A function of the library by its name, and the pointer to it that is to be set. */
struct ssk_lazy_function {
  const char *name;
  void *pointer;
};
#define SSK_LAZY_MEMBER(name)           __typeof__(name) *name;
#define SSK_LAZY_ENTRY(structure, name) {#name, &structure.name},

/* Set the pointers to the n functions of the library `soname`, which stays loaded. Any thread may
 * call it, any number of times. SSK_EIO where the library, or a function of it, is not there. */
int ssk_lazy_library(const char *soname, size_t n, const struct ssk_lazy_function *functions,
                     ssk_err *err);

#endif
