#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Broken recipes: `sskit check NAME.yaml` with the overrides in NAME.args (one a line, where there is
# one) must print exactly NAME.expected to standard error, whose last line is the exit status.
# Environment: SSKIT is the program, SSKIT_PLUGIN_PATH where its plugins are.
# With UPDATE=1 the expected files are written instead: read the difference before it is committed.
set -u
: "${SSKIT:?names the program}"
here=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/badrecipes
work=$(mktemp -d "${TMPDIR:-/tmp}/badrecipes.XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT
mkdir "$work/recipes" && cp -r "$here"/*.yaml "$here"/parts "$work/recipes" || exit 99
chmod -R u+w "$work/recipes"
cd "$work/recipes" || exit 99

# A file that is too large for a recipe, and for the repository.
{ echo 'data: bimodal'; yes '# padding' | head -c 1048576; } >too_large.yaml

unset SSKIT_DATA SSKIT_RECIPE_PATH
export LC_ALL=C
n=0
failed=0

for recipe in *.yaml; do
  name=${recipe%.yaml}
  n=$((n + 1))
  set --
  if test -f "$here/$name.args"; then
    while IFS= read -r argument; do set -- "$@" "$argument"; done <"$here/$name.args"
  fi
  "$SSKIT" check "$recipe" "$@" >"$work/output" 2>"$work/got"
  echo "status $?" >>"$work/got"
  if test -n "${UPDATE:-}"; then
    cp "$work/got" "$here/$name.expected"
  fi
  if diff "$here/$name.expected" "$work/got" >"$work/difference" 2>&1 && ! test -s "$work/output"; then
    echo "ok $n - $name"
  else
    sed 's/^/# /' "$work/difference" "$work/output"
    echo "not ok $n - $name"
    failed=$((failed + 1))
  fi
done
echo "1..$n"
test "$failed" -eq 0
