# SPDX-License-Identifier: GPL-3.0-or-later
# tap.sh - what the scripts of tests/cli share: a folder `work` of their own, which goes with them, and
# numbered points of TAP. To be sourced; a script ends with echo "1..$n".
work=$(mktemp -d "${TMPDIR:-/tmp}/$(basename "$0" .sh).XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT
n=0

# point NAME COMMAND...: ok when the command succeeds; if not, the errors in $work/err are shown
point() {
  name=$1
  shift
  n=$((n + 1))
  if "$@" >/dev/null; then
    echo "ok $n - $name"
  else
    test ! -s "$work/err" || sed 's/^/# /' "$work/err"
    echo "not ok $n - $name"
  fi
}

# skip NAME REASON
skip() {
  n=$((n + 1))
  echo "ok $n - $1 # SKIP $2"
}

# run STATUS NAME ARGUMENT...: a command of the program must end with that status; out and err have
# what it says
run() {
  wanted=$1
  name=$2
  shift 2
  "$SSKIT" "$@" >out 2>err
  status=$?
  point "$name" test $status = "$wanted"
}

# refused STATUS TEXT ARGUMENT...: to be asked at a point. The program with $verb and these arguments ends with
# that status, says the text, and prints nothing.
refused() {
  wanted=$1
  text=$2
  shift 2
  # shellcheck disable=SC2086,SC2154
  "$SSKIT" $verb "$@" >out 2>err
  status=$?
  test $status = "$wanted" && grep -qF -- "$text" err && ! test -s out
}

# await COMMAND...: again and again until it succeeds, half a minute at the most
await() {
  tries=0
  until "$@" || test $tries -gt 300; do
    sleep 0.1
    tries=$((tries + 1))
  done
}

# walk PAGE: what a reader of it does, in the folder where he is: its files, then its commands but those of
# tests/support/not-run, with sskit in the PATH (from then on). commands.log has what they print, the status is theirs
walk() {
  : >commands.sh
  awk -v not_run="$top_srcdir/tests/support/not-run" -f "$top_srcdir/tests/support/page.awk" "$1"
  if test ! -x "$work/bin/sskit"; then
    mkdir -p "$work/bin"
    printf '#!/bin/sh\nexec "%s" "$@"\n' "$SSKIT" >"$work/bin/sskit"
    chmod +x "$work/bin/sskit"
  fi
  PATH=$work/bin:${PATH#"$work/bin:"}
  sh -e commands.sh >commands.log 2>&1
}

# follow PAGE: a point of walking through it
follow() {
  walk "$1"
  status=$?
  test $status = 0 || sed 's/^/# /' commands.log
  point "the commands of the page run" test $status = 0
}

# kill_workers PID: kill -9 a worker of the sweep, again and again while it lasts; `killed` is how many. Not any
# child: at the end of a process the sanitizer's search for leaks is one, and holds its parent, for ever if it dies.
kill_workers() {
  killed=0
  while kill -0 "$1" 2>/dev/null; do
    sleep 0.3
    worker=$(ps -o pid= -o args= --ppid "$1" | awk '/--worker/ { print $1 }' | sort -R | head -n 1)
    # shellcheck disable=SC2086
    test -z "$worker" || { kill -9 $worker 2>/dev/null && killed=$((killed + 1)); }
  done
}
