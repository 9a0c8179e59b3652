/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cpu.c - the instruction sets of ./configure --with-arch against those of this processor. */
#include "core/cpu.h"

#if defined(__x86_64__) && defined(__GNUC__)
/* The compiler says by macros what it may use; each is paired with the processor's answer. */
static const char *missing_instructions(void) {
  __builtin_cpu_init();
#ifdef __AVX2__
  if (!__builtin_cpu_supports("avx2"))
    return "AVX2";
#endif
#ifdef __FMA__
  if (!__builtin_cpu_supports("fma"))
    return "FMA";
#endif
#ifdef __BMI2__
  if (!__builtin_cpu_supports("bmi2"))
    return "BMI2";
#endif
#ifdef __AVX512F__
  if (!__builtin_cpu_supports("avx512f"))
    return "AVX-512";
#endif
  return NULL;
}
#else
static const char *missing_instructions(void) {
  return NULL;
}
#endif

int ssk_cpu_check(ssk_err *err) {
  const char *missing = missing_instructions();
  if (!missing)
    return SSK_OK;
  ssk_err_set(err, SSK_EFAIL, "this sskit was compiled for a processor with %s", missing);
  ssk_err_hint(err, "build it on this machine, or with ./configure --with-arch=no");
  return SSK_EFAIL;
}
