#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# sskit sweep on a PostgreSQL server: two sweeps share it, workers are killed, the server is started anew.
set -u
. "$top_srcdir/tests/support/tap.sh"
. "$top_srcdir/tests/support/postgres.sh"
cd "$work" || exit 99
smoke=$top_srcdir/recipes/smoke/transition_gaussian.yaml

cat >sweep.yaml <<END
name: shared
sweep:
  recipe: $smoke
  metric: crps
  trials: 8
  sampler: {use: sobol}
  seeds: [1, 2]
  losses: 1000
  prune: {use: asha, min: 100, factor: 2}
  axes:
    model.latent: {int: [1, 4]}
    training.learning_rate.encoder: {loguniform: [1e-4, 1e-2]}
set: [training.steps=150, training.checkpoint_every=20, training.validate_every=0]
END
"$SSKIT" sweep -q sweep.yaml --storage "postgresql:///nowhere?host=$work" -o probe >out 2>err
status=$?
if grep -q 'built without PostgreSQL' err; then
  skip "sweeps on a server" "this build has no PostgreSQL"
  echo "1..$n"
  exit
fi
point "a server that is not there" test $status = 6
point "... is told" grep -q 'PostgreSQL: cannot connect' err
if ! start_postgres; then
  stop_postgres
  skip "sweeps on a server" "$why"
  echo "1..$n"
  exit
fi
trap 'stop_postgres; rm -rf "$work"' EXIT

"$SSKIT" sweep -q sweep.yaml --storage "$postgres" -o one --jobs 2 >out 2>err &
sweep=$!
kill_workers $sweep
wait $sweep
point "workers that are killed" test $? = 0
point "... were some" test "$killed" -gt 0
point "... all trials have ended" test "$(tail -n +2 one/trials.csv | cut -d, -f2 | grep -c 'done\|pruned')" = 8
point "... and there is a best one" test -s one/best.yaml
run 0 "a second machine finds nothing to do" sweep -q sweep.yaml --storage "$postgres" -o two
point "... and the same trials" cmp -s one/trials.csv two/trials.csv
run 3 "another recipe of that name" sweep -q sweep.yaml training.clip=3 --storage "$postgres" -o three
point "... is told, with what differs" grep -q "clip: 3" err
run 0 "another name" sweep -q sweep.yaml name=other training.steps=3 sweep.trials=2 --storage "$postgres" -o four
point "... has trials of its own" test "$(grep -c ',done,' four/trials.csv)" = 2

# Two commands at once, as on two machines with one folder.
"$SSKIT" sweep -q sweep.yaml name=both training.steps=5 --storage "$postgres" -o both >first 2>err &
first=$!
"$SSKIT" sweep -q sweep.yaml name=both training.steps=5 --storage "$postgres" -o both >second 2>err.second
second=$?
wait $first
point "two commands share a sweep" test $? = 0 -a $second = 0
point "... each trial once" test "$(tail -n +2 both/trials.csv | cut -d, -f1 | sort -u | wc -l)" = 8

# The script for Slurm, with what Slurm would do done by hand: two tasks of the array at once.
mkdir fake && cat >fake/srun <<'END'
#!/bin/sh
# srun OPTION... COMMAND...: only the command
while test "${1#-}" != "$1"; do shift; done
exec "$@"
END
printf '#!/bin/sh\nexec "%s" "$@"\n' "$SSKIT" >fake/sskit
chmod +x fake/srun fake/sskit
run 0 "a script for Slurm" sweep sweep.yaml name=array training.steps=5 --jobs 2 --storage "$postgres" \
  -o "an array" --slurm
mv out array.sbatch
point "... is one of bash" bash -n array.sbatch
# task NUMBER
task() {
  PATH=$work/fake:$PATH SLURM_JOB_ID=7$1 SLURM_ARRAY_JOB_ID=70 SLURM_ARRAY_TASK_ID=$1 \
    SLURM_ARRAY_TASK_COUNT=2 SLURM_NTASKS=1 SLURM_PROCID=0 SLURM_CPUS_PER_TASK=1 \
    bash array.sbatch >"task.$1" 2>"err.$1"
  echo $? >"status.$1"
}
task 0 &
task 1
wait $!
point "... two tasks of it end well" test "$(cat status.0 status.1 | tr '\n' ' ')" = "0 0 "
point "... with all trials, each once" \
  test "$(grep ',done,\|,pruned,' "an array/trials.csv" | cut -d, -f1 | sort -u | wc -l)" = 8

# ended NAME FOLDER: the sweep in the background ends well, with all its trials
ended() {
  wait $sweep
  status=$?
  test $status = 0 || sed 's/^/# /' err
  point "$1" test $status = 0
  point "... has all trials" test "$(tail -n +2 "$2/trials.csv" | cut -d, -f2 | grep -c 'done\|pruned')" = 8
}

# Connections that break again and again, within transactions too.
"$SSKIT" sweep -q sweep.yaml name=torn training.steps=5 --storage "$postgres" -o torn >out 2>err &
sweep=$!
while kill -0 $sweep 2>/dev/null; do
  end_connections
  sleep 0.05
done
ended "a sweep whose connections break" torn

# The server goes away for a moment.
"$SSKIT" sweep -q sweep.yaml name=again --storage "$postgres" -o again >out 2>err &
sweep=$!
await test -d again/trials/0000-1 # while it trains
restart_postgres
ended "a server that is started anew" again

echo "1..$n"
