# SPDX-License-Identifier: GPL-3.0-or-later
# SSK_DATABASE(NAME, VARIABLE, MODULE, DEBIAN)
# What --with-NAME=auto|yes|no asks for: VARIABLE_CFLAGS and VARIABLE_LIBS, empty without.
AC_DEFUN([SSK_DATABASE],
[AS_VAR_IF([with_$1], [no], [],
  [PKG_CHECK_MODULES([$2], [$3], [with_$1=yes],
    [AS_VAR_IF([with_$1], [yes], [AC_MSG_ERROR([$3 is missing (Debian: $4)])])
     with_$1=no])])
AS_VAR_IF([with_$1], [yes],
  [$2_CFLAGS="-DSSK_$2 `AS_ECHO(["$$2_CFLAGS"]) | sed 's/-I/-isystem /g'`"],
  [$2_CFLAGS= $2_LIBS=])
AC_SUBST([$2_CFLAGS])
AC_SUBST([$2_LIBS])
])
