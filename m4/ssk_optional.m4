# SPDX-License-Identifier: GPL-3.0-or-later
# SSK_OPTIONAL(NAME, VARIABLE, MODULES, DEBIAN, WHAT FOR)
# An option --with-NAME=auto|yes|no for a library that pkg-config knows and that the program can be without:
# VARIABLE_CFLAGS and VARIABLE_LIBS, empty without, WITH_VARIABLE for automake, the answer in with_NAME.
# Include folders become -isystem, so that its headers need not be free of warnings.
AC_DEFUN([SSK_OPTIONAL],
[AC_ARG_WITH([$1], [AS_HELP_STRING([--with-$1@<:@=auto|yes|no@:>@],
  [$5; auto, the default: where it is installed])], [], [with_$1=auto])
AS_VAR_IF([with_$1], [no], [],
  [PKG_CHECK_MODULES([$2], [$3], [with_$1=yes],
    [AS_VAR_IF([with_$1], [yes], [AC_MSG_ERROR([$1 is missing (Debian: $4)])])
     with_$1=no])])
AM_CONDITIONAL([WITH_$2], [test "$with_$1" = yes])
AS_VAR_IF([with_$1], [yes], [$2_CFLAGS=`AS_ECHO(["$$2_CFLAGS"]) | sed 's/-I/-isystem /g'`],
  [$2_CFLAGS= $2_LIBS=])
])
