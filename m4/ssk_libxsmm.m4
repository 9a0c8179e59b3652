# SPDX-License-Identifier: GPL-3.0-or-later
# SSK_LIBXSMM
# What --with-libxsmm=auto|yes|no asks for: LIBXSMM_CFLAGS and LIBXSMM_LIBS, empty without. Debian has the
# library as an archive, and for amd64 alone. Include folders become -isystem, as MPI's.
AC_DEFUN([SSK_LIBXSMM],
[AS_VAR_IF([with_libxsmm], [no], [],
  [PKG_CHECK_MODULES([LIBXSMM], [libxsmm >= 1.17 libxsmm < 2],
    [with_libxsmm=yes],
    [AS_VAR_IF([with_libxsmm], [yes],
       [AC_MSG_ERROR([libxsmm is missing (Debian: libxsmm-dev)])])
     with_libxsmm=no])])
AS_VAR_IF([with_libxsmm], [yes],
  [LIBXSMM_CFLAGS="-DSSK_LIBXSMM `AS_ECHO(["$LIBXSMM_CFLAGS"]) | sed 's/-I/-isystem /g'`"
   LIBXSMM_LIBS=`AS_ECHO(["$LIBXSMM_LIBS"]) | sed 's/ -lc$//; s/ -lc / /'`],
  [LIBXSMM_CFLAGS= LIBXSMM_LIBS=])
AC_SUBST([LIBXSMM_CFLAGS])
AC_SUBST([LIBXSMM_LIBS])
])
