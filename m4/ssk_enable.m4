# SPDX-License-Identifier: GPL-3.0-or-later
# SSK_ENABLE(NAME, HELP)
# An option --enable-NAME, off by default, that takes yes or no; the answer is in enable_NAME.
AC_DEFUN([SSK_ENABLE],
[AC_ARG_ENABLE([$1], [AS_HELP_STRING([--enable-$1], [$2])], [], [AS_VAR_SET([enable_$1], [no])])
AS_CASE([$enable_$1], [yes|no], [],
  [AC_MSG_ERROR([--enable-$1 takes yes or no, not '$enable_$1'])])])
