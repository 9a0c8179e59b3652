# SPDX-License-Identifier: GPL-3.0-or-later
# SSK_MPI
# What --with-mpi[=MPICC] asks for: MPI_CFLAGS and MPI_LIBS, empty without, and WITH_MPI for automake.
# Whoever sets the first two on the command line of configure can use any MPI library.
# Include folders become -isystem, so that MPI's headers need not be free of warnings.
AC_DEFUN([SSK_MPI],
[AS_CASE([$with_mpi],
  [no], [MPI_CFLAGS= MPI_LIBS=],
  [yes], [PKG_CHECK_MODULES([MPI], [ompi-c], [],
    [AC_MSG_ERROR([Open MPI is missing (Debian: libopenmpi-dev); --with-mpi=MPICC takes another one])])],
  [ssk_mpicc=$with_mpi
   AS_IF([test -d "$with_mpi"], [ssk_mpicc=$with_mpi/bin/mpicc])
   AC_MSG_CHECKING([what $ssk_mpicc compiles and links with])
   MPI_CFLAGS=`"$ssk_mpicc" --showme:compile 2>/dev/null`
   MPI_LIBS=`"$ssk_mpicc" --showme:link 2>/dev/null`
   AS_IF([test -z "$MPI_LIBS"], [AC_MSG_ERROR(['$ssk_mpicc' is no compiler of Open MPI])])
   AC_MSG_RESULT([$MPI_CFLAGS $MPI_LIBS])])
AM_CONDITIONAL([WITH_MPI], [test "$with_mpi" != no])
AS_VAR_IF([with_mpi], [no], [],
  [MPI_CFLAGS="-DSSK_MPI `AS_ECHO(["$MPI_CFLAGS"]) | sed 's/-I/-isystem /g'`"
   ssk_save_CPPFLAGS=$CPPFLAGS ssk_save_LIBS=$LIBS
   CPPFLAGS="$CPPFLAGS $MPI_CFLAGS" LIBS="$MPI_LIBS $LIBS"
   AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <mpi.h>]], [[return MPI_Finalize();]])], [],
     [AC_MSG_ERROR([cannot link a program with MPI: see config.log])])
   CPPFLAGS=$ssk_save_CPPFLAGS LIBS=$ssk_save_LIBS])
AC_SUBST([MPI_CFLAGS])
AC_SUBST([MPI_LIBS])
])
