#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# sskit compare in a study's directory: it goes on, and keeps what was trained there.
set -u
. "$top_srcdir/tests/support/tap.sh"
smoke=$top_srcdir/recipes/smoke
cd "$work" || exit 99

cat >gaussian.yaml <<END
base: $smoke/transition_gaussian.yaml
name: gaussian
training: {steps: 600, checkpoint_every: 100}
END
cat >gated.yaml <<END
base: $smoke/transition_gated.yaml
name: gated
training: {steps: 600, checkpoint_every: 100}
END
cat >study.yaml <<END
name: study
compare: {rows: [persistence, gaussian.yaml, gated.yaml], bootstrap: 20, seeds: [1]}
END
run 0 "a study" compare -q study.yaml -o whole

# Stopped while it trains its second row.
"$SSKIT" compare -q study.yaml -o parts >out 2>err &
study=$!
await test -s parts/gated-1/metrics.jsonl
kill -TERM $study
wait $study
status=$?
point "a signal stops it" test $status = 9
point "... with a word on how it goes on" grep -q "same command and '-o parts'" err
point "... without a table" test ! -e parts/table.txt
stamp=$(stat -c %i:%y parts/gaussian-1/checkpoints/last.safetensors)
run 0 "it goes on" compare -q study.yaml -o parts
figures() {
  cut -d, -f1-15 "$1/table.csv" # behind them is the time that evaluation took
}
point "... to the same table" test "$(figures whole)" = "$(figures parts)"
point "... and leaves what was finished" test "$(stat -c %i:%y parts/gaussian-1/checkpoints/last.safetensors)" = "$stamp"
point "... and tells the commands" test "$(grep -c ' compare -q study.yaml' parts/command.txt)" = 2

run 0 "one more seed" compare -q study.yaml 'compare.seeds=[1, 2]' -o parts
point "... is trained beside the first" \
  test "$(ls -d parts/*-[0-9] | tr '\n' ' ')" = "parts/gated-1 parts/gated-2 parts/gaussian-1 parts/gaussian-2 "
point "... which stays" test "$(stat -c %i:%y parts/gaussian-1/checkpoints/last.safetensors)" = "$stamp"

sed 's/persistence/persistance/' study.yaml >misspelt.yaml
for verb in check compare; do
  run 3 "$verb: a row that is none" $verb misspelt.yaml
  point "... at its place, with the nearest" sh -c 'grep -q "^misspelt.yaml:2:18: error: the row .persistance." err &&
    grep -q "did you mean .persistence." err'
done
run 3 "a seed twice is refused" compare -q study.yaml 'compare.seeds=[1, 2, 1]' -o parts
run 3 "so is a part of one" compare -q study.yaml 'compare.seeds=[1, 1.5]' -o parts
cp parts/table.csv before.csv
run 3 "runs of another recipe are refused" compare -q study.yaml training.steps=700 -o parts
point "... with what differs" \
  grep -q "row 'gaussian'.*parts/gaussian-1' is a run of another recipe: 'steps: 600' there, 'steps: 700' here" err
point "... before anything is done" cmp -s before.csv parts/table.csv
mkdir other && touch other/something
run 6 "a directory that is no study's is refused" compare -q study.yaml -o other
point "... with a word on why" grep -q "in its own directory only" err
cp parts/gaussian-1/command.txt commands
run 6 "so is a run's" compare -q study.yaml -o parts/gaussian-1
point "... which is left as it was" cmp -s commands parts/gaussian-1/command.txt

echo "1..$n"
