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
mkdir told
run 0 "... in a directory that is there and empty, with its progress" compare study.yaml 'compare.seeds=[3, 5]' training.steps=2 -o told
point "... each line of which says what is trained" \
  test "$(sed 's/: step .*//' err | sort | uniq -c | awk '{ sub(/^ *[0-9]+ /, ""); print }' | tr '\n' ';')" = \
  "gated, seed 3 (3 of 4);gated, seed 5 (4 of 4);gaussian, seed 3 (1 of 4);gaussian, seed 5 (2 of 4);"

point "what has no value has a reason" grep -q "^without a value (-): elbo of persistence: no bound$" whole/table.txt
run 0 "... each of them" compare -q study.yaml training.steps=2 missing.fraction=0.1 \
  'evaluate.metrics=[crps, iwae_ess, kernel_nll, kernel_jsd, imputation_rmse, smoothing_rmse]' \
  'compare.rows=[oracle, gaussian.yaml, persistence]' -o reasons
tr '\n' ' ' <reasons/table.txt >reasons.txt
for reason in "iwae_ess of oracle: the likelihood is not importance-weighted, of persistence: no likelihood;" \
  "of gaussian: the latents are not those of the data, of persistence: no transition of latents"; do
  point "... $reason" grep -qF "$reason" reasons.txt
done

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
# What would end it later is found before the first step, and by check alike.
sed 's/persistence/oracle, seasonal_naive/; $a set: [evaluate.horizon=7]' study.yaml >late.yaml
cat >series.yaml <<END
base: $smoke/dataset_csv.yaml
name: series
END
sed 's/persistence/oracle/; s/gated.yaml/series.yaml/' study.yaml >other.yaml
for verb in check compare; do
  run 5 "$verb: a horizon beyond the series" $verb late.yaml
  point "... at its place" grep -q "^late.yaml:3:24: error: row 'gaussian.yaml': no series is long enough" err
  point "... and a row without a season" grep -q "^late.yaml:2:26: error: row 'seasonal_naive': .* needs evaluate.season" err
  run 3 "$verb: a row with other data" $verb other.yaml
  point "... says what differs" grep -q "^other.yaml:2:.*row 'series.yaml': other data .*'use: bimodal' there, 'use: csv' here" err
  sed '$a set: [training.steps=2, "training.stepps=3"]' study.yaml >mistake.yaml
  run 3 "$verb: a mistake in set" $verb mistake.yaml
  point "... at its place, once, with the nearest" \
    sh -c 'test "$(grep -c error: err)" = 1 && grep -q "^mistake.yaml:3:35: error: .*unknown key .stepps." err &&
    grep -q "did you mean .steps." err'
done
point "... and nothing is trained" test ! -e runs

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
