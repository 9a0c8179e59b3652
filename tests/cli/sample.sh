#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# sskit sample of series with names: within the data set and of a file of one's own, which are the same, in
# any number of threads; formats; what is refused. (What is drawn is missing_data.sh's.)
set -u
. "$top_srcdir/tests/support/tap.sh"
cd "$work" || exit 99

awk 'BEGIN {
  srand(3); print "id,load,holiday"
  for (s = 0; s < 12; s++)
    for (t = x = 0; t < 20 + s; t++) {
      x = 0.9 * x + rand() - 0.5
      printf "%c,%s,%d\n", 97 + s, rand() < 0.1 ? "" : sprintf("%.3f", 100 + 10 * x), t % 7 == 0
    }
}' >all.csv
recipe() { # recipe NAME WHAT-MORE-OF-DATA
  cat <<END
name: $1
data: {use: csv, path: all.csv, columns: [load], series: id$2, split_by: series, split: [0.5, 0, 0.5]}
model:
  latent: 2
  summary: {use: gru, hidden: 8}
  encoder: {use: gaussian, network: {use: mlp, hidden: 8, layers: 1}}
  transition: linear
training: {steps: 10, batch: 4, log_every: 10}
evaluate: {horizon: 4, samples: 30, metrics: [crps]}
END
}
recipe plain "" >plain.yaml
recipe inputs ", covariates: [holiday]" >inputs.yaml
for name in plain inputs; do
  "$SSKIT" train -q $name.yaml -o runs/$name >out 2>err || exit 99
done

run 0 "within the data set" sample runs/plain --posterior -o within.csv
point "... series have their names" sh -c \
  'test "$(tail -n +2 within.csv | cut -d, -f 1 | uniq | tr -d "\n")" = ghijkl'
run 0 "one of them" sample runs/plain --posterior --series 2 --json
point "... by its name in JSON, too" grep -q '"series": "i"' out
point "... with the levels of its quantiles" sh -c 'tr -d " \n" <out | grep -q "\"levels\":\[0.05,0.25,0.5,0.75,0.95\]"'
run 0 "in one thread" sample runs/plain --posterior --threads 1
point "... the same bits" cmp out within.csv
run 0 "in three" sample runs/plain --posterior --threads 3
point "... the same bits" cmp out within.csv
run 0 "lines of JSON" sample runs/plain --posterior --series 2 -o lines.jsonl
point "... one an entry" test "$(grep -c '^{"series":"i","step":.*}$' lines.jsonl)" = "$(grep -c '^i,' within.csv)"

awk -F, 'NR == 1 || $1 >= "g"' all.csv >own.csv
mv all.csv away.csv
run 0 "a file, without the data of the training" sample runs/plain --posterior --data own.csv --threads 2
# The file's series are those of its split `test`, in the same order: the same random numbers.
point "... the same paths" cmp out within.csv
run 0 "free series with the covariates of a file" sample runs/inputs --data own.csv --series 5 --length 31
point "... by the name of that series" grep -q '^l,30,x,0,,,' out

verb=sample
point "more steps than the file has covariates" refused 5 "no covariates beyond the 31 steps" \
  runs/inputs --data own.csv --series 5 --length 32
point "a series that the file does not have" refused 2 "there is no series 6: the file has 6" \
  runs/plain --posterior --data own.csv --series 6
point "a split of a file" refused 2 "--split is for the data of the run" runs/plain --posterior --data own.csv --split train
point "threads for a single series" refused 2 "--threads is for --posterior" runs/plain --data own.csv --threads 2
point "a length that the data have" refused 2 "--length is for series that are drawn freely" \
  runs/plain --data own.csv --posterior --length 3
point "an ending that is none" refused 2 "it can be .csv, .json or .jsonl" runs/plain --data own.csv -o x.npz
point "another verb's ending" refused 2 "--format csv contradicts the ending of 'x.npz'" \
  runs/plain --data own.csv -o x.npz --format csv
point "the data of the training that are gone" refused 5 "all.csv" runs/plain --posterior

echo "1..$n"
