#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The commands in all documents: their verbs, options and recipes are there. Those of the tutorial, the first hour,
# forecasts and gaps are run by tests of their own.
set -u
. "$top_srcdir/tests/support/tap.sh"
cd "$work" || exit 99

# Print what is wrong with the commands in lines on standard input, as "COMMAND: WHAT".
wrong() {
  grep -E '^    (\$ )?([A-Z_]+=[^ ]* |mpirun .* |srun )?sskit [a-z]' | sed 's/ #.*//' | grep -oE 'sskit [a-z]+( [^;|&<>]*)?' |
    while read -r _ verb rest; do
      if ! test -s "$verb.help"; then
        "$SSKIT" "$verb" --help >"$verb.help" 2>/dev/null || { echo "sskit $verb: no such verb" && continue; }
      fi
      for word in $rest; do
        case $word in
        --*) grep -q -e "${word%%=*}\>" "$verb.help" || echo "sskit $verb $rest: no option $word" ;;
        recipes/*.yaml) ls "$top_srcdir"/$word >/dev/null 2>&1 || echo "sskit $verb $rest: no $word" ;;
        esac
      done
    done
}

for document in "$top_srcdir"/README.md "$top_srcdir"/docs/*.md "$top_srcdir"/docs/results/*.md "$top_srcdir"/bench/README.md; do
  wrong <"$document" >found
  sed 's/^/# /' found
  point "${document#"$top_srcdir"/}" test ! -s found
done

printf '    sskit frobnicate\n    sskit train recipes/none.yaml --thread 2\n    sskit runs ls  # --none\n' | wrong >found
printf 'sskit frobnicate: no such verb\nsskit train recipes/none.yaml --thread 2: no recipes/none.yaml\n' >wanted
echo 'sskit train recipes/none.yaml --thread 2: no option --thread' >>wanted
point "what is wrong is found" cmp found wanted

echo "1..$n"
