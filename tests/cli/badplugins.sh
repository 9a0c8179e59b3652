#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Broken plugins: each tests/badplugins/NAME.expected holds a command, exactly what it must print, and
# its exit status. All plugins lie in one folder, sound ones among broken ones: a broken plugin may
# only stop those who name it. Then: files and folders that others may write, and -ffast-math.
set -u
here=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/badplugins
work=$(mktemp -d "${TMPDIR:-/tmp}/badplugins.XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT
umask 022
mkdir "$work/plugins" "$work/one" || exit 99
cp "$SSKIT_BADPLUGINS"/*.so "$here"/*.yaml "$work/plugins" || exit 99
chmod -R go-w "$work"
cd "$work/plugins" || exit 99

unset SSKIT_RECIPE_PATH
SSKIT_PLUGIN_DIR=
export SSKIT_PLUGIN_DIR
case ${SSKIT_REAL:-float} in double) real=8 other=4 with=with ;; *) real=4 other=8 with=without ;; esac
n=0

sskit() { "$SSKIT" "$@"; }

# report NAME: compares the files wanted and got
report() {
  n=$((n + 1))
  if diff "$work/wanted" "$work/got" >"$work/diff"; then
    echo "ok $n - $1"
  else
    sed 's/^/# /' "$work/diff"
    echo "not ok $n - $1"
  fi
}

# run COMMAND: standard output and error, and the status, to the file got
run() {
  { echo "\$ $1"; eval "$1" 2>&1; echo "status $?"; } >"$work/got"
}

for expected in "$here"/*.expected; do
  name=$(basename "$expected" .expected)
  if test "$name" = fast_math; then
    case $(uname -m) in x86_64) ;; *) continue ;; esac
  fi
  sed "s/@REAL@/$real/g; s/@OTHER@/$other/g; s/@WITH@/$with/g" "$expected" >"$work/wanted"
  run "$(sed -n '1s/^\$ //p' "$expected")"
  report "$name"
done

# ---- who may write a plugin --------------------------------------------------------------------

# shellcheck disable=SC2034 # commands that are evaluated use it
stage=$SSKIT_PLUGIN_PATH
SSKIT_PLUGIN_PATH=
export SSKIT_PLUGIN_PATH
cp sound.so "$work/one"
cd "$work" || exit 99

# expect NAME COMMAND: what it must do stands in standard input
expect() {
  { echo "\$ $2"; cat; } >"$work/wanted"
  run "$2"
  report "$1"
}

chmod 775 one/sound.so
expect "a file that the group may write" 'sskit --plugin-dir one describe sound' <<'END'
sskit: error: there is no component 'sound'
      = hint: 'one/sound.so' was refused: others than its owner may write it (mode 0775) (chmod go-w 'one/sound.so')
status 4
END
mkdir links && ln -s ../one/sound.so links/sound.so
expect "a link to such a file" 'sskit --plugin-dir links describe sound' <<'END'
sskit: error: there is no component 'sound'
      = hint: 'links/sound.so' was refused: others than its owner may write it (mode 0775) (chmod go-w 'links/sound.so')
status 4
END
chmod go-w one/sound.so
expect "a link to a safe file" 'sskit --plugin-dir links list transition' <<'END'
transition
  sound  for tests
status 0
END
expect "one file by two ways is one plugin" \
  'sskit --plugin-dir links --plugin-dir one list transition' <<'END'
transition
  sound  for tests
status 0
END
chmod 757 one
expect "a folder that others may write" 'sskit --plugin-dir one list transition' <<'END'
sskit: error: folder of plugins 'one': others than its owner may write it (mode 0757)
      = hint: chmod go-w 'one'
status 4
END
chmod o-w one
expect "a folder that does not exist" 'sskit --plugin-dir none list' <<'END'
sskit: error: folder of plugins 'none': it cannot be examined: No such file or directory
status 4
END
mkdir kinds && mkdir kinds/transition && cp one/sound.so kinds/transition
expect "a folder of kinds" 'SSKIT_PLUGIN_PATH=kinds: sskit list transition' <<'END'
transition
  sound  for tests
status 0
END
# What a file in the folder of a kind carries is known by its name, and only else by opening all.
mkdir -p other/transition && cp plugins/failing_init.so other/transition/another_name.so
cp plugins/failing_init.yaml .
expect "a component in a file of another name" \
  'SSKIT_PLUGIN_PATH=$stage sskit --plugin-dir other check failing_init.yaml' <<'END'
failing_init.yaml:4:21: error: transition 'failing_init': a scale of 0.25 does not suit it
    4 |   transition: {use: failing_init, scale: 0.25}
      |                     ^~~~~~~~~~~~
status 4
END
cp plugins/failing_init.so other
mkdir -p named/transition && cp plugins/failing_init.so named/transition
expect "a component in two files of which one is opened when asked" \
  'SSKIT_PLUGIN_PATH=$stage sskit --plugin-dir other --plugin-dir named check failing_init.yaml' <<'END'
failing_init.yaml:4:21: error: two plugins provide the transition 'failing_init': 'named/transition/failing_init.so' and 'other/failing_init.so'
    4 |   transition: {use: failing_init, scale: 0.25}
      |                     ^~~~~~~~~~~~
      = hint: remove one of them, or leave out its folder
status 4
END
chmod 775 kinds/transition
expect "a folder of a kind that the group may write" 'sskit --plugin-dir kinds list transition' <<'END'
sskit: warning: 'kinds/transition' was refused: others than its owner may write it (mode 0775) (chmod go-w 'kinds/transition')
transition
  (none)
status 0
END
sed 's/{use: failing_init, scale: 0.25}/sound/' failing_init.yaml >sound.yaml
expect "... is told to a recipe that misses what it may carry" \
  'SSKIT_PLUGIN_PATH=$stage sskit --plugin-dir kinds check sound.yaml' <<'END'
sound.yaml:4:15: error: there is no transition 'sound'
    4 |   transition: sound
      |               ^~~~~
      = hint: 'kinds/transition' was refused: others than its owner may write it (mode 0775) (chmod go-w 'kinds/transition')
status 4
END
cp one/sound.so .
expect "the working folder is not searched" 'SSKIT_PLUGIN_PATH=: sskit list transition' <<'END'
transition
  (none)
status 0
END

# ---- fast math is refused when compiling too -----------------------------------------------------

n=$((n + 1))
if ${CC:-cc} -ffast-math -fsyntax-only -I"$here/../../kernel/include" "$here/sound.c" 2>messages; then
  echo "not ok $n - -ffast-math compiles"
elif grep -q 'plugins must not be built with -ffast-math' messages; then
  echo "ok $n - -ffast-math does not compile"
else
  sed 's/^/# /' messages
  echo "not ok $n - -ffast-math fails for another reason"
fi
echo "1..$n"
