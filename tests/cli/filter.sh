#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# sskit filter: a stream has the numbers of the batch, in memory that does not grow, for every model
# that goes step by step; what it reads, and what is refused.
set -u
. "$top_srcdir/tests/support/tap.sh"
cd "$work" || exit 99

cat >two.yaml <<'EOF'
name: two
data: {use: csv, path: two.csv, columns: [load, temp], missing: [-9]}
window: {length: 12, stride: 4}
model:
  latent: 2
  order: 2
  time_features: 4
  summary: {use: gru, hidden: 8}
  encoder: {use: gaussian, network: {use: mlp, hidden: 8, layers: 1}}
  transition: linear
training: {steps: 10, batch: 4, log_every: 10}
evaluate: {horizon: 2, samples: 10, metrics: [crps]}
EOF
awk 'BEGIN { srand(5); print "temp,note,load"; for (t = 0; t < 60; t++) { x = 0.9 * x + rand() - 0.5
  printf "%s,n%d,%.3f\n", rand() < 0.2 ? "" : sprintf("%.3f", 20 + x), t, t == 7 ? -9 : 100 + 10 * x } }' >two.csv
"$SSKIT" train -q two.yaml -o runs/two >out 2>err || exit 99
run 0 "a batch: a file" filter runs/two --data two.csv --particles 50 -o batch.csv
point "... one line a step" test "$(wc -l <batch.csv)" = 61
point "... with the names of the columns" grep -q \
  '^series,step,log_density,effective,mean_load,sd_load,next_mean_load,next_q05_load,.*,next_q95_temp$' batch.csv
mv two.csv away.csv
"$SSKIT" filter runs/two --stream --particles 50 <away.csv >stream.csv 2>err
point "a stream has the same numbers to the bit" cmp batch.csv stream.csv
point "... and tells its latency" \
  grep -q '^60 observations, .* a second; latency in microseconds: median .*, p99 .*, max .*; peak memory .* MiB$' err
awk -F, 'NR > 1 { print $3 "," $1 }' away.csv | "$SSKIT" filter runs/two --stream --particles 50 -q >bare.csv 2>err
point "... without names, in the order of the recipe" cmp batch.csv bare.csv
point "... and with -q says no more" test ! -s err
awk -F, 'NR > 1 { printf "{\"temp\": %s, \"load\": %s}\n", $1 == "" ? "null" : $1, $3 }' \
  away.csv >lines.jsonl
"$SSKIT" filter runs/two --stream --particles 50 <lines.jsonl >objects.csv 2>err
point "... as JSON" cmp batch.csv objects.csv
"$SSKIT" filter runs/two --stream --particles 50 seed=2 <away.csv >other.csv 2>err
point "another seed gives others" sh -c '! cmp -s batch.csv other.csv'
"$SSKIT" filter runs/two --stream --particles 50 --json --quantiles 0.1,0.9 <away.csv >out 2>err
point "answers as JSON" grep -q '^{"series":"0","step":59,"log_density":.*"levels":\[0.1,0.9\],"next_quantiles":\[\[' out
mv out stream.jsonl
run 0 "a file by its ending" filter runs/two --data away.csv --particles 50 --quantiles 0.1,0.9 -o batch.jsonl
point "... are lines of JSON" cmp batch.jsonl stream.jsonl

# Covariates stand beside the observation of their step; what is predicted is then this one.
cat >heat.yaml <<'EOF'
name: heat
data: {use: csv, path: heat.csv, columns: [load], covariates: [temp, open]}
window: {length: 12, stride: 4}
model:
  latent: 2
  time_features: 4
  summary: {use: gru, hidden: 8}
  encoder: {use: gaussian, network: {use: mlp, hidden: 8, layers: 1}}
  transition: {use: gaussian, network: {use: mlp, hidden: 8, layers: 1}}
training: {steps: 10, batch: 4, log_every: 10}
evaluate: {horizon: 2, samples: 10, metrics: [crps]}
EOF
awk 'BEGIN { srand(5); print "temp,day,load,open"; for (t = 0; t < 60; t++) { x = 0.9 * x + rand() - 0.5; o = t % 7 < 5
  printf "%.3f,2026-%02d-%02d,%s,%d\n", 20 + x, 2 + int(t / 28), 1 + t % 28, t % 9 == 4 ? "" : sprintf("%.3f", 100 + 10 * x + 20 * o), o } }' >heat.csv
"$SSKIT" train -q heat.yaml -o runs/heat >out 2>err || exit 99
run 0 "covariates: a file" filter runs/heat --data heat.csv --particles 50 -o heat-batch.csv
point "... predictions of the observation itself" \
  grep -q '^series,step,log_density,effective,mean_load,sd_load,expected_mean_load,expected_q05_load' heat-batch.csv
"$SSKIT" filter runs/heat --stream --particles 50 -q <heat.csv >heat-stream.csv 2>err
point "... a stream has the same numbers to the bit" cmp heat-batch.csv heat-stream.csv
awk -F, 'NR > 1 { print $3 "," $1 "," $4 }' heat.csv >bare
"$SSKIT" filter runs/heat --stream --particles 50 -q <bare >heat-stream.csv 2>err
point "... without names, behind the observation" cmp heat-batch.csv heat-stream.csv
awk -F, '{ printf "[%s, %s, %s]\n", $1 == "" ? "null" : $1, $2, $3 }' bare >lines
"$SSKIT" filter runs/heat --stream --particles 50 -q <lines >heat-stream.csv 2>err
point "... as JSON" cmp heat-batch.csv heat-stream.csv
# Those of the last step change nothing before it, and what is expected of it.
awk -F, 'NR == 60 { $3 = 1 - $3 } { print $1 "," $2 "," $3 }' bare >other
"$SSKIT" filter runs/heat --stream --particles 50 -q <other >heat-stream.csv 2>err
head -60 heat-batch.csv >first-batch.csv
head -60 heat-stream.csv >first-stream.csv
point "... nothing of a step's is used before it" cmp first-batch.csv first-stream.csv
point "... they matter" sh -c 'test "$(tail -1 heat-batch.csv | cut -d, -f 7)" != "$(tail -1 heat-stream.csv | cut -d, -f 7)"'
sed 's/open]/open], time: day, calendar: [week]/' heat.yaml >calendar.yaml
"$SSKIT" train -q calendar.yaml -o runs/calendar >out 2>err || exit 99

# Each line is answered before the next one comes.
mkfifo to
"$SSKIT" filter runs/two --stream --particles 50 -q <to >from 2>err &
exec 3>to
echo 100,20 >&3
two_lines() {
  test "$(wc -l <from)" -ge 2
}
await two_lines
point "an answer before the next line" test "$(wc -l <from)" = 2
exec 3>&-
wait

# rss STEPS: peak memory in KiB of so many observations
rss() {
  awk -v n="$1" 'BEGIN { srand(1); for (t = 0; t < n; t++) print 100 + rand() "," 20 + rand() }' |
    "$SSKIT" filter runs/two --stream --particles 10 2>&1 >out | sed -n 's/.*peak memory \([0-9]*\).*/\1/p'
}
few=$(rss 500)
many=$(rss 20000)
point "forty times the observations" test "$(wc -l <out)" = 20001
if test -n "$SSKIT_SANITIZED"; then
  skip "... take no more memory" "sanitizers keep what was freed"
else
  point "... take no more memory" test "$many" -le $((few + 1))
fi

# stream ARGUMENT...: of the lines in the file `lines`
stream() {
  "$SSKIT" filter "$@" --stream --particles 20 -q <lines >out 2>err
}
# Every kind of model that goes step by step; its own data is the batch, by the same series.
smoke=$top_srcdir/recipes/smoke
for name in transition_diffusion transition_mixture transition_kalman transition_recurrent transition_handoff \
  initial_start initial_vhp emission_student_t emission_bernoulli emission_poisson; do
  test -f "$smoke/$name.yaml" || continue
  "$SSKIT" train -q "$smoke/$name.yaml" -o "runs/$name" >out 2>err
  "$SSKIT" filter "runs/$name" --particles 20 --series 0 >whole.csv 2>err
  point "$name: a whole series" sh -c 'test $(wc -l <whole.csv) -gt 3 && ! grep -q nan whole.csv'
done
"$SSKIT" train -q "$smoke/transition_path_diffusion.yaml" -o runs/paths >out 2>err

# refused STATUS TEXT ARGUMENT...
refused() {
  wanted=$1
  text=$2
  shift 2
  "$@"
  status=$?
  test $status = "$wanted" && grep -qF -- "$text" err
}
unstreamed() {
  "$SSKIT" "$@" >out 2>err
}
echo 1,2 >lines
point "a prior of whole paths" refused 5 "is a prior of whole paths" stream runs/paths
printf 'temp,laod\n1,2\n' >lines
point "a column that is not there" refused 5 "standard input:1:1: error: there is no column 'load'" stream runs/two
point "... with the nearest" grep -q "did you mean 'laod'" err
printf '1,2\n3,x\n' >lines
point "a cell that is no number" refused 5 "standard input:2:3: error: 'x' is not a finite number" stream runs/two
point "... after the line before it was answered" test "$(wc -l <out)" = 2
printf '1,2oops\n3,4\n' >lines
point "... is no name of a column in the first line" \
  refused 5 "standard input:1:3: error: '2oops' is not a finite number" stream runs/two
printf '1,2\n3\n' >lines
point "too few cells" refused 5 "standard input:2:1: error: 1 cells, where there should be 2" stream runs/two
printf '1,2,3\n1,,3\n' >lines
point "a covariate that is missing" refused 5 "standard input:2:3: error: the covariate 'temp' is missing" stream runs/heat "data.columns=[]"
printf 'load,temp,open\n1,2,NA\n' >lines
point "... with its name" refused 5 "standard input:2:5: error: the covariate 'open' is missing" stream runs/heat
printf '[1, 2]\n' >lines
point "... that are not there" refused 5 "2 values, but the model has 1 dimensions and 2 covariates" stream runs/heat
point "... that the data set makes" refused 5 "makes covariates of the calendar" stream runs/calendar
run 0 "... but for a file with times" filter runs/calendar --data heat.csv --particles 20
printf '[1,2\n' >lines
point "half a list" refused 5 "standard input:1:" stream runs/two
printf '{"temp": 1}\n' >lines
point "an object without a value" refused 5 "there is no value 'load'" stream runs/two
: >lines
point "an empty stream is no error" stream runs/two
echo 0.5,1 >lines
point "what the emission does not take" refused 5 "takes" stream runs/emission_bernoulli
point "a format that it does not write" refused 2 "it can be .csv or .jsonl" \
  unstreamed filter runs/two --data away.csv -o out.json
point "a stream of a file" refused 2 "--stream reads one series" stream runs/two --data away.csv

echo "1..$n"
