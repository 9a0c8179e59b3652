#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The wrapper run-tests must fail on faults that no assertion shows (tests/support/planted_leak.c): by
# the sanitizers of this build, or by valgrind where it has none. And it must pass what is sound.
set -u
wrapper=$top_srcdir/tests/support/run-tests
program=$top_builddir/tests/planted_leak
n=0

# expect ok|not\ ok TEST: whether the wrapper's points for this test alone are all "ok"
expect() {
  n=$((n + 1))
  points=$("$wrapper" "$program" --filter "planted/$2" 2>&1)
  said="ok"
  echo "$points" | grep -q '^not ok' && said="not ok"
  echo "$points" | grep -Eq "^(not )?ok .*planted::$2 .*s\)" || said="the test did not run"
  if test "$said" = "$1"; then
    echo "ok $n - the wrapper says '$1' to planted::$2"
  else
    echo "$points" | sed 's/^/# /'
    echo "not ok $n - the wrapper says '$1' to planted::$2, but: $said"
  fi
}

memory=no undefined=no
case $SSKIT_SANITIZED in *address*) memory=yes ;; esac
case $SSKIT_SANITIZED in *undefined*) undefined=yes ;; esac
if test -z "$SSKIT_SANITIZED"; then
  if ! command -v valgrind >/dev/null; then
    echo "1..0 # SKIP neither a sanitizer nor valgrind"
    exit 0
  fi
  memory=yes
  RUN_TESTS_VALGRIND=yes
  export RUN_TESTS_VALGRIND
fi

expect "ok" sound
if test $memory = yes; then
  expect "not ok" leak
  expect "not ok" overread
fi
test $undefined = no || expect "not ok" overflow
echo "1..$n"
