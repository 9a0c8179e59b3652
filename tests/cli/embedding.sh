#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# docs/embedding.md: its program has the numbers of sskit forecast. With PREFIX as an argument it is built as
# the page says, against the package that is installed there; else against what was built here.
# usage: embedding.sh [PREFIX]      (TAP on standard output)
set -u
if test $# -gt 0; then
  top_srcdir=$(cd "$(dirname "$0")/../.." && pwd)
  SSKIT=$1/bin/sskit
  PKG_CONFIG_PATH=$1/lib/pkgconfig
  LD_LIBRARY_PATH=$1/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
  export PKG_CONFIG_PATH LD_LIBRARY_PATH
  unset SSKIT_PLUGIN_PATH
fi
. "$top_srcdir/tests/support/tap.sh"
cd "$work" || exit 99
page=$top_srcdir/docs/embedding.md

if test $# -gt 0; then
  follow "$page"
else
  awk -f "$top_srcdir/tests/support/page.awk" "$page"
  "$SSKIT" train -q river.yaml -o runs/river >out 2>err
  # shellcheck disable=SC2086
  $CC -Wall -Wextra -Werror $SSKIT_SANITIZED -o forecast forecast.c -I"$top_srcdir/kernel/include" \
    "$top_builddir/.libs/libsskit.so" -lm >out 2>err
  point "the program of the page can be built" test $? = 0
  LD_LIBRARY_PATH=$top_builddir/.libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
  export LD_LIBRARY_PATH
  ./forecast runs/river >within.csv 2>err
  point "... and runs" test $? = 0
fi
point "the program has under 80 lines" test "$(wc -l <forecast.c)" -lt 80

awk 'BEGIN { print "x"; for (t = 0; t < 95; t++) printf "%.17g\n", 20 + sin(t / 4); print "NA" }' >x.csv
"$SSKIT" forecast runs/river --data x.csv --horizon 8 --samples 200 --form samples -o program.csv 2>err
point "its numbers are those of sskit forecast" cmp within.csv program.csv
./forecast nowhere >out 2>err
point "a run that is not there is an error" test $? = 6 -a ! -s out
point "... which says so" grep -q "nowhere" err
echo "1..$n"
