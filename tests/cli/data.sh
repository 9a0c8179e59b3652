#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# docs/data.md: its files and its commands, in their order; sskit data; and the recipes on public series,
# where these are.
set -u
. "$top_srcdir/tests/support/tap.sh"
cd "$work" || exit 99

status_of() {
  "$@" >/dev/null 2>said
  echo $?
}

follow "$top_srcdir/docs/data.md"
point "describe counts series, steps and gaps" \
  grep -q '^train *2 *6 *3 *3.0 *3 *16.667%$' commands.log
point "split tells where a series comes from" test "$(grep -c '"series": "lower"' split.json)" = 2
hash=$(sskit data hash river.yaml)
point "the fingerprint is that of the description" grep -q "^fingerprint $hash\$" commands.log
sed 's/2\.5$/2.6/' river.csv >rainy.csv
point "a covariate is in it" test "$(sskit data hash river.yaml data.path=rainy.csv)" != "$hash"
point "and where the splits begin" test "$(sskit data hash river.yaml 'data.split=[0.5, 0.2, 0.3]')" != "$hash"
printf ',a,place\n0,1,east\n1,2,west\n2,3,east\n3,4,east\n4,6,west\n' >pandas.csv
sed 's/path: .*/path: pandas.csv/; /columns:/,/missing:/d' river.yaml >pandas.yaml
sskit data describe pandas.yaml >description
point "describe lists the columns that are left out" sh -c "grep -q \"^  'place' (text, such as 'east' in line 2) in\" description &&
  grep -q '^  column 1 (it has no name) in' description"
sskit data describe pandas.yaml --json >description.json
point "... as JSON, too" grep -q "\"column 1 (it has no name) in '" description.json
sskit train pandas.yaml -o pandas training.steps=1 training.validate_every=0 >/dev/null 2>said
point "a training warns of them" grep -q "warning: columns that are not modelled: column 1 (it has no name) in '[^']*', 'place'" said
printf 'compare: {rows: [pandas.yaml], seeds: [1, 2]}\n' >twice.yaml
sskit compare twice.yaml -o twice training.steps=1 training.validate_every=0 evaluate.horizon=1 evaluate.samples=2 \
  'evaluate.metrics=[mae]' >table 2>said || sed 's/^/# /' said
point "... and a study's trainings once" test "$(grep -c 'columns that are not modelled' said)" = 1
printf 'a,b\n1,10\n2,20\n3,30\n' >ab.csv
printf 'b,c,a\n10,0,1\n20,0,2\n30,0,3\n' >bca.csv
printf 'name: two\ndata: {use: csv, train: ab.csv, test: ab.csv}\nmodel: {latent: 1, transition: random_walk}\n' >two.yaml
point "columns of another file are found by name" \
  test "$(sskit data hash two.yaml data.test=bca.csv)" = "$(sskit data hash two.yaml)"
printf 'b,c\n10,0\n' >bc.csv
point "... and must be there" test "$(status_of sskit data hash two.yaml data.test=bc.csv)" = 5
point "... which is said" grep -q "bc.csv:1:1: error: there is no column 'a'" said
sskit train two.yaml -o two training.steps=1 training.validate_every=0 -q >/dev/null 2>said || sed 's/^/# /' said
printf 'b,a\n10,1\n20,2\n30,3\n' >ba.csv
sskit forecast two --data ab.csv --horizon 1 >first
sskit forecast two --data ba.csv --horizon 1 >second
point "... by a forecast, too" cmp first second
printf 'a,b\n1,10\n2,20\n900,30\n' >other.csv
for train in ab other; do
  sskit evaluate two data.train=$train.csv 'evaluate.metrics=[crps]' evaluate.horizon=1 evaluate.context=2 --json 2>said |
    grep -v seconds >$train.json
done
point "a trained model keeps its units, whatever the training series are now" cmp ab.json other.json
point "... which is said" grep -q "trained on other data" said
printf 'a,b\n1,10\n1e39,20\n3,30\n' >huge.csv
point "a bound that is no number is not left out of the mean" \
  test "$(status_of sskit evaluate two data.test=huge.csv 'evaluate.metrics=[elbo]')" = 7
point "... which is said" grep -q "the bound of a series is not a number" said
printf 'id,a\nx,1\nx,2\nx,3\nx,4\ny,5\ny,6\n' >long.csv
printf 'name: long\ndata: {use: csv, train: long.csv, test: long.csv, series: id}\nmodel: {latent: 1, transition: random_walk}\n' >long.yaml
sskit train long.yaml -o long training.steps=1 training.validate_every=0 -q >/dev/null 2>said
sskit evaluate long evaluate.context=3 evaluate.horizon=1 'evaluate.metrics=[elbo, crps, mae]' >table 2>said
point "a table says which figures are not over all series" grep -q "2 series; .*over 1 series: crps, mae" table
point "what is printed goes to no file" test "$(status_of sskit data describe river.yaml -o told)" = 2
sskit data describe river.yaml --json >describe.json
point "describe names the columns" sh -c '"$0" data describe two.yaml | grep -q "%  b$"' "$SSKIT"
point "describe as JSON" grep -q '"missing_share": 0.16666' describe.json
printf 'temp\351rature,b\n1,10\n2,20\n3,30\n' >latin1.csv
point "names that are no UTF-8 are no hindrance" test "$(status_of sskit train two.yaml -o latin1 data.train=latin1.csv \
  data.test=latin1.csv training.steps=1 training.validate_every=0 -q)" = 0

# One series is too short for a forecast by a model of order 2, the other has a scale for all steps.
awk 'BEGIN { for (i = 1; i <= 12; i++) { printf "{\"target\": ["; for (t = 1; t <= (i % 2 ? 20 : 3); t++)
  printf("%s%d", t > 1 ? ", " : "", (t * t + i) % 7); print "]}" } }' >ragged.jsonl
cat >ragged.yaml <<'EOF'
name: ragged
data: {use: jsonl, path: ragged.jsonl, split_by: series, split: [0.5, 0, 0.5]}
model: {latent: 1, order: 2, transition: gaussian}
training: {steps: 1, validate_every: 0}
evaluate: {horizon: 2, samples: 8, metrics: [mase, crps], steps: [2]}
EOF
sskit train ragged.yaml -o ragged -q >/dev/null 2>said || sed 's/^/# /' said
point "a series that is too short is left out" test "$(status_of sskit evaluate ragged --json)" = 0
sskit evaluate ragged --json >ragged.json
point "... but not where the recipe wants less than the order" \
  test "$(status_of sskit evaluate ragged evaluate.context=1)" = 5
point "... which is said" grep -q "evaluate.context is 1: ragged needs a history of 2 steps" said
point "... and a scaled error has a value at each step" test "$(grep -c '"n": 3' ragged.json)" = 4

point "an unknown action is a wrong command line" test "$(status_of sskit data show river.yaml)" = 2
point "a file that is not there has status 5 ..." \
  test "$(status_of sskit data hash river.yaml data.path=no.csv 'data.source=ask them')" = 5
point "... and the source is told" grep -q 'hint: ask them' said

sskit train river.yaml -o run training.steps=1 training.validate_every=0 -q >/dev/null 2>said || sed 's/^/# /' said
point "a run records the fingerprint" grep -q "\"data_fingerprint\": \"$hash\"" run/environment.json

sed 's/^model/evaluate: {horizon: 1}\nmodel/' river.yaml >short.yaml
printf 'compare: {rows: [short.yaml, seasonal_naive], seeds: [1]}\n' >study.yaml
point "a row without a season is refused ..." \
  test "$(status_of sskit compare study.yaml -q -o study training.steps=1 training.validate_every=0)" = 3
point "... by the key that is missing, before anything is trained" \
  sh -c 'grep -q "seasonal_naive needs evaluate.season" said && test ! -e study'
sskit compare study.yaml -q -o study training.steps=1 training.validate_every=0 evaluate.season=2 evaluate.samples=2 \
  'evaluate.metrics=[mae]' >table 2>said || sed 's/^/# /' said
# of missing, 2.0, 1.9 the second, as the first is missing; of 3.4, 3.2, 3.1 the first: errors of 0.1 and 0.3
point "with one it takes the step of a season before" grep -Eq '^seasonal_naive +0\.2' table

# Each model of a folder on public series takes two steps: data_model.yaml is on the series of data.yaml,
# whose first file decides whether they are there.
for recipe in "$top_srcdir"/recipes/music/*_*.yaml "$top_srcdir"/recipes/forecasting/*_d*.yaml \
  "$top_srcdir"/recipes/forecasting/*_kvae.yaml; do
  name=${recipe#"$top_srcdir/recipes/"}
  file=$(sed -n 's|^ .*: \$SSKIT_DATA/\([^ ]*\)$|\1|p' "${recipe%_*}.yaml" | head -n 1)
  if test ! -e "${SSKIT_DATA:-}/$file"; then
    skip "$name" "SSKIT_DATA has no $file"
    continue
  fi
  sskit train "$recipe" -o "run-$n" training.steps=2 training.validate_every=0 health.every=0 \
    -q >/dev/null 2>said || sed 's/^/# /' said
  point "$name takes two steps" grep -q done "run-$n/status"
done
for study in "$top_srcdir"/recipes/forecasting/compare_*.yaml; do
  name=${study#"$top_srcdir/recipes/"}
  SSKIT_DATA=${SSKIT_DATA:-$work} sskit check "$study" >/dev/null 2>said
  point "$name and its rows are sound, but for series that are not here" \
    sh -c '! grep "error:" said | grep -v "there is no file"'
done
echo "1..$n"
