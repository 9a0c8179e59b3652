#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# sskit forecast --data: somebody's own series have the forecasts that they would have within the data
# set, also where the data of the training are no more; forms and formats; what is refused.
set -u
. "$top_srcdir/tests/support/tap.sh"
cd "$work" || exit 99

# Eight series of 40 steps, two columns with gaps, a holiday every seventh day.
awk 'BEGIN {
  srand(3); print "id,day,load,temp,holiday"
  for (s = 0; s < 8; s++) {
    x = 0
    for (t = 0; t < 40; t++) {
      x = 0.9 * x + rand() - 0.5
      printf "%c,2024-%02d-%02d,%s,%.3f,%d\n", 97 + s, 1 + int(t / 31), t % 31 + 1,
        rand() < 0.1 ? "" : sprintf("%.3f", 100 + 10 * x), 20 + 3 * x + rand(), t % 7 == 0
    }
  }
}' >all.csv
recipe() { # recipe NAME WHAT-MORE-OF-DATA
  cat <<EOF
name: $1
data: {use: csv, path: all.csv, columns: [load, temp], series: id$2, split_by: series, split: [0.5, 0.25, 0.25]}
model:
  latent: 2
  order: 2
  time_features: 4
  summary: {use: gru, hidden: 8}
  encoder: {use: gaussian, network: {use: mlp, hidden: 8, layers: 1}}
  transition: linear
training: {steps: 10, batch: 4, log_every: 10}
evaluate: {context: 32, horizon: 8, samples: 100, metrics: [crps]}
EOF
}
recipe plain "" >plain.yaml
recipe inputs ", covariates: [holiday], time: day, calendar: [week]" >inputs.yaml
for name in plain inputs; do
  "$SSKIT" train -q $name.yaml -o runs/$name >out 2>err || exit 99
  "$SSKIT" forecast runs/$name -o within-$name.csv || exit 99
done

# The test series by themselves: what is conditioned on, then what is known of the horizon.
own() { # own ROWS-BEHIND-THE-HISTORY
  awk -F, -v OFS=, -v more="$1" 'NR == 1 { print } $1 == "g" || $1 == "h" {
    if (++n[$1] > 32) $3 = $4 = ""
    if (n[$1] <= 32 + more) print }' all.csv
}
own 0 >own.csv
own 8 >own-inputs.csv
own 7 >own-short.csv
mv all.csv away.csv

# alike FILE FILE: the same but for names of series and the truth
numbers() {
  awk -F, -v OFS=, 'NR > 1 { $4 = ""; $1 = $1 == "g" || $1 == "0" ? 0 : 1; print }' "$1"
}
alike() {
  numbers "$1" >a && numbers "$2" >b && test -s a && cmp a b
}
run 0 "own series, without the data of the training" forecast runs/plain --data own.csv -o plain.csv
point "... have the forecasts that they have within the data set" alike within-plain.csv plain.csv
point "... by their names" grep -q '^h,39,1,,' plain.csv
sed 's/^g,/M\xfcnchen,/' own.csv >latin1.csv
run 0 "a name that is no UTF-8" forecast runs/plain --data latin1.csv --json
point "... loses no series" test "$(grep -c '"step"' out)" = "$(tail -n +2 plain.csv | wc -l)"
run 0 "... with covariates" forecast runs/inputs --data own-inputs.csv -o inputs.csv
point "... too" alike within-inputs.csv inputs.csv
run 0 "by a checkpoint file" forecast --checkpoint runs/plain/checkpoints/last.safetensors --data own.csv
point "... which is the same" cmp out plain.csv
run 0 "on two threads" forecast runs/plain --data own.csv --threads 2
point "... also" cmp out plain.csv
point "within the data set, series have their names, too" sh -c \
  'grep -q "^h,39,1," within-plain.csv && ! grep -q "^[01]," within-plain.csv'
run 0 "horizon and samples" forecast runs/plain --data own.csv --horizon 3 --samples 20
point "... three steps of two series and columns" test "$(wc -l <out)" = 13
run 0 "... are the overrides" forecast runs/plain --data own.csv evaluate.samples=20 evaluate.horizon=3
mv out by-overrides
"$SSKIT" forecast runs/plain --data own.csv --horizon 3 --samples 20 >out
point "... to the bit" cmp out by-overrides

# The last steps alone: as a file that has no others, but for the number of the step.
run 0 "the last five steps" forecast runs/plain --data own.csv --context 5 model.time_features=4
mv out last
awk -F, 'NR == 1 || ++n[$1] > 27' own.csv >tail.csv
"$SSKIT" forecast runs/plain --data tail.csv >out 2>err
awk -F, -v OFS=, 'NR > 1 { $2 += 27 } { print }' out >shifted
point "... are a file of five steps" cmp last shifted

run 0 "one series" forecast runs/plain --data own.csv --series 1
point "... and no other" sh -c 'test $(wc -l <out) = 17 && ! grep -q "^g" out'
run 0 "other quantiles" forecast runs/plain --data own.csv --quantiles 0.005,0.5,0.975
point "... in their columns" grep -q '^series,step,dimension,truth,mean,q00.5,q50,q97.5$' out
run 0 "samples" forecast runs/plain --data own.csv --form samples --samples 7
point "... one a line" test "$(wc -l <out)" = 225
run 0 "lines of JSON" forecast runs/plain --data own.csv -o lines.jsonl
point "... by the ending" grep -q '^{"series":"g","step":32,"dimension":0,"truth":null,"mean":' lines.jsonl
point "... with the levels of its quantiles" grep -q '"levels":\[0.05,0.25,0.5,0.75,0.95\],"quantiles":\[' lines.jsonl
run 0 "the same by --format" forecast runs/plain --data own.csv --format jsonl
point "... to the bit" cmp out lines.jsonl
run 0 "--json" forecast runs/plain --data own.csv --json
point "... is an array" test "$(head -c 1 out)" = '['
mv out by-json
run 0 "... as by the ending" forecast runs/plain --data own.csv -o out.json
printf '\n' >>out.json
point "... to the bit" cmp out.json by-json
mkdir named.d
run 0 "a name without an ending" forecast runs/plain --data own.csv -o ./named.d/plain
point "... is CSV" cmp named.d/plain plain.csv
run 0 "NumPy's arrays" forecast runs/plain --data own.csv -o own.npz
run 0 "... of samples" forecast runs/plain --data own.csv --form samples -o samples.npz
"$SSKIT" forecast runs/plain --data own.csv -o again.npz
point "... the same bytes each time" cmp own.npz again.npz
if test -x /usr/bin/python3 && /usr/bin/python3 -c 'import numpy' 2>/dev/null; then
  cat >look.py <<'EOF'
import csv, json, numpy
a, s = numpy.load("own.npz"), numpy.load("samples.npz")
rows = list(csv.DictReader(open("plain.csv")))
lines = [json.loads(line) for line in open("lines.jsonl")]
mean = numpy.array([float(row["mean"]) for row in rows]).reshape(a["mean"].shape)
assert a["mean"].shape == (2, 8, 2) and numpy.allclose(a["mean"], mean, rtol=1e-6)
assert a["series"].tolist() == [b"g", b"h"] and a["step"][1].tolist() == list(range(32, 40))
assert numpy.isnan(a["truth"]).all() and a["levels"].tolist() == [0.05, 0.25, 0.5, 0.75, 0.95]
assert numpy.allclose(s["samples"].mean(1), a["mean"], rtol=1e-12)
q = numpy.quantile(s["samples"], a["levels"], axis=1)
assert numpy.allclose(numpy.moveaxis(q, 0, -1), a["quantiles"], rtol=1e-12)
assert numpy.allclose([line["mean"] for line in lines], a["mean"].ravel(), rtol=1e-15)
EOF
  point "... and NumPy reads what CSV and JSON say" /usr/bin/python3 look.py
else
  skip "... and NumPy reads what CSV and JSON say" "python3-numpy is not installed"
fi

verb=forecast
sed '1s/temp/tmep/' own.csv >renamed.csv
point "a column that is not there" refused 5 "renamed.csv:1:1: error: there is no column 'temp'" \
  runs/plain --data renamed.csv
point "... with the nearest, and what there is" grep -qF "did you mean 'tmep'? The columns are " err
sed 1d own.csv | cut -d, -f 3-4 >numbers.csv
point "a file without names" refused 5 "numbers.csv:1:1: error: the names of columns are expected here, found " \
  runs/plain --data numbers.csv
point "... with a header for it" grep -qF "is no header; give the file one, e.g. id,load,temp" err
point "covariates that are not known for the horizon" \
  refused 5 "series g has the covariates of 7 steps behind its last observation, and the horizon is 8" \
  runs/inputs --data own-short.csv
point "too few steps for the order" refused 5 "a history of 1 steps is shorter than the order 2" \
  runs/plain --data own.csv --context 1
point "a file that is not there" refused 5 "there is no file 'nowhere.csv'" runs/plain --data nowhere.csv
point "other columns than the model has" refused 5 "has 1 dimensions, 0 covariates" \
  runs/plain --data own.csv 'data.columns=[load]'
point "the data of the training that are gone" refused 5 "all.csv" runs/plain
point "quantiles that do not rise" refused 2 "--quantiles needs rising numbers" \
  runs/plain --data own.csv --quantiles 0.5,0.5
point "a format that is not there" refused 2 "--format is csv, json, jsonl or npz, not 'xml'" \
  runs/plain --data own.csv --format xml
point "an ending that is none" refused 2 "names no format that is written here; it can be .csv, .json, .jsonl or .npz" \
  runs/plain --data own.csv -o fore.xlsx
point "... writes nothing" test ! -e fore.xlsx
run 0 "... but what --format says" forecast runs/plain --data own.csv -o fore.2026 --format csv
point "... is written" cmp fore.2026 plain.csv
point "an ending and another format" refused 2 "--format csv contradicts the ending of 'fore.json'" \
  runs/plain --data own.csv -o fore.json --format csv
point "... --json" refused 2 "--json contradicts the ending of 'fore.csv'" runs/plain --data own.csv -o fore.csv --json
point "... both" refused 2 "--json contradicts --format csv" runs/plain --data own.csv --format csv --json
point "quantiles of samples" refused 2 "--quantiles is for --form quantiles" \
  runs/plain --data own.csv --form samples --quantiles 0.5
point "npz to a terminal" refused 2 "npz needs a file" runs/plain --data own.csv --format npz
point "--beyond with --data" refused 2 "--beyond is what --data does" runs/plain --data own.csv --beyond
point "two runs" refused 2 "does not take the argument" runs/plain --checkpoint runs/inputs --data own.csv
"$SSKIT" forecast runs/plain --data renamed.csv -o half.csv 2>err
point "nothing half-written" test ! -e half.csv

# A checkpoint of an earlier version does not tell the units: then the data are read.
cp -R runs/plain runs/earlier
LC_ALL=C sed 's/"units":/"other":/' runs/plain/checkpoints/last.safetensors >runs/earlier/checkpoints/last.safetensors
point "without units the data are needed" refused 5 "all.csv" runs/earlier --data own.csv
mv away.csv all.csv
run 0 "... and where they are there" forecast runs/earlier --data own.csv
point "... the numbers are the same" cmp out plain.csv

point "beyond what covariates are known for" \
  refused 5 "--beyond is not for a model with covariates" runs/inputs --beyond
point "... says what to do" grep -qF "'--data FILE' forecasts what follows the series of a file: add rows with" err

# Windows of one series in a split are told apart by where they begin.
sed 's/split_by: series, //; s/\[0.5, 0.25, 0.25\]/[0.5, 0, 0.5], overlap: 4, test_length: 8/
  s/context: 32, horizon: 8/context: 4, horizon: 4/' plain.yaml >windows.yaml
"$SSKIT" train -q windows.yaml -o runs/windows >out 2>err
run 0 "windows of series" forecast runs/windows
point "... have the step that they begin at" sh -c \
  'cut -d, -f 1 out | grep -q "^b@20$" && test "$(cut -d, -f 1,2,3 out | sort -u | wc -l)" = "$(wc -l <out)"'

# A model of generated data takes any file with as many columns of numbers.
"$SSKIT" train -q "$top_srcdir/recipes/smoke/dataset_lgssm.yaml" -o runs/generated >out 2>err
awk 'BEGIN { print "value"; for (t = 0; t < 20; t++) print sin(t) }' >any.csv
run 0 "own series for a model of generated data" forecast runs/generated --data any.csv --horizon 2
point "... behind their end" grep -q '^0,20,0,,' out
run 0 "generated series have numbers" forecast runs/generated --series 1 --json
point "... alone" grep -q '"series": 1,' out

echo "1..$n"
