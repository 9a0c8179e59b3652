#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# sskit doctor: a sound build is sound, and what is missing is said.
set -u
. "$top_srcdir/tests/support/tap.sh"
cd "$work" || exit 99

run 0 "a sound build" doctor
for what in processor libraries products "random numbers" functions threads plugins "this folder"; do
  point "... $what" grep -q "^ok  *$what " out
done
point "... OpenBLAS, with what it does" grep -q '^[a-z]*  *OpenBLAS .* [0-9.e+]* GFLOP/s on one thread' out
point "... nothing is left in the folder" test "$(ls -A | wc -l)" = 2
run 0 "as JSON" doctor --json
point "... a state each" grep -q '"state": "ok"' out
mkdir data data/one recipes
touch data/one/a.csv
printf 'data: {use: csv, path: $SSKIT_DATA/one/a.csv}\n' >recipes/a.yaml
printf 'data:\n  use: csv\n  path: $SSKIT_DATA/two/b.csv  # $SSKIT_DATA/three/c.csv\n' >recipes/b.yaml
SSKIT_DATA=$work/data
export SSKIT_DATA
run 0 "data that recipes name" doctor
point "... one is there, one not, remarks do not count" grep -q "^warning .* 1 of 2 files .*, not two/b.csv$" out
run 0 "data of one recipe" doctor recipes/a.yaml
point "... is there" grep -q '^ok  *data .* 1 of 1 files' out
run 6 "no such recipe" doctor recipes/c.yaml
mkdir plugins
echo nonsense >plugins/broken.so
chmod go-w plugins plugins/broken.so
run 0 "a broken plugin" --plugin-dir plugins doctor
point "... is named with the reason" grep -q "^warning  *plugin .*broken.so' was refused: " out
SSKIT_PLUGIN_PATH=
run 1 "no plugins at all" doctor
point "... is a failure" grep -q '^failed  *plugins ' out
echo "1..$n"
