#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The wrapper run-tests must fail on a leak and on a bad access although Criterion passes them: with
# the sanitizers of this build, or under valgrind where it has none. Needs tests/planted_leak.
set -u
wrapper=$top_srcdir/tests/support/run-tests
program=$top_builddir/tests/planted_leak
n=0

# expect STATUS TEST: the wrapper's last test point for this test alone
expect() {
  n=$((n + 1))
  output=$("$wrapper" "$program" --filter "planted/$2" 2>&1)
  said=$(echo "$output" | grep -E '^(not )?ok .*reports? of: ' | sed 's/ [0-9]* - .*//')
  if echo "$output" | grep -q "^ok .*planted::$2" && test "$said" = "$1"; then
    echo "ok $n - Criterion passes '$2', the wrapper says '$1'"
  else
    echo "$output" | sed 's/^/# /'
    echo "not ok $n - Criterion passes '$2', the wrapper says '$1'"
  fi
}

case $SSKIT_SANITIZED in
*address*) ;;
*undefined*) ;;
*)
  if ! command -v valgrind >/dev/null; then
    echo "1..0 # SKIP neither a sanitizer nor valgrind"
    exit 0
  fi
  RUN_TESTS_VALGRIND=yes
  export RUN_TESTS_VALGRIND
  ;;
esac

expect "ok" sound
case $SSKIT_SANITIZED in
*undefined*) expect "not ok" overflow ;;
esac
case $SSKIT_SANITIZED in
*address* | "") expect "not ok" leak ;;
esac
case $SSKIT_SANITIZED in
"") expect "not ok" overread ;;
esac
echo "1..$n"
