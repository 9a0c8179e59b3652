#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# docs/tutorial.md: its files and its commands, in their order.
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
follow "$top_srcdir/docs/tutorial.md"
for name in first wider shops drift best; do
  point "runs/$name is done" grep -q '^done' "runs/$name/status"
done
point "14 days are forecast" test "$(grep -c '^shop 1,\|^"shop 1",' forecast.csv)" = 14
point "reports are written" test -s runs/shops/report.html -a -s runs/study/report.html
point "the table has the plugin's row" grep -q '^ *drift ' commands.log
point "a schema is written" grep -q '"transition.drift": {' recipe.schema.json
echo "1..$n"
