#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# outsider.sh - does docs/writing-a-plugin.md work for somebody who has only the installed package?
#
# In an empty folder its files are written and its commands run. Then it is checked that the page keeps
# its promises.
# usage: outsider.sh PREFIX DOC      (TAP on standard output)
set -u
prefix=$1
support=$(cd "$(dirname "$0")/../support" && pwd)
doc=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
folder=$(mktemp -d) || exit 99
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 99

PATH=$prefix/bin:$PATH
PKG_CONFIG_PATH=$prefix/lib/pkgconfig
LD_LIBRARY_PATH=$prefix/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export PATH PKG_CONFIG_PATH LD_LIBRARY_PATH
unset SSKIT_PLUGIN_PATH

count=0
bad=0
ok() { # ok NAME STATUS
  count=$((count + 1))
  if test "$2" = 0; then
    echo "ok $count - $1"
  else
    echo "not ok $count - $1"
    bad=1
  fi
}

awk -f "$support/page.awk" "$doc"

test -s student_t.c && test -s short_steps.c && test -s heavy.yaml && test -s commands.sh
ok "the page holds two plugins, a recipe and commands" $?

test "$(wc -l <student_t.c)" -lt 100 && test "$(wc -l <short_steps.c)" -lt 100
ok "the plugins have under 100 lines" $?

sh -e commands.sh >commands.log 2>&1
status=$?
test $status = 0 || sed 's/^/# /' commands.log
ok "the commands of the page run" $status

grep -q '^done' runs/heavy/status && grep -q '^done' runs/short/status
ok "the runs are done" $?

grep -q 'heavy_tails' commands.log
ok "the component is listed" $?

SSKIT_PLUGIN_PATH=$folder/plugins sskit check heavy.yaml \
  model.transition.degrees_of_freedom=0 >check.log 2>&1
test $? = 3 && grep -q 'degrees_of_freedom' check.log
ok "a value out of range is refused with status 3" $?

echo "1..$count"
exit $bad
