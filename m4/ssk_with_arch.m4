# SPDX-License-Identifier: GPL-3.0-or-later
# SSK_WITH_ARCH: the instruction set that everything is compiled for. sskit is built from source where
# it runs, and its loops are two to three times shorter with AVX2 and FMA; so the default is
# x86-64-v3 where this machine has it, and what the compiler does by itself elsewhere, or when
# cross-compiling. ssk_arch_flag becomes " -march=..." or nothing. The program looks at its processor
# before it begins (kernel/core/cpu.h). AVX-512 is not among the levels of `auto`: what gains by it
# (kernel/tensor/vmath.c, OpenBLAS) chooses it at run time.
AC_DEFUN([SSK_WITH_ARCH], [
AC_ARG_WITH([arch],
  [AS_HELP_STRING([--with-arch=ARCH],
    [compile with -march=ARCH: auto (x86-64-v3 where this machine has it), no, x86-64-v4, native...])],
  [], [with_arch=auto])
AC_MSG_CHECKING([for the instruction set to compile for])
AS_VAR_IF([with_arch], [auto], [
  ssk_save_CFLAGS=$CFLAGS
  CFLAGS="$CFLAGS -march=x86-64-v3"
  AC_RUN_IFELSE([AC_LANG_PROGRAM([[]],
    [[__builtin_cpu_init();
      return !(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
               __builtin_cpu_supports("bmi2"));]])],
    [with_arch=x86-64-v3], [with_arch=no], [with_arch=no])
  CFLAGS=$ssk_save_CFLAGS])
AS_CASE([$with_arch], [no], [ssk_arch_flag=], [yes], [AC_MSG_ERROR([--with-arch needs a value])],
  [ssk_arch_flag=" -march=$with_arch"])
AC_MSG_RESULT([$with_arch])
])
