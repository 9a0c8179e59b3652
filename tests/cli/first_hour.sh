#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# docs/first-hour.md: its files and its commands, in their order, without the build.
set -u
. "$top_srcdir/tests/support/tap.sh"
cd "$work" || exit 99
# As it is installed: the plugins in their folder, none in SSKIT_PLUGIN_PATH, which the page sets.
SSKIT_PLUGIN_DIR=$SSKIT_PLUGIN_PATH
unset SSKIT_PLUGIN_PATH
PKG_CONFIG_PATH=$top_builddir
export PKG_CONFIG_PATH SSKIT_PLUGIN_DIR
if ! command -v gnuplot >/dev/null; then
  skip "the commands of the page run" "there is no gnuplot"
  echo "1..$n"
  exit 0
fi
follow "$top_srcdir/docs/first-hour.md"
for name in demand linear drift; do
  point "runs/$name is done" grep -q '^done' "runs/$name/status"
done
point "14 days are forecast" test "$(($(wc -l <forecast.csv) - 1))" = 14
point "the plugin is changed" grep -q 'ssk_real)0.9' drift/drift.c
point "the source has as many lines as the page says" \
  grep -q "$(wc -l <drift/drift.c) lines of C" "$top_srcdir/docs/first-hour.md"
point "reports are written" test -s runs/drift/report.html -a -s runs/study/report.html
echo "1..$n"
