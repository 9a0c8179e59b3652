# SPDX-License-Identifier: GPL-3.0-or-later
# SSK_SONAME(VARIABLE, NAME, FUNCTION)
# Defines VARIABLE_SONAME: what the run-time linker calls libNAME, which is in $VARIABLE_LIBS and has FUNCTION.
# For a library that is loaded where it is first needed (kernel/core/lazy_library.h) instead of linked with.
AC_DEFUN([SSK_SONAME],
[AC_CHECK_TOOL([READELF], [readelf], [false])
AC_MSG_CHECKING([what lib$2 is called])
ssk_saved_LIBS=$LIBS ssk_soname=
LIBS="$LIBS $$1_LIBS"
AC_LINK_IFELSE([AC_LANG_CALL([], [$3])],
  [ssk_soname=`$READELF -d conftest$EXEEXT | sed -n 's/.*(NEEDED).*\(lib$2\.so.*\).$/\1/p'`])
LIBS=$ssk_saved_LIBS
AC_MSG_RESULT([$ssk_soname])
AS_VAR_IF([ssk_soname], [],
  [AC_MSG_ERROR([cannot tell: a program links with $$1_LIBS and readelf (Debian: binutils) shows how])])
AC_DEFINE_UNQUOTED([$1_SONAME], ["$ssk_soname"], [What lib$2 is called by the run-time linker.])
])
