#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Manual pages and completion scripts say what --help says.
set -u
. "$top_srcdir/tests/support/tap.sh"
cd "$work" || exit 99

"$SSKIT" completion bash >bash.sh 2>err
point "completion of bash" test -s bash.sh
"$SSKIT" completion zsh >_sskit 2>err
point "completion of zsh" test -s _sskit
verbs=$("$SSKIT" --help | sed -n '/^Verbs:/,/^$/s/^  \([a-z]*\) .*/\1/p')
point "--help lists verbs" test "$(echo "$verbs" | wc -l)" -ge 15
for verb in $verbs; do
  "$SSKIT" manual "$verb" >page 2>err
  "$SSKIT" "$verb" --help >help 2>&1
  missing=
  for option in $(grep -o '^ .*  ' help | grep -o -e '--[a-z][a-z-]*' | sort -u); do
    test "$option" != --usage || continue
    sed 's/\\-/-/g' page | grep -q -e "$option" || missing="$missing manual:$option"
    sed -n "/^  $verb)/,/;;/p" bash.sh | grep -q -e "$option" || missing="$missing bash:$option"
  done
  test -n "$missing" && echo "# $verb: $missing"
  point "$verb: manual and completion have all options of --help" test -z "$missing"
  point "$verb: zsh knows it" grep -q "^  $verb)" _sskit
done
if command -v bash >/dev/null; then
  cat >complete.sh <<END
. ./bash.sh
compopt() { :; }
COMP_WORDS=(sskit com) COMP_CWORD=1
_sskit
echo "\${COMPREPLY[@]}"
COMP_WORDS=(sskit train --thr) COMP_CWORD=2
_sskit
echo "\${COMPREPLY[@]}"
COMP_WORDS=("$SSKIT" describe diffusio) COMP_CWORD=2
_sskit
echo "\${COMPREPLY[@]}"
COMP_WORDS=("$SSKIT" train $top_srcdir/recipes/smoke/transition_gaussian.yaml model.lat) COMP_CWORD=3
_sskit
echo "\${COMPREPLY[@]}"
END
  bash complete.sh >words 2>err
  printf 'compare completion\n--threads=\ndiffusion\nmodel.latent=\n' >wanted
  point "bash completes verbs, options, components and keys" cmp words wanted
fi
if command -v zsh >/dev/null; then
  point "zsh can read it" zsh -n _sskit
fi
"$SSKIT" manual recipe >recipe.5 2>err
point "the reference of recipes" grep -q 'model\.transition' recipe.5
"$SSKIT" manual components >components.7 2>err
point "the reference of components" test -s components.7
# What the schema of editors has, the references have too: every key, and every parameter of every component.
"$SSKIT" schema >schema.json
python3 - >missing 2>&1 <<'END'
import json, re
page = {name: re.findall(r'^\.TP\n\\fB(.*?)\\fR', open(name).read().replace('\\-', '-'), re.M)
        for name in ('recipe.5', 'components.7')}
schema = json.load(open('schema.json'))
def keys(properties, prefix=''):
    for name, value in properties.items():
        yield prefix + name
        for inner in value.get('allOf', []):
            yield from keys(inner.get('properties', {}), prefix + name + '.')
for key in keys(schema['properties']):
    if key not in page['recipe.5'] and key not in ('base', 'expect', 'quick', 'sweep.axes'):
        print('recipe', key)
for name, component in schema['definitions'].items():
    if '.' in name:
        for key in keys(component['properties']):
            if key != 'use' and key not in page['components.7']:
                print(name, key)
END
cat missing | sed 's/^/# /'
point "the references have every key and parameter" cmp missing /dev/null
if command -v man >/dev/null; then
  "$SSKIT" manual train >train.1
  for page in train.1 recipe.5 components.7; do
    point "man has nothing to say against $page" test -z "$(man --warnings -l "$page" 2>&1 >/dev/null)"
  done
fi
run 2 "no shell" completion csh
run 2 "an unknown verb" manual tran
point "... with the nearest" grep -q "did you mean 'train'" err

echo "1..$n"
