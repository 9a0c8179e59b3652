#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# sskit schema: all recipes here are valid by it, and those that `sskit check` refuses for a key, a type or
# a range are not.
set -u
. "$top_srcdir/tests/support/tap.sh"
cd "$work" || exit 99

run 0 "a schema" schema
cp out schema.json
point "... has the components" grep -q '"transition.gaussian": {' schema.json
point "... and their parameters' ranges" grep -q '"maximum": ' schema.json
if python3 -c 'import jsonschema, yaml' 2>/dev/null; then
  bad=
  for name in unknown_key unknown_key_in_component unknown_key_in_section component_unknown enumeration range_real \
    range_integer type_map type_bool component_of_another_kind; do
    bad="$bad $top_srcdir/tests/badrecipes/$name.yaml"
  done
  # shellcheck disable=SC2046,SC2086
  python3 "$top_srcdir/tests/support/check_schema.py" schema.json \
    $(find "$top_srcdir/recipes" -name '*.yaml' | sort) -- $bad >log 2>err
  status=$?
  cat log
  point "recipes are valid by it, wrong ones are not" test $status = 0
else
  skip "recipes are valid by it" "python3 with jsonschema and yaml is not there"
fi
echo "1..$n"
