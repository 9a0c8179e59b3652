#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# sskit sweep on a file of SQLite: trials, tables, resuming, killed workers, failures, what is refused.
set -u
. "$top_srcdir/tests/support/tap.sh"
cd "$work" || exit 99
smoke=$top_srcdir/recipes/smoke/transition_gaussian.yaml

cat >sweep.yaml <<END
name: small
sweep:
  recipe: $smoke
  metric: crps
  trials: 6
  sampler: {use: random}
  seeds: [1, 2]
  axes:
    model.latent: {int: [1, 4]}
    training.learning_rate.encoder: {loguniform: [1e-4, 1e-2]}
set: [training.steps=4]
END
"$SSKIT" sweep -q sweep.yaml sweep.trials=1 -o probe >out 2>err
if grep -q 'built without SQLite' err; then
  skip "sweeps in files" "this build has no SQLite"
  echo "1..$n"
  exit
fi

# state DIR: "STATE COUNT" of the trials, by the CSV
state() {
  tail -n +2 "$1/trials.csv" | cut -d, -f2 | sort | uniq -c | awk '{ print $2, $1 }'
}
# values DIR: trial, value and setting of each, by number
values() {
  tail -n +2 "$1/trials.csv" | sort -n | cut -d, -f1,3,6-
}

run 3 "no whole numbers for what must be one" check sweep.yaml 'sweep.axes.model.latent={uniform: [1, 4]}'
run 3 "... on a grid, too" check sweep.yaml 'sweep.axes.model.latent={grid: [1, 4, 3]}'
cat >large.yaml <<END
name: large
sweep: {recipe: $smoke, metric: crps, sampler: {use: grid}, axes: {evaluate.particles: {grid: [1000000, 1000005, 6]}}}
set: [training.steps=1]
END
run 0 "a grid of large numbers" sweep -q large.yaml -o large
point "... keeps them apart" test "$(tail -n +2 large/trials.csv | cut -d, -f6 | sort -u | wc -l)" = 6
run 0 "six trials of two seeds" sweep -q sweep.yaml -o one
point "... all done" test "$(state one)" = "done 6"
point "... each with two runs" test "$(find one/trials -mindepth 1 -maxdepth 1 | wc -l)" = 12
point "... which are runs" test "$("$SSKIT" runs ls one | grep -c ' done ')" = 12
point "... the best on top" test "$(sed -n 2p one/trials.csv | cut -d, -f3)" = \
  "$(tail -n +2 one/trials.csv | cut -d, -f3 | sort -g | head -n 1)"
point "... in all forms" test -s one/trials.txt -a -s one/trials.md -a -s one/trials.json
run 0 "the best recipe" sweep sweep.yaml -o one --select
point "... is the first of the table" grep -q "^  latent: $(sed -n 2p one/trials.csv | cut -d, -f6)\$" out
point "... and in the directory" cmp -s out one/best.yaml
run 0 "its runs can be compared" compare -q --format csv one/trials/0000-1 one/trials/0000-2
point "... seeds are one row" test "$(grep -c ',crps,' out)" = 1
run 0 "two workers" sweep -q sweep.yaml -o two --jobs 2
values one >values.one
values two >values.two
point "... find the same" cmp -s values.one values.two
run 0 "what has ended is not begun again" sweep -q sweep.yaml -o two --jobs 2
values two >values.two
point "... and stays" cmp -s values.one values.two
run 0 "more trials can be asked for" sweep -q sweep.yaml sweep.trials=8 -o two --jobs 2
values two | head -n 6 >values.two
point "... the first ones stay" cmp -s values.one values.two
point "... and there are eight" test "$(state two)" = "done 8"
run 0 "the state alone" sweep sweep.yaml -o one --table --format csv
point "... is the table" cmp -s out one/trials.csv
run 0 "as JSON" sweep sweep.yaml -o one --table --json
point "... has settings" grep -q '"model.latent": "[1-4]"' out
run 6 "the state of what is not there" sweep sweep.yaml -o nowhere --table
point "... makes nothing" test ! -e nowhere
run 3 "another recipe in the same directory" sweep -q sweep.yaml training.clip=3 -o one
point "... is told" grep -q "'one' is the directory of another sweep" err
mkdir taken && touch taken/file
run 6 "a directory of something else" sweep -q sweep.yaml -o taken
point "... is left alone" test "$(ls taken)" = file
run 2 "a recipe that is no sweep" sweep -q "$smoke" -o three
run 2 "a sweep is not explained" explain sweep.yaml
run 2 "a sweep is not trained" train sweep.yaml
point "... the verb is named" grep -q "sskit sweep sweep.yaml" err

# ---- a grid ----------------------------------------------------------------------------------------
cat >grid.yaml <<END
name: grid
sweep:
  recipe: $smoke
  metric: crps
  sampler: {use: grid}
  axes:
    training.learning_rate.encoder: {grid: [0.001, 0.002, 2]}
    model.latent: {int: [1, 3]}
set: [training.steps=4]
END
run 0 "a grid" sweep -q grid.yaml -o grid --jobs 2
point "... is complete, each point once" \
  test "$(values grid | cut -d, -f3- | sort -u | tr '\n' ' ')" = \
  "0.001,1 0.001,2 0.001,3 0.002,1 0.002,2 0.002,3 " -a "$(values grid | wc -l)" = 6

# ---- killed workers --------------------------------------------------------------------------------
long="training.steps=150 training.checkpoint_every=20 training.validate_every=0"
# shellcheck disable=SC2086
"$SSKIT" sweep -q sweep.yaml $long sweep.losses=1000 -o calm >out 2>err
# shellcheck disable=SC2086
"$SSKIT" sweep -q sweep.yaml $long sweep.losses=1000 -o killed --jobs 2 >out 2>err &
sweep=$!
kill_workers $sweep
wait $sweep
point "workers that are killed" test $? = 0
point "... were some" test "$killed" -gt 0
point "... all trials are done" test "$(state killed)" = "done 6"
values calm >values.calm
values killed >values.killed
point "... with the values that they would have had" cmp -s values.calm values.killed

# ---- stopped, and continued ------------------------------------------------------------------------
# Runs of a second or more, stopped when the first has begun: that all end before is not to be feared.
longer="sweep.trials=2 training.steps=3000 training.checkpoint_every=500 training.validate_every=0"
# shellcheck disable=SC2086
"$SSKIT" sweep -q sweep.yaml $longer -o through --jobs 2 >out 2>err
# shellcheck disable=SC2086
"$SSKIT" sweep -q sweep.yaml $longer -o stopped --jobs 2 >out 2>err &
sweep=$!
await test -d stopped/trials/0000-1
kill -TERM $sweep
wait $sweep
status=$?
point "a signal stops it" test $status = 9
point "... before all is done" test "$("$SSKIT" runs ls stopped | grep -c ' done ')" -lt 4
point "... without a worker left" test -z "$(ps -o pid= --ppid $sweep)"
# shellcheck disable=SC2086
run 0 "and it goes on" sweep -q sweep.yaml $longer -o stopped --jobs 2
values through >values.through
values stopped >values.stopped
point "... to the same values" cmp -s values.through values.stopped

# ---- failures --------------------------------------------------------------------------------------
cat >failing.yaml <<END
name: failing
sweep:
  recipe: $smoke
  metric: crps
  sampler: {use: grid}
  axes: {training.learning_rate.encoder: [0.001, 0.9]}
set: [training.steps=40, training.skip_limit=2, training.clip=0]
END
# A second trial that cannot be trained: something is where its run should be.
mkdir -p failing && "$SSKIT" sweep -q failing.yaml sweep.trials=1 -o failing.first >out 2>err
rmdir failing && mv failing.first failing && touch failing/trials/0001-1
run 0 "a training that fails" sweep -q failing.yaml -o failing
point "... does not stop the others" test "$(state failing | tr '\n' ' ')" = "done 1 failed 1 "
point "... and the reason is told" grep -q '^trial 1, seed 1 failed: .*0001-1' out
run 0 "failed ones are left alone" sweep -q failing.yaml -o failing
point "... as they are" test "$(state failing | tr '\n' ' ')" = "done 1 failed 1 "
rm failing/trials/0001-1
run 0 "... unless asked for" sweep failing.yaml -o failing --retry
point "... one run" grep -q '^1 failed runs are tried again' err
point "... which is done now" test "$(state failing)" = "done 2"
run 5 "validation series that are too short" sweep -q sweep.yaml evaluate.context=500 -o short
point "... are told before anything is made" test ! -e short

# ---- pruning ---------------------------------------------------------------------------------------
run 0 "pruning" sweep -q sweep.yaml "sweep.prune={use: asha, min: 2, factor: 2}" "sweep.seeds=[1]" \
  training.steps=8 sweep.trials=10 -o pruned
point "... stops some" test "$(state pruned | grep -c pruned)" = 1
point "... and lets others end" test "$(state pruned | grep -c done)" = 1
point "... says so in the runs" test "$("$SSKIT" runs ls pruned | grep -c ' pruned ')" = \
  "$(state pruned | sed -n 's/pruned //p')"
run 0 "pruning by the bound" sweep -q sweep.yaml "sweep.prune={use: asha, min: 2, factor: 2, by: bound}" \
  training.steps=8 -o bound
point "... stops some" test "$(state bound | grep -c pruned)" = 1

# ---- for a cluster ---------------------------------------------------------------------------------
run 2 "a file is not for a cluster" sweep sweep.yaml --jobs 4 -o slurm --slurm
point "... is told" grep -q "hint: name a server" err
run 0 "a server is" sweep sweep.yaml "sweep.seeds=[1, 2]" --jobs 4 --threads 3 --time 2:00:00 -o "a b" \
  --storage postgresql://u@h/d --slurm
point "... the script is one of bash" bash -n out
point "... with a task a worker" grep -q '^#SBATCH --array=0-3 ' out
point "... of three processors" grep -qx '#SBATCH --cpus-per-task=3' out
point "... for two hours" grep -qx '#SBATCH --time=2:00:00' out
point "... that is started again" grep -q '^#SBATCH --requeue ' out
point "... and nothing was begun" test ! -e "a b" -a ! -e slurm
for options in "--retry --table" "--select --json" "--select --format csv" "--time 12:00:00"; do
  run 2 "$options says nothing" sweep sweep.yaml $options
done
run 2 "a limit that is none" sweep sweep.yaml --time soon --storage postgresql://u@h/d --slurm

# ---- docs/sweeps.md --------------------------------------------------------------------------------
if command -v gnuplot >/dev/null; then
  mkdir page && cd page || exit 99
  follow "$top_srcdir/docs/sweeps.md"
  point "... all trials have ended" \
    test "$(tail -n +2 runs/wave/trials.csv | cut -d, -f2 | grep -c 'done\|pruned')" = 16
  point "... the report has its figures" test "$(grep -c '<svg' runs/wave/report.html)" -ge 4
else
  skip "docs/sweeps.md" "no gnuplot"
fi

echo "1..$n"
